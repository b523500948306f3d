"""What only pickle can write: it loads in another process, or the error says why not."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from pipelines.kept import assert_kept, round_trip

from kedro_rats.store.formats import FormatError, UnsavableError, load_value, save_value
from kedro_rats.store.formats.pickles import needs_main

if TYPE_CHECKING:
    from pathlib import Path

np = pytest.importorskip("numpy")


def fitted() -> Any:
    pytest.importorskip("sklearn")
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X = np.random.default_rng(0).normal(size=(40, 3))
    model = make_pipeline(StandardScaler(), RandomForestClassifier(5, random_state=0))
    return model.fit(X, X[:, 0] > 0), X


def test_a_fitted_estimator_predicts_the_same() -> None:
    model, X = fitted()

    kept = round_trip(model)

    assert kept.name == "joblib"
    assert type(kept.value) is type(model)
    assert_kept(kept.value.predict_proba(X), model.predict_proba(X))


def test_a_fitted_estimator_among_plain_data_is_kept() -> None:
    model, X = fitted()

    kept = round_trip({"model": model, "fold": 1})

    assert kept.name == "cloudpickle"
    assert kept.value["fold"] == 1
    assert_kept(kept.value["model"].predict(X), model.predict(X))


PROGRAM = """
import sys, json, pathlib
{block}
from kedro_rats.store.formats import load_value, save_value
folder = pathlib.Path(sys.argv[1])
{body}
"""

IN_MAIN = """
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
class Own(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.mean_ = sum(X) / len(X)
        return self
    def transform(self, X):
        return [x - self.mean_ for x in X]
def double(X):
    return [2 * x for x in X]
values = [
    Own().fit([1.0, 3.0]),
    make_pipeline(FunctionTransformer(double)),
    make_pipeline(FunctionTransformer(lambda X: [2 * x for x in X])),
    make_pipeline(StandardScaler()).fit([[1.0], [3.0]]),
]
for number, value in enumerate(values):
    inside = folder / str(number)
    inside.mkdir()
    print(save_value(value, inside)[0])
"""

IN_ANOTHER = """
import numpy as np
for number, name in enumerate(["cloudpickle"] * 3 + ["joblib"]):
    value = load_value(name, folder / str(number), {})
    X = [1.0, 3.0] if number < 3 else [[1.0], [3.0]]
    print([float(x) for x in np.ravel(value.transform(X))])
"""


def run(folder: Path, body: str, block: str = "") -> str:
    program = PROGRAM.format(body=body, block=block)
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_what_main_defines_loads_in_a_process_with_another_main(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")

    assert run(tmp_path, IN_MAIN).split() == ["cloudpickle"] * 3 + ["joblib"]
    assert run(tmp_path, IN_ANOTHER).splitlines() == [
        "[-1.0, 1.0]",
        "[2.0, 6.0]",
        "[2.0, 6.0]",
        "[-1.0, 1.0]",
    ]


NO_CLOUDPICKLE = "sys.modules['cloudpickle'] = None"


def test_without_cloudpickle_pickle_writes_the_same_file(tmp_path: Path) -> None:
    save = (
        "import collections\nprint(save_value(collections.Counter('aab'), folder)[0])"
    )

    assert run(tmp_path, save, NO_CLOUDPICKLE) == "cloudpickle"
    assert load_value("cloudpickle", tmp_path, {}) == {"a": 2, "b": 1}


def test_without_cloudpickle_what_main_defines_is_refused(tmp_path: Path) -> None:
    save = (
        "def f(): ...\n"
        "from kedro_rats.store.formats import UnsavableError\n"
        "try: save_value(f, folder)\n"
        "except UnsavableError as error: print(error)\n"
    )

    assert "which needs cloudpickle" in run(tmp_path, save, NO_CLOUDPICKLE)


class Model:
    """Holds whatever it is given."""

    def __init__(self, **parts: Any) -> None:
        vars(self).update(parts)


class Careful(Model):
    """Leaves out what cannot be pickled."""

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in vars(self).items() if k != "lock"}


def closing_over(part: Any) -> Any:
    return lambda: part


LOCK = threading.Lock()
UNSAVABLE = {
    "itself": (LOCK, "a value of type lock", "an object of type _thread.lock"),
    "a generator": ((i for i in ()), "type generator", "an object of type generator"),
    "an attribute": (Model(a=1, lock=LOCK), "type Model", ".lock of type _thread.lock"),
    "deeper": (
        {"models": [1, Model(inner=Model(b={"x": LOCK}))]},
        "type dict",
        "['models'][1].inner.b['x'] of type _thread.lock",
    ),
    "beside what is left out": (
        Careful(
            lock=LOCK, other=Model(it=iter(map(str, LOCK.__dir__.__name__)), l=LOCK)
        ),
        "type Careful",
        ".other.l of type _thread.lock",
    ),
    "a closure": (closing_over(LOCK), "type function", ".part of type _thread.lock"),
    "in a tuple": ((1, LOCK), "type tuple", "[1] of type _thread.lock"),
}


@pytest.mark.parametrize(
    ("value", "subject", "where"), UNSAVABLE.values(), ids=UNSAVABLE
)
def test_what_cannot_be_pickled_is_named(
    value: Any, subject: str, where: str, tmp_path: Path
) -> None:
    with pytest.raises(UnsavableError) as caught:
        save_value(value, tmp_path)

    text = str(caught.value)
    assert subject in text
    assert f"{where} that cannot be pickled" in text
    assert "Return plain data" in text
    assert "\n" not in text


def test_state_that_is_left_out_does_not_matter() -> None:
    back = round_trip(Careful(lock=LOCK, a=1)).value

    assert vars(back) == {"a": 1}


def test_a_full_disk_is_no_error_of_the_value(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed").chmod(0o500)
    if (tmp_path / "closed" / "x").parent.stat().st_uid == 0:
        # Root may write anywhere; a folder that is not there stops it, too.
        (tmp_path / "closed").rmdir()
        from kedro_rats.store.formats.pickles import CloudPickle

        with pytest.raises(OSError, match="No such file"):
            CloudPickle().save(object(), tmp_path / "closed")
        return
    with pytest.raises(OSError, match="denied"):
        save_value(object(), tmp_path / "closed")


def test_a_file_that_does_not_load_here_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "data.pickle").write_bytes(b"cno_such_module\nthing\n.")

    with pytest.raises(FormatError) as caught:
        load_value("cloudpickle", tmp_path, {})

    assert str(caught.value) == (
        "format 'cloudpickle': expected a value that loads, got ModuleNotFoundError: No "
        "module named 'no_such_module'. Install no_such_module where this node runs."
    )


def test_looking_for_main_copies_no_array_and_believes_no_broken_object() -> None:
    class Broken:
        def __reduce__(self) -> Any:
            raise ValueError

    assert not needs_main([np.zeros(10), json, LOCK])
    assert not needs_main(Broken)
    assert not needs_main(Broken())


def test_the_protocol_is_one_that_every_python_reads(tmp_path: Path) -> None:
    save_value(Model(a=1), tmp_path)

    data = (tmp_path / "data.pickle").read_bytes()
    assert data[:2] == pickle.PROTO + bytes([5])
