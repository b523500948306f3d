"""What a cluster cannot do: said before anything is sent, all of it at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pipelines.plans import plan_of, task, workflow

from kedro_rats.encoding.objects import ObjectDecoder
from kedro_rats.engines.argo.translation.requirements import requirements
from kedro_rats.errors import DefinitionError
from kedro_rats.plan.model import Source, Task

DECODER = ObjectDecoder(lambda digest: b"")
S3 = "s3://bucket/rats"


def said(*tasks: Task, store: str = S3) -> list[str]:
    return [
        str(b) for b in requirements(plan_of(tasks), store_uri=store, decoder=DECODER)
    ]


def csv(path: str, kind: str = "pandas.CSVDataset", **more: Any) -> dict[str, Any]:
    return {"type": kind, "filepath": path, **more}


def reading(name: str, entry: dict[str, Any]) -> Task:
    return replace(task("reader"), reads={name: Source(entry=entry)})


def test_what_a_cluster_can_do_is_not_complained_of() -> None:
    one = task(
        "one",
        writes={
            "a": None,
            "b": csv("s3://bucket/b.csv"),
            "c": {"type": "pandas.SQLTableDataset"},
        },
    )
    assert said(one) == []


def test_a_local_store_is_refused() -> None:
    (found,) = said(task("one"), store=".rats")
    assert found == (
        "rats.yml, store: expected a place that pods can reach, such as s3://BUCKET/PREFIX, "
        "got '.rats'. Set it in the rats.yml of this environment."
    )


def test_commands_that_help_have_the_environment_in_them() -> None:
    one = replace(task("one", writes={"b": csv("data/b.csv")}), placement={})

    found = requirements(plan_of([one]), store_uri=S3, decoder=DECODER, env="prod")

    text = " ".join(map(str, found))
    assert "`kedro rats init --argo --env=prod`" in text
    assert "`kedro rats build --env=prod`" in text
    assert "ENV" not in text


def test_every_local_output_is_named() -> None:
    one = task("one", writes={"b": csv("data/b.csv"), "a": csv("file:///data/a.csv")})
    other = task("two", writes={"c": csv("s3://bucket/c.csv")})
    first, second = said(one, other)
    assert first.startswith("dataset 'a': expected a place that pods can write")
    assert "got the local path 'file:///data/a.csv'" in first
    assert "kedro rats init --argo --env ENV" in first
    assert second.startswith("dataset 'b'")


def test_a_folder_of_partitions_is_local_too() -> None:
    entry = {
        "type": "partitions.PartitionedDataset",
        "path": "data/parts",
        "dataset": "json",
    }
    assert (
        "got the local path 'data/parts'" in said(task("one", writes={"p": entry}))[0]
    )


def test_local_inputs_are_imported_and_so_no_breach() -> None:
    assert said(reading("raw", csv("data/raw.csv"))) == []


def test_a_local_input_that_is_read_where_it_is_is_refused() -> None:
    entry = csv("data/t", "pandas.DeltaTableDataset")
    assert (
        "a DeltaTableDataset, which cannot be imported" in said(reading("t", entry))[0]
    )


def test_a_query_comes_with_the_image() -> None:
    assert said(reading("q", csv("queries/q.sql", "pandas.SQLQueryDataset"))) == []


def test_tasks_without_an_image_are_counted() -> None:
    (found,) = said(*(task(f"t{n}", image={}) for n in range(3)))
    assert found == (
        "task 't0' and 2 more, image: expected one, got none. Build it with `kedro rats "
        "build --env ENV`, or name one under image and default in rats.yml."
    )


IMPOSSIBLE: dict[str, tuple[dict[str, Any], str]] = {
    "deadline and ladder": (
        {"policy": {"deadline": 60, "memory_ladder": ["2Gi"]}},
        "policy: expected a deadline or a memory_ladder, got both",
    ),
    "factor": (
        {"policy": {"backoff": {"delay": 1, "factor": 1.5}}},
        "policy, backoff.factor: expected a whole number, got 1.5",
    ),
    "seconds": (
        {"resources": {"tolerations": [{"operator": "Exists", "seconds": 5}]}},
        "resources, tolerations: expected seconds with effect NoExecute alone, got None",
    ),
    "affinity": (
        {"resources": {"affinity": {"nodeAffinity": {"prefered": []}}}},
        "got keys that it has not (prefered)",
    ),
    "affinity of another form": (
        {"resources": {"affinity": {"nodeAffinity": "x"}}},
        "got something else at nodeAffinity",
    ),
    "affinity in a list": (
        {
            "resources": {
                "affinity": {
                    "podAffinity": {
                        "requiredDuringSchedulingIgnoredDuringExecution": [
                            {"topologyKey": "a", "lableSelector": {}}
                        ]
                    }
                }
            }
        },
        "got keys that it has not (lableSelector)",
    ),
    "variable": (
        {"bind": {"env": {"ARGO_TEMPLATE": {"value": "x"}}}},
        "bind, variables: expected no name that begins with KEDRO_RATS_ or ARGO_",
    ),
    "folder": (
        {"bind": {"mounts": {"/var/run/argo/x": {"scratch": "1Gi"}}}},
        "bind, folders: expected no folder of /kedro-rats or /var/run/argo or /mainctrfs",
    ),
    "a key of a later version": (
        {"resources": {"gang": 3}},
        "got gang. Make the plan again",
    ),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_no_workflow_can_say_is_refused_before_and_by_the_translation(
    name: str,
) -> None:
    placement, expected = IMPOSSIBLE[name]
    one = task("one", **placement)
    (found,) = said(one)
    assert found.startswith("task 'one', ")
    assert expected in found
    with pytest.raises(DefinitionError) as error:
        workflow([one])
    assert str(error.value) == found


def test_everything_is_said_at_once() -> None:
    tasks = [task(f"t{n}", **p) for n, (p, _) in enumerate(IMPOSSIBLE.values())]
    tasks.append(task("last", image={}, writes={"x": csv("x.csv")}))
    assert len(said(*tasks, store="folder")) == len(IMPOSSIBLE) + 3
