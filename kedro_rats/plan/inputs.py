"""Is there everything that a pipeline reads?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kedro_rats.errors import Breach, listed, nearest
from kedro_rats.names import base_name, is_parameter

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from kedro_rats.plan.datasets import Datasets
    from kedro_rats.plan.wiring import Wiring


def input_breaches(
    wiring: Wiring,
    datasets: Datasets,
    *,
    parameters: Collection[str],
    given: Collection[str],
) -> Iterator[Breach]:
    """Yield a breach for every input that nobody makes and nothing gives, once."""
    missing = _missing(wiring, datasets, parameters=parameters, given=given)
    known = [*wiring.maker, *datasets.known()]
    for i, (dataset, name) in enumerate(missing.items()):
        of_parameters = is_parameter(dataset)
        names = parameters if of_parameters else known
        # To compare each with each takes minutes where a whole catalog is missing.
        close = nearest(dataset, names) if i < _COMPARED else ""
        if of_parameters:
            yield _missing_parameter(dataset, name, close)
        else:
            yield _missing_dataset(dataset, name, close, datasets)
    for name, inputs in zip(wiring.names, wiring.inputs, strict=True):
        for dataset in inputs:
            yield from _transcoding_breaches(dataset, name, wiring, datasets)


def _missing(
    wiring: Wiring,
    datasets: Datasets,
    *,
    parameters: Collection[str],
    given: Collection[str],
) -> dict[str, str]:
    """Return each input that is missing, with the first node that reads it."""

    def is_there(dataset: str) -> bool:
        if is_parameter(dataset):
            return dataset in parameters
        made = base_name(dataset) in wiring.maker
        return made or datasets.catalogued(dataset) or dataset in given

    missing: dict[str, str] = {}
    for node, name in zip(wiring.nodes, wiring.names, strict=True):
        for dataset in node.inputs:
            if not is_there(dataset):
                missing.setdefault(dataset, name)
    return missing


_COMPARED: Final = 20
"""For so many missing names the nearest known one is looked for."""


def _transcoding_breaches(
    read: str, node: str, wiring: Wiring, datasets: Datasets
) -> Iterator[Breach]:
    """Yield a breach if a dataset is read under a name that nobody can load.

    ``x@a`` and ``x@b`` are one dataset only where the catalog gives both a place.
    """
    _, made = wiring.maker.get(base_name(read), (None, read))
    if made == read:
        return
    without = [name for name in (made, read) if not datasets.catalogued(name)]
    if without:
        yield Breach(
            f"dataset {read!r}, read by node {node!r}",
            f"catalog entries with one place for {made!r} and {read!r}",
            f"none for {listed(without)}",
            "Give it one, or read the dataset under the name that it is made under.",
        )


def _missing_parameter(dataset: str, node: str, close: str) -> Breach:
    return Breach(
        f"node {node!r}, {dataset!r}",
        "a parameter of the project",
        "none of that name",
        f"{close}Write it in parameters.yml, or give it with --params.",
    )


def _missing_dataset(dataset: str, node: str, close: str, datasets: Datasets) -> Breach:
    in_memory = datasets.in_memory(dataset)
    return Breach(
        f"dataset {dataset!r}, read by node {node!r}",
        "a catalog entry, a node that makes it, or --from-run",
        "a MemoryDataset that nobody fills" if in_memory else "none of them",
        f"{close}Give it a catalog entry, run the nodes that make it "
        "too, or take it from an earlier run.",
    )
