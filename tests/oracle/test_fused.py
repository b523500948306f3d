"""`fused`: one node with ``fit_transform``, or fit and then apply."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pipelines.running import run
from pipelines.same import assert_identical, assert_same_learned
from sklearn import datasets
from sklearn.base import clone
from sklearn.decomposition import NMF, PCA, KernelPCA
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler, TargetEncoder

from kedro_rats import estimator

# `random_state` of TargetEncoder; what replaces it from scikit-learn 1.9 on is new there.
pytestmark = pytest.mark.filterwarnings("ignore:.*TargetEncoder.shuffle:FutureWarning")


def coarse_wine() -> tuple[Any, Any]:
    X, y = datasets.load_wine(return_X_y=True)
    return (X[:, :3] // 1).astype(int).astype(str), y % 2


def wine() -> tuple[Any, Any]:
    return datasets.load_wine(return_X_y=True)


SAME = {"scaler": (wine, StandardScaler())}
# As scikit-learn documents: these do not transform their own rows as they do others.
OTHER = {
    "TargetEncoder": (coarse_wine, TargetEncoder(random_state=0)),
    "NMF": (wine, NMF(3, max_iter=3000, tol=1e-2, random_state=0)),
    "KernelPCA": (wine, KernelPCA(3, kernel="poly")),
}
ALL = {**SAME, **OTHER, "PCA": (wine, PCA(3))}


def trained(obj: Any, fused: bool | None, X: Any, y: Any) -> dict[str, Any]:
    part = estimator(
        obj, fit_inputs=["X", "y"], inputs="X", outputs="Z", name="it", fused=fused
    )
    return run(part.train, {"X": X, "y": y})


@pytest.mark.parametrize("fused", [None, True])
@pytest.mark.parametrize("name", ALL)
def test_fused_is_fit_transform(name: str, fused: bool | None) -> None:
    load, obj = ALL[name]
    X, y = load()
    peer = clone(obj)

    ours = trained(obj, fused, X, y)

    assert_identical(ours["Z"], peer.fit_transform(X, y))
    assert_same_learned(ours["it_state"], peer)


@pytest.mark.parametrize("name", ALL)
def test_by_default_a_step_is_what_it_is_in_a_pipeline(name: str) -> None:
    load, obj = ALL[name]
    X, y = load()

    ours = trained(obj, None, X, y)

    peer = Pipeline([("it", clone(obj))])
    assert_identical(ours["Z"], peer.fit_transform(X, y))


@pytest.mark.parametrize("name", ALL)
def test_not_fused_is_fit_and_then_transform(name: str) -> None:
    load, obj = ALL[name]
    X, y = load()

    ours = trained(obj, False, X, y)

    peer = clone(obj).fit(X, y)
    assert_identical(ours["Z"], peer.transform(X.copy()))
    assert_same_learned(ours["it_state"], peer)


@pytest.mark.parametrize("name", OTHER)
def test_the_documented_objects_differ_between_the_two(name: str) -> None:
    load, obj = OTHER[name]
    X, y = load()

    one_node, two_nodes = (trained(obj, fused, X, y)["Z"] for fused in (None, False))

    assert not np.array_equal(one_node, two_nodes)


@pytest.mark.parametrize("name", SAME)
def test_other_objects_give_the_same_either_way(name: str) -> None:
    load, obj = SAME[name]
    X, y = load()

    one_node, two_nodes = (trained(obj, fused, X, y)["Z"] for fused in (None, False))

    assert_identical(one_node, two_nodes)


@pytest.mark.parametrize(
    ("fused", "expected"),
    [
        (None, ["it.fit_transform"]),
        (True, ["it.fit_transform"]),
        (False, ["it.fit", "it.apply"]),
    ],
)
def test_fused_is_one_training_node_and_the_state_keeps_its_name(
    fused: bool | None, expected: list[str]
) -> None:
    part = estimator(StandardScaler(), inputs="X", outputs="Z", name="it", fused=fused)

    assert [node.name for node in part.train.nodes] == expected
    assert [node.name for node in part.eval.nodes] == ["it.apply"]
    assert part.state == ("it_state",)


@pytest.mark.parametrize(
    "options",
    [
        {"inputs": "other"},
        {"outputs": {"transform": "Z", "inverse_transform": "X_again"}},
        {"train_outputs": False},
    ],
    ids=lambda options: next(iter(options)),
)
def test_what_cannot_be_one_node_is_two_by_default(options: dict[str, Any]) -> None:
    common = {"fit_inputs": ["X"], "inputs": "X", "outputs": "Z", "name": "it"}

    part = estimator(StandardScaler(), **{**common, **options})

    assert part.train.nodes[0].name == "it.fit"


@pytest.mark.parametrize(
    "fit_inputs", [["X", "y"], {"X": "X", "y": "y"}, {"y": "y", "X": "X"}]
)
def test_a_fused_node_finds_its_rows_by_position_and_by_name(fit_inputs: Any) -> None:
    X, y = coarse_wine()
    encoder = TargetEncoder(random_state=0)

    part = estimator(encoder, fit_inputs=fit_inputs, inputs="X", outputs="Z", name="it")
    ours = run(part.train, {"X": X, "y": y})

    assert [node.name for node in part.train.nodes] == ["it.fit_transform"]
    assert_identical(ours["Z"], clone(encoder).fit_transform(X, y))
