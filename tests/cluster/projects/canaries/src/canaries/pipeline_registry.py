"""A pipeline that talks and is done, and two that fail: in a node, in a dataset."""

from __future__ import annotations

from kedro.pipeline import Pipeline, node

from canaries import nodes

SECRETS = ["params:database", "params:api_token"]


def register_pipelines() -> dict[str, Pipeline]:
    speak = node(nodes.speak, SECRETS, ["letters", "ledger"], name="speak")
    return {
        "quiet": Pipeline([speak]),
        "loud": Pipeline([node(nodes.shout, SECRETS, "nothing", name="shout")]),
        "refused": Pipeline([node(nodes.read, "ledger", "nothing", name="read")]),
    }
