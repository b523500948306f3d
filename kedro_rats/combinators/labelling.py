"""Pseudo-labels, and the nodes that start them, add to them and report them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict, cast

from kedro_rats.combinators import rows as row_data
from kedro_rats.combinators.appending import dense
from kedro_rats.combinators.select import Judged, Rule
from kedro_rats.errors import RatsError, shown
from kedro_rats.estimators.node_function import node_function

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from kedro_rats.combinators.rows import Positions

    Numbers = npt.NDArray[np.floating[Any]]


class Labels(TypedDict):
    """The pseudo-labels after some rounds: plain data, so that any store keeps it.

    What has an entry for each chosen row has it in the order of ``chosen``, which is that
    of the rows.
    """

    rows: int
    index: Any
    chosen: Positions
    round: Positions
    label: Any
    confidence: Numbers
    weight: Numbers
    history: list[tuple[int, int, int]]
    stop: str | None


@dataclass(frozen=True)
class Start:
    """Counts the unlabelled rows: none of them has a label yet.

    Attributes:
        name: The combinator, for messages.
        datasets: The datasets of unlabelled rows.
    """

    name: str
    datasets: tuple[str, ...]

    @property
    def argument_names(self) -> tuple[str, ...]:
        """The unlabelled rows."""
        return tuple(f"unlabeled_{i}" for i, _ in enumerate(self.datasets))

    @node_function
    def start(self, *values: Any) -> Labels:
        """Return the labels before the first round."""
        import numpy as np

        sizes = [row_data.count(value) for value in values]
        if len(set(sizes)) > 1:
            pairs = zip(self.datasets, sizes, strict=True)
            got = ", ".join(f"{size} in {name!r}" for name, size in pairs)
            msg = (
                f"pseudolabel {self.name!r}, unlabeled: expected as many rows in each, "
                f"got {got}. Align them; what is no rows stands for itself: "
                "{'table': 'table'}."
            )
            raise RatsError(msg)
        indexes = [value.index for value in values if hasattr(value, "iloc")]
        return {
            "rows": sizes[0],
            "index": indexes[0] if indexes else None,
            "chosen": np.empty(0, dtype=np.intp),
            "round": np.empty(0, dtype=np.intp),
            "label": None,
            "confidence": np.empty(0),
            "weight": np.empty(0),
            "history": [],
            "stop": None if sizes[0] else "all_labeled",
        }


@dataclass(frozen=True)
class Source:
    """How the label of a row, how sure it is, and its weight are read off outputs.

    Attributes:
        label: The output that labels.
        by_class: Whether it has a column for each class, so that the label is the class
            of the largest; the node then also reads the classes.
        confidence: The output that tells how sure a label is, or None.
        signed: The outputs that are distances from a boundary, with a sign.
        weight: The output that weighs rows, or None.
    """

    label: str
    by_class: bool
    confidence: str | None
    signed: tuple[str, ...]
    weight: str | None

    @property
    def datasets(self) -> tuple[str, ...]:
        """The outputs, each once."""
        found = (self.label, self.confidence, self.weight)
        return tuple(dict.fromkeys(name for name in found if name is not None))


@dataclass(frozen=True)
class Choose:
    """Labels unlabelled rows by what one round predicts, and chooses some of them.

    Attributes:
        name: The combinator, for messages.
        rule: What chooses.
        source: Where labels are read.
        round: Number of the round, from 1.
        rounds: How many rounds there are.
        relabel: Whether all unlabelled rows are labelled anew.
        ramp: How many weights by round there are: the last one stays.
    """

    name: str
    rule: Rule
    source: Source
    round: int
    rounds: int
    relabel: bool
    ramp: int

    @property
    def argument_names(self) -> tuple[str, ...]:
        """The labels so far, the outputs, and the classes where they are needed."""
        outputs = (f"output_{i}" for i, _ in enumerate(self.source.datasets))
        return ("labels", *outputs, *(["classes"] if self.source.by_class else []))

    @node_function
    def choose(self, *values: Any) -> Labels:
        """Return the labels after this round; in a masked round those before it."""
        import numpy as np

        before: Labels = values[0]
        if before["stop"] is not None:
            return before
        judged = unlabeled(before, relabel=self.relabel)
        made = dict(zip(self.source.datasets, values[1:], strict=False))
        label = self._label(made, values[-1], len(judged))
        confidence = self._numbers(made, self.source.confidence, len(judged))
        weight = self._numbers(made, self.source.weight, len(judged))
        earlier = () if self.relabel or before["label"] is None else before["label"]
        known = Judged(confidence, label, earlier, self.round)
        found = np.sort(self.rule.chosen(known))
        new: Labels = {
            **before,
            "chosen": judged[found],
            "round": np.full(len(found), self.round, dtype=np.intp),
            "label": row_data.take(label, found) if len(found) else None,
            "confidence": confidence[found],
            "weight": weight[found],
        }
        after = new if self.relabel else _merged(before, new)
        row = (self.round, len(found), len(after["chosen"]))
        after = {**after, "history": [*before["history"], row]}
        return {**after, "stop": self._stop(before, after)}

    def _label(self, made: dict[str, Any], classes: Any, size: int) -> Any:
        import numpy as np

        label = made[self.source.label]
        if not self.source.by_class:
            self._check_count(self.source.label, label, size)
            return label
        scores = self._array(self.source.label, label)
        self._check_count(self.source.label, scores, size)
        known = () if classes is None else classes
        if scores.ndim == 1 and len(known) == 2:
            return np.asarray(known)[(scores > 0).astype(np.intp)]
        if scores.ndim != 2 or scores.shape[1] != len(known):
            msg = (
                f"pseudolabel {self.name!r}, label {self.source.label!r}: expected a "
                f"column for each of {len(known)} classes, got shape {scores.shape}. "
                "Name an output of predict."
            )
            raise RatsError(msg)
        return np.asarray(known)[np.argmax(scores, axis=1)]

    def _numbers(self, made: dict[str, Any], output: str | None, size: int) -> Numbers:
        """Return one number a row: the largest, where the output has several."""
        import numpy as np

        if output is None:
            return np.full(size, np.nan)
        numbers: Any = self._array(output, made[output])
        if not np.issubdtype(numbers.dtype, np.floating):
            numbers = numbers.astype(float)
        if numbers.ndim not in (1, 2):
            msg = (
                f"pseudolabel {self.name!r}, output {output!r}: expected one or several "
                f"numbers a row, got shape {numbers.shape}. Name another output."
            )
            raise RatsError(msg)
        self._check_count(output, numbers, size)
        if numbers.ndim == 2:
            numbers = np.max(numbers, axis=1)
        elif output in self.source.signed:
            numbers = np.abs(numbers)
        return cast("Numbers", numbers)

    def _array(self, output: str, values: Any) -> Any:
        try:
            return dense(values)
        except ValueError as error:
            msg = (
                f"pseudolabel {self.name!r}, output {output!r}: expected one or several "
                f"numbers a row, got {shown(values)}. Name an output of one target."
            )
            raise RatsError(msg) from error

    def _check_count(self, output: str, rows: Any, size: int) -> None:
        got = row_data.count(rows)
        if got != size:
            msg = (
                f"pseudolabel {self.name!r}, output {output!r}: expected {size} rows, as "
                f"many as are judged, got {got}. What changes the number of rows is "
                "train_only."
            )
            raise RatsError(msg)

    def _stop(self, before: Labels, after: Labels) -> str | None:
        """Return why labelling ends, with the precedence that scikit-learn has."""
        is_full = len(after["chosen"]) == after["rows"]
        weighed = self.ramp + 1 if len(after["chosen"]) else 1
        settled = max(self.rule.settled, weighed)
        is_fixed = _same(before, after) and self.round >= settled
        if is_full and (not self.relabel or is_fixed or self.round == self.rounds):
            return "all_labeled"
        if self.round == self.rounds:
            return "max_iter"
        return "no_change" if is_fixed else None


@dataclass(frozen=True)
class Report:
    """Tells which rows were labelled, and how it went."""

    argument_names: tuple[str, ...] = ("labels",)

    @node_function
    def report(self, *values: Any) -> list[pd.DataFrame]:
        """Return the table of labels, and that of rounds."""
        import numpy as np

        labels: Labels = values[0]
        given = labels["label"]
        label = dense([] if given is None else given)
        table = {
            "row": labels["chosen"].astype(np.int64),
            "round": labels["round"].astype(np.int64),
            "label": list(label) if label.ndim > 1 else label,
            "confidence": labels["confidence"],
        }
        # Without any unlabelled row there is no round: it stops before the first.
        done = labels["history"] or [(0, 0, 0)]
        history: dict[str, Any] = {
            "round": [number for number, _, _ in done],
            "selected": [selected for _, selected, _ in done],
            "labeled": [labeled for _, _, labeled in done],
            "unlabeled": [labels["rows"] - labeled for _, _, labeled in done],
            "stop": [*[None] * (len(done) - 1), labels["stop"]],
        }
        return [_table(table), _table(history)]


def unlabeled(labels: Labels, *, relabel: bool) -> Positions:
    """Return the positions of the unlabelled rows that the next round judges."""
    import numpy as np

    rows = np.arange(labels["rows"])
    return rows if relabel else np.delete(rows, labels["chosen"])


def _merged(before: Labels, new: Labels) -> Labels:
    """Return earlier and new labels, in the order of the rows."""
    import numpy as np

    if before["label"] is None or new["label"] is None:
        return before if new["label"] is None else new
    order = np.argsort(np.concatenate([before["chosen"], new["chosen"]]))
    rank = np.argsort(order)
    ranks = np.split(rank, [len(before["chosen"])])
    joined: dict[str, Any] = {
        key: np.concatenate([before[key], new[key]])[order]
        for key in ("chosen", "round", "confidence", "weight")
    }
    label = row_data.put_together([before["label"], new["label"]], ranks)
    merged: Labels = {**before, **joined, "label": label}  # type: ignore[typeddict-item]
    return merged


def _same(before: Labels, after: Labels) -> bool:
    """Say whether the next fit gets what this round's fit got."""
    import numpy as np

    one, other = before["label"], after["label"]
    if one is None or other is None:
        return one is other
    return (
        np.array_equal(before["chosen"], after["chosen"])
        and np.array_equal(dense(one), dense(other))
        and _equal_numbers(before["weight"], after["weight"])
    )


def _equal_numbers(one: Numbers, other: Numbers) -> bool:
    import numpy as np

    return bool(np.array_equal(one, other, equal_nan=True))


def _table(columns: dict[str, Any]) -> pd.DataFrame:
    try:
        import pandas as pd
    except ImportError as error:
        msg = (
            "Table of pseudo-labels: expected pandas, got an environment without it. "
            "Install kedro-rats[sklearn]."
        )
        raise RatsError(msg) from error
    return pd.DataFrame(columns)
