"""Which methods of an object make which datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro_rats.errors import Breach, DefinitionError, listed, nearest, shown

if TYPE_CHECKING:
    from kedro_rats.estimators.arguments import Names

_USUAL = ("transform", "predict")
_KNOWN = (
    *_USUAL,
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "score_samples",
    "inverse_transform",
)


def methods_by_output(
    subject: str, obj: object, outputs: Names, *, may_change: bool = False
) -> dict[str, str]:
    """Return ``{method: dataset}`` for the outputs of an object.

    Args:
        subject: What the sentences are about.
        obj: The object whose methods make the outputs.
        outputs: A dataset, or ``{method: dataset}``.
        may_change: Parameters are set before each fit, and may give the object methods
            that it lacks as it is.

    Raises:
        DefinitionError: If a method does not exist, or none can be chosen.

    Example:
        >>> from sklearn.preprocessing import StandardScaler
        >>> methods_by_output("scale", StandardScaler(), "Z")
        {'transform': 'Z'}
    """
    if isinstance(outputs, dict):
        _check_methods(subject, obj, outputs, may_change=may_change)
        return dict(outputs)
    usual = [method for method in _USUAL if _has(obj, method)]
    if isinstance(outputs, str) and len(usual) == 1:
        return {usual[0]: outputs}
    if isinstance(outputs, str):
        example = (
            usual[0] if usual else next((m for m in _KNOWN if _has(obj, m)), "METHOD")
        )
        expected = "an object with exactly one of transform and predict"
        got = f"{type(obj).__name__} with {' and '.join(usual) or 'neither'}"
    else:
        example = usual[0] if usual else "predict"
        expected, got = "a dataset name or {method: dataset}", shown(outputs)
    remedy = f"Name the method: outputs={{{example!r}: {shown(outputs)}}}."
    raise DefinitionError(Breach(f"{subject}, outputs", expected, got, remedy))


def _check_methods(
    subject: str, obj: object, outputs: dict[str, str], *, may_change: bool
) -> None:
    known = [method for method in _KNOWN if _has(obj, method)]
    breaches = [
        Breach(
            f"{subject}, outputs",
            f"methods of {type(obj).__name__}",
            shown(method),
            f"{nearest(method, known)}It has {listed(known)}.",
        )
        for method in outputs
        if not _has(obj, method) and not (may_change and hasattr(type(obj), method))
    ]
    if breaches:
        raise DefinitionError(*breaches)


def _has(obj: object, method: str) -> bool:
    return callable(getattr(obj, method, None)) or _appears_by_fit(obj, method)


def _appears_by_fit(obj: Any, method: str) -> bool:
    """Say whether an object hides a method only until it is fitted.

    A stack without a final estimator chooses one in its fit, and predicts then.
    """
    if not hasattr(type(obj), method) or not hasattr(obj, "get_params"):
        return False
    own = obj.get_params(deep=False)
    return any(name.endswith("estimator") and own[name] is None for name in own)
