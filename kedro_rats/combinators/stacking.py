"""Stacking: a final estimator learns from what others say of rows they did not see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kedro_rats import names
from kedro_rats.combinators.bases import Parts, check_splitter, objections
from kedro_rats.combinators.cross_validation import with_roles
from kedro_rats.combinators.operands import check_operand, strings
from kedro_rats.combinators.stacked import Stack
from kedro_rats.errors import Breach, raise_if, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kedro_rats.estimators.algebra import Estimator


def stack(  # noqa: PLR0913 - two arguments are the principal ones, the rest are named
    estimators: Sequence[Estimator],
    final: Estimator,
    *,
    splitter: Any,
    rows: Sequence[str],
    features: Sequence[str],
    name: str,
    into: str = "features",
    passthrough: Sequence[str] = (),
    shared: Sequence[str] = (),
    groups: str | None = None,
    stratify: str | None = None,
) -> Estimator:
    """Return a final estimator that learns from what other estimators say of the rows.

    In ``train`` each base is cross-validated, all on the same folds, and ``final`` learns
    from their out-of-fold outputs: from what fits say that had not seen the row. Then the
    bases are fitted on all rows. In ``eval`` ``final`` is applied to the outputs of these
    refits. Inputs, row outputs and states keep their names; all else lives under
    ``NAME.base_K``, ``NAME.refit`` and ``NAME.final``.

    In ``train`` the row outputs of the bases are out of fold. Those of ``final`` are not:
    it has learned from these rows. Honest predictions of a stack are
    ``cross_validate(stack(…))``.

    Args:
        estimators: The bases. They read nothing of each other; what several of them begin
            with, such as one scaler, is refitted once.
        final: The estimator that reads ``into``. It may read rows, shared inputs and row
            outputs of the bases too, the target for example.
        splitter: Folds of which each row is in one, as in `cross_validate`.
        rows: The inputs that are sliced, together and by position; the first is what the
            splitter gets as X.
        features: The row outputs of the bases that ``final`` learns from, in the order of
            their columns; at least one of each base.
        name: Namespace of all that is new.
        into: The dataset that holds the features side by side: a NumPy matrix, sparse if
            a feature or a passthrough is. Of the two probabilities that
            ``predict_proba`` gives for two classes, it has the second alone.
        passthrough: Rows whose columns follow the features.
        shared: The inputs that are given whole to each fold.
        groups: The rows that the splitter gets as groups.
        stratify: The rows that the splitter gets as y.

    Raises:
        DefinitionError: If a feature is made by no base or by several, a base makes none,
            ``final`` does not read ``into``, a passthrough is not among the rows, an input
            is neither in ``rows`` nor in ``shared``, a dataset is made twice, or the
            splitter is no partition; all at once.

    The numbers are those of scikit-learn's ``StackingClassifier`` and
    ``StackingRegressor``, after Wolpert, 1992
    (https://scikit-learn.org/stable/modules/ensemble.html#stacked-generalization).

    Example:
        >>> from sklearn.linear_model import LogisticRegression
        >>> from sklearn.model_selection import StratifiedKFold
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from kedro_rats import estimator
        >>> def model(obj, reads, makes, name):
        ...     return estimator(obj, fit_inputs=[reads, "y"], inputs=reads,
        ...                      outputs={"predict_proba": makes}, name=name)
        >>> both = stack(
        ...     [model(LogisticRegression(), "X", "p1", "linear"),
        ...      model(GaussianNB(), "X", "p2", "bayes")],
        ...     model(LogisticRegression(), "features", "p", "final"),
        ...     splitter=StratifiedKFold(5), rows=["X", "y"], stratify="y",
        ...     features=["p1", "p2"], name="stack")
        >>> both.state, both.outputs
        (('bayes_state', 'final_state', 'linear_state'), ('p',))
    """
    subject = f"stack {shown(name)}"
    bases = _bases(subject, estimators)
    if isinstance(splitter, Iterator):
        # Pairs such as splitter.split(X) gives can be asked for once only.
        splitter = list(splitter)
    raise_if(
        breach
        for part in (*bases, final)
        for breach in objections(check_operand, subject, part, name)
    )
    raise_if(_check_into(f"{subject}, into", into))
    parts = Parts(
        subject=subject,
        bases=bases,
        final=final,
        features=_in_order(f"{subject}, features", features),
        into=into,
        passthrough=_in_order(f"{subject}, passthrough", passthrough),
        rows=with_roles(subject, rows, groups, stratify, splitter),
        shared=strings(f"{subject}, shared", shared),
    )
    roles = {"has_groups": groups is not None, "has_stratify": stratify is not None}
    raise_if([*check_splitter(subject, splitter, **roles), *parts.breaches()])
    return Stack(
        name=name,
        bases=bases,
        final=final,
        features=tuple(parts.features),
        into=into,
        passthrough=tuple(parts.passthrough),
        rows=tuple(parts.rows),
        shared=tuple(parts.shared),
        folds={"splitter": splitter, "groups": groups, "stratify": stratify},
    ).estimator()


def _bases(subject: str, estimators: object) -> tuple[Estimator, ...]:
    if isinstance(estimators, (list, tuple)) and estimators:
        return tuple(estimators)
    expected, remedy = "a list of estimators", "Give at least one, in a list."
    raise_if([Breach(f"{subject}, estimators", expected, shown(estimators), remedy)])
    return ()


def _in_order(subject: str, given: object) -> list[str]:
    """Return names whose order is that of columns."""
    if isinstance(given, set):
        remedy = "Give a list: their columns are in this order."
        raise_if([Breach(subject, "names in an order", shown(given), remedy)])
    return strings(subject, given)


def _check_into(subject: str, into: str) -> list[Breach]:
    malformed = names.check_dataset(subject, into)
    if malformed or "@" not in into:
        return malformed
    remedy = "Both who makes it and who reads it use one name."
    return [Breach(subject, "a name without '@'", shown(into), remedy)]
