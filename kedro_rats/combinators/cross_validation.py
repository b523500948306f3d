"""Cross-validation and holdout: an estimator that is judged on rows it did not see."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal

from kedro_rats import names
from kedro_rats.combinators.operands import check_operand, check_rows, strings
from kedro_rats.combinators.resampling import Resampling
from kedro_rats.combinators.splitters import Splitting, TrainTest, splitting_of
from kedro_rats.errors import Breach, listed, nearest, raise_if, shown
from kedro_rats.estimators.scoring import check_metrics
from kedro_rats.estimators.wiring import free_inputs, made_by

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kedro_rats.estimators.algebra import Estimator
    from kedro_rats.estimators.metrics import Metric


def cross_validate(  # noqa: PLR0913 - one argument is the principal one, the rest are named
    estimator: Estimator,
    *,
    splitter: Any,
    rows: Sequence[str],
    name: str,
    metrics: Mapping[str, Metric] | None = None,
    shared: Sequence[str] = (),
    groups: str | None = None,
    stratify: str | None = None,
    n_splits: int | None = None,
    outputs: Sequence[str] | None = None,
    refit: bool = True,
    train_scores: bool = False,
    on_error: Literal["raise", "nan"] = "raise",
) -> Estimator:
    """Return the estimator, cross-validated: fitted on each fold and judged on the rest.

    In ``train`` the row outputs are out of fold, in the order of the input rows: each row
    has the value of the fit that did not see it. In ``eval`` they are those of the refit
    on all rows. Inputs, row outputs and state keep their names, so that the result can
    replace its operand; all else lives under ``NAME``.

    Args:
        estimator: What is fitted and judged, preprocessing included.
        splitter: A scikit-learn splitter with an integer seed; a list of pairs of
            positions; or the name of a row dataset that holds fold numbers.
        rows: The inputs that are sliced, together and by position; the first is what the
            splitter gets as X.
        name: Namespace of all that is new.
        metrics: Metrics by name. They make ``NAME.scores`` (a pandas table with the
            columns fold, part, metric, value, rows) and ``NAME.summary``
            (``{metric: {"mean", "std", "pooled"}}``, std with ddof 0; pooled, over all
            out-of-fold rows at once, where the folds are a partition).
        shared: The inputs that are given whole to each fold.
        groups: The rows that the splitter gets as groups.
        stratify: The rows that the splitter gets as y.
        n_splits: Number of folds, where the splitter cannot tell (``LeaveOneOut``, a
            fold column); checked when the folds are made.
        outputs: The row outputs that are gathered out of fold; default all of ``eval``'s,
            where the folds are a partition. Folds of other splitters
            (``ShuffleSplit``, ``TimeSeriesSplit``) leave ``NAME.fold_K.eval.OUTPUT``.
        refit: False leaves ``eval`` and the state empty.
        train_scores: Whether folds are also judged on the rows they trained on.
        on_error: ``"nan"``: a fold that fails scores NaN, and its rows are NaN in float
            outputs; all failing raises.

    Raises:
        DefinitionError: If an input is neither in ``rows`` nor in ``shared``, a metric
            reads what nobody makes, the splitter is not reproducible or lacks its groups,
            or the name is used inside the estimator.

    The numbers are those of scikit-learn's ``cross_validate`` and ``cross_val_predict``
    (https://scikit-learn.org/stable/modules/cross_validation.html).

    Example:
        >>> from sklearn.linear_model import LogisticRegression
        >>> from sklearn.metrics import accuracy_score
        >>> from sklearn.model_selection import KFold
        >>> from kedro_rats import estimator, metric
        >>> clf = estimator(LogisticRegression(), fit_inputs=["X", "y"], inputs="X",
        ...                 outputs={"predict": "label"}, name="clf")
        >>> cv = cross_validate(clf, splitter=KFold(5), rows=["X", "y"], name="cv",
        ...     metrics={"accuracy": metric(accuracy_score, inputs=["y", "label"])})
        >>> cv.state, cv.outputs, cv.scores
        (('clf_state',), ('label',), 'cv.scores')
    """
    subject = f"cross_validate {shown(name)}"
    shared = strings(f"{subject}, shared", shared)
    rows = with_roles(subject, rows, groups, stratify, splitter)
    check_operand(subject, estimator, name)
    splitting = splitting_of(
        subject,
        splitter,
        n_splits=n_splits,
        has_groups=groups is not None,
        has_stratify=stratify is not None,
    )
    check_rows(subject, estimator, rows, shared)
    _check_made(subject, estimator, rows)
    if on_error not in ("raise", "nan"):
        remedy = "With 'nan' a fold that fails scores NaN."
        expected = "'raise' or 'nan'"
        raise_if([Breach(f"{subject}, on_error", expected, shown(on_error), remedy)])
    _check_metrics(subject, estimator, metrics, {*rows, *shared})
    return Resampling(
        name=name,
        operand=estimator,
        splitting=splitting,
        roles=_roles(rows, splitter, stratify, groups),
        rows=tuple(rows),
        shared=tuple(shared),
        metrics=metrics or {},
        outputs=_gathered_outputs(subject, estimator, splitting, outputs),
        refit=refit,
        train_scores=train_scores,
        guard=on_error == "nan",
    ).estimator()


def holdout(  # noqa: PLR0913 - one argument is the principal one, the rest are named
    estimator: Estimator,
    *,
    rows: Sequence[str],
    name: str,
    test_size: float = 0.25,
    random_state: int = 0,
    shuffle: bool = True,
    metrics: Mapping[str, Metric] | None = None,
    shared: Sequence[str] = (),
    groups: str | None = None,
    stratify: str | None = None,
    refit: bool = True,
    train_scores: bool = False,
) -> Estimator:
    """Return the estimator, judged on a part of the rows that it is not fitted on.

    Like `cross_validate` with one fold, number 0. It makes no row outputs in ``train``,
    only ``NAME.fold_0.eval.OUTPUT`` of the rows that were held out.

    Args:
        estimator: What is fitted and judged, preprocessing included.
        rows: The inputs that are sliced, together and by position.
        name: Namespace of all that is new.
        test_size: Fraction of the rows that are held out, or their number.
        random_state: Integer seed.
        shuffle: False holds out the last rows.
        metrics: Metrics by name, as in `cross_validate`.
        shared: The inputs that are given whole to each part.
        groups: Rows of groups that stay together.
        stratify: Rows of classes whose shares both parts have.
        refit: False leaves ``eval`` and the state empty.
        train_scores: Whether the estimator is also judged on the rows it trained on.

    Raises:
        DefinitionError: As `cross_validate`; or if the seed is no integer, or groups are
            combined with ``stratify`` or with ``shuffle=False``.

    The split is that of scikit-learn's ``train_test_split``, or of its
    ``GroupShuffleSplit`` where groups are named.

    Example:
        >>> from sklearn.linear_model import Ridge
        >>> from kedro_rats import estimator
        >>> ridge = estimator(Ridge(), fit_inputs=["X", "y"], inputs="X",
        ...                   outputs="yhat", name="ridge")
        >>> held = holdout(ridge, rows=["X", "y"], name="held")
        >>> [n.name for n in held.train.nodes if "take" not in n.name]
        ... # doctest: +NORMALIZE_WHITESPACE
        ['held.refit.ridge.fit', 'held.split', 'held.fold_0.train.ridge.fit',
         'held.fold_0.eval.ridge.apply']
    """
    subject = f"holdout {shown(name)}"
    shared = strings(f"{subject}, shared", shared)
    rows = with_roles(subject, rows, groups, stratify, None)
    check_operand(subject, estimator, name)
    check_rows(subject, estimator, rows, shared)
    _check_made(subject, estimator, rows)
    _check_split(subject, random_state, shuffle, groups, stratify)
    _check_test_size(subject, test_size)
    _check_metrics(subject, estimator, metrics, {*rows, *shared})
    train_test = TrainTest(test_size, random_state, shuffle)
    return Resampling(
        name=name,
        operand=estimator,
        splitting=Splitting(train_test, 1, partition=False),
        roles=_roles(rows, None, stratify, groups),
        rows=tuple(rows),
        shared=tuple(shared),
        metrics=metrics or {},
        outputs=(),
        refit=refit,
        train_scores=train_scores,
        guard=False,
    ).estimator()


def with_roles(
    subject: str,
    rows: object,
    groups: str | None,
    stratify: str | None,
    splitter: object,
) -> list[str]:
    """Return all row inputs: groups and classes are rows by being named."""
    if isinstance(rows, str):
        rows = [rows]
    if not isinstance(rows, (list, tuple)) or not rows:
        remedy = "The first is what the splitter gets as X."
        expected = "a list of the inputs to slice"
        raise_if([Breach(f"{subject}, rows", expected, shown(rows), remedy)])
        return []
    raise_if(
        Breach(f"{subject}, rows", "names of datasets", shown(row), "Give strings.")
        for row in [*rows, groups, stratify]
        if row is not None and not isinstance(row, str)
    )
    column = splitter if isinstance(splitter, str) else None
    named = [role for role in (groups, stratify, column) if role is not None]
    return list(dict.fromkeys([*rows, *named]))


def _roles(
    rows: Sequence[str], splitter: object, stratify: str | None, groups: str | None
) -> dict[str, str]:
    """Return what the splitter reads, by the role that it has for it."""
    column = splitter if isinstance(splitter, str) else None
    roles = {"X": rows[0], "column": column, "y": stratify, "groups": groups}
    return {role: name for role, name in roles.items() if name is not None}


def _check_made(subject: str, operand: Estimator, rows: Sequence[str]) -> None:
    """Raise if rows are no input, but made inside: each fold makes its own."""
    made = made_by([*operand.train.nodes, *operand.eval.nodes])
    free = (free_inputs(operand.train) | free_inputs(operand.eval)) - made.keys()
    raise_if(
        Breach(
            f"{subject}, rows",
            f"inputs of the estimator ({listed(sorted(free))})",
            f"{row!r}, which {made[row].name!r} makes",
            "Leave it out: each fold makes its own.",
        )
        for row in rows
        if row in made
    )


def _check_test_size(subject: str, test_size: Any) -> None:
    """Raise if it is no part of the rows, and no number of them."""
    if isinstance(test_size, Integral):
        is_size = int(test_size) >= 1 and test_size is not True
    else:
        is_size = isinstance(test_size, Real) and 0 < float(test_size) < 1
    if not is_size:
        remedy = "Give a fraction such as 0.25, or a whole number of rows."
        expected = "a fraction between 0 and 1, or a number of rows"
        raise_if([Breach(f"{subject}, test_size", expected, shown(test_size), remedy)])


def _check_metrics(
    subject: str, operand: Estimator, metrics: object, given: set[str]
) -> None:
    if metrics is None:
        return
    check_metrics(f"{subject}, metrics", metrics)
    known = {*given, *operand.state, *made_by(operand.eval.nodes)}
    raise_if(
        Breach(
            f"{subject}, metric {metric!r}",
            "row inputs, shared inputs, and what eval makes",
            repr(dataset),
            f"{nearest(dataset, known)}There are {listed(sorted(known))}.",
        )
        for metric, value in dict(metrics).items()  # type: ignore[call-overload]
        for dataset in value.arguments.datasets
        if dataset not in known and not names.is_parameter(dataset)
    )


def _gathered_outputs(
    subject: str,
    operand: Estimator,
    splitting: Splitting,
    outputs: Sequence[str] | None,
) -> tuple[str, ...]:
    if outputs is None:
        return operand.outputs if splitting.partition or splitting.written else ()
    outputs = strings(f"{subject}, outputs", outputs)
    made = made_by(operand.eval.nodes)
    breaches = [
        Breach(
            f"{subject}, outputs",
            f"outputs of eval ({listed(sorted(made))})",
            shown(output),
            "Name what is to be gathered out of fold.",
        )
        for output in outputs
        if output not in made
    ]
    if outputs and splitting.partition is False:
        remedy = "Leave outputs out, or choose a splitter such as KFold."
        expected = "none, since a row may be in no fold or in several"
        breaches.append(
            Breach(f"{subject}, outputs", expected, listed(outputs), remedy)
        )
    raise_if(breaches)
    return tuple(dict.fromkeys(outputs))


def _check_split(
    subject: str,
    random_state: object,
    shuffle: bool,  # noqa: FBT001 - what the user said
    groups: str | None,
    stratify: str | None,
) -> None:
    breaches = []
    if not isinstance(random_state, int):
        remedy = "The split must be the same in each process."
        expected, got = "an integer random_state", shown(random_state)
        breaches.append(Breach(subject, expected, got, remedy))
    if groups is not None and (stratify is not None or not shuffle):
        remedy = "Use cross_validate with StratifiedGroupKFold."
        expected = "groups alone"
        got = "groups with stratify or with shuffle=False"
        breaches.append(Breach(subject, expected, got, remedy))
    if stratify is not None and not shuffle:
        remedy = "Leave one of them out."
        got = "stratify with shuffle=False"
        breaches.append(Breach(subject, "a shuffled split", got, remedy))
    raise_if(breaches)
