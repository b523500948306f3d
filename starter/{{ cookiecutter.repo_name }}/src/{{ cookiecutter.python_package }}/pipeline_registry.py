"""The pipelines of the project, by the names that ``kedro run --pipelines`` takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro_rats import Estimator

from .pipelines import model, preparation, reporting

if TYPE_CHECKING:
    from kedro.pipeline import Pipeline


def register_pipelines() -> dict[str, Pipeline]:
    """Return the pipelines of the project.

    ``train`` fits the estimator on ``penguins``. ``evaluate`` applies the fitted
    estimator to the held-out rows, ``test.penguins``, and reports on them. It fits
    nothing, so it can be run again without ``train``.
    """
    estimator = preparation.preparation() + model.by_component()

    train = estimator.train
    evaluate = estimator.eval_on("test", metrics=model.METRICS) + reporting.report(
        "test"
    )

    # Where nodes run that do not say so themselves: see conf/base/rats.yml.
    placed = Estimator(train, evaluate).tag("image.default", "resources.small")
    train, evaluate = placed.train, placed.eval
    return {"__default__": train + evaluate, "train": train, "evaluate": evaluate}
