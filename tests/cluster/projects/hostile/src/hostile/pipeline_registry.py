"""Pipelines whose parameters, and whose every name, are hostile."""

from __future__ import annotations

from kedro.pipeline import Pipeline, node

from hostile import nodes, texts


def _given(what):
    return Pipeline([node(nodes.exact, f"params:{what}", f"exact_{what}", name=what)])


def _named():
    # A node without a name is called after its function and its datasets.
    unnamed = [node(nodes.said, "params:word", name) for name in texts.DATASETS]
    named = [
        node(nodes.said, "params:word", f"of_node_{i}", name=name, tags=[f"tag{name}"])
        for i, name in enumerate(texts.NODES)
    ]
    inside = [
        node(nodes.said, "params:word", f"{name}.made", name="in", namespace=name)
        for name in texts.NAMESPACES
    ]
    all_of_them = [
        *texts.DATASETS,
        *(f"of_node_{i}" for i, _ in enumerate(texts.NODES)),
        *(f"{name}.made" for name in texts.NAMESPACES),
    ]
    last = node(nodes.joined, all_of_them, "count", name="joined")
    return Pipeline([*unnamed, *named, *inside, last])


def register_pipelines() -> dict[str, Pipeline]:
    return {
        "texts": _given("texts"),
        "large": _given("large"),
        "typed": _given("typed"),
        texts.PIPELINE: _named(),
    }
