"""Plain data as JSON, with its type kept.

What JSON has is written as it is; all else is an object with one key that begins with
``$``. So ``1``, ``1.0`` and ``True`` stay three values, a tuple stays a tuple, and a
dictionary keeps its order. Only exact types are taken: of a subclass (an enumeration, a
``defaultdict``) more is known than can be written here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kedro_rats.encoding.canonical import to_text
from kedro_rats.encoding.scalars import READERS, WRITERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from kedro_rats.encoding.canonical import Json

MARK: Final = "$"
"""Begins the key of every object that stands for something that JSON has not."""

MAX_DEPTH: Final = 80
"""How deep values may be nested. A fixed number, and not Python's own limit: what can be
written must not depend on who calls, and what was written must be readable elsewhere."""


class Unencodable(Exception):  # noqa: N818 - says what the value is
    """A value that cannot be written.

    Attributes:
        path: Where in the value it was found, e.g. ``".model[2]"``; ``""`` for itself.
        type_name: Its type, e.g. ``"module.Class"``.
    """

    def __init__(self, path: str, type_name: str) -> None:
        super().__init__(path, type_name)
        self.path = path
        self.type_name = type_name

    def __str__(self) -> str:
        return f"{self.path or 'the value'}: {self.type_name} is not plain data"

    def inside(self, part: str) -> Unencodable:
        """Return the same for the value of which this one is a part."""
        self.path = f"{part}{self.path}"
        return self


def encode(value: object) -> Json:
    """Return plain data as JSON with its types kept.

    Raises:
        Unencodable: If something in ``value`` is not plain data, or it contains itself,
            or is nested more than ``MAX_DEPTH`` deep.

    Example:
        >>> encode({"C": 1.0, "steps": (1, 2)})
        {'C': 1.0, 'steps': {'$tuple': [1, 2]}}
        >>> decode(encode({"b": {1, 2}, "a": float("inf")}))
        {'b': {1, 2}, 'a': inf}
    """
    return ValueEncoder().encode(value)


class ValueEncoder:
    """Encodes plain data; a subclass may know more types.

    A value that contains itself has no end: ``_open`` holds what is being written.
    """

    def __init__(self) -> None:
        self._open: set[int] = set()

    def encode(self, value: object) -> Json:
        """Return ``value`` as JSON."""
        kind = type(value)
        if kind in _ATOMS:
            return value  # type: ignore[return-value]
        writer = WRITERS.get(kind)
        if writer is not None:
            try:
                return writer(value)
            except ValueError as error:
                raise Unencodable("", str(error)) from error
        if kind in _CONTAINERS:
            return self._opened(value, self._container)
        return self.other(value)

    def other(self, value: object) -> Json:
        """Return a value that is not plain data as JSON, or raise ``Unencodable``."""
        raise Unencodable("", type_name(value))

    def _opened(self, value: object, write: Callable[[Any], Json]) -> Json:
        """Return what ``write`` makes of a value which has others in it."""
        if id(value) in self._open:
            raise Unencodable("", f"{type_name(value)} that contains itself")
        if len(self._open) >= MAX_DEPTH:
            raise Unencodable("", f"what is nested more than {MAX_DEPTH} deep")
        self._open.add(id(value))
        try:
            return write(value)
        finally:
            self._open.discard(id(value))

    def _container(self, value: Any) -> Json:
        kind = type(value)
        if kind is dict:
            return self._dict(value)
        if kind is slice:
            parts = (value.start, value.stop, value.step)
            return {"$slice": list(self._items(parts))}
        items = list(self._items(value))
        if kind is list:
            return items
        if kind is tuple:
            return {"$tuple": items}
        # The order of a set depends on the hash seed.
        return {f"${kind.__name__}": sorted(items, key=to_text)}

    def _items(self, values: Iterable[object]) -> Iterator[Json]:
        for i, item in enumerate(values):
            try:
                yield self.encode(item)
            except Unencodable as error:
                raise error.inside(f"[{i}]") from None

    def _dict(self, value: Mapping[Any, object]) -> Json:
        pairs = []
        for key, item in value.items():
            try:
                pairs.append((key, self.encode(item)))
            except Unencodable as error:
                name = key if type(key) is str and _is_plain(key) else type_name(key)
                raise error.inside(f".{name}") from None
        names = list(value)
        if all(type(key) is str and _is_plain(key) for key in names) and (
            names == sorted(names)
        ):
            return dict(pairs)
        return {"$dict": [[self.encode(key), item] for key, item in pairs]}


def decode(value: Json) -> Any:
    """Return the plain data that ``encode`` wrote.

    Raises:
        ValueError: If ``value`` is not what ``encode`` writes.
    """
    return ValueDecoder().decode(value)


class ValueDecoder:
    """Decodes what ``ValueEncoder`` wrote."""

    def decode(self, value: Json) -> Any:
        """Return the value that JSON stands for.

        Raises:
            ValueError: If it is not what the encoder writes.
        """
        if isinstance(value, list):
            return [self.decode(item) for item in value]
        if not isinstance(value, dict):
            return value
        key = next(iter(value)) if value else ""
        if not key.startswith(MARK):
            return {name: self.decode(item) for name, item in value.items()}
        if len(value) > 1:
            msg = f"{key!r} is expected alone, got {len(value)} keys"
            raise ValueError(msg)
        return self.marked(key, value[key])

    def marked(self, key: str, content: Any) -> Any:
        """Return what an object with a marked key stands for."""
        try:
            if key == "$dict":
                return {self.decode(k): self.decode(v) for k, v in content}
            if key == "$slice":
                return slice(*self.decode(content))
            if key in _COLLECTIONS:
                return _COLLECTIONS[key](self.decode(item) for item in content)
            if key in READERS:
                return READERS[key](content)
        # A zone that this machine has not is a KeyError; Decimal has its own kind.
        except (ArithmeticError, AttributeError, LookupError, TypeError) as error:
            msg = f"{key!r} is not followed by what kedro-rats writes there"
            raise ValueError(msg) from error
        msg = f"{key!r} is not known: it was written by a newer version of kedro-rats"
        raise ValueError(msg)


def type_name(value: object) -> str:
    """Return the type of ``value`` for an error, e.g. ``numpy.ndarray``."""
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")


def _is_plain(text: str) -> bool:
    return not text.startswith(MARK) and text.isprintable()


_ATOMS: Final[frozenset[type]] = frozenset({type(None), bool})

_CONTAINERS: Final[frozenset[type]] = frozenset(
    {list, tuple, dict, set, frozenset, slice}
)

_COLLECTIONS: Final[dict[str, Callable[[Iterable[Any]], object]]] = {
    "$tuple": tuple,
    "$set": set,
    "$frozenset": frozenset,
}
