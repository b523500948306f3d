"""Project pipelines."""

from kedro.pipeline import Pipeline, node, pipeline

from .nodes import line, longest, zones


def register_pipelines() -> dict[str, Pipeline]:
    default = pipeline(
        [
            node(
                zones,
                inputs="trips",
                outputs=["zones@spark", "seen_by_spark"],
                name="zones",
                tags="image.spark",
            ),
            node(
                line,
                inputs="zones@pandas",
                outputs=["line", "seen_by_sklearn"],
                name="line",
                tags="image.sklearn",
            ),
            node(longest, "seen_by_sklearn", "longest", name="longest"),
        ]
    )
    return {"__default__": default}
