"""The standardised logistic regression and its metrics."""

from .pipeline import METRICS, by_component, by_phase

__all__ = ["METRICS", "by_component", "by_phase"]
