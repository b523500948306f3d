"""The report: ordinary Kedro nodes, next to the evaluation that they report on."""

from __future__ import annotations

from kedro.pipeline import Pipeline, node

from .nodes import list_predictions, plot_confusion, plot_roc


def report(namespace: str) -> Pipeline:
    """Return the report on the evaluation in a namespace, such as ``test``."""
    return Pipeline(
        [
            node(
                list_predictions,
                inputs=["penguins", "label", "p"],
                outputs="predictions",
                name="list_predictions",
            ),
            node(plot_roc, inputs=["y", "d"], outputs="roc", name="plot_roc"),
            node(
                plot_confusion,
                inputs=["y", "label"],
                outputs="confusion",
                name="plot_confusion",
            ),
        ],
        namespace=namespace,
    )
