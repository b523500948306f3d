"""Search spaces over parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kedro_rats import names
from kedro_rats.errors import Breach, RatsError, listed, nearest, raise_if, shown


@dataclass(frozen=True)
class Space:
    """A search space in which one parameter may depend on another one.

    Attributes:
        func: ``func(trial)`` suggests values with an Optuna trial and returns
            ``{path: value}``; it may leave paths out, which then keep their values.
        params: All paths that it may return, e.g. ``["params:clf.C"]``.

    Example:
        >>> def space(trial):
        ...     kernel = trial.suggest_categorical("params:svc.kernel", ["linear", "rbf"])
        ...     gamma = trial.suggest_float("params:svc.gamma", 0.01, 1) if kernel == "rbf" else "scale"
        ...     return {"params:svc.kernel": kernel, "params:svc.gamma": gamma}
        >>> Space(space, params=["params:svc.kernel", "params:svc.gamma"]).params
        ['params:svc.kernel', 'params:svc.gamma']
    """

    func: Callable[[Any], Mapping[str, Any]]
    params: Sequence[str]

    def suggested(self, trial: Any) -> dict[str, Any]:
        """Return the values that the function chose for a trial."""
        values = dict(self.func(trial))
        unknown = sorted(set(values) - set(self.params))
        if unknown:
            msg = (
                f"Space: expected paths among params ({listed(self.params)}), got "
                f"{listed(unknown)}. Add them to params."
            )
            raise RatsError(msg)
        return values


@dataclass(frozen=True)
class Distributions:
    """A search space of independent parameters, each with an Optuna distribution."""

    by_path: tuple[tuple[str, Any], ...]


def space_of(subject: str, space: object) -> Space | Distributions:
    """Return a search space, or raise if it is not one.

    Raises:
        DefinitionError: If it is empty, a path is no ``params:`` path, or a value is no
            Optuna distribution.
    """
    subject = f"{subject}, space"
    if isinstance(space, Space):
        given: Any = space.params
        params = [] if isinstance(given, str) else given
        breaches = _check_paths(subject, params)
        func: Any = space.func
        if not callable(func):
            got = shown(func)
            remedy = "Give Space(func, params=[…])."
            breaches.append(
                Breach(subject, "func(trial) -> {path: value}", got, remedy)
            )
        raise_if(breaches)
        return space
    if not isinstance(space, Mapping) or not space:
        expected = "a dict from params: paths to Optuna distributions, or a Space"
        remedy = "Give {'params:clf.C': FloatDistribution(0.1, 10, log=True)}."
        raise_if([Breach(subject, expected, shown(space), remedy)])
        return Distributions(())
    from optuna.distributions import BaseDistribution

    breaches = _check_paths(subject, list(space))
    breaches += [
        Breach(
            f"{subject}, {path!r}",
            "an Optuna distribution",
            shown(value),
            "Give e.g. FloatDistribution(0.1, 10, log=True).",
        )
        for path, value in space.items()
        if not isinstance(value, BaseDistribution)
    ]
    raise_if(breaches)
    return Distributions(tuple(space.items()))


def paths_of(space: Space | Distributions) -> tuple[str, ...]:
    """Return all paths that a space may set."""
    if isinstance(space, Space):
        return tuple(space.params)
    return tuple(path for path, _ in space.by_path)


def check_asked(
    name: str, space: Space | Distributions, asked: object
) -> dict[str, Any]:
    """Return the values that an object asks for, if the space of a search has them.

    Raises:
        RatsError: If it gives no values by path, a path is not of the space, or a value
            is not in the distribution of its path.
    """
    subject, paths = f"search {name!r}, sampler", paths_of(space)
    if not isinstance(asked, Mapping):
        msg = (
            f"{subject}: expected {{path: value}}, got {shown(asked)}. Mend its ask()."
        )
        raise RatsError(msg)
    for path in asked:
        if path not in paths:
            msg = (
                f"{subject}: expected paths of the space ({listed(paths)}), got "
                f"{shown(path)}. {nearest(str(path), paths)}Mend its ask()."
            )
            raise RatsError(msg)
    known = {} if isinstance(space, Space) else dict(space.by_path)
    for path, value in asked.items():
        if path in known and not _contains(known[path], value):
            msg = (
                f"{subject}, {path!r}: expected a value of {known[path]}, got "
                f"{shown(value)}. Mend its ask(), or the space."
            )
            raise RatsError(msg)
    return dict(asked)


def _contains(distribution: Any, value: Any) -> bool:
    """Say whether an Optuna distribution can give a value."""
    try:
        inside = distribution.to_internal_repr(value)
    except (TypeError, ValueError):
        return False
    # Optuna takes the text "0.5" for a number.
    return bool(distribution._contains(inside)) and not (
        isinstance(value, str) and distribution.to_external_repr(inside) != value
    )


def _check_paths(subject: str, paths: Sequence[object]) -> list[Breach]:
    if not paths:
        remedy = "Name at least one path."
        return [Breach(subject, "paths of parameters", "none", remedy)]
    breaches = []
    for path in paths:
        if not isinstance(path, str) or not path.startswith("params:"):
            remedy = "Write 'params:NAME' or 'params:NAME.key'."
            breaches.append(Breach(subject, "params: paths", shown(path), remedy))
        else:
            breaches += names.check_dataset(subject, path)
    breaches += [
        Breach(
            subject,
            "paths of which none is inside another one",
            f"{inner} inside {outer}",
            "Search one of them.",
        )
        for outer in paths
        for inner in paths
        if str(inner).startswith(f"{outer}.")
    ]
    return breaches
