# The second image: the first, and a package that takes no part in the arithmetic.
ARG BASE=localhost/python:3.11
FROM $BASE
# One thread: a sum in another order would be another float.
ENV DO_NOT_TRACK=1 MPLBACKEND=agg OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
COPY pinned.txt /tmp/
RUN pip install --no-cache-dir --no-deps --requirement /tmp/pinned.txt
COPY requirements-second.txt /tmp/
RUN pip install --no-cache-dir --no-deps --requirement /tmp/requirements-second.txt
COPY kedro_rats-*.whl /tmp/
RUN pip install --no-cache-dir --no-deps /tmp/kedro_rats-*.whl
WORKDIR /home/rats
