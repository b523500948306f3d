"""Predictions and plots for people to look at."""

from .pipeline import report

__all__ = ["report"]
