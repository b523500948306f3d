"""Which format writes a value, and which one reads a name."""

from __future__ import annotations

import functools
import logging
import shutil
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.encoding import canonical
from kedro_rats.errors import Breach, listed, nearest, shown
from kedro_rats.store.formats.arrays import NumpyArray, SparseMatrix
from kedro_rats.store.formats.figures import MatplotlibFigure, PlotlyFigure
from kedro_rats.store.formats.frames import PandasParquet, PandasPickle
from kedro_rats.store.formats.paths import FileOrFolder
from kedro_rats.store.formats.pickles import CloudPickle, Joblib
from kedro_rats.store.formats.plain import Bytes, PlainData
from kedro_rats.store.formats.protocol import Format, FormatError, Unsuitable
from kedro_rats.store.formats.tables import ArrowIPC, PolarsParquet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from kedro_rats.encoding.canonical import Json
    from kedro_rats.store.formats.protocol import Meta

ENTRY_POINTS: Final = "kedro_rats.formats"
"""The group in which a package names the formats that it adds."""

BUILT_IN: Final[tuple[Format, ...]] = (
    FileOrFolder(),
    Bytes(),
    NumpyArray(),
    SparseMatrix(),
    PandasParquet(),
    PandasPickle(),
    PolarsParquet(),
    ArrowIPC(),
    PlotlyFigure(),
    MatplotlibFigure(),
    Joblib(),
    PlainData(),
    CloudPickle(),
)
"""The formats of kedro-rats, in the order in which they are asked."""

RESERVED: Final = frozenset({"dataset", "in_place"})
"""Stand in the place of a format for what a dataset of the catalog writes."""

_logger = logging.getLogger(__name__)


def format_for(value: object) -> Format:
    """Return the first format that accepts a value: formats of plugins, then ours.

    ``save_value`` may still take a later one, if this one finds that it is unsuitable.

    Raises:
        FormatError: If a format of a plugin is broken.

    Example:
        >>> format_for({"C": 1.0}).name, format_for(b"x").name
        ('json', 'bytes')
    """
    return next(_accepting(value))


def format_named(name: str) -> Format:
    """Return the format that a record names.

    Raises:
        FormatError: If no format has this name, or the one of a plugin is broken.

    Example:
        >>> format_named("json").name
        'json'
    """
    ours = {format_.name: format_ for format_ in BUILT_IN}
    known = ours if name in ours else {f.name: f for f in added()} | ours
    if name not in known:
        remedy = (
            f"{nearest(name, known)}Install the package that adds it, and a kedro-rats "
            "that is as new as the one that wrote it."
        )
        breach = Breach("format", f"one of {listed(known)}", shown(name), remedy)
        raise FormatError(breach)
    return known[name]


def save_value(value: Any, folder: Path) -> tuple[str, Meta]:
    """Write a value into an empty folder; return the format's name and its meta.

    Raises:
        UnsavableError: If no format can write it; says which part is in the way.
        FormatError: If a format of a plugin is broken.
        ValueError: If the folder is not empty.
        OSError: If the disk is full or does not let us write.
    """
    if any(folder.iterdir()):
        msg = f"the folder {folder} is not empty"
        raise ValueError(msg)
    for format_ in _accepting(value):
        try:
            meta = _saved(format_, value, folder)
        except Unsuitable as reason:
            _logger.debug("%s does not write this value: %s", format_.name, reason)
            _empty(folder)
        else:
            return format_.name, meta
    raise AssertionError("the last format takes everything")


def load_value(name: str, folder: Path, meta: Mapping[str, Json]) -> Any:
    """Return the value that ``save_value`` wrote.

    Some formats run code that the files hold (pickle), so call this only after the
    digests of the files were compared with a record.

    Raises:
        FormatError: If there is no such format, or what it needs is not installed, or
            the file cannot be read here.
        OSError: If a file is missing or unreadable.
    """
    format_ = format_named(name)
    try:
        return format_.load(folder, meta)
    except (OSError, MemoryError, FormatError):
        raise
    except Exception as reason:
        raise FormatError(_not_loaded(name, reason)) from reason


@functools.cache
def added() -> tuple[Format, ...]:
    """Return the formats that installed packages add, sorted by name.

    Raises:
        FormatError: If one of them cannot be imported, is no format, or has a name that
            is taken; says which.
    """
    found = sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name)
    taken = {format_.name for format_ in BUILT_IN} | RESERVED
    formats = []
    for point in found:
        format_ = _loaded(point)
        if format_.name in taken:
            got = f"{format_.name!r}, which is taken"
            raise FormatError(_broken(point, "a name of its own", got))
        taken.add(format_.name)
        formats.append(format_)
    return tuple(formats)


def _loaded(point: EntryPoint) -> Format:
    try:
        made = point.load()
        made = made() if isinstance(made, type) else made
    except Exception as reason:
        got = f"{type(reason).__name__}: {_one_line(reason)}"
        raise FormatError(_broken(point, "a format that can be made", got)) from reason
    if not isinstance(made, Format) or not isinstance(made.name, str):
        got = shown(made)
        raise FormatError(
            _broken(point, "name, keeps_folder, accepts, save and load", got)
        )
    return made


def _broken(point: EntryPoint, expected: str, got: str) -> Breach:
    package = point.dist.name if point.dist else "an unknown package"
    subject = f"format {point.name!r} of {package} ({point.value})"
    return Breach(subject, expected, got, f"Mend or uninstall {package}.")


def _accepting(value: object) -> Iterator[Format]:
    for format_ in added():
        try:
            accepted = format_.accepts(value)
        except Exception as reason:
            raise FormatError(_not_saved(format_.name, value, reason)) from reason
        if accepted:
            yield format_
    yield from (format_ for format_ in BUILT_IN if format_.accepts(value))


def _saved(format_: Format, value: object, folder: Path) -> Meta:
    if format_ in BUILT_IN:
        return format_.save(value, folder)
    try:
        meta = format_.save(value, folder)
        return dict(canonical.from_bytes(canonical.to_bytes(meta)))  # type: ignore[arg-type]
    except (Unsuitable, OSError, MemoryError, FormatError):
        raise
    except Exception as reason:
        raise FormatError(_not_saved(format_.name, value, reason)) from reason


def _not_saved(name: str, value: object, reason: Exception) -> Breach:
    return Breach(
        f"format {name!r}",
        f"files and meta of a value of type {type(value).__qualname__}",
        f"{type(reason).__name__}: {_one_line(reason)}",
        "Mend the format, or let it raise Unsuitable.",
    )


def _not_loaded(name: str, reason: Exception) -> Breach:
    if isinstance(reason, ModuleNotFoundError):
        remedy = f"Install {reason.name} where this node runs."
    else:
        remedy = "Install the versions of the libraries that wrote it."
    got = f"{type(reason).__name__}: {_one_line(reason)}"
    return Breach(f"format {name!r}", "a value that loads", got, remedy)


def _one_line(reason: Exception) -> str:
    return " ".join(str(reason).split())


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
