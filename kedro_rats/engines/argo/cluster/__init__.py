"""What kedro-rats asks of a Kubernetes cluster with Argo Workflows."""
