from kedro.pipeline import Pipeline, node, pipeline

from .nodes import evaluate, predict, split_rows, train


def create_pipeline(**kwargs) -> Pipeline:
    return pipeline(
        [
            node(
                split_rows,
                inputs=["model_input", "params:split"],
                outputs=["train_rows", "test_rows"],
                name="split_rows",
            ),
            node(
                train,
                inputs=["train_rows", "params:classifier"],
                outputs="classifier",
                name="train",
            ),
            node(
                predict,
                inputs=["classifier", "test_rows", "params:classifier.features"],
                outputs="predictions",
                name="predict",
            ),
            node(evaluate, "predictions", "metrics", name="evaluate"),
        ]
    )
