"""Chains of toy estimators from plain data, so that any process can build the same."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from functools import reduce
from operator import add as chained
from typing import TYPE_CHECKING, Any

from pipelines import toys

from kedro_rats import estimator, train_only, transformer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kedro_rats import Estimator

SOURCE, TARGET, SHIFT = "source", "target", "params:shift"
"""What every chain may read and nothing makes."""


@dataclass(frozen=True)
class Step:
    """One component of a chain.

    Attributes:
        kind: A key of `KINDS`.
        name: Its name.
        reads: Datasets that both phases have; the last is what it is applied to.
        learns_from: Rows and target that its fit gets.
        makes: Its outputs, two of them.
        tags: Its tags.
    """

    kind: str
    name: str
    reads: tuple[str, ...]
    learns_from: tuple[str, str]
    makes: tuple[str, str]
    tags: tuple[str, ...] = ()

    @property
    def made(self) -> tuple[str, ...]:
        """The outputs that it really makes."""
        return self.makes if self.kind in TWO_OUTPUTS else self.makes[:1]


def _of_functions(step: Step, **common: Any) -> Estimator:
    return estimator(
        toys.learn_shifted_mean,
        toys.subtract,
        fit_inputs=[*step.learns_from, SHIFT],
        inputs=step.reads[-1],
        outputs=step.makes[0],
        **common,
    )


def _with_keyed_outputs(step: Step, **common: Any) -> Estimator:
    return estimator(
        toys.learn_mean,
        toys.subtract_and_halve,
        inputs=step.reads[-1],
        outputs=dict(zip(("less", "half"), step.makes, strict=True)),
        **common,
    )


def _of_object(step: Step, **common: Any) -> Estimator:
    return estimator(
        toys.Centre(),
        fit_inputs=dict(zip("Xy", step.learns_from, strict=True)),
        inputs=step.reads[-1],
        outputs=step.makes[0],
        **common,
    )


def _fused(step: Step, **common: Any) -> Estimator:
    return estimator(
        toys.FusedCentre(), inputs=step.reads[-1], outputs=step.makes[0], **common
    )


def _with_methods(step: Step, **common: Any) -> Estimator:
    return estimator(
        toys.Model(0.5),
        fit_inputs=list(step.learns_from),
        inputs=step.reads[-1],
        outputs=dict(zip(("predict", "decision_function"), step.makes, strict=True)),
        **common,
    )


def _transformer(step: Step, **common: Any) -> Estimator:
    return transformer(
        toys.double, inputs=step.reads[-1], outputs=step.makes[0], **common
    )


def _joining(step: Step, **common: Any) -> Estimator:
    reads = [step.reads[0], step.reads[-1]]
    return transformer(toys.add, inputs=reads, outputs=step.makes[0], **common)


def _train_only(step: Step, **common: Any) -> Estimator:
    return train_only(
        toys.keep_first_half,
        inputs=list(step.learns_from),
        outputs=list(step.makes),
        **common,
    )


KINDS: dict[str, Callable[..., Estimator]] = {
    "transformer": _transformer,
    "fused": _fused,
    "object": _of_object,
    "functions": _of_functions,
    "methods": _with_methods,
    "keyed": _with_keyed_outputs,
    "joining": _joining,
    "train_only": _train_only,
}
TWO_OUTPUTS = {"keyed", "methods", "train_only"}
FITS = {"fused", "object", "functions", "methods", "keyed"}


def build(step: Step) -> Estimator:
    """Return the estimator that a step stands for."""
    return KINDS[step.kind](step, name=step.name, tags=list(step.tags))


def build_chain(steps: Sequence[Step]) -> Estimator:
    """Return the chain of all steps, from left to right."""
    return reduce(chained, map(build, steps))


def as_data(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Return steps as JSON can hold them."""
    return [asdict(step) for step in steps]


def from_data(data: Sequence[dict[str, Any]]) -> list[Step]:
    """Return the steps that `as_data` wrote."""
    return [
        Step(**{k: tuple(v) if isinstance(v, list) else v for k, v in step.items()})
        for step in data
    ]


def main() -> None:
    """Read chains from stdin, and print what this process makes of them."""
    import json

    from pipelines.described import described

    chains = map(from_data, json.load(sys.stdin))
    sys.stdout.write(json.dumps([described(build_chain(chain)) for chain in chains]))


if __name__ == "__main__":
    main()
