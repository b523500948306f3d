"""Arrays and scalars of NumPy, sparse matrices and arrays of SciPy."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.encoding import values
from kedro_rats.store.formats.protocol import Unsuitable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kedro_rats.encoding.canonical import Json
    from kedro_rats.store.formats.protocol import Meta

_FILE: Final = "data.npy"
_KINDS: Final = frozenset("biufcmMSUV")


class NumpyArray:
    """``numpy.npy``: an array in NumPy's own file, or a scalar as an array of it.

    The order of the axes in memory is kept (C, Fortran or another), since sums depend on
    it to the last bit; gaps and reversed axes are not. Arrays of objects, masked arrays
    and other subclasses are left to a later format.
    """

    name = "numpy.npy"
    keeps_folder = False

    def accepts(self, value: object) -> bool:
        """Say whether a value is an array, not of a subclass, or a NumPy scalar."""
        numpy = sys.modules.get("numpy")
        if numpy is None:
            return False
        return type(value) is numpy.ndarray or isinstance(value, numpy.generic)

    def save(self, value: Any, folder: Path) -> Meta:
        """Write the array; the same array is the same bytes."""
        import numpy as np

        array = np.asarray(value)
        scalar = array is not value
        _check_dtype(array.dtype)
        text = _text(value, array) if scalar else None
        axes = _axes(array)
        _write(folder / _FILE, array if axes is None else array.transpose(axes))
        return {"scalar": scalar, "axes": axes, "text": text}

    def load(self, folder: Path, meta: Mapping[str, Json]) -> Any:
        """Return the array; a file of pickled objects is refused."""
        import numpy as np

        found: Any = meta
        array = _read(folder / _FILE)
        if found["axes"] is not None:
            array = array.transpose(np.argsort(found["axes"]))
        if found["text"] is not None:
            return type(array[()])(values.decode(found["text"]))
        return array[()] if found["scalar"] else array


class SparseMatrix:
    """``scipy.sparse``: a sparse matrix or array, each of its arrays in one file.

    Its class, layout, explicit zeros and duplicate entries are kept.
    """

    name = "scipy.sparse"
    keeps_folder = False

    def accepts(self, value: object) -> bool:
        """Say whether a value is one of the classes in ``scipy.sparse`` itself."""
        sparse = sys.modules.get("scipy.sparse")
        kind = type(value)
        return (
            sparse is not None
            and getattr(value, "format", None) in _PARTS
            and getattr(sparse, kind.__name__, None) is kind
        )

    def save(self, value: Any, folder: Path) -> Meta:
        """Write the arrays that the matrix is made of."""
        _check_dtype(value.dtype)
        # These two are made of lists and of a dict: equal ones are made from arrays.
        stored = {"lil": "csr", "dok": "coo"}.get(value.format, value.format)
        through = value if stored == value.format else value.asformat(stored)
        for name in _PARTS[stored]:
            _write(folder / f"{name}.npy", getattr(through, name))
        coords = through.coords if stored == "coo" else ()
        for axis, positions in enumerate(coords):
            _write(folder / f"coords_{axis}.npy", positions)
        is_array = type(value).__name__.endswith("_array")
        return {
            "format": value.format,
            "array": is_array,
            "shape": [int(length) for length in value.shape],
        }

    def load(self, folder: Path, meta: Mapping[str, Json]) -> Any:
        """Return a matrix of the same class; only classes known here are made."""
        from scipy import sparse

        found: Any = meta
        wanted = found["format"]
        if wanted not in _PARTS:
            msg = f"{wanted!r} is not a format of sparse matrices"
            raise ValueError(msg)
        stored = {"lil": "csr", "dok": "coo"}.get(wanted, wanted)
        kind = getattr(sparse, f"{stored}_{'array' if found['array'] else 'matrix'}")
        made = _assembled(kind, stored, tuple(found["shape"]), folder)
        return made if stored == wanted else made.asformat(wanted)


_PARTS: Final[dict[str, tuple[str, ...]]] = {
    "csr": ("data", "indices", "indptr"),
    "csc": ("data", "indices", "indptr"),
    "bsr": ("data", "indices", "indptr"),
    "coo": ("data",),
    "dia": ("data", "offsets"),
    "lil": (),
    "dok": (),
}


def _assembled(kind: Any, stored: str, shape: tuple[int, ...], folder: Path) -> Any:
    parts = {name: _read(folder / f"{name}.npy") for name in _PARTS[stored]}
    data = parts["data"]
    if stored == "coo":
        coords = tuple(
            _read(folder / f"coords_{axis}.npy") for axis in range(len(shape))
        )
        made = kind((data, coords if len(shape) > 1 else (coords[0],)), shape=shape)
        made.coords = coords
    elif stored == "dia":
        made = kind((data, parts["offsets"]), shape=shape)
        made.offsets = parts["offsets"]
    else:
        made = kind((data, parts["indices"], parts["indptr"]), shape=shape)
        # The constructor may choose a narrower type for these two.
        made.indices, made.indptr = parts["indices"], parts["indptr"]
    made.data = data
    return made


def _axes(array: Any) -> Any:
    """Return the axes from the slowest to the fastest; None for C and Fortran order."""
    if array.ndim < 2 or array.flags.forc:
        return None
    return sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis]))


def _check_dtype(dtype: Any) -> None:
    """Raise if NumPy's file would not keep a dtype."""
    import numpy as np

    if dtype.kind not in _KINDS or dtype.hasobject or _has_metadata(dtype):
        raise Unsuitable(f"dtype {dtype} is not kept by NumPy's file")
    kept = np.lib.format.descr_to_dtype(np.lib.format.dtype_to_descr(dtype))
    if kept != dtype or kept.isalignedstruct != dtype.isalignedstruct:
        raise Unsuitable(f"dtype {dtype} is not kept by NumPy's file")


def _has_metadata(dtype: Any) -> bool:
    if dtype.metadata is not None:
        return True
    if dtype.subdtype is not None:
        return _has_metadata(dtype.subdtype[0])
    return any(_has_metadata(field[0]) for field in (dtype.fields or {}).values())


def _text(value: Any, array: Any) -> Json:
    """Return a scalar as plain data where an array loses zeros at its end, else None."""
    back = array[()]
    if type(back) is not type(value):
        raise Unsuitable(f"a scalar {type(value).__name__} is not kept in an array")
    if array.dtype.kind not in "SU" or len(back) == len(value):
        return None
    # So do pickle, and `str` of it.
    text = bytes(value) if array.dtype.kind == "S" else "".join(value)
    return values.encode(text)


def _write(path: Path, array: Any) -> None:
    import numpy as np

    with path.open("wb") as file:
        # Given, the version is no guess, of which NumPy would warn.
        np.lib.format.write_array(file, array, version=(3, 0), allow_pickle=False)


def _read(path: Path) -> Any:
    import numpy as np

    return np.load(path, allow_pickle=False)
