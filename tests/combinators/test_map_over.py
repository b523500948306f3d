"""A copy for each key equals a loop by hand, for estimators and plain pipelines."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from combinators import stack_toys, toys
from combinators.stack_toys import Add
from hypothesis import given, settings
from hypothesis import strategies as st
from kedro.pipeline import Pipeline, node
from optuna.distributions import CategoricalDistribution
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, cross_val_predict, cross_val_score
from sklearn.preprocessing import StandardScaler

from kedro_rats import (
    Estimator,
    LeakWarning,
    cross_validate,
    estimator,
    map_over,
    stack,
    transformer,
    tune,
)

if TYPE_CHECKING:
    from combinators.toys import Array
    from hypothesis.strategies import DrawFn

quietly = settings(deadline=None, max_examples=25)

X, Y = toys.bundled("breast_cancer", step=4)
KEYS = ["north", "south", "10", "2"]
ROWS = {key: np.arange(i, len(X), 4) for i, key in enumerate(KEYS)}


def each(operand: Estimator | None = None, **options: Any) -> Estimator:
    given_ = {"keys": KEYS, "over": ["X", "y"], "name": "area", **options}
    return map_over(toys.classifier() if operand is None else operand, **given_)


def inputs(**rows: Array) -> dict[str, Array]:
    """Return the rows of each key under the names of its copy."""
    return {
        f"area.{key}.{name}": values[ROWS[key]]
        for name, values in rows.items()
        for key in KEYS
    }


# --- estimators -----------------------------------------------------------------------------


def test_each_copy_equals_scikit_learn_on_the_rows_of_its_key() -> None:
    trained = toys.run(each().train, inputs(X=X, y=Y))

    made = toys.evaluated(each(), trained, inputs(X=X + 0.1))

    for key, rows in ROWS.items():
        peer = toys.classifier_of_sklearn().fit(X[rows], Y[rows])
        assert np.array_equal(made["p"][key], peer.predict_proba(X[rows] + 0.1))
        assert np.array_equal(made["label"][key], peer.predict(X[rows] + 0.1))
        assert np.array_equal(trained["p"][key], peer.predict_proba(X[rows]))
        state = trained[f"area.{key}.model_state"]
        assert np.array_equal(state.coef_, peer[-1].coef_)


def test_outputs_are_in_the_order_of_the_keys_not_of_their_names() -> None:
    trained = toys.run(each().train, inputs(X=X, y=Y))

    assert list(trained["p"]) == KEYS
    assert sorted(KEYS) != KEYS


def test_inputs_states_and_outputs_have_the_names_that_are_promised() -> None:
    mapped = each()

    assert mapped.train.inputs() == {f"area.{k}.{n}" for k in KEYS for n in "Xy"}
    assert mapped.state == tuple(
        sorted(f"area.{k}.{n}_state" for k in KEYS for n in ("scale", "model"))
    )
    assert mapped.outputs == ("label", "p")
    for phase in (mapped.train, mapped.eval):
        for made in phase.nodes:
            assert made.name.startswith("area.")


def test_without_gathering_outputs_stay_below_their_key() -> None:
    mapped = each(gather=False)

    trained = toys.run(mapped.train, inputs(X=X, y=Y))

    assert mapped.outputs == tuple(
        sorted(f"area.{k}.{n}" for k in KEYS for n in ("label", "p"))
    )
    assert "p" not in trained
    gathered = toys.run(each().train, inputs(X=X, y=Y))
    for key in KEYS:
        assert np.array_equal(trained[f"area.{key}.p"], gathered["p"][key])


def test_shared_inputs_are_those_of_all_copies() -> None:
    targets = {"first": Y, "second": 1 - Y}
    mapped = stack_toys.mapped()
    data = {"X": X, **{f"target.{key}.y": y for key, y in targets.items()}}

    made = toys.run(mapped.train, data)

    assert mapped.train.inputs() == set(data)
    assert mapped.eval.inputs() == {"X", *mapped.state}
    for key, y in targets.items():
        peer = toys.classifier_of_sklearn().fit(X, y)
        assert np.array_equal(made["p"][key], peer.predict_proba(X))


def with_parameters() -> Estimator:
    return estimator(
        Ridge(),
        fit_inputs=["X", "y"],
        inputs="X",
        outputs="yhat",
        params="params:ridge.deep",
        name="ridge",
    )


@pytest.mark.parametrize("over", ["params:ridge.deep", "params:ridge"])
def test_parameters_may_differ_between_keys(over: str) -> None:
    mapped = map_over(
        with_parameters(), keys=["a", "b"], over=[over], shared=["X", "y"], name="m"
    )
    alphas = {"a": 0.1, "b": 100.0}
    parameters = {
        f"params:m.{key}.ridge.deep": {"alpha": value} for key, value in alphas.items()
    }

    made = toys.run(mapped.train, {"X": X, "y": Y, **parameters})

    for key, alpha in alphas.items():
        expected = Ridge(alpha=alpha).fit(X, Y).predict(X)
        assert np.array_equal(made["yhat"][key], expected)


def test_parameters_that_are_not_named_are_shared() -> None:
    mapped = map_over(
        with_parameters(), keys=["a", "b"], over=["y"], shared=["X"], name="m"
    )

    parameters = {n for n in mapped.train.inputs() if n.startswith("params:")}

    assert parameters == {"params:ridge.deep"}


def test_a_copy_in_a_chain_is_read_by_what_follows() -> None:
    def mean(p: dict[str, Array]) -> Array:
        return np.mean([values[:, 1] for values in p.values()], axis=0)

    chain = stack_toys.mapped() + transformer(mean, inputs="p", outputs="q")

    made = toys.run(chain.train, {"X": X, "target.first.y": Y, "target.second.y": Y})

    expected = toys.classifier_of_sklearn().fit(X, Y).predict_proba(X)[:, 1]
    assert np.array_equal(made["q"], expected)


# --- plain pipelines ------------------------------------------------------------------------


def add(x: int, y: int) -> int:
    return x + y


def double(x: int) -> int:
    return 2 * x


def split(z: int) -> tuple[int, int]:
    return z // 10, z % 10


def plain() -> Pipeline:
    """Return nodes as users write them: with and without names, namespaces and tags."""
    return Pipeline(
        [
            node(double, "raw", "x", tags=["nightly"]),
            node(add, {"x": "x", "y": "offset"}, "sum", name="summed"),
            node(split, "sum", ["tens", "ones"], namespace="digits"),
            node(add, ["ones", "params:more"], "out"),
        ]
    )


def test_a_plain_pipeline_gives_a_plain_pipeline_that_equals_a_loop() -> None:
    mapped = map_over(plain(), keys=["b", "a"], over=["raw"], shared="offset", name="m")
    data = {"m.b.raw": 7, "m.a.raw": 21, "offset": 100, "params:more": 5}

    made = toys.run(mapped, data)

    assert type(mapped) is Pipeline
    assert mapped.inputs() == set(data)
    assert mapped.outputs() == {"out", "tens"}
    for key in ("b", "a"):
        alone = toys.run(
            plain(), {"raw": data[f"m.{key}.raw"], "offset": 100, "params:more": 5}
        )
        assert {"out": made["out"][key], "tens": made["tens"][key]} == {
            "out": alone["out"],
            "tens": alone["tens"],
        }
        assert made[f"m.{key}.sum"] == alone["sum"]
    assert list(made["out"]) == ["b", "a"]


def test_outputs_of_a_plain_pipeline_may_stay_below_their_keys() -> None:
    mapped = map_over(
        plain(), keys=["a"], over=["raw"], shared=["offset"], gather=False, name="m"
    )

    assert mapped.outputs() == {"m.a.out", "m.a.tens"}


def test_tags_and_namespaces_of_a_plain_pipeline_are_kept_below_each_key() -> None:
    mapped = map_over(
        plain(), keys=["a"], over=["raw", "offset"], gather=False, name="m"
    )

    by_function = {made.func: made for made in mapped.nodes if made.func is not add}
    assert by_function[double].tags == {"nightly", "group.m.a"}
    assert by_function[split].namespace == "m.a.digits"
    assert {made.name for made in mapped.nodes} >= {"m.a.summed"}


# --- tasks ----------------------------------------------------------------------------------


def groups(pipeline: Pipeline) -> set[str]:
    tags = {tag for made in pipeline.nodes for tag in made.tags}
    return {tag for tag in tags if tag.startswith("group.")}


def test_each_key_is_a_task() -> None:
    mapped = each()

    for phase in (mapped.train, mapped.eval):
        assert groups(phase) == {f"group.area.{key}" for key in KEYS}
        for made in phase.nodes:
            own = {t for t in made.tags if t.startswith("group.")}
            is_gather = made.name.startswith("area.gather.")
            assert len(own) == (0 if is_gather else 1)


def folded(gather: bool = True) -> Estimator:
    cv = cross_validate(
        toys.classifier(),
        splitter=KFold(2),
        rows=["X", "y"],
        metrics={"accuracy": toys.ACCURACY},
        name="cv",
    )
    return each(cv, gather=gather)


def test_an_operand_that_has_tasks_keeps_them_in_each_copy() -> None:
    assert groups(folded().train) == {
        f"group.area.{key}.cv.fold_{fold}" for key in KEYS for fold in (0, 1)
    }
    assert not groups(folded().eval)


# --- nesting --------------------------------------------------------------------------------


def test_cross_validation_in_each_copy_equals_scikit_learn() -> None:
    made = toys.run(folded().train, inputs(X=X, y=Y))

    peer = toys.classifier_of_sklearn()
    for key, rows in ROWS.items():
        expected = cross_val_score(peer, X[rows], Y[rows], cv=KFold(2))
        table = made[f"area.{key}.cv.scores"]
        assert np.array_equal(toys.scores(table, "accuracy"), expected)
        p = cross_val_predict(
            peer, X[rows], Y[rows], cv=KFold(2), method="predict_proba"
        )
        assert np.array_equal(made["p"][key], p)


@pytest.mark.parametrize("gather", [True, False])
def test_cross_validation_around_copies_equals_scikit_learn(gather: bool) -> None:
    targets = {"first": Y, "second": (X[:, 0] > X[:, 0].mean()).astype(int)}
    names = [f"target.{key}.y" for key in targets]
    mapped = map_over(
        toys.classifier(),
        keys=list(targets),
        over="y",
        shared="X",
        gather=gather,
        name="target",
    )
    cv = cross_validate(
        mapped,
        splitter=KFold(3),
        rows=["X", *names],
        outputs=[f"target.{key}.p" for key in targets],
        name="cv",
    )

    made = toys.run(
        cv.train, {"X": X, **dict(zip(names, targets.values(), strict=True))}
    )

    for key, y in targets.items():
        expected = cross_val_predict(
            toys.classifier_of_sklearn(), X, y, cv=KFold(3), method="predict_proba"
        )
        assert np.array_equal(made[f"target.{key}.p"], expected)
        state = made[f"target.{key}.model_state"]
        peer = toys.classifier_of_sklearn().fit(X, y)
        assert np.array_equal(state.coef_, peer[-1].coef_)


def test_copies_of_copies_equal_two_loops() -> None:
    inner = map_over(
        toys.summing(), keys=["a", "b"], over=["X"], gather=False, name="inner"
    )
    outer = map_over(
        inner, keys=["u", "v"], over=["inner.a.X", "inner.b.X"], name="outer"
    )
    data = {
        f"outer.{u}.inner.{a}.X": toys.numbered(5) + 10 * i
        for i, (u, a) in enumerate((u, a) for u in "uv" for a in "ab")
    }

    made = toys.run(outer.train, data)

    assert set(data) == outer.train.inputs()
    for name, rows in data.items():
        _, u, _, a, _ = name.split(".")
        expected = toys.add_sum(toys.learn_sum(rows), rows)
        assert np.array_equal(made[f"inner.{a}.out"][u], expected)


def test_a_search_in_each_copy_finds_the_best_of_its_key() -> None:
    judged = cross_validate(
        estimator(
            LogisticRegression(max_iter=5000),
            fit_inputs=["X", "y"],
            inputs="X",
            outputs={"predict": "label"},
            params="params:clf",
            name="clf",
        ),
        splitter=KFold(2),
        rows=["X", "y"],
        metrics={"accuracy": toys.ACCURACY},
        name="cv",
    )
    searched = tune(
        judged,
        space={"params:clf.C": CategoricalDistribution([1e-6, 1.0])},
        objective="accuracy",
        trials=2,
        sampler="grid",
        name="tune",
    )
    keys = ["plain", "few"]
    mapped = map_over(searched, keys=keys, over=["X", "y", "params:clf"], name="m")
    rows = {"plain": X, "few": X[::3]}
    data = {f"m.{key}.X": value for key, value in rows.items()}
    data |= {"m.plain.y": Y, "m.few.y": Y[::3]}
    data |= {f"params:m.{key}.clf": {"solver": "liblinear"} for key in keys}

    made = toys.run(mapped.train, data)

    for key in keys:
        table = made[f"m.{key}.tune.trials"]
        expected = [
            cross_val_score(
                LogisticRegression(max_iter=5000, solver="liblinear", C=C),
                rows[key],
                data[f"m.{key}.y"],
                cv=KFold(2),
            ).mean()
            for C in (1e-6, 1.0)
        ]
        assert list(table["value"]) == expected


def test_a_stack_of_copies_and_copies_of_a_stack_equal_a_loop() -> None:
    mapped = each(stack_toys.small())

    made = toys.run(mapped.train, inputs(X=X, y=Y))

    for key, rows in ROWS.items():
        alone = toys.run(stack_toys.small().train, {"X": X[rows], "y": Y[rows]})
        assert np.array_equal(made["p"][key], alone["p"])
        assert np.array_equal(made[f"area.{key}.features"], alone["features"])

    targets = {"target.first.y": Y, "target.second.y": 1 - Y}
    base = map_over(
        toys.classifier(),
        keys=["first", "second"],
        over="y",
        shared="X",
        gather=False,
        name="target",
    )
    features = ["target.first.p", "target.second.p"]
    both = stack(
        [base],
        stack_toys.model(LogisticRegression(), "best", "final", reads="features"),
        splitter=KFold(2),
        rows=["X", "y", *targets],
        features=features,
        name="stack",
    )

    made = toys.run(both.train, {"X": X, "y": Y, **targets})

    expected = [
        cross_val_predict(
            toys.classifier_of_sklearn(), X, y, cv=KFold(2), method="predict_proba"
        )
        for y in targets.values()
    ]
    assert np.array_equal(made["features"], np.hstack([p[:, 1:] for p in expected]))


# --- leaks ----------------------------------------------------------------------------------


def first(rows: dict[str, Array]) -> Array:
    return next(iter(rows.values()))


@pytest.mark.parametrize("gather", [True, False])
def test_rows_that_copies_learned_from_are_warned_of(gather: bool) -> None:
    scale = estimator(StandardScaler(), inputs="X", outputs="Z", name="scale")
    mapped = each(scale, keys=["a", "b"], over=["X"], gather=gather)
    rows = "area.a.Z"
    if gather:
        mapped = mapped + transformer(first, inputs="Z", outputs="one")
        rows = "one"
    later = estimator(
        LogisticRegression(), fit_inputs=[rows, "y"], inputs=rows, outputs="label"
    )
    cv = cross_validate(later, splitter=KFold(2), rows=[rows, "y"], name="cv")

    with pytest.warns(LeakWarning, match=r"'area.[ab].scale.fit_transform' saw"):
        mapped + cv


def test_shared_inputs_that_something_learned_are_not_warned_of() -> None:
    scale = estimator(StandardScaler(), inputs="raw", outputs="X", name="first")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scale + stack_toys.mapped()


# --- properties -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Drawn:
    keys: list[str]
    over: list[str]
    shared: list[str]
    gather: bool


@st.composite
def mappings(draw: DrawFn) -> Drawn:
    key = st.from_regex(r"[a-z0-9_][a-z0-9_-]{0,4}", fullmatch=True)
    keys = draw(st.lists(key, min_size=1, max_size=4, unique=True))
    names = ["X", "w", "b"]
    over = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    return Drawn(keys, over, [n for n in names if n not in over], draw(st.booleans()))


def weigh(X: Array, w: Array) -> Array:
    return X * w[:, None]


def plus(a: Array, b: Array) -> Array:
    return a + b


def weighted() -> Estimator:
    weigh_ = transformer(weigh, inputs=["X", "w"], outputs="W", name="weigh")
    learn = estimator(Add(2), inputs="W", outputs={"transform": "a"}, name="learn")
    return weigh_ + learn + transformer(plus, inputs=["a", "b"], outputs="c", name="p")


@quietly
@given(drawn=mappings(), as_pipeline=st.booleans(), seed=st.integers(0, 99))
def test_any_mapping_equals_a_loop_by_hand(
    drawn: Drawn, as_pipeline: bool, seed: int
) -> None:
    random = np.random.default_rng(seed)
    data: dict[str, Array] = {}
    for name, shape in (("X", (5, 2)), ("w", (5,)), ("b", (5,))):
        if name in drawn.shared:
            data[name] = random.integers(9, size=shape)
        for key in drawn.keys if name in drawn.over else []:
            data[f"m.{key}.{name}"] = random.integers(9, size=shape)
    options = {
        "keys": drawn.keys,
        "over": drawn.over,
        "shared": drawn.shared,
        "gather": drawn.gather,
        "name": "m",
    }

    operand = weighted()
    if as_pipeline:
        train = map_over(operand.train, **options)
        made = toys.run(train, data)
    else:
        mapped = map_over(operand, **options)
        train = mapped.train
        made = toys.run(train, data)
        again = toys.evaluated(mapped, made, data)

    assert train.inputs() == set(data)
    for key in drawn.keys:
        own = {n: data.get(n, data.get(f"m.{key}.{n}")) for n in ("X", "w", "b")}
        alone = toys.run(operand.train, own)
        found = made["c"][key] if drawn.gather else made[f"m.{key}.c"]
        assert np.array_equal(found, alone["c"])
        assert made[f"m.{key}.learn_state"].sum_ == alone["learn_state"].sum_
        if not as_pipeline:
            found = again["c"][key] if drawn.gather else again[f"m.{key}.c"]
            assert np.array_equal(found, alone["c"])
    if drawn.gather:
        assert list(made["c"]) == drawn.keys
