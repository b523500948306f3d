"""Pickles that are the same bytes in every process.

What no import path and no arguments describe (a lambda, a function inside a function, a
class of a notebook) is pickled by value, as ``cloudpickle`` does it. Its own pickles are
not reproducible: it writes a set in the order of the hash seed, also one that the
compiler made of ``x in {"a", "b"}``; it gives each class a random number; and whether two
equal strings are one object is seen in the bytes. Here sets are sorted, classes have no
number, and equal strings are one.
"""

from __future__ import annotations

import io
import pickle
from typing import Any, Final

from kedro_rats.encoding.values import type_name

_PROTOCOL: Final = 5


def pickled(value: object) -> bytes:
    """Return a pickle of ``value``: what can be imported by reference, the rest by value.

    Raises:
        Exception: Whatever stops it; an object's own reduction may raise anything.
    """
    file = io.BytesIO()
    _Pickler(file).dump(value)
    return file.getvalue()


def culprit(value: Any) -> str:
    """Return the type of what stops the pickling of ``value``: itself, or what it holds."""
    cells = getattr(value, "__closure__", None) or ()
    for held in (*(cell.cell_contents for cell in cells),):
        try:
            pickled(held)
        except Exception:  # noqa: BLE001 - whatever an object's own reduction raises
            return type_name(held)
    return type_name(value)


class _Pickler(pickle._Pickler):
    """Python's own pickler, in Python: the one in C does not let sets be sorted."""

    def __init__(self, file: io.BytesIO) -> None:
        import cloudpickle

        super().__init__(file, protocol=_PROTOCOL)
        self._by_value = cloudpickle.Pickler(io.BytesIO(), protocol=_PROTOCOL)
        self.dispatch_table = self._by_value.dispatch_table
        self._strings: dict[str, str] = {}

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:  # noqa: FBT001,FBT002 - as the base class has it
        if type(obj) is str:
            obj = self._strings.setdefault(obj, obj)
        super().save(obj, save_persistent_id)  # type: ignore[misc]

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) in (set, frozenset):
            return type(obj), (sorted(obj, key=pickled),)
        reduced = self._by_value.reducer_override(obj)
        return _without_number(reduced) if isinstance(obj, type) else reduced


def _without_number(reduced: Any) -> Any:
    """Return how a class is made, without the random number by which it is known again.

    Without one a class is made anew by each pickle that has it.
    """
    if not isinstance(reduced, tuple):
        return reduced
    maker, arguments, *rest = reduced
    if maker.__name__ == "_make_skeleton_class":
        arguments = (*arguments[:4], None, *arguments[5:])
    elif maker.__name__ == "_make_skeleton_enum":
        arguments = (*arguments[:5], None, *arguments[6:])
    return (maker, arguments, *rest)
