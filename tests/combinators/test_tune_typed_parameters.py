"""Typed parameters are instances of the annotated type in trials and in the refit."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Optional

import pytest
from combinators import toys, tune_toys
from combinators.tune_toys import give_mean
from optuna.distributions import CategoricalDistribution

from kedro_rats import estimator
from kedro_rats.errors import DefinitionError, RatsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kedro_rats import Estimator

try:
    import pydantic
except ImportError:
    pydantic = None  # type: ignore[assignment]


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    tune_toys.quieten(caplog)


SPACE = {"params:own.shift": CategoricalDistribution([30.0, 10.0, 20.0])}


@dataclass(frozen=True)
class Inner:
    depth: int = 1


@dataclass(frozen=True)
class Options:
    shift: float = 0.0
    power: int = 2
    inner: Inner | None = None


@dataclass
class Derived:
    shift: float = 0.0
    twice: float = field(init=False)

    def __post_init__(self) -> None:
        self.twice = 2 * self.shift


class Elsewhere:
    """Holds another class of the same name, as another module would."""

    @dataclass(frozen=True)
    class Options:
        shift: float = 0.0
        power: int = 2


@dataclass(frozen=True)
class Limits:
    high: float = 1.0


def learn_options(X: Any, y: Any, own: Options) -> tuple[float, Options]:
    return float(y.mean()), own


def learn_perhaps(X: Any, y: Any, own: Optional[Options] = None) -> Any:  # noqa: UP045
    return float(y.mean()), own


def learn_or_none(X: Any, y: Any, own: Options | None = None) -> Any:
    return float(y.mean()), own


def learn_derived(X: Any, y: Any, own: Derived) -> tuple[float, Derived]:
    return float(y.mean()), own


def learn_other_options(X: Any, y: Any, own: Elsewhere.Options) -> Any:
    return float(y.mean()), own


def learn_mapping(X: Any, y: Any, own: dict[str, Any]) -> Any:
    return float(y.mean()), own


def learn_limits(X: Any, y: Any, own: Options, limits: Limits) -> Any:
    return float(y.mean()), (own, limits)


if pydantic is not None:

    class Model(pydantic.BaseModel):
        """Counts what is validated: a shift given as text becomes a number."""

        shift: float = 0.0
        power: int = 2
        inner: Inner = Inner()

    class Aliased(pydantic.BaseModel):
        shift: float = 0.0
        power: int = pydantic.Field(alias="Power")

    class Nested(pydantic.BaseModel):
        shift: float = pydantic.Field(0.0, validation_alias="Shift")

    class Renamed(pydantic.BaseModel):
        """Fields whose keys are not their names, in every way that pydantic has."""

        model_config = pydantic.ConfigDict(extra="allow")
        shift: float = pydantic.Field(0.0, validation_alias="Shift")
        power: int = pydantic.Field(
            2, validation_alias=pydantic.AliasChoices("Power", "POWER")
        )
        nested: Nested = Nested()

    class ByName(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(populate_by_name=True)
        shift: float = pydantic.Field(0.0, alias="Shift")

    class Deep(pydantic.BaseModel):
        shift: float = pydantic.Field(
            0.0, validation_alias=pydantic.AliasPath("deep", "shift")
        )

    @pydantic.dataclasses.dataclass
    class Checked:
        shift: float = pydantic.Field(0.0, alias="Shift")

    def learn_renamed(X: Any, y: Any, own: Renamed) -> tuple[float, Renamed]:
        return float(y.mean()), own

    def learn_by_name(X: Any, y: Any, own: ByName) -> tuple[float, ByName]:
        return float(y.mean()), own

    def learn_deep(X: Any, y: Any, own: Deep) -> tuple[float, Deep]:
        return float(y.mean()), own

    def learn_checked(X: Any, y: Any, own: Checked) -> tuple[float, Checked]:
        return float(y.mean()), own

    def learn_model(X: Any, y: Any, own: Model) -> tuple[float, Model]:
        return float(y.mean()), own

    def learn_aliased(X: Any, y: Any, own: Aliased) -> tuple[float, Aliased]:
        return float(y.mean()), own


needs_pydantic = pytest.mark.skipif(pydantic is None, reason="needs pydantic")


def reader(
    learn: Callable[..., Any],
    name: str = "own",
    inputs: str = "X",
    outputs: str = "yhat",
    **extra: str,
) -> Estimator:
    return estimator(
        learn,
        give_mean,
        fit_inputs={"X": inputs, "y": "y", "own": "params:own", **extra},
        inputs=inputs,
        outputs=outputs,
        name=name,
    )


def searched(operand: Estimator, path: str = "params:own.shift") -> Estimator:
    cv = tune_toys.judged(operand, metrics={"mse": tune_toys.MSE})
    space = {path: SPACE["params:own.shift"]}
    return tune_toys.tuned(
        cv, space=space, objective="mse", sampler="grid", trials=3, batch=3
    )


def read(
    operand: Estimator,
    own: Any,
    name: str = "own",
    path: str = "params:own.shift",
    **data: Any,
) -> list[Any]:
    """Return what a node read in the first trial, the last trial and the refit."""
    best = searched(operand, path)
    made = toys.run(
        best.train, {"X": tune_toys.X, "y": tune_toys.Y, "params:own": own, **data}
    )
    trials = [
        made[f"tune.round_0.trial_{t}.cv.fold_1.train.{name}_state"][1] for t in (0, 2)
    ]
    return [*trials, made[f"{name}_state"][1]]


@pytest.mark.parametrize("learn", [learn_options, learn_perhaps, learn_or_none])
@pytest.mark.parametrize(
    "own", [{"power": 3}, Options(power=3)], ids=["dict", "instance"]
)
def test_a_dataclass(learn: Callable[..., Any], own: Any) -> None:
    before = dataclasses.replace(own) if isinstance(own, Options) else dict(own)

    found = read(reader(learn), own)

    assert found == [Options(30.0, 3), Options(20.0, 3), Options(30.0, 3)]
    assert own == before


def test_an_instance_inside_an_instance_stays_one() -> None:
    own = Options(power=3, inner=Inner(depth=4))

    found = read(reader(learn_options), own)

    assert found[0] == Options(30.0, 3, Inner(4))


def test_a_field_that_a_dataclass_computes_is_computed_anew() -> None:
    found = read(reader(learn_derived), Derived(shift=1.0))

    assert [options.twice for options in found] == [60.0, 40.0, 60.0]


@needs_pydantic
@pytest.mark.parametrize("given", ["dict", "instance"])
def test_a_pydantic_model(given: str) -> None:
    own = {"power": "3", "inner": {"depth": 4}}
    own = own if given == "dict" else Model.model_validate(own)

    found = read(reader(learn_model), own)

    inner = Inner(depth=4)
    assert found == [
        Model(shift=shift, power=3, inner=inner) for shift in (30.0, 20.0, 30.0)
    ]


@needs_pydantic
@pytest.mark.parametrize("given", ["dict", "instance"])
def test_a_pydantic_model_with_an_alias(given: str) -> None:
    own = {"Power": 3}
    own = own if given == "dict" else Aliased.model_validate(own)

    found = read(reader(learn_aliased), own)

    assert [(options.shift, options.power) for options in found] == [
        (30.0, 3),
        (20.0, 3),
        (30.0, 3),
    ]


@needs_pydantic
@pytest.mark.parametrize("path", ["shift", "Shift", "nested.shift", "nested.Shift"])
@pytest.mark.parametrize("given", ["nothing", "dict", "names", "instance"])
def test_a_field_with_a_key_of_another_name_is_searched(path: str, given: str) -> None:
    own: Any = {"Shift": 1.0, "POWER": 3, "nested": {"Shift": 4.0}, "more": 5}
    if given == "names":
        # What has the name of a field, but not its key, is one more value to pydantic.
        own = {"shift": 1.0, "POWER": 3, "nested": {"shift": 4.0}, "more": 5}
    own = Renamed.model_validate(own) if given == "instance" else own
    own = {} if given == "nothing" else own

    found = read(reader(learn_renamed), own, path=f"params:own.{path}")

    is_nested = path.startswith("nested")
    values = [(each.nested if is_nested else each).shift for each in found]
    assert values == [30.0, 20.0, 30.0]
    if given in ("dict", "instance"):
        assert {each.power for each in found} == {3}
        assert {each.more for each in found} == {5}
        other = [(each if is_nested else each.nested).shift for each in found]
        assert other == [1.0 if is_nested else 4.0] * 3


@needs_pydantic
@pytest.mark.parametrize("learn", ["by name", "dataclass"])
@pytest.mark.parametrize("own", [{}, {"Shift": 1.0}], ids=["nothing", "alias"])
def test_a_field_with_an_alias_is_searched_by_its_name(learn: str, own: Any) -> None:
    learns = learn_by_name if learn == "by name" else learn_checked

    found = read(reader(learns), own)

    assert [options.shift for options in found] == [30.0, 20.0, 30.0]


@needs_pydantic
def test_a_field_that_does_not_take_what_is_searched_is_refused() -> None:
    best = searched(reader(learn_deep))
    data = {"X": tune_toys.X, "y": tune_toys.Y, "params:own": {}}

    with pytest.raises(RatsError, match=r"own\.shift': expected a field that"):
        toys.run(best.train, data)


def unknown_paths() -> dict[str, tuple[Any, str, str]]:
    """Return functions that learn; a path that their classes lack; and what is said."""
    found: dict[str, tuple[Any, str, str]] = {
        "a dataclass": (
            learn_options,
            "Shift",
            "a field of Options (shift, power, inner), got 'Shift'. Did you mean 'shift'?",
        ),
        "a dataclass inside one": (
            learn_perhaps,
            "inner.dept",
            "a field of Inner (depth), got 'dept'. Did you mean 'depth'?",
        ),
        "a field that is computed": (
            learn_derived,
            "twice",
            "a field of Derived (shift), got 'twice'. ",
        ),
    }
    if pydantic is not None:
        found["a model"] = (
            learn_model,
            "shfit",
            "a field of Model (shift, power, inner), got 'shfit'. Did you mean 'shift'?",
        )
    return found


@pytest.mark.parametrize(
    ("learn", "path", "said"), unknown_paths().values(), ids=unknown_paths()
)
def test_a_path_that_no_field_has_is_refused(learn: Any, path: str, said: str) -> None:
    with pytest.raises(DefinitionError) as error:
        searched(reader(learn), f"params:own.{path}")

    text = str(error.value)
    assert text.startswith(f"tune 'tune', space 'params:own.{path}': expected {said}")
    assert "\n" not in text


def test_a_path_that_a_search_inside_leaves_out_is_refused() -> None:
    inner = tune_toys.judged(searched(reader(learn_options)), name="outer")

    with pytest.raises(DefinitionError, match=r"a field of Options .* 'powr'"):
        tune_toys.tuned(
            inner, space={"params:own.powr": SPACE["params:own.shift"]}, name="again"
        )


@needs_pydantic
def test_a_path_that_one_reader_knows_is_searched() -> None:
    """The class of the other one leaves it out, as pydantic does by default."""
    first = reader(learn_model, outputs="Z", name="first")
    second = reader(learn_mapping, inputs="Z", name="second")

    found = read(first + second, {"power": 3}, name="second", path="params:own.more")

    assert found == [{"power": 3, "more": more} for more in (30.0, 20.0, 30.0)]


@pytest.mark.parametrize("own", [{}, Elsewhere.Options()], ids=["dict", "instance"])
@pytest.mark.parametrize(
    ("learn", "kind"),
    [(learn_other_options, Elsewhere.Options), (learn_mapping, dict)],
    ids=["another class of the same name", "a mapping"],
)
def test_two_readers_get_one_type_each(
    learn: Callable[..., Any], kind: type, own: Any
) -> None:
    first = reader(learn_options, outputs="Z", name="first")
    second = reader(learn, inputs="Z", name="second")
    best = searched(first + second)

    made = toys.run(best.train, {"X": tune_toys.X, "y": tune_toys.Y, "params:own": own})

    for namespace in ("", "tune.round_0.trial_1.cv.fold_0.train."):
        assert type(made[f"{namespace}first_state"][1]) is Options
        assert type(made[f"{namespace}second_state"][1]) is kind


def test_kedro_types_what_is_not_searched() -> None:
    # Kedro makes typed parameters from version 1.3 on.
    validator = pytest.importorskip("kedro.validation.parameter_validator")
    best = searched(reader(learn_limits, limits="params:limits"))
    raw = {"own": {"power": 3}, "limits": {"high": 2.0}}

    typed = validator.ParameterValidator({"it": best.train}).validate_raw_params(raw)
    made = toys.run(
        best.train,
        {
            "X": tune_toys.X,
            "y": tune_toys.Y,
            **{f"params:{name}": value for name, value in typed.items()},
        },
    )

    assert typed["limits"] == Limits(2.0)
    assert made["own_state"][1] == (Options(30.0, 3), Limits(2.0))
    found = made["tune.round_0.trial_1.cv.fold_0.train.own_state"][1]
    assert found == (Options(10.0, 3), Limits(2.0))
