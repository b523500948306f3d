"""Estimators without state: transformers, and steps of training alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro.pipeline import Pipeline

from kedro_rats import names
from kedro_rats.errors import Breach, raise_if, shown
from kedro_rats.estimators.algebra import Estimator
from kedro_rats.estimators.arguments import Arguments, Names, check_call, check_names
from kedro_rats.estimators.calls import ApplyObject
from kedro_rats.estimators.definition import check_definition, default_name
from kedro_rats.estimators.methods import methods_by_output
from kedro_rats.estimators.nodes import function_node, make_node
from kedro_rats.estimators.preview import NodePreview

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kedro.pipeline.node import Node


def transformer(
    func_or_obj: Any,
    *,
    inputs: Names,
    outputs: Names,
    name: str | None = None,
    tags: Iterable[str] = (),
) -> Estimator:
    """Return an estimator without state: the same node in training and evaluation.

    It keeps rows: row k of an output belongs to row k of the inputs.

    Args:
        func_or_obj: A function; or an object with ``transform`` or ``predict`` that needs
            no fit (``Normalizer``, ``HashingVectorizer``) or is fitted already.
        inputs: What it reads: a name, a list, or a dict from arguments to datasets.
        outputs: What it makes, as in Kedro's nodes; for an object a name or
            ``{method: name}``.
        name: Namespace of its node ``NAME.apply``; the class or function in snake case
            where not given.
        tags: Tags of its node.

    Raises:
        DefinitionError: If the object would have to be fitted first, the function does
            not take ``inputs``, or a name or tag is malformed.

    Example:
        >>> import numpy as np
        >>> log = transformer(np.log1p, inputs="raw", outputs="X")
        >>> [node.name for node in log.train.nodes] == [n.name for n in log.eval.nodes]
        True
    """
    name, tags = _checked("transformer", func_or_obj, inputs, outputs, name, tags)
    subject = f"transformer {name!r}"
    if isinstance(func_or_obj, type) or not _has_methods(func_or_obj):
        raise_if(_check_function(subject, func_or_obj, inputs))
        node = _function_node(func_or_obj, inputs, outputs, name, names.APPLY, tags)
    else:
        node = _object_node(subject, func_or_obj, inputs, outputs, name, tags)
    return Estimator(Pipeline([node]), Pipeline([node]))


def train_only(
    func: Callable[..., Any],
    *,
    inputs: Names,
    outputs: Names,
    name: str | None = None,
    tags: Iterable[str] = (),
) -> Estimator:
    """Return a step that only training has; it may change the number of rows.

    For resampling, the removal of outliers, and transforms of the target. Evaluation
    does not have its outputs: only ``fit_inputs`` may read them.

    Args:
        func: A function.
        inputs: What it reads: a name, a list, or a dict from arguments to datasets.
        outputs: What it makes, as in Kedro's nodes.
        name: Namespace of its node ``NAME.apply``; the function's name where not given.
        tags: Tags of its node.

    Raises:
        DefinitionError: If ``func`` is no function or does not take ``inputs``, or a
            name or tag is malformed.

    Example:
        >>> def drop_extremes(X, y):
        ...     kept = abs(X[:, 0]) < 3
        ...     return X[kept], y[kept]
        >>> drop = train_only(drop_extremes, inputs=["X", "y"], outputs=["Xk", "yk"])
        >>> [node.name for node in drop.train.nodes], drop.eval.nodes
        (['drop_extremes.apply'], [])
    """
    name, tags = _checked("train_only", func, inputs, outputs, name, tags)
    raise_if(_check_function(f"train_only {name!r}", func, inputs))
    node = _function_node(func, inputs, outputs, name, names.TRAIN_ONLY, tags)
    return Estimator(Pipeline([node]), Pipeline([]))


def _checked(
    kind: str,
    subject: object,
    inputs: object,
    outputs: object,
    name: str | None,
    tags: Iterable[str],
) -> tuple[str, list[str]]:
    name = default_name(kind, subject, name)
    tags = [tags] if isinstance(tags, str) else list(tags)
    breaches = check_definition(f"{kind} {shown(name)}", name, inputs, tags)
    breaches += check_names(f"{kind} {shown(name)}, outputs", outputs)
    raise_if(breaches)
    return name, tags


def _check_function(subject: str, func: object, inputs: Names) -> list[Breach]:
    if isinstance(func, type) and hasattr(func, "fit"):
        got, remedy = (
            f"the class {func.__name__}",
            f"Give an instance: {func.__name__}().",
        )
        return [Breach(subject, "a function or an object", got, remedy)]
    if not callable(func):
        remedy = "Give a function of the inputs."
        return [Breach(subject, "a function", shown(func), remedy)]
    return check_call(f"{subject}, inputs", func, Arguments.parse(inputs))


def _function_node(
    func: Callable[..., Any],
    inputs: Names,
    outputs: Names,
    name: str,
    node_type: str,
    tags: list[str],
) -> Node:
    return function_node(
        func,
        inputs,
        outputs,
        name="apply",
        namespace=name,
        node_type=node_type,
        tags=tags,
    )


def _object_node(
    subject: str, obj: Any, inputs: Names, outputs: Names, name: str, tags: list[str]
) -> Node:
    by_method = methods_by_output(subject, obj, outputs)
    methods, made = tuple(by_method), list(by_method.values())
    arguments = Arguments.parse(inputs)
    breaches = _check_needs_no_fit(subject, obj)
    for method in methods:
        breaches += check_call(f"{subject}, inputs", getattr(obj, method), arguments)
    raise_if(breaches)
    argument_names = arguments.named_after(getattr(obj, methods[0]))
    apply = ApplyObject(obj, methods, arguments.keywords, argument_names)
    return make_node(
        apply.apply,
        list(arguments.datasets),
        made[0] if len(made) == 1 else made,
        name="apply",
        namespace=name,
        node_type=names.APPLY,
        tags=tags,
        preview=NodePreview(
            names.APPLY, obj, f"{', '.join(methods)}({', '.join(argument_names)})"
        ),
    )


def _has_methods(obj: object) -> bool:
    return any(
        callable(getattr(obj, method, None)) for method in ("transform", "predict")
    )


def _check_needs_no_fit(subject: str, obj: Any) -> list[Breach]:
    if not hasattr(obj, "get_params") or not hasattr(obj, "fit"):
        return []
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(obj)
    except NotFittedError:
        return [
            Breach(
                subject,
                "an object that needs no fit",
                f"{type(obj).__name__}, which is not fitted",
                f"It learns from data: use estimator({type(obj).__name__}(…), …).",
            )
        ]
    return []
