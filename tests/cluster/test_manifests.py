"""The API server takes every workflow that the tests of the translation make."""

from __future__ import annotations

import os

import pytest
from engines.argo import test_lint
from pipelines.manifests import MANIFESTS

from kedro_rats.engines.argo.cluster.client import Cluster

pytestmark = pytest.mark.cluster

# It needs a program that is there where the cluster is.
test_argo_lint = test_lint.test_argo_finds_nothing_wrong_with_any_workflow


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return Cluster.connect(namespace=os.environ["ARGO_NAMESPACE"])


@pytest.mark.parametrize("name", MANIFESTS)
def test_the_api_server_takes_it(name: str, cluster: Cluster) -> None:
    made = MANIFESTS[name]()
    answer = cluster.create(made, dry_run=True)
    # Nothing of it is dropped.
    assert answer["spec"] == made["spec"]
