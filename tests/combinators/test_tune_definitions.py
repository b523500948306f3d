"""Wrong searches are refused in one line: subject, expected, got and what to do."""

from __future__ import annotations

from typing import Any

import numpy as np
import optuna
import pytest
from combinators import toys, tune_toys
from combinators.tune_toys import ALPHA, SPACE, K
from optuna.distributions import (
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import (
    CmaEsSampler,
    NSGAIISampler,
    PartialFixedSampler,
    QMCSampler,
    RandomSampler,
    TPESampler,
)

from kedro_rats import Space, cross_validate, holdout, tune
from kedro_rats.errors import DefinitionError

A, ALPHAS = FloatDistribution(0, 1), CategoricalDistribution([0.1, 1.0])
UNJUDGED = cross_validate(
    tune_toys.regression(), splitter=tune_toys.FOLDS, rows=["X", "y"], name="cv"
)
HELD = holdout(
    tune_toys.regression(), rows=["X", "y"], metrics={"r2": toys.R2}, name="held"
)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    tune_toys.quieten(caplog)


def suggest(trial: Any) -> dict[str, Any]:
    return {}


PATHS = "a dict from params: paths to Optuna distributions, or a Space"
SAMPLER = "an Optuna sampler, an object with ask and tell, or 'grid'"

# Of each: what is wrong; the subject; what is expected; what was got, and the remedy.
WRONG: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "no estimator": ({"operand": 3}, "", "an Estimator", "3. Give what estimator("),
    "no scores": (
        {"operand": UNJUDGED},
        "",
        "an estimator with scores",
        "one without. Judge it: tune(cross_validate(",
    ),
    "no space": ({"space": {}}, ", space", PATHS, "{}. Give {'params:"),
    "a list as space": ({"space": ["a"]}, ", space", PATHS, "['a']. Give {'params:"),
    "a conditional space without paths": (
        {"space": Space(suggest, params=[])},
        ", space",
        "paths of parameters",
        "none. Name at least one path.",
    ),
    "a conditional space without function": (
        {"space": Space("func", params=[ALPHA])},  # type: ignore[arg-type]
        ", space",
        "func(trial) -> {path: value}",
        "'func'. Give Space(func, params=[…]).",
    ),
    "a path that is none": (
        {"space": {"ridge.alpha": A}},
        ", space",
        "params: paths",
        "'ridge.alpha'. Write 'params:NAME' or",
    ),
    "a path that no node reads": (
        {"space": {"params:rigde.alpha": A}},
        ", space 'params:rigde.alpha'",
        "parameters that a trial reads (params:ridge, params:select)",
        "a path that no node reads. Did you mean 'params:ridge'? Give the estimator",
    ),
    "a path that begins like one that is read": (
        {"space": {"params:ridges.alpha": A}},
        ", space 'params:ridges.alpha'",
        "parameters that a trial reads (params:ridge, params:select)",
        "a path that no node reads. Did you mean 'params:ridge'?",
    ),
    "a path inside another one": (
        {"space": {"params:ridge": ALPHAS, ALPHA: A}},
        ", space",
        "paths of which none is inside another one",
        "params:ridge.alpha inside params:ridge. Search one",
    ),
    "a value that is no distribution": (
        {"space": {ALPHA: (0, 1)}},
        f", space, '{ALPHA}'",
        "an Optuna distribution",
        "(0, 1). Give e.g. FloatDistribution(",
    ),
    "an objective that is no metric": (
        {"objective": "mze"},
        ", objective",
        "a metric of the estimator (r2, mse, r2.pooled, mse.pooled)",
        "'mze'. Did you mean 'mse'?",
    ),
    "one of two objectives": (
        {"objective": ["r2", "auc"]},
        ", objective",
        "a metric of the estimator (r2, mse, r2.pooled, mse.pooled)",
        "'auc'. ",
    ),
    "no objective": ({"objective": []}, ", objective", "metrics", "nothing. Name"),
    "a number as objective": ({"objective": 3}, ", objective", "names", "3. Give"),
    "objectives without an order": (
        {"objective": {"r2"}},
        ", objective",
        "names in an order",
        "{'r2'}. Give a list: a set has another order in each process.",
    ),
    "an objective twice": (
        {"objective": ["r2", "r2"]},
        ", objective",
        "metrics, each once",
        "r2, r2. ",
    ),
    "a pooled value of no partition": (
        {"operand": HELD, "objective": "r2.pooled"},
        ", objective",
        "a metric of the estimator (r2)",
        "'r2.pooled'. ",
    ),
    "no trials": ({"trials": 0}, ", trials", "a whole number from 1", "0. "),
    "half a trial": ({"trials": 2.5}, ", trials", "a whole number from 1", "2.5. "),
    "no batch": ({"batch": 0}, ", batch", "a whole number from 1", "0. "),
    "a batch larger than all trials": (
        {"batch": 5},
        ", batch",
        "at most trials=4",
        "5. Give a smaller batch, or more trials.",
    ),
    "less than no failures": (
        {"max_failed": -1},
        ", max_failed",
        "a whole number from 0",
        "-1. ",
    ),
    "no sampler": ({"sampler": None}, ", sampler", SAMPLER, "None. Give e.g. TPESam"),
    "a word as sampler": ({"sampler": "tpe"}, ", sampler", SAMPLER, "'tpe'. Give e.g."),
    "the class of a sampler": (
        {"sampler": TPESampler},
        ", sampler",
        SAMPLER,
        "TPESampler'>. Give e.g. TPESampler(seed=0).",
    ),
    "the class of an object that asks": (
        {"sampler": tune_toys.Listed},
        ", sampler",
        SAMPLER,
        "Listed'>. Give e.g. TPESampler(seed=0).",
    ),
    "a grid of numbers": (
        {"sampler": "grid", "space": {ALPHA: ALPHAS, K: IntDistribution(1, 3)}},
        ", sampler",
        "categorical distributions for a grid",
        "others. Give a dict of CategoricalDistribution.",
    ),
    "a grid of a conditional space": (
        {"sampler": "grid", "space": Space(suggest, params=[ALPHA])},
        ", sampler",
        "categorical distributions for a grid",
        "others. Give a dict of CategoricalDistribution.",
    ),
    "more trials than a grid has": (
        {"sampler": "grid", "space": {ALPHA: ALPHAS}},
        ", sampler",
        "at most 2 trials, as many as combinations",
        "4. Give trials=2 for all.",
    ),
    "a constraint that is no function": (
        {"constraints": {"small": 3}},
        ", constraints",
        "functions of a trial's scores by name",
        "{'small': 3}. ",
    ),
    "constraints without names": (
        {"constraints": [len]},
        ", constraints",
        "functions of a trial's scores by name",
        "[<built-in function len>]. ",
    ),
    "a malformed study": (
        {"study": "a study"},
        ", study",
        "a dataset name of letters, digits",
        "'a study'. Rename it.",
    ),
    "its own study": (
        {"study": "tune.study"},
        ", study",
        "a study of another search",
        "'tune.study'. Save it under another name",
    ),
    "a malformed name": (
        {"name": ".tune"},
        ", name",
        "a name of",
        "'.tune'. Rename it.",
    ),
    "a name used inside": (
        {"name": "cv"},
        ", name",
        "a name that is not used inside the estimator",
        "'cv'. Give the combinator another name.",
    ),
}
STOPS = [
    {"targets": 1},
    {"patience": 0},
    {"patience": 1.5},
    {"target": "high"},
    "patience",
    ["patience"],
]
UNSEEDED = {
    "TPESampler": TPESampler,
    "RandomSampler": RandomSampler,
    "CmaEsSampler": CmaEsSampler,
    "NSGAIISampler": NSGAIISampler,
    "QMCSampler": QMCSampler,
    "PartialFixedSampler": lambda: PartialFixedSampler({ALPHA: 1.0}, RandomSampler()),
}


def refused(**options: Any) -> str:
    """Return the objection to a search."""
    given = {
        "operand": tune_toys.judged(tune_toys.regression()),
        "space": SPACE,
        "objective": "r2",
        "trials": 4,
        "sampler": RandomSampler(seed=0),
        "name": "tune",
        **options,
    }
    with pytest.raises(DefinitionError) as error:
        tune(given.pop("operand"), **given)
    return str(error.value)


@pytest.mark.parametrize(
    ("options", "subject", "expected", "got"), WRONG.values(), ids=WRONG
)
def test_a_wrong_search_is_refused_in_one_line(
    options: dict[str, Any], subject: str, expected: str, got: str
) -> None:
    text = refused(**options)

    name = options.get("name", "tune")
    assert text.startswith(f"tune '{name}'{subject}: expected ")
    assert expected in text.partition(", got ")[0] or f"{expected}, got " in text
    assert f", got {got}" in text or got in text.partition(", got ")[2]
    assert "\n" not in text
    assert text.endswith((".", "?"))


@pytest.mark.parametrize("stop", STOPS, ids=repr)
def test_a_wrong_rule_to_stop_is_refused(stop: Any) -> None:
    text = refused(stop=stop)

    assert text.startswith("tune 'tune', stop: expected ")
    assert "target" in text
    assert "patience" in text
    assert "\n" not in text


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize(("own", "sampler"), UNSEEDED.items(), ids=UNSEEDED)
def test_a_sampler_without_a_seed_is_refused(own: str, sampler: Any) -> None:
    text = refused(sampler=sampler())

    assert text.startswith(
        f"tune 'tune', sampler: expected a sampler with a seed, got {own} without. Give"
    )
    assert "\n" not in text


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_a_seed_of_a_sampler_inside_another_one_is_not_its_own() -> None:
    inner = RandomSampler(seed=0)
    scrambled = QMCSampler(scramble=True, independent_sampler=inner)

    text = refused(sampler=scrambled)

    assert "expected a sampler with a seed, got QMCSampler without" in text
    cv = tune_toys.judged(tune_toys.regression())
    for seeded in (
        QMCSampler(scramble=True, independent_sampler=inner, seed=0),
        QMCSampler(scramble=True, seed=np.int64(2**32 - 1)),
        # Without scrambling no random number is drawn but by the other one.
        QMCSampler(independent_sampler=inner),
    ):
        given = {"space": SPACE, "objective": "r2", "trials": 1, "name": "tune"}
        assert tune(cv, sampler=seeded, **given).state


def test_a_study_is_no_sampler() -> None:
    text = refused(sampler=optuna.create_study())

    assert text.startswith(f"tune 'tune', sampler: expected {SAMPLER}, got ")


def test_all_that_is_wrong_with_a_space_is_told_at_once() -> None:
    text = refused(space={"ridge": A, ALPHA: 3})

    assert [line.partition(": expected")[0] for line in text.splitlines()] == [
        "tune 'tune', space",
        f"tune 'tune', space, '{ALPHA}'",
    ]
