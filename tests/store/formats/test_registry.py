"""Which format takes a value; formats of plugins; what importing them costs."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from kedro_rats.store.formats import (
    Format,
    FormatError,
    format_for,
    format_named,
    load_value,
    save_value,
)
from kedro_rats.store.formats.registry import BUILT_IN, RESERVED, added

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = [
    "path",
    "bytes",
    "numpy.npy",
    "scipy.sparse",
    "pandas.parquet",
    "pandas.pickle",
    "polars.parquet",
    "pyarrow.ipc",
    "plotly.json",
    "matplotlib.figure",
    "joblib",
    "json",
    "cloudpickle",
]


def test_the_names_in_stores_and_their_order_never_change() -> None:
    assert [format_.name for format_ in BUILT_IN] == NAMES
    assert {"dataset", "in_place"} == RESERVED
    assert all(isinstance(format_, Format) for format_ in BUILT_IN)
    assert [format_named(name).name for name in NAMES] == NAMES


def test_an_unknown_name_is_one_line_with_the_nearest() -> None:
    with pytest.raises(FormatError) as caught:
        format_named("pandas.parket")

    text = str(caught.value)
    assert text.startswith("format: expected one of ")
    assert "got 'pandas.parket'. Did you mean 'pandas.parquet'? Install the" in text
    assert "\n" not in text


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("mine")

    with pytest.raises(ValueError, match="not empty"):
        save_value(1, tmp_path)

    assert (tmp_path / "x").read_text() == "mine"


HEAVY = (
    "numpy scipy pandas polars pyarrow joblib sklearn cloudpickle plotly matplotlib "
    "kedro fsspec"
)


def python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_formats_and_saving_plain_data_imports_no_library() -> None:
    code = f"""
import sys, pathlib, tempfile
from kedro_rats.store.formats import save_value
from kedro_rats.store import catalogued
save_value({{"a": [1, 2.0]}}, pathlib.Path(tempfile.mkdtemp()))
save_value(b"x", pathlib.Path(tempfile.mkdtemp()))
catalogued.kind_of({{"type": "a.B"}})
print(*[name for name in {HEAVY.split()} if name in sys.modules])
"""
    assert python(code) == ""


SAME_BYTES = """
import datetime
import numpy as np
from kedro_rats.store.formats import save_value
values = [{"b": {1, "x", None}, "a": [1.5, datetime.date(2020, 1, 1)]},
          {"one", "two", "three"}, np.arange(6.0).reshape(2, 3)]
try:
    import scipy.sparse
    values.append(scipy.sparse.random(9, 9, 0.5, random_state=0).tolil())
except ImportError: pass
try:
    import pandas as pd
    values += [pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}, index=["p", "q"]),
               pd.Series(pd.Categorical(["a"]))]
except ImportError: pass
try:
    import polars
    values.append(polars.DataFrame({"a": [1, 2], "b": ["x", "y"]}))
except ImportError: pass
try:
    import pyarrow
    values.append(pyarrow.table({"a": [1, 2], "b": ["x", "y"]}))
except ImportError: pass
try:
    import plotly.graph_objects as go
    values.append(go.Figure(go.Bar(x=["a"], y=[1])))
except ImportError: pass
for number, value in enumerate(values):
    folder = place / str(number)
    folder.mkdir()
    (folder / "meta").write_text(repr(save_value(value, folder)))
"""


def test_the_same_value_is_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    pytest.importorskip("numpy")
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()

    exec(SAME_BYTES, {"place": here})  # noqa: S102 - written above
    seed = "1" if hash("a") % 2 else "2"
    python(
        f"import pathlib; place = pathlib.Path({str(there)!r})" + SAME_BYTES,
        PYTHONHASHSEED=seed,
    )

    found = digests(here)
    assert found == digests(there)
    assert len(found) > 3


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_without_pyarrow_frames_go_to_pickle_and_say_so_once_each(
    tmp_path: Path,
) -> None:
    pytest.importorskip("pandas")
    code = f"""
import importlib.util, logging, pathlib, sys
find = importlib.util.find_spec
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "pyarrow":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Hidden())
importlib.util.find_spec = (
    lambda name, package=None: None if name == "pyarrow" else find(name, package)
)
import pandas as pd
from kedro_rats.store.formats import save_value, load_value
logging.basicConfig(stream=sys.stdout, format="%(message)s")
logging.getLogger("kedro_rats").setLevel(logging.DEBUG)
folder = pathlib.Path({str(tmp_path)!r})
frame = pd.DataFrame({{"a": [1, 2]}})
name, meta = save_value(frame, folder)
assert load_value(name, folder, meta).equals(frame)
print(name)
"""
    lines = python(code).splitlines()

    assert lines == [
        "pandas.parquet does not write this value: pyarrow is not installed",
        "pandas.pickle",
    ]


# Formats of plugins, each in a package that is really installed: in a folder of its own
# on the path, with the metadata that pip would write.

PLUGIN = """
from kedro_rats.store.formats import Unsuitable
class Celsius:
    def __init__(self, degrees): self.degrees = degrees
class Kelvin:
    name = "own.kelvin"
    keeps_folder = False
    def accepts(self, value): return isinstance(value, (Celsius, dict))
    def save(self, value, folder):
        (folder / "junk").mkdir()
        (folder / "junk" / "x").write_text("left over")
        if isinstance(value, dict): raise Unsuitable("a dict")
        (folder / "k").write_text(str(value.degrees + 273.15))
        return {"unit": "K"}
    def load(self, folder, meta):
        assert meta["unit"] == "K"
        return Celsius(float((folder / "k").read_text()) - 273.15)
made = Kelvin()
not_a_format = 3
class Unmakeable(Kelvin):
    def __init__(self): raise RuntimeError("no\\nlicence")
class Taken(Kelvin):
    name = "json"
class Reserved(Kelvin):
    name = "dataset"
class Crashes(Kelvin):
    def save(self, value, folder): return 1 / 0
class NoJson(Kelvin):
    def save(self, value, folder): return {"x": object()}
class CannotTell(Kelvin):
    def accepts(self, value): return 1 / 0
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    site = tmp_path / "site"

    def install(value: str) -> Any:
        info = site / "own_formats-1.0.dist-info"
        info.mkdir(parents=True)
        (site / "own_formats.py").write_text(PLUGIN)
        (info / "METADATA").write_text("Name: own-formats\nVersion: 1.0\n")
        points = f"[kedro_rats.formats]\nkelvin = {value}\n"
        (info / "entry_points.txt").write_text(points)
        monkeypatch.syspath_prepend(str(site))
        added.cache_clear()
        return __import__("own_formats")

    yield install
    added.cache_clear()
    sys.modules.pop("own_formats", None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "value"
    made.mkdir()
    return made


@pytest.mark.parametrize("point", ["own_formats:Kelvin", "own_formats:made"])
def test_a_plugins_format_comes_first(point: str, plugin: Any, folder: Path) -> None:
    own = plugin(point)

    name, meta = save_value(own.Celsius(20.0), folder)

    assert (name, meta) == ("own.kelvin", {"unit": "K"})
    assert load_value(name, folder, meta).degrees == pytest.approx(20.0)
    assert format_for({}).name == "own.kelvin"
    assert format_for([]).name == "json"


def test_what_a_format_finds_unsuitable_goes_to_the_next_in_an_empty_folder(
    plugin: Any, folder: Path
) -> None:
    plugin("own_formats:Kelvin")

    name, _ = save_value({"a": 1}, folder)

    assert name == "json"
    assert [path.name for path in folder.iterdir()] == ["data.json"]


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ("no_such_module:Kelvin", "ModuleNotFoundError: No module named"),
        ("own_formats:Missing", "AttributeError"),
        ("own_formats:not_a_format", "expected name, keeps_folder, accepts, save and"),
        ("own_formats:Unmakeable", "RuntimeError: no licence"),
        ("own_formats:Taken", "expected a name of its own, got 'json'"),
        ("own_formats:Reserved", "expected a name of its own, got 'dataset'"),
    ],
)
def test_a_broken_plugin_is_named_in_one_line(
    point: str, said: str, plugin: Any, folder: Path
) -> None:
    plugin(point)

    with pytest.raises(FormatError) as caught:
        save_value(1, folder)

    text = str(caught.value)
    assert text.startswith(f"format 'kelvin' of own-formats ({point}): expected ")
    assert said in text
    assert text.endswith("Mend or uninstall own-formats.")
    assert "\n" not in text
    # What kedro-rats wrote can be read all the same.
    assert format_named("json").name == "json"


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ("own_formats:Crashes", "ZeroDivisionError"),
        ("own_formats:NoJson", "TypeError"),
        ("own_formats:CannotTell", "ZeroDivisionError"),
    ],
)
def test_a_format_that_fails_is_named_in_one_line(
    point: str, said: str, plugin: Any, folder: Path
) -> None:
    own = plugin(point)

    with pytest.raises(FormatError) as caught:
        save_value(own.Celsius(1.0), folder)

    text = str(caught.value)
    assert text.startswith("format 'own.kelvin': expected files and meta of a value of")
    assert said in text
    assert "\n" not in text
