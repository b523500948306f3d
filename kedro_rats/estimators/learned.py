"""The function that makes an estimator with a state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro_rats.errors import raise_if
from kedro_rats.estimators.algebra import Estimator
from kedro_rats.estimators.definition import Definition, default_name, default_state
from kedro_rats.estimators.of_functions import function_nodes
from kedro_rats.estimators.of_objects import object_nodes
from kedro_rats.estimators.wiring import pipeline_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kedro_rats.estimators.arguments import Names


def estimator(  # noqa: PLR0913 - one argument is the principal one, the rest are named
    obj_or_fit: Any,
    apply: Callable[..., Any] | None = None,
    *,
    inputs: Names,
    outputs: Names,
    fit_inputs: Names | None = None,
    name: str | None = None,
    state: str | None = None,
    params: str | None = None,
    fused: bool | None = None,
    train_outputs: bool = True,
    tags: Iterable[str] = (),
) -> Estimator:
    """Return an estimator: something that learns from data, then is applied to data.

    Args:
        obj_or_fit: An object with ``fit`` that follows scikit-learn's conventions, which
            is cloned before each fit; or a function that returns the state.
        apply: With a function: ``apply(state, *inputs)`` returns the outputs.
        inputs: The datasets it is applied to, in training and evaluation: a name, a
            list, or a dict from arguments to datasets.
        outputs: A name, for an object with exactly one of ``transform`` and
            ``predict``; or ``{method: name}``. With functions: as in Kedro's nodes.
        fit_inputs: The datasets that ``fit`` gets; ``inputs`` where not given. A dict
            maps arguments to datasets: ``{"X": "Z", "y": "y", "sample_weight": "w"}``.
        name: Namespace of its nodes ``NAME.fit`` and ``NAME.apply``; the class or
            function in snake case where not given.
        state: The dataset of the fitted object; ``NAME_state`` where not given.
        params: A ``params:`` dataset with a mapping, given to ``set_params`` before each
            fit.
        fused: None makes one training node ``NAME.fit_transform`` where the object has
            that method, ``transform`` is its only output and ``inputs`` is what ``fit``
            gets first, as scikit-learn's ``Pipeline`` does; and two nodes otherwise.
            False: always fit, then apply; a different result for objects whose
            ``fit_transform`` is not the two in sequence (``TargetEncoder``, ``NMF``,
            ``KernelPCA``). True: require one node.
        train_outputs: False makes no in-sample outputs in training; ``+`` then refuses
            an estimator that would train on them.
        tags: Tags of all its nodes, e.g. ``["image.sklearn"]``.

    Raises:
        DefinitionError: If the object has no ``fit``, an output names no method of it,
            ``fit`` does not take ``fit_inputs``, or a name or tag is malformed; one line
            for each breach.

    The conventions are scikit-learn's (https://scikit-learn.org/stable/developers).

    Example:
        >>> from sklearn.linear_model import LogisticRegression
        >>> clf = estimator(LogisticRegression(), fit_inputs=["Z", "y"], inputs="Z",
        ...                 outputs={"predict": "label", "predict_proba": "p"},
        ...                 name="clf", params="params:clf")
        >>> [(node.name, node.inputs, node.outputs) for node in clf.train.nodes]
        ... # doctest: +NORMALIZE_WHITESPACE
        [('clf.fit', ['Z', 'y', 'params:clf'], ['clf_state']),
         ('clf.apply', ['clf_state', 'Z'], ['label', 'p'])]
    """
    name = default_name("estimator", obj_or_fit, name)
    definition = Definition(
        name=name,
        learns=obj_or_fit,
        apply=apply,
        inputs=inputs,
        fit_inputs=inputs if fit_inputs is None else fit_inputs,
        outputs=outputs,
        state=default_state(name) if state is None else state,
        params=params,
        fused=fused,
        train_outputs=train_outputs,
        tags=(tags,) if isinstance(tags, str) else tuple(tags),
    )
    raise_if(definition.breaches())
    nodes_of = object_nodes if definition.is_object else function_nodes
    fit, applied = nodes_of(definition)
    in_training = train_outputs and fit.outputs == [definition.state]
    return Estimator(
        pipeline_of(definition.subject, [fit, applied] if in_training else [fit]),
        pipeline_of(definition.subject, [applied]),
    )
