"""Checks that users run on what they build on kedro-rats."""

from kedro_rats.testing.estimator_check import CheckError, check_estimator

__all__ = ["CheckError", "check_estimator"]
