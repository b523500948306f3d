"""The pipelines of the project, by the names that ``kedro run --pipelines`` takes."""

from __future__ import annotations

from kedro.pipeline import Pipeline
from kedro_rats import Estimator

from .pipelines import model, preparation, pseudolabelling, reporting, tuning


def register_pipelines() -> dict[str, Pipeline]:
    """Return the pipelines of the project.

    ``train`` fits the estimator on ``penguins``. ``evaluate`` applies the fitted
    estimator to the held-out rows, ``test.penguins``, and reports on them. It fits
    nothing, so it can be run again without ``train``.

    ``tune`` searches for better parameters, and ``pseudolabel`` learns from birds of
    unknown sex too. Both cross-validate what they try, and keep no model.
    """
    estimator = preparation.preparation() + model.by_component()

    train = estimator.train
    evaluate = estimator.eval_on("test", metrics=model.METRICS) + reporting.report(
        "test"
    )

    return {
        "__default__": placed(train + evaluate),
        "train": placed(train),
        "evaluate": placed(evaluate),
        "tune": placed(tuning.judged()),
        "pseudolabel": placed(pseudolabelling.judged()),
    }


def placed(pipeline: Pipeline) -> Pipeline:
    """Say where nodes run that do not say so themselves: see conf/base/rats.yml."""
    nodes = Estimator(train=pipeline, eval=Pipeline([]))
    return nodes.tag("image.default", "resources.small").train
