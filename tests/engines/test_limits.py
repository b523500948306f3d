"""What this machine does not do is said, and only that."""

from __future__ import annotations

from typing import Any

import pytest

from kedro_rats.engines.local.engine import pauses
from kedro_rats.engines.local.limits import left_out
from kedro_rats.placement.placing import place
from kedro_rats.placement.schema import parse
from kedro_rats.plan import Plan, Task
from kedro_rats.plan.model import Header


class Node:
    name = "a"
    namespace = None
    tags: set[str] = set()  # noqa: RUF012 - as Kedro's nodes have them


def task(label: str, settings: dict[str, Any]) -> Task:
    """Return a task that runs where ``rats.yml`` says."""
    placed, breaches = place([Node()], parse(settings))
    assert not breaches
    placement = placed["a"].to_json()
    return Task(name="a", label=label, position=0, nodes=(), placement=placement)


def plan(*tasks: Task) -> Plan:
    return Plan(Header(parameters="0" * 64), {t.label: t for t in tasks})


MOUNT = {
    "bind": {"db": {"secrets": {"pg": {"env": {"PGUSER": "user"}, "files": "/pg"}}}},
    "default": {"bind": "db"},
}
NOT_BOUND = (
    "Variables from secrets and config maps are those of your shell here: asked for by "
    "fit.\nSecrets, config maps and volumes of a cluster are not bound here: asked for "
    "by fit."
)
TIMEOUT = {"policy": {"p": {"timeout": "1h"}}, "default": {"policy": "p"}}


@pytest.mark.parametrize(
    ("settings", "isolate", "said"),
    [
        (TIMEOUT, False, "A timeout holds only with --isolate: asked for by fit."),
        (TIMEOUT, True, ""),
        (
            MOUNT,
            True,
            NOT_BOUND,
        ),
        (
            {
                "image": {"i": "x:1"},
                "resources": {"r": {"cpu": 2, "gpu": 1}},
                "policy": {"p": {"retries": 2}},
                "default": {"image": "i", "resources": "r", "policy": "p"},
            },
            False,
            "",
        ),
        (
            {
                "policy": {"p": {"deadline": "1h"}},
                "default": {"policy": "p"},
            },
            True,
            "A deadline is not kept on this machine: asked for by fit.",
        ),
    ],
)
def test_a_line_says_what_is_not_done_here(
    settings: dict[str, Any], isolate: bool, said: str
) -> None:
    assert "\n".join(left_out(plan(task("fit", settings)), isolate=isolate)) == said


def test_many_tasks_are_one_line() -> None:
    tasks = [task(label, TIMEOUT) for label in "abcde"]

    (line,) = left_out(plan(*tasks), isolate=False)

    assert line.endswith("asked for by a, b, c and 2 more.")


@pytest.mark.parametrize(
    ("backoff", "expected"),
    [
        ({"delay": "10s"}, [10, 20, 40]),
        ({"delay": "10s", "factor": 1}, [10, 10, 10]),
        ({"delay": "10s", "max": "15s"}, [10, 15, 15]),
        (None, [0, 0, 0]),
    ],
)
def test_pauses_are_what_rats_yml_says(
    backoff: dict[str, Any] | None, expected: list[int]
) -> None:
    policy = {"retries": 3, **({"backoff": backoff} if backoff else {})}
    settings = {"policy": {"p": policy}, "default": {"policy": "p"}}

    assert list(pauses(task("fit", settings))) == expected
