"""A search over a grid equals ``GridSearchCV``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from combinators import toys, tune_toys
from combinators.tune_toys import ALPHA, DATA, DISCRETE, K
from optuna.distributions import CategoricalDistribution
from sklearn.model_selection import GridSearchCV

if TYPE_CHECKING:
    from kedro_rats import Estimator


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    tune_toys.quieten(caplog)


def grid(operand: Estimator | None = None, **options: Any) -> Estimator:
    given = {"space": DISCRETE, "sampler": "grid", "trials": 6}
    return tune_toys.tuned(operand, **{**given, **options})


def grid_of_sklearn(**options: Any) -> GridSearchCV:
    points = tune_toys.in_sklearns_words(
        {path: list(distribution.choices) for path, distribution in DISCRETE.items()}
    )
    given = {"cv": tune_toys.FOLDS, "scoring": "r2"}
    return GridSearchCV(tune_toys.peer({}), points, **{**given, **options})


# --- equality ---------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 4, 6])
def test_a_grid_equals_grid_search_cv_in_its_order(batch: int) -> None:
    best = grid(batch=batch)

    made = toys.run(best.train, DATA)

    expected = grid_of_sklearn().fit(tune_toys.X, tune_toys.Y)
    table = made["tune.trials"]
    points = [
        tune_toys.in_sklearns_words({K: int(row[K]), ALPHA: row[ALPHA]})
        for _, row in table.iterrows()
    ]
    assert points == expected.cv_results_["params"]
    assert np.array_equal(table["value"], expected.cv_results_["mean_test_score"])
    assert made["tune.best"]["number"] == expected.best_index_
    assert made["tune.best"]["value"] == expected.best_score_
    chosen = tune_toys.in_sklearns_words(made["tune.best"]["params"])
    assert chosen == expected.best_params_


def test_the_refit_equals_grid_search_cvs_best_estimator() -> None:
    best = grid()
    trained = toys.run(best.train, DATA)

    made = toys.evaluated(best, trained, {"X": tune_toys.X[:9] * 2})

    expected = grid_of_sklearn().fit(tune_toys.X, tune_toys.Y)
    assert np.array_equal(made["yhat"], expected.predict(tune_toys.X[:9] * 2))


def test_of_equal_values_the_first_is_best() -> None:
    space = {
        ALPHA: CategoricalDistribution([10.0, 0.1, 1.0]),
        "params:ridge.max_iter": CategoricalDistribution([50, 70, 90]),
    }
    best = grid(space=space, trials=9, batch=3)

    made = toys.run(best.train, DATA)

    points = tune_toys.in_sklearns_words(
        {path: list(distribution.choices) for path, distribution in space.items()}
    )
    expected = GridSearchCV(
        tune_toys.peer({}), points, cv=tune_toys.FOLDS, scoring="r2"
    ).fit(tune_toys.X, tune_toys.Y)
    assert list(expected.cv_results_["rank_test_score"]).count(1) == 3
    assert made["tune.best"]["number"] == expected.best_index_
    assert made["tune.best"]["params"]["params:ridge.max_iter"] == 50


def test_a_grid_of_fewer_trials_is_its_beginning() -> None:
    best = grid(trials=4)

    made = toys.run(best.train, DATA)

    whole = toys.run(grid().train, DATA)["tune.trials"]
    assert made["tune.trials"].equals(whole.head(4))
