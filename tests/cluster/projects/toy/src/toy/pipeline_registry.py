"""Project pipelines."""

from kedro.pipeline import Pipeline, node, pipeline

from .nodes import doubled, squares


def register_pipelines() -> dict[str, Pipeline]:
    return {
        "__default__": pipeline(
            [
                node(squares, "params:n", "squares", name="squares"),
                node(sum, "squares", "total", name="total"),
                node(doubled, "total", "doubled", name="doubled"),
            ]
        )
    }
