"""Objects as JSON: by import path and arguments where that says all, else by pickle.

A function or class is the path from which it is imported. An object whose constructor
arguments say all (a dataclass; an unfitted estimator of scikit-learn) is its class and
these. Any other object is what Python's own reduction (:pep:`307`) says of it. What has
no such form, a lambda for instance, is pickled; the bytes travel apart, named by their
digest, and the reader must verify them before it reads them.

JSON has no identity. An object in which one thing is in two places (a random state that
two attributes share), or which contains itself, is therefore pickled as a whole.
"""

from __future__ import annotations

import sys
from copyreg import dispatch_table
from functools import partial
from importlib import import_module
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

from kedro_rats.encoding.canonical import digest
from kedro_rats.encoding.construction import constructor_arguments, rebuilt
from kedro_rats.encoding.imports import import_path, imported
from kedro_rats.encoding.pickling import culprit, pickled
from kedro_rats.encoding.values import (
    Unencodable,
    ValueDecoder,
    ValueEncoder,
    type_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from kedro_rats.encoding.canonical import Json

_UNCHANGING = (type, FunctionType, BuiltinFunctionType, MethodType, ModuleType, partial)
"""Whether two places share one of these, nobody can tell."""


class _Tangled(Unencodable):
    """A part of an object that can only be written together with all the rest."""


class ObjectEncoder(ValueEncoder):
    """Encodes any object that can be pickled.

    Args:
        keep_pickle: Called with the bytes of what could only be pickled; None to refuse.

    One encoder serves many objects: what it has encoded, it knows again. It must not
    outlive a change of these objects.

    Example:
        >>> from functools import partial
        >>> ObjectEncoder().encode(len)
        {'$import': 'builtins:len'}
        >>> ObjectDecoder().decode(ObjectEncoder().encode(partial(int, base=2)))("101")
        5
    """

    def __init__(self, keep_pickle: Callable[[bytes], object] | None = None) -> None:
        super().__init__()
        self._keep_pickle = keep_pickle
        # The objects are kept too: an id is one object's only while that lives.
        self._known: dict[int, tuple[object, Json, list[object]]] = {}
        self._wholes: dict[int, tuple[object, Json]] = {}
        # The outermost object that is being encoded, and what it has in it, as far as
        # somebody could tell that it is in two places.
        self._root: object = None
        self._met: dict[int, object] = {}
        self._met_in_order: list[object] = []

    def other(self, value: object) -> Json:
        """Return an object as JSON."""
        if self._root is not None:
            return self._part(value)
        # A bound method is no object of its own: its owner is.
        if isinstance(value, MethodType):
            return self._method(value)
        if id(value) in self._wholes:
            return self._wholes[id(value)][1]
        self._root, self._met, self._met_in_order = value, {}, []
        try:
            return self._part(value)
        except _Tangled as tangled:
            reason = Unencodable(tangled.path, tangled.type_name)
            encoded = self._pickled(value, reason)
            self._wholes[id(value)] = (value, encoded)
            return encoded
        finally:
            self._root = None

    def _part(self, value: object) -> Json:
        known = self._known.get(id(value))
        if known is not None:
            for met in known[2]:
                self._meet(met)
            return known[1]
        before = len(self._met_in_order)
        try:
            encoded = self._opened(value, self._object)
        except Unencodable:
            raise
        except Exception as error:  # whatever an object does when it is looked at
            raise Unencodable("", type_name(value)) from error
        self._known[id(value)] = (value, encoded, self._met_in_order[before:])
        return encoded

    def _opened(self, value: object, write: Callable[[Any], Json]) -> Json:
        if self._root is None:
            return super()._opened(value, write)
        encoded = super()._opened(value, write)
        if not (isinstance(encoded, dict) and "$import" in encoded):
            self._meet(value)
        return encoded

    def _meet(self, value: object) -> None:
        if not _can_change(value):
            return
        if id(value) in self._met:
            raise _Tangled("", f"{type_name(value)} in two places")
        self._met[id(value)] = value
        self._met_in_order.append(value)

    def _object(self, value: Any) -> Json:
        if isinstance(value, MethodType):
            return self._method(value)
        if isinstance(value, type | FunctionType | BuiltinFunctionType):
            return self._imported(value)
        if isinstance(value, ModuleType):
            return self._module(value)
        try:
            arguments = constructor_arguments(value)
            place = import_path(type(value))
            if arguments is not None and place is not None:
                return {"$new": [place, self._dict(arguments)]}
            return self._reduced(value)
        except _Tangled:
            raise
        except Unencodable as error:
            return self._whole(value, error)

    def _method(self, value: MethodType) -> Json:
        place = import_path(value)  # as that of NumPy's functions of random numbers
        if place is not None:
            return {"$import": place}
        owner, function = value.__self__, value.__func__
        name = getattr(function, "__name__", None)
        found = getattr(owner, name, None) if isinstance(name, str) else None
        # The owner may have another method of that name, or none.
        if _code(found) is not None and _code(found) is _code(value):
            return {"$method": [self.encode(owner), name]}
        return {"$bound": [self.encode(function), self.encode(owner)]}

    def _imported(self, value: Any) -> Json:
        place = import_path(value)
        if place is not None:
            return {"$import": place}
        owner = getattr(value, "__self__", None)
        if isinstance(value, BuiltinFunctionType) and not isinstance(owner, ModuleType):
            return {"$method": [self.encode(owner), value.__name__]}
        if value is self._root or _has_nothing_shared(value):
            return self._pickled(value)
        raise _Tangled("", type_name(value))

    def _module(self, value: ModuleType) -> Json:
        name = value.__name__
        if name == "__main__" or sys.modules.get(name) is not value:
            raise Unencodable(
                "", f"module {name!r}, which cannot be imported elsewhere"
            )
        return {"$module": name}

    def _reduced(self, value: Any) -> Json:
        reducer = dispatch_table.get(type(value))
        try:
            reduced = reducer(value) if reducer else value.__reduce_ex__(4)
        except Exception as error:  # whatever an object's own reduction raises
            raise Unencodable("", type_name(value)) from error
        if isinstance(reduced, str):
            place = import_path(value)
            if place is None:
                raise Unencodable("", type_name(value))
            return {"$import": place}
        function, args, *rest = reduced
        # Iterators are used up by reading: take them as lists.
        state, items, pairs, setter = [*rest, None, None, None, None][:4]
        parts = (function, args, state, items and list(items), pairs and list(pairs))
        try:
            return {"$reduced": list(self._items((*parts, setter)))}
        except Unencodable as error:
            # Numbers of parts of a reduction say nothing to people.
            error.path = error.path.partition("]")[2]
            raise

    def _whole(self, value: object, error: Unencodable) -> Json:
        """Return the pickle of an object, with all that it may share with others."""
        if value is not self._root:
            raise _Tangled(error.path, error.type_name)
        return self._pickled(value, error)

    def _pickled(self, value: object, reason: BaseException | None = None) -> Json:
        if self._keep_pickle is not None:
            try:
                data = pickled(value)
            except Exception as error:  # whatever an object's own reduction raises
                raise reason or Unencodable("", culprit(value)) from error
            self._keep_pickle(data)
            return {"$pickle": digest(data)}
        raise reason or Unencodable("", type_name(value))


class ObjectDecoder(ValueDecoder):
    """Decodes what ``ObjectEncoder`` wrote, importing what it names.

    Args:
        pickle_of: Returns the bytes of a pickle by digest, **verified**; None to refuse
            pickles.
    """

    def __init__(self, pickle_of: Callable[[str], bytes] | None = None) -> None:
        self._pickle_of = pickle_of

    def marked(self, key: str, content: Any) -> Any:
        """Return the object that a marked key stands for.

        Raises:
            ImportError: If what it names cannot be imported here.
            ValueError: If it is not what the encoder writes.
            Exception: Whatever the making of the object raises.
        """
        if key == "$import":
            return imported(content)
        if key == "$module":
            return import_module(content)
        if key == "$method":
            return getattr(self.decode(content[0]), content[1])
        if key == "$bound":
            return MethodType(self.decode(content[0]), self.decode(content[1]))
        if key == "$new":
            return imported(content[0])(**self.decode(content[1]))  # type: ignore[operator]
        if key == "$reduced":
            return rebuilt(*self.decode(content))
        if key == "$pickle":
            return self._unpickled(content)
        return super().marked(key, content)

    def _unpickled(self, name: str) -> object:
        if self._pickle_of is None:
            msg = "a pickle is not allowed here"
            raise ValueError(msg)
        import pickle

        return pickle.loads(self._pickle_of(name))  # noqa: S301 - verified by digest


def _can_change(value: object) -> bool:
    """Say whether somebody could tell that two places share a value.

    What has a hash of its own is equal by its content, and must not change.
    """
    kind = type(value)
    if isinstance(value, _UNCHANGING) or kind in (tuple, frozenset):
        return False
    frozen = getattr(kind, "__dataclass_params__", None)
    if frozen is not None and frozen.frozen:
        return False
    return getattr(kind, "__hash__", None) in (None, object.__hash__)


def _code(method: object) -> object:
    return getattr(method, "__code__", None)


def _has_nothing_shared(function: object) -> bool:
    """Say whether no other object can hold what a function holds."""
    if not isinstance(function, FunctionType):
        return isinstance(function, type)
    held = [
        *(cell.cell_contents for cell in function.__closure__ or ()),
        *(function.__defaults__ or ()),
        *(function.__kwdefaults__ or {}).values(),
    ]
    return not any(map(_can_change, held))
