"""Images of a project: built by docker, podman or buildah, and named by what is in them."""
