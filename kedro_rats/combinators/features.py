"""What several models say of the same rows, side by side for a final one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kedro_rats import names
from kedro_rats.combinators.guarding import owner_of
from kedro_rats.combinators.rows import count
from kedro_rats.errors import RatsError
from kedro_rats.estimators.calls import ApplyObject, ApplyState
from kedro_rats.estimators.node_function import node_function

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kedro.pipeline.node import Node


@dataclass(frozen=True)
class SideBySide:
    """Puts outputs of models and some rows into one matrix, as scikit-learn's stacking.

    Attributes:
        name: The combinator, for messages.
        features: The outputs, in the order of their columns.
        methods: The method that makes each; None where it is not known.
        passthrough: The rows that follow them, as they are.
    """

    name: str
    features: tuple[str, ...]
    methods: tuple[str | None, ...]
    passthrough: tuple[str, ...]

    @property
    def argument_names(self) -> tuple[str, ...]:
        """An argument for each feature, then one for each passthrough."""
        features = [f"feature_{i}" for i, _ in enumerate(self.features)]
        return (*features, *(f"rows_{i}" for i, _ in enumerate(self.passthrough)))

    @node_function
    def put(self, *values: Any) -> Any:
        """Return a matrix with the columns of all; sparse if any of the rows are."""
        import numpy as np

        columns = list(self._columns(values))
        sizes = {name: count(block) for name, block in columns}
        if len(set(sizes.values())) > 1:
            msg = (
                f"features of {self.name!r}: expected the same number of rows in all, "
                f"got {sizes}. What changes the number of rows is train_only."
            )
            raise RatsError(msg)
        blocks = [block for _, block in columns]
        sparse_format = next((b.format for b in blocks if hasattr(b, "tocsr")), None)
        if sparse_format is None:
            return np.hstack(blocks)
        from scipy import sparse

        return sparse.hstack(blocks, format=sparse_format)

    def _columns(self, values: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
        """Yield matrices with the names of what they come from."""
        last = len(self.features)
        parts = zip(self.features, self.methods, values[:last], strict=True)
        for feature, method, value in parts:
            for block in _blocks(value, method):
                if not hasattr(block, "tocsr"):
                    self._check_numbers(feature, block)
                yield feature, block
        for row, value in zip(self.passthrough, values[last:], strict=True):
            yield row, _matrix(value)

    def _check_numbers(self, feature: str, block: Any) -> None:
        if block.dtype.kind not in "biuf":
            msg = (
                f"feature {feature!r} of {self.name!r}: expected numbers, got "
                f"{block.dtype}. Name an output of predict_proba or decision_function, "
                "or encode the classes as numbers before the stack."
            )
            raise RatsError(msg)


def method_of(node: Node, output: str) -> str | None:
    """Return the method of an object by which a node makes an output, if known."""
    call = owner_of(node)
    if not isinstance(call, (ApplyObject, ApplyState)):
        return None
    return call.methods[[names.base_name(o) for o in node.outputs].index(output)]


def _blocks(value: Any, method: str | None) -> list[Any]:
    """Return an output as matrices, without columns that tell nothing new.

    Of two probabilities that sum to 1 the first is left out.
    """
    if isinstance(value, list) and value and getattr(value[0], "ndim", 0) == 2:
        # Several targets: scikit-learn gives a list with probabilities for each.
        return [_matrix(target)[:, 1:] for target in value]
    block = _matrix(value)
    is_binary = method == "predict_proba" and block.shape[1] == 2
    return [block[:, 1:] if is_binary else block]


def _matrix(value: Any) -> Any:
    import numpy as np

    if hasattr(value, "tocsr"):
        return value
    array = np.asarray(value)
    return array.reshape(-1, 1) if array.ndim == 1 else array
