"""Estimators and transformers: pipelines that learn, and apply what they learned."""

from kedro_rats.estimators.algebra import Estimator
from kedro_rats.estimators.learned import estimator
from kedro_rats.estimators.metrics import Metric, metric
from kedro_rats.estimators.stateless import train_only, transformer

__all__ = [
    "Estimator",
    "Metric",
    "estimator",
    "metric",
    "train_only",
    "transformer",
]
