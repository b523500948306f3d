"""Functions and classes by the place from which they are imported."""

from __future__ import annotations

import sys
from functools import reduce
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def import_path(obj: object) -> str | None:
    """Return ``module:name`` from which ``obj`` is imported, or None if nowhere is.

    A lambda, a function inside a function and what a notebook or script defines have no
    such place: another process would not find them.

    Example:
        >>> from collections import OrderedDict
        >>> import_path(OrderedDict), import_path(lambda: None)
        ('collections:OrderedDict', None)
    """
    module = getattr(obj, "__module__", None)
    for attribute in ("__qualname__", "__name__"):
        name = getattr(obj, attribute, None)
        if not isinstance(name, str):
            continue
        modules = [module] if isinstance(module, str) else _modules_with(obj, name)
        for candidate in modules:
            if candidate != "__main__" and _found(candidate, name) is obj:
                return f"{candidate}:{name}"
    return None


def imported(path: str) -> object:
    """Return what is at ``module:name``.

    Raises:
        ImportError: If there is no such module, or nothing of that name in it.
    """
    module, _, name = path.partition(":")
    try:
        return reduce(getattr, name.split("."), import_module(module))
    except AttributeError as error:
        msg = f"cannot import {name!r} from {module!r}"
        raise ImportError(msg, name=module) from error


def _found(module: str, name: str) -> object:
    first, *rest = name.split(".")
    # Not getattr: a module may import, or warn, when it is asked for what it has not.
    found = getattr(sys.modules.get(module), "__dict__", {}).get(first)
    try:
        return reduce(getattr, rest, found)
    except AttributeError:
        return None


def _modules_with(obj: object, name: str) -> Iterable[str]:
    """Return the modules that have ``obj``, which does not say where it is from.

    NumPy's and SciPy's universal functions are such. The shallowest module is the public
    one; NumPy and SciPy go before whoever imported from them.
    """
    found = [m for m in list(sys.modules) if _found(m, name) is obj]
    return sorted(
        found,
        key=lambda m: (m.split(".")[0] not in ("numpy", "scipy"), m.count("."), m),
    )
