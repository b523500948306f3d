"""Pseudo-labelling: an estimator that labels rows and learns from them too."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from kedro_rats import names
from kedro_rats.combinators.operands import check_operand
from kedro_rats.combinators.select import is_rule
from kedro_rats.combinators.self_training import SelfTraining
from kedro_rats.combinators.self_training_inputs import (
    Weighing,
    check_unlabeled,
    row_inputs,
    weighing_of,
)
from kedro_rats.combinators.self_training_outputs import check_outputs, source_of
from kedro_rats.errors import (
    Breach,
    LeakWarning,
    listed,
    nearest,
    raise_if,
    shown,
)
from kedro_rats.estimators.wiring import free_inputs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kedro_rats.combinators.select import Rule
    from kedro_rats.estimators.algebra import Estimator


def pseudolabel(  # noqa: PLR0913 - one argument is the principal one, the rest are named
    estimator: Estimator,
    *,
    unlabeled: Mapping[str, str],
    target: str,
    label: str,
    select: Rule,
    rounds: int,
    name: str,
    confidence: str | None = None,
    relabel: bool = False,
    weight: float | str | Sequence[float] | Mapping[str, Any] | None = None,
) -> Estimator:
    """Return the estimator, trained on labelled rows and on rows that it labels itself.

    A round fits the estimator, applies it to the unlabelled rows, and gives those that
    ``select`` chooses their labels; the next fit gets the labelled rows, then the chosen
    ones in their own order. True labels are never changed. Rounds after the last that
    selects are masked: their nodes do nothing. The last fit is the state.

    In ``train`` the row outputs are those of the last fit on the labelled rows. Inputs,
    row outputs and state keep their names; all else lives under ``NAME``.

    Args:
        estimator: What is trained, preprocessing included.
        unlabeled: For each row input that ``eval`` reads, the dataset of its unlabelled
            rows; the same for other row inputs that only ``train`` reads, such as groups.
            An input that is no rows, such as a lookup table, stands for itself:
            ``{"X": "X_new", "table": "table"}``. An outer combinator gets the datasets of
            unlabelled rows as ``shared``.
        target: The row input that is learned.
        label: The output that labels. An output of ``predict_proba``,
            ``predict_log_proba`` or ``decision_function`` labels with the class of the
            largest value; any other is the label itself.
        select: What chooses rows: ``select.threshold(t)``, ``select.k_best(k)``,
            ``select.top_fraction(…)`` or ``select.per_class(…)``.
        rounds: How many rounds there are at most.
        name: Namespace of all that is new.
        confidence: The output that ``select`` judges: a number a row, or several of which
            the largest counts; of a ``decision_function`` with one number a row its
            distance from 0. Default: the output of ``label``, where it has a value for
            each class, or else the ``predict_proba`` of the same object.
        relabel: True labels all unlabelled rows anew in each round, and chooses among all
            of them; it stops when nothing changes. False keeps what was chosen.
        weight: How much a pseudo-labelled row weighs in the dataset that reaches
            ``sample_weight``; a labelled one has the weight that the dataset says. A
            number; numbers by round, of which the last stays; or an output, whose value
            it is. ``{"w": …}`` names the dataset where it goes through other steps first.

    Returns:
        An estimator that also makes ``NAME.labels`` (a pandas table with the columns row,
        round, label, confidence: a line for each row that was labelled, with its position
        among the unlabelled ones) and ``NAME.history`` (round, selected, labeled,
        unlabeled, stop: a line for each round that ran; the last one says why it stopped:
        ``no_change``, ``all_labeled`` or ``max_iter``). Rounds count from 1.

        It has no ``scores``: those of folds inside also count rows that it labels.

    Warns:
        LeakWarning: If the estimator has scores, which no search inside it needs: judge
            the whole by ``cross_validate(pseudolabel(…), metrics=…)`` instead.

    Raises:
        DefinitionError: If an input lacks its unlabelled rows, a name is made or read by
            nobody, nothing tells how sure labels are, ``rounds`` or ``select`` is
            malformed, the estimator learns nothing, or the name is used inside it.

    With ``threshold`` and ``k_best`` the numbers are those of scikit-learn's
    ``SelfTrainingClassifier``
    (https://scikit-learn.org/stable/modules/semi_supervised.html).

    Example:
        >>> from sklearn.linear_model import LogisticRegression
        >>> from kedro_rats import estimator, select
        >>> clf = estimator(LogisticRegression(), fit_inputs=["X", "y"], inputs="X",
        ...                 outputs={"predict": "label", "predict_proba": "p"}, name="clf")
        >>> own = pseudolabel(clf, unlabeled={"X": "X_new"}, target="y", label="label",
        ...                   confidence="p", select=select.threshold(0.9), rounds=5,
        ...                   name="own")
        >>> own.state, own.outputs, sorted(own.train.inputs())
        (('clf_state',), ('label', 'p'), ['X', 'X_new', 'y'])
    """
    subject = f"pseudolabel {shown(name)}"
    check_operand(subject, estimator, name)
    weighing, breaches = weighing_of(subject, estimator, weight)
    breaches += check_unlabeled(
        subject, estimator, unlabeled, own=(target, weighing.dataset)
    )
    breaches += _check_target(subject, estimator, target, weighing)
    breaches += check_outputs(subject, estimator, label, confidence, weighing.output)
    breaches += _check_rounds(subject, select, rounds, relabel)
    raise_if(breaches)
    if _is_judged(estimator):
        warnings.warn(_misjudged(subject, estimator), LeakWarning, stacklevel=2)
    source, classes = source_of(
        subject, estimator, select, label, confidence, weighing.output
    )
    return SelfTraining(
        name=name,
        operand=estimator,
        unlabeled=row_inputs(unlabeled),
        shared=tuple(row for row, more in unlabeled.items() if row == more),
        target=target,
        source=source,
        classes=classes,
        rule=select,
        rounds=int(rounds),
        relabel=relabel,
        weights=weighing.dataset,
        ramp=weighing.ramp,
    ).estimator()


def _is_judged(operand: Estimator) -> bool:
    """Say whether an operand has scores that are no means of a search inside it."""
    asks = (node for node in operand.train.nodes if names.ASK in node.tags)
    searches = {(node.namespace or "").rpartition(".")[0] for node in asks}
    scores = operand.scores
    return scores is not None and not any(
        scores.startswith(f"{search}.") for search in searches
    )


def _misjudged(subject: str, operand: Estimator) -> str:
    return (
        f"{subject}, scores {operand.scores!r}: expected an estimator that is judged "
        "outside, got folds inside, which also judge rows that it labels itself. Leave "
        "out their metrics, and judge the whole: cross_validate(pseudolabel(…), "
        "metrics={…})."
    )


def _check_target(
    subject: str, operand: Estimator, target: object, weighing: Weighing
) -> list[Breach]:
    subject = f"{subject}, target"
    if not isinstance(target, str):
        remedy = "Name the dataset that is learned."
        return [Breach(subject, "a dataset", shown(target), remedy)]
    learned = free_inputs(operand.train)
    if target not in learned:
        known = sorted(learned - free_inputs(operand.eval))
        expected = f"an input of training ({listed(known)})"
        remedy = f"{nearest(target, known)}Name what is learned."
        return [Breach(subject, expected, shown(target), remedy)]
    if target in free_inputs(operand.eval):
        remedy = "Unlabelled rows have no target: let only fit_inputs read it."
        expected = "an input of training alone"
        return [Breach(subject, expected, f"{target!r}, which eval reads", remedy)]
    if target == weighing.dataset:
        remedy = "Name the dataset that is learned."
        return [Breach(subject, "another input than the weights", target, remedy)]
    return []


def _check_rounds(
    subject: str, rule: object, rounds: object, relabel: object
) -> list[Breach]:
    is_count = isinstance(rounds, int) and not isinstance(rounds, bool) and rounds >= 1
    rules = {
        "select": (
            is_rule(rule),
            "a rule of kedro_rats.select",
            rule,
            "Give e.g. select.threshold(0.9).",
        ),
        "rounds": (is_count, "a whole number from 1", rounds, "Give e.g. 10."),
        "relabel": (
            isinstance(relabel, bool),
            "True or False",
            relabel,
            "False keeps the labels of earlier rounds.",
        ),
    }
    return [
        Breach(f"{subject}, {what}", expected, shown(got), remedy)
        for what, (holds, expected, got, remedy) in rules.items()
        if not holds
    ]
