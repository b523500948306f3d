"""Values that only pickle can write: fitted estimators, and all that is left."""

from __future__ import annotations

import logging
import pickle
import sys
from collections.abc import Mapping
from types import CellType, FunctionType
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.errors import Breach
from kedro_rats.store.formats.protocol import UnsavableError, Unsuitable

if TYPE_CHECKING:
    from pathlib import Path

    from kedro_rats.encoding.canonical import Json
    from kedro_rats.store.formats.protocol import Meta

PROTOCOL: Final = 5
"""The newest protocol that every supported Python reads."""

_DEEPEST: Final = 6
_MOST: Final = 1000
_EMPTY_CELL: Final = CellType()
_logger = logging.getLogger(__name__)


class Joblib:
    """``joblib``: estimators of scikit-learn and of what is built on it.

    Loading runs code that the file holds, so only after its digest was verified.
    """

    name = "joblib"
    keeps_folder = False
    _FILE = "data.joblib"

    def accepts(self, value: object) -> bool:
        """Say whether a class of scikit-learn is among the value's bases."""
        return "joblib" in sys.modules and any(
            kind.__module__.partition(".")[0] == "sklearn"
            for kind in type(value).__mro__
        )

    def save(self, value: Any, folder: Path) -> Meta:
        """Write the estimator; what ``joblib`` cannot write is left to cloudpickle."""
        import joblib

        if needs_main(value):
            raise Unsuitable("it refers to the module __main__")
        try:
            joblib.dump(value, folder / self._FILE, protocol=PROTOCOL)
        except (OSError, MemoryError):
            raise
        except Exception as reason:
            raise Unsuitable(str(reason)) from reason
        return {}

    def load(self, folder: Path, meta: Mapping[str, Json]) -> Any:  # noqa: ARG002
        """Return the estimator. Runs code: verify the digest before."""
        import joblib

        return joblib.load(folder / self._FILE)


class CloudPickle:
    """``cloudpickle``: everything that no other format takes.

    Functions and classes of ``__main__`` are written by value. Where cloudpickle is not
    installed, pickle writes the same file for all other values. Loading runs code that
    the file holds, so only after its digest was verified.
    """

    name = "cloudpickle"
    keeps_folder = False
    _FILE = "data.pickle"

    def accepts(self, value: object) -> bool:  # noqa: ARG002
        """Say yes: this is the last format."""
        return True

    def save(self, value: Any, folder: Path) -> Meta:
        """Write the value.

        Raises:
            UnsavableError: If it cannot be pickled; says which part of it.
        """
        dump = _dump()
        try:
            with (folder / self._FILE).open("wb") as file:
                dump(value, file, protocol=PROTOCOL)
        except (OSError, MemoryError):
            raise
        except Exception as reason:
            raise _unsavable(value, reason) from reason
        return {}

    def load(self, folder: Path, meta: Mapping[str, Json]) -> Any:  # noqa: ARG002
        """Return the value. Runs code: verify the digest before."""
        with (folder / self._FILE).open("rb") as file:
            return pickle.load(file)  # noqa: S301 - the caller verified the digest


def needs_main(value: object) -> bool:
    """Say whether pickle would refer to something in ``__main__``.

    Another process has another ``__main__``, so it could not load the value.

    Example:
        >>> needs_main([1, 2])
        False
    """
    finder = _MainFinder(_Nowhere(), PROTOCOL, buffer_callback=lambda _: None)
    try:
        finder.dump(value)
    except Exception:  # noqa: BLE001 - whoever writes the value says what is wrong
        return finder.found
    return finder.found


class _Nowhere:
    def write(self, data: bytes) -> int:
        return len(data)


class _MainFinder(pickle.Pickler):
    """Pickles to nowhere, without a copy of large arrays, and looks at all names."""

    found = False

    def reducer_override(self, value: Any) -> Any:
        """Note what is a function or class of ``__main__``; change nothing."""
        if isinstance(value, (type, FunctionType)):
            self.found = self.found or value.__module__ == "__main__"
        return NotImplemented


def _dump() -> Any:
    try:
        import cloudpickle
    except ModuleNotFoundError:
        _logger.debug("cloudpickle is not installed: pickle is used in its place")
        return _dump_plainly
    return cloudpickle.dump


def _dump_plainly(value: object, file: Any, protocol: int) -> None:
    if needs_main(value):
        msg = "it refers to the module __main__, which needs cloudpickle"
        raise pickle.PicklingError(msg)
    pickle.dump(value, file, protocol=protocol)


def _unsavable(value: object, reason: Exception) -> UnsavableError:
    path, culprit = _culprit(value)
    kind = f"{type(culprit).__module__}.{type(culprit).__qualname__}"
    where = f"{path} of type " if path else "an object of type "
    why = " ".join(str(reason).split())
    return UnsavableError(
        Breach(
            f"a value of type {type(value).__qualname__}",
            "something that can be saved",
            f"{where}{kind.removeprefix('builtins.')} that cannot be pickled ({why})",
            "Return plain data in its place (a list for a generator), drop it in "
            "__getstate__, or register a format for its type.",
        )
    )


def _culprit(value: object) -> tuple[str, object]:
    """Return the path and the smallest part of ``value`` that cannot be pickled."""
    path = ""
    for _ in range(_DEEPEST):
        guilty = next(
            (
                (step, part)
                for step, part in _parts(value)[:_MOST]
                if not _can_pickle(part)
            ),
            None,
        )
        if guilty is None:
            break
        path, value = path + guilty[0], guilty[1]
    return path, value


def _parts(value: object) -> list[tuple[str, object]]:
    if isinstance(value, Mapping):
        return [(f"[{key!r}]", item) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [(f"[{i}]", item) for i, item in enumerate(value)]
    if isinstance(value, (set, frozenset)):
        return [("{…}", item) for item in value]
    if isinstance(value, FunctionType):
        names = value.__code__.co_freevars
        cells = value.__closure__ or ()
        return [
            (f".{name}", cell.cell_contents)
            for name, cell in zip(names, cells, strict=True)
            if cell != _EMPTY_CELL
        ]
    return [(f".{name}", item) for name, item in _state(value).items()]


def _state(value: object) -> Mapping[str, object]:
    """Return the attributes of an object, as far as they would be pickled."""
    getstate = getattr(type(value), "__getstate__", None)
    if getstate is getattr(object, "__getstate__", None):
        return getattr(value, "__dict__", {})
    try:
        state = getstate(value) if getstate else None
    except Exception:  # noqa: BLE001 - the user's code; the whole object is named then
        return {}
    return state if isinstance(state, Mapping) else {}


def _can_pickle(value: object) -> bool:
    dump = _dump()
    try:
        dump(value, _Nowhere(), protocol=PROTOCOL)
    except Exception:  # noqa: BLE001 - pickling calls any code
        return False
    return True
