# The image of a Spark step: PySpark with a Java runtime, pandas, and no scikit-learn.
# Java and the dependencies have layers of their own, so a new wheel costs seconds.
ARG BASE=localhost/python:3.11
FROM $BASE
USER root
RUN apt-get update \
    && apt-get install --yes --no-install-recommends openjdk-17-jre-headless \
    && rm -rf /var/lib/apt/lists/*
ENV DO_NOT_TRACK=1 OMP_NUM_THREADS=1
COPY pinned.txt /tmp/
RUN pip install --no-cache-dir --no-deps --requirement /tmp/pinned.txt
COPY kedro_rats-*.whl /tmp/
RUN pip install --no-cache-dir --no-deps /tmp/kedro_rats-*.whl
WORKDIR /home/rats
