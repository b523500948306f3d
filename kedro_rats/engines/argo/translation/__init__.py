"""From a plan to a workflow of Argo."""
