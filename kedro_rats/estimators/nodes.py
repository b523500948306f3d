"""Kedro nodes with a type, a namespace and a preview."""

from __future__ import annotations

import inspect
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kedro.pipeline.node import Node

from kedro_rats.errors import Breach, DefinitionError, shown
from kedro_rats.estimators.arguments import Arguments, Names, signature_of
from kedro_rats.estimators.calls import CallFunction
from kedro_rats.estimators.preview import NodePreview, Preview

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_NODES_HAVE_PREVIEWS = "preview_fn" in inspect.signature(Node.__init__).parameters
"""Kedro shows text on nodes from version 1.2 on."""


@contextmanager
def without_naming_warnings() -> Iterator[None]:
    """Silence warnings of Kedro about what kedro-rats does on purpose.

    Previews of nodes are marked experimental, and a user did not choose to try them. Dots
    in the names of datasets are how `eval_on` and combinators name what they make. A
    namespace with other nodes in between matters only to Kedro's grouping by namespace.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*preview_fn.*experimental")
        warnings.filterwarnings(
            "ignore", message=r".*names? .*contains? '\.' characters"
        )
        warnings.filterwarnings("ignore", message="Namespace '.*' is interrupted by")
        yield


def make_node(  # noqa: PLR0913 - a node is what its parts are
    func: Callable[..., Any],
    inputs: Names | None,
    outputs: Names,
    *,
    name: str,
    namespace: str,
    node_type: str,
    tags: Iterable[str],
    preview: Preview | None = None,
) -> Node:
    """Return a plain Kedro node, or raise Kedro's objection as one line."""
    extra: dict[str, Any] = {}
    if preview is not None and _NODES_HAVE_PREVIEWS:
        extra["preview_fn"] = preview.show
    try:
        with without_naming_warnings():
            return Node(
                func,
                inputs,
                outputs,
                name=name,
                namespace=namespace,
                tags={node_type, *tags},
                **extra,
            )
    except (TypeError, ValueError) as error:
        got = f"{shown(inputs)} -> {shown(outputs)}"
        remedy = " ".join(str(error).split())
        breach = Breach(
            f"node '{namespace}.{name}'", "inputs and outputs of a node", got, remedy
        )
        raise DefinitionError(breach) from error


def function_node(  # noqa: PLR0913 - a node is what its parts are
    func: Callable[..., Any],
    inputs: Names,
    outputs: Names,
    *,
    name: str,
    namespace: str,
    node_type: str,
    tags: Iterable[str],
) -> Node:
    """Return a node around a user's function, which Kedro gets as it is.

    So Kedro's argument check, its typed parameters, the source in Kedro-Viz and pickling
    need nothing from us. Only a function without a signature is called through ours,
    because Kedro would refuse it.
    """
    arguments = Arguments.parse(inputs)
    names = arguments.named_after(func)
    preview = NodePreview(node_type, func, called(func, names))
    if signature_of(func) is None and not inspect.isbuiltin(func):
        func = CallFunction(func, arguments.keywords, names).call
        inputs = list(arguments.datasets)
    return make_node(
        func,
        inputs,
        outputs,
        name=name,
        namespace=namespace,
        node_type=node_type,
        tags=tags,
        preview=preview,
    )


def called(func: Callable[..., Any], names: Iterable[str]) -> str:
    """Return a call as people write it, e.g. ``fit(X, y)``."""
    name = getattr(func, "__name__", type(func).__name__)
    return f"{name}({', '.join(names)})"
