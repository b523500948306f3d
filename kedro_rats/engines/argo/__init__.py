"""The engine that runs a plan on Kubernetes, as a workflow of Argo.

Nothing here is imported until it is used: Hera and the client of Kubernetes take a
second each.
"""
