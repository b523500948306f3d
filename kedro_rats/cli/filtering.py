"""What the options that select nodes leave of a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kedro_rats.errors import Breach, DefinitionError, listed, nearest, raise_if, shown
from kedro_rats.names import base_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from kedro.pipeline import Pipeline

OPTIONS: Final = {
    "tags": "--tags",
    "node_names": "--nodes",
    "from_nodes": "--from-nodes",
    "to_nodes": "--to-nodes",
    "from_inputs": "--from-inputs",
    "to_outputs": "--to-outputs",
    "node_namespaces": "--namespaces",
}
"""The arguments of ``Pipeline.filter``, and the options that they come from."""

_EXPECTED: Final = {
    "tags": "tags of the pipeline's nodes",
    "from_inputs": "a dataset of the pipeline",
    "to_outputs": "a dataset of the pipeline",
    "node_namespaces": "a namespace of the pipeline",
}


def filtered(
    pipeline: Pipeline, filters: Mapping[str, Sequence[str]], *, describe: str
) -> Pipeline:
    """Return the nodes of a pipeline that meet all filters.

    Args:
        pipeline: The pipeline.
        filters: Arguments of ``Pipeline.filter``.
        describe: The command that lists the nodes.

    Raises:
        DefinitionError: If a filter names what is not there, or no node is left.
    """
    raise_if(
        breach
        for argument, names in filters.items()
        for breach in _unknown(pipeline, argument, names, describe)
    )
    try:
        return pipeline.filter(**{name: list(value) for name, value in filters.items()})
    except ValueError as error:
        raise DefinitionError(_nothing_left(filters)) from error


def _unknown(
    pipeline: Pipeline, argument: str, names: Sequence[str], describe: str
) -> Iterator[Breach]:
    known = _known(pipeline, argument)
    # A node needs one of the tags, so that there may be others.
    if argument == "tags" and known.intersection(names):
        return
    for name in names:
        if name not in known:
            yield Breach(
                OPTIONS[argument],
                _EXPECTED.get(argument, "a node of the pipeline"),
                shown(name),
                _meant(name, known) or f"`{describe}` lists them.",
            )


def _known(pipeline: Pipeline, argument: str) -> set[str]:
    """Return the names that a filter may have."""
    if argument == "tags":
        return {tag for node in pipeline.nodes for tag in node.tags}
    if argument == "node_namespaces":
        whole = (node.namespace for node in pipeline.nodes if node.namespace)
        return {name for namespace in whole for name in _prefixes(namespace)}
    if argument in ("from_inputs", "to_outputs"):
        datasets = pipeline.datasets()
        return datasets | set(map(base_name, datasets))
    return {node.name for node in pipeline.nodes}


def _prefixes(namespace: str) -> Iterator[str]:
    while namespace:
        yield namespace
        namespace = namespace.rpartition(".")[0]


def _meant(name: str, known: Iterable[str]) -> str:
    """Return a question for the name that was meant, also one inside a namespace."""
    inside = min((each for each in known if each.endswith(f".{name}")), default=None)
    return f"Did you mean {inside!r}?" if inside else nearest(name, known).strip()


def _nothing_left(filters: Mapping[str, Sequence[str]]) -> Breach:
    subject, expected = "selection", "at least one node"
    asked = [f"{OPTIONS[each]} {','.join(names)}" for each, names in filters.items()]
    if len(asked) == 1:
        return Breach(subject, expected, f"none with {asked[0]}", "Give another.")
    got = f"none: no node is in all of {listed(asked)}"
    return Breach(subject, expected, got, "Leave one of them out.")
