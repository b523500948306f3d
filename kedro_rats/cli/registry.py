"""The registered pipelines of a project, and what is wrong with them."""

from __future__ import annotations

import contextlib
import re
import sys
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.errors import Breach, DefinitionError, listed, nearest, raise_if, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kedro.pipeline import Pipeline

_INSTEAD: Final = "Register its .train or .eval_on(…)."


def registered_pipelines(only: Sequence[str] = ()) -> dict[str, Any]:
    """Return what is registered, whatever it is.

    Args:
        only: The pipelines that Kedro has to import; none for all.

    Raises:
        DefinitionError: If a module makes something else than a pipeline.
    """
    from kedro.framework.project import pipelines

    # Kedro 1.2 and newer import only the pipelines that are asked for.
    if hasattr(pipelines, "set_requested"):
        pipelines.set_requested(list(only) or None)
    # What a project prints while its pipelines are made is not our output.
    with contextlib.redirect_stdout(sys.stderr):
        try:
            return dict(pipelines)
        except KeyError as error:
            refused = _not_found(error)
            if refused is None:
                raise
            raise refused from error


def check_pipelines(
    names: Iterable[str], registered: Mapping[str, object], *, option: str
) -> None:
    """Check that names are those of registered pipelines.

    Args:
        names: The names.
        registered: What is registered.
        option: Where the names come from.

    Raises:
        DefinitionError: If nothing or something else is registered.
    """
    if not registered:
        raise DefinitionError(_none_has_nodes())
    raise_if(
        breach
        for name in names
        if (breach := _breach(name, registered, option)) is not None
    )


def sum_of_pipelines(asked: Sequence[str]) -> Pipeline:
    """Return the sum of registered pipelines.

    Args:
        asked: Their names; none for the default.

    Raises:
        DefinitionError: If one is not registered or is no pipeline, or all are empty.
    """
    from kedro.pipeline import Pipeline

    names = asked or ["__default__"]
    try:
        registered = registered_pipelines(asked)
    except (ImportError, LookupError):
        # One of a name that is not there is such an error too.
        check_pipelines(names, registered_pipelines(), option="--pipelines")
        raise
    if not registered.keys() >= set(names):
        registered = registered_pipelines()
    check_pipelines(names, registered, option="--pipelines")
    whole = Pipeline([registered[name] for name in names])
    if not whole.nodes:
        raise DefinitionError(_empty(names, registered_pipelines()))
    return whole


def _breach(name: str, registered: Mapping[str, object], option: str) -> Breach | None:
    from kedro.pipeline import Pipeline

    if name not in registered:
        known = sorted(registered)
        remedy = f"{nearest(name, known)}Registered are {listed(known)}."
        return Breach(option, "a registered pipeline", shown(name), remedy)
    found = registered[name]
    if isinstance(found, Pipeline):
        return None
    kind = type(found).__name__
    is_estimator = isinstance(getattr(found, "train", None), Pipeline)
    remedy = _INSTEAD if is_estimator else "Return a Pipeline from register_pipelines."
    article = "an" if kind[0] in "AEIOUaeiou" else "a"
    return Breach(f"pipeline {name!r}", "a Pipeline", f"{article} {kind}", remedy)


def _empty(names: Sequence[str], registered: Mapping[str, Any]) -> Breach:
    others = sorted(n for n, found in registered.items() if getattr(found, "nodes", ()))
    if not others:
        return _none_has_nodes()
    remedy = f"Add nodes to it, or choose with --pipelines: {listed(others)}."
    return Breach(
        f"pipeline {listed(map(repr, names))}", "at least one node", "none", remedy
    )


def _none_has_nodes() -> Breach:
    return Breach(
        "the project's pipelines",
        "at least one with nodes",
        "none",
        "Return one from register_pipelines of pipeline_registry.py, such as "
        "{'__default__': model.train}, or begin one with `kedro pipeline create NAME`.",
    )


def _not_found(error: KeyError) -> DefinitionError | None:
    """Return what Kedro means that leaves out a module whose result is no pipeline."""
    found = re.fullmatch(r"\"Pipeline '(.+)' not found\"", str(error))
    if found is None:
        return None
    return DefinitionError(
        Breach(
            f"pipeline {found[1]!r}",
            "a function create_pipeline that returns a Pipeline",
            "none",
            "Return .train or .eval_on(…) of an estimator from it.",
        )
    )
