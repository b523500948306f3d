"""A pipeline for each fault: begin, what goes wrong, finish."""

from __future__ import annotations

from kedro.pipeline import Pipeline, node

from faulty import nodes

COMMON = ["params:case", "params:ticks"]


def _around(middle):
    return Pipeline(
        [
            node(nodes.begin, COMMON, "rows", name="begin"),
            middle,
            node(nodes.finish, ["twice", *COMMON], "answer", name="finish"),
        ]
    )


def _middle(function, *tags, more=(), outputs="twice"):
    name = function.__name__
    return node(function, ["rows", *COMMON, *more], outputs, name=name, tags=tags)


def register_pipelines() -> dict[str, Pipeline]:
    return {
        "steady": _around(_middle(nodes.slow, more=["params:seconds"])),
        "killed": _around(_middle(nodes.killed)),
        "hungry": _around(_middle(nodes.hungry, "resources.hungry")),
        "raising": _around(_middle(nodes.raising, "image.old")),
        "imageless": _around(_middle(nodes.waiting, "image.missing")),
        "prying": _around(_middle(nodes.prying, outputs=["twice", "seen"])),
        "homeless": _around(
            _middle(nodes.waiting, "resources.homeless", "policy.homeless")
        ),
    }
