# What argo-kedro runs in: the image of the end-to-end tests, argo-kedro and the project.
ARG BASE
FROM $BASE
RUN pip install --no-cache-dir argo-kedro==0.1.41
COPY project /home/rats/project
WORKDIR /home/rats/project
