"""What a search is made of: its names, and what it tells of its trials."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING

import numpy as np
import optuna
import pytest
from combinators import toys, tune_toys
from combinators.tune_toys import ALPHA, DATA, K
from sklearn.model_selection import cross_val_predict

from kedro_rats.testing import check_estimator

if TYPE_CHECKING:
    from kedro_rats import Estimator


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    tune_toys.quieten(caplog)


# --- names ------------------------------------------------------------------------------


def namespaces(estimator: Estimator) -> set[str]:
    """Return the namespaces below the search's name, to the depth of a trial."""
    found = set()
    for node in estimator.train.nodes:
        parts = node.namespace.split(".")
        found.add(".".join(parts[: 3 if parts[1:2] and "round" in parts[1] else 2]))
    return found


def test_all_that_is_new_lives_under_the_name_and_trials_count_over_all_rounds() -> (
    None
):
    best = tune_toys.in_rounds()

    assert namespaces(best) == {
        "tune",
        "tune.shared",
        "tune.refit",
        "tune.round_0",
        "tune.round_0.trial_0",
        "tune.round_0.trial_1",
        "tune.round_1",
        "tune.round_1.trial_2",
        "tune.round_1.trial_3",
        "tune.round_2",
        "tune.round_2.trial_4",
    }
    made = best.train.all_outputs()
    kept = {name for name in made if not name.startswith("tune.")}
    assert kept == {*best.state, *best.outputs}
    assert {"tune.trials", "tune.best", "tune.study"} <= made


def test_a_search_can_replace_its_operand() -> None:
    cv = tune_toys.judged(tune_toys.regression())

    best = tune_toys.tuned(cv)

    assert best.train.inputs() == cv.train.inputs()
    assert best.eval.inputs() == cv.eval.inputs()
    assert (best.state, best.outputs) == (cv.state, cv.outputs)
    assert {name for name in best.train.outputs() if "." not in name} == {
        name for name in cv.train.outputs() if "." not in name
    }


def test_training_passes_on_what_the_operand_emits_at_the_best_parameters() -> None:
    best = tune_toys.in_rounds()

    made = toys.run(best.train, DATA)

    model = tune_toys.peer(made["tune.best"]["params"])
    options = {"cv": tune_toys.FOLDS}
    expected = cross_val_predict(model, tune_toys.X, tune_toys.Y, **options)
    assert np.array_equal(made["yhat"], expected)


def test_the_scores_are_those_of_the_refit() -> None:
    best = tune_toys.in_rounds()

    made = toys.run(best.train, DATA)

    assert best.scores == "tune.refit.cv.scores"
    mean = float(np.mean(toys.scores(made[best.scores], "r2")))
    assert mean == made["tune.best"]["value"]
    assert made["tune.refit.cv.summary"]["r2"]["mean"] == mean


def test_the_scores_of_a_search_of_a_search_are_of_the_innermost_refit() -> None:
    assert tune_toys.in_folds_in_a_search().scores == "tune.refit.outer.scores"
    inner = tune_toys.tuned(space={ALPHA: tune_toys.SPACE[ALPHA]}, name="inner")
    outer = tune_toys.tuned(inner, space={K: tune_toys.SPACE[K]})
    assert outer.scores == "tune.refit.inner.refit.cv.scores"


def test_without_refit_there_is_no_state() -> None:
    best = tune_toys.tuned(refit=False)

    made = toys.run(best.train, DATA)

    assert (best.state, best.outputs, best.scores) == ((), (), None)
    assert not best.eval.nodes
    assert not any("refit" in name for name in made)
    whole = toys.run(tune_toys.tuned().train, DATA)
    assert made["tune.best"] == whole["tune.best"]


def test_two_searches_of_other_names_stand_beside_each_other() -> None:
    both = tune_toys.tuned(refit=False, name="one") + tune_toys.tuned(
        refit=False, name="two", objective="mse"
    )

    made = toys.run(both.train, DATA)

    assert list(made["one.trials"][ALPHA]) == list(made["two.trials"][ALPHA])


def test_a_search_keeps_the_laws_of_an_estimator() -> None:
    check_estimator(lambda: tune_toys.in_rounds(trials=3), data=DATA)


# --- what it tells ----------------------------------------------------------------------


def test_the_table_has_one_row_a_trial() -> None:
    made = toys.run(tune_toys.in_rounds().train, DATA)

    table = made["tune.trials"]
    assert list(table) == ["number", "state", "value", K, ALPHA, "feasible", "error"]
    assert list(table["number"]) == [0, 1, 2, 3, 4]
    assert set(table["state"]) == {"complete"}
    assert table["value"].max() == made["tune.best"]["value"]


def test_the_best_trial_is_json() -> None:
    made = toys.run(tune_toys.in_rounds().train, DATA)

    best = made["tune.best"]

    assert json.loads(json.dumps(best)) == best
    assert list(best) == ["number", "value", "params"]
    assert list(best["params"]) == [K, ALPHA]


def test_the_study_is_optunas_own() -> None:
    made = toys.run(tune_toys.in_rounds().train, DATA)

    study = pickle.loads(made["tune.study"])

    assert isinstance(made["tune.study"], bytes)
    assert isinstance(study, optuna.Study)
    assert study.study_name == "tune"
    assert study.best_params == made["tune.best"]["params"]
    frame = study.trials_dataframe()
    assert list(frame["value"]) == list(made["tune.trials"]["value"])
    assert list(frame[f"params_{K}"]) == list(made["tune.trials"][K])
    assert set(optuna.importance.get_param_importances(study)) == {K, ALPHA}
