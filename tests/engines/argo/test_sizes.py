"""The size of a workflow: counted, predicted, and refused before Argo does."""

from __future__ import annotations

import json

import pytest
from pipelines.plans import lanes, layers, task, workflow

from kedro_rats.engines.argo.settings import ArgoSettings
from kedro_rats.engines.argo.translation.sizes import (
    LIMIT,
    refuse_too_large,
    size_report,
)
from kedro_rats.errors import DefinitionError


def test_what_is_sent_is_counted_to_the_byte() -> None:
    manifest = workflow(lanes(3, 4))
    report = size_report(manifest)
    assert report.spec == len(json.dumps(manifest, separators=(",", ":")))
    assert report.tasks == 14
    assert report.levels == 6
    assert report.largest == 14
    # The DAG, and for each task what is tried and each try.
    assert report.nodes == 1 + 2 * 14


def test_without_retries_there_are_fewer_nodes() -> None:
    manifest = workflow(lanes(3, 4), ArgoSettings(retries=0))
    report = size_report(manifest)
    assert report.nodes == 15
    assert report.status == report.status_retried


def test_ladders_and_joins_are_counted() -> None:
    policy = {"memory_ladder": ["2Gi", "4Gi"], "retries": 0}
    report = size_report(
        workflow([task("a", resources={"memory": "1Gi"}, policy=policy)])
    )
    assert (report.tasks, report.nodes, report.levels) == (1, 5, 1)
    report = size_report(workflow(layers(20, 2), ArgoSettings(retries=0)))
    assert (report.tasks, report.nodes, report.levels) == (40, 42, 2)


def test_retries_make_the_status_larger() -> None:
    few = size_report(workflow(lanes(2, 2), ArgoSettings(retries=1)))
    many = size_report(workflow(lanes(2, 2), ArgoSettings(retries=9)))
    assert few.status == many.status
    assert few.status_retried < many.status_retried


def test_a_workflow_that_argo_takes_is_not_refused() -> None:
    manifest = workflow(lanes(50, 20))
    refuse_too_large(manifest)
    assert size_report(manifest).total < LIMIT


def test_a_workflow_that_would_outgrow_argo_is_refused_with_the_cure() -> None:
    manifest = workflow(lanes(50, 100))
    with pytest.raises(DefinitionError) as error:
        refuse_too_large(manifest)
    text = str(error.value)
    assert text.startswith("the workflow: expected at most 838860 bytes")
    assert "for 5002 tasks" in text
    assert "group.NAME" in text
    assert "namespace_depth" in text
    # What it says is enough.
    fewer = int(text.split("Make about ")[1].split()[0])
    refuse_too_large(workflow(lanes(50, fewer // 50 - 1)))
