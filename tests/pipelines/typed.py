"""An estimator of functions whose parameters have a type."""

from __future__ import annotations

from pydantic import BaseModel

from kedro_rats import Estimator, estimator


class Options(BaseModel):
    shift: int


def learn(X: list[float], options: Options) -> list[object]:
    return [type(options).__name__, sum(X) / len(X) + options.shift]


def apply(state: list[object], X: list[float]) -> list[object]:
    return state


def own(name: str = "own") -> Estimator:
    return estimator(
        learn,
        apply,
        fit_inputs=["X", "params:options"],
        inputs="X",
        outputs=f"{name}_as" if name != "own" else "learned_as",
        name=name,
    )
