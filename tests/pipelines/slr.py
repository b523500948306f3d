"""Standardised logistic regression, trained and evaluated by a runner of Kedro."""

from __future__ import annotations

import json
import pickle
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kedro.io
import kedro.runner
import numpy as np
from kedro.io import AbstractDataset, DataCatalog
from sklearn import datasets
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from kedro_rats import estimator, metric, transformer

if TYPE_CHECKING:
    from kedro_rats import Estimator

DATASETS = ("d", "test.d", "test.scores", "test.summary")
"""What is compared."""


class PickleFile(AbstractDataset[Any, Any]):
    """A file that any process can read."""

    def __init__(self, path: str) -> None:
        self._path = path

    def load(self) -> Any:
        return pickle.loads(Path(self._path).read_bytes())

    def save(self, data: Any) -> None:
        Path(self._path).write_bytes(pickle.dumps(data))

    def _exists(self) -> bool:
        return Path(self._path).exists()

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path}


def standardised_logistic_regression() -> Estimator:
    log = transformer(np.log1p, inputs="raw", outputs="X", name="log")
    scale = estimator(StandardScaler(), inputs="X", outputs="Z", name="scale")
    clf = estimator(
        LogisticRegression(),
        fit_inputs={"X": "Z", "y": "y", "sample_weight": "w"},
        inputs="Z",
        outputs={"predict": "label", "decision_function": "d"},
        name="clf",
        params="params:clf",
    )
    return log + scale + clf


def estimator_and_data() -> tuple[Estimator, dict[str, Any], dict[str, Any]]:
    """Return the estimator, what it trains on and what it is evaluated on."""
    X, y = datasets.load_breast_cancer(return_X_y=True)
    train = {
        "raw": X[::2].copy(),
        "y": y[::2],
        "w": np.linspace(0.5, 2.0, len(y[::2])),
        "params:clf": {"C": 0.5},
    }
    return standardised_logistic_regression(), train, {"raw": X[1::2].copy()}


def numbers_of(runner: str) -> dict[str, list[str]]:
    """Return, to the last bit, what a runner of Kedro makes with files for datasets."""
    slr, train, held_out = estimator_and_data()
    auc = metric(roc_auc_score, inputs=["y", "d"])
    _, y = datasets.load_breast_cancer(return_X_y=True)
    data = {**train, "test.raw": held_out["raw"], "test.y": y[1::2]}
    pipeline = slr.train + slr.eval_on("test", metrics={"auc": auc})
    catalog_class = DataCatalog
    if runner == "ParallelRunner":
        catalog_class = kedro.io.SharedMemoryDataCatalog
    with tempfile.TemporaryDirectory() as folder:
        files = {
            name: PickleFile(str(Path(folder) / name.replace(":", "-")))
            for name in pipeline.datasets()
        }
        catalog = catalog_class(files)
        for name in pipeline.inputs():
            catalog.save(name, data[name])
        getattr(kedro.runner, runner)().run(pipeline, catalog)
        return {name: _bits(catalog.load(name)) for name in DATASETS}


def _bits(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [float(value["auc"]["mean"]).hex()]
    values = value["value"] if hasattr(value, "columns") else value.ravel()
    return [float(number).hex() for number in values]


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(numbers_of(sys.argv[1])) + "\n")
