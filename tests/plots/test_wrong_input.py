"""What a picture cannot be made of is refused in one line that says what to do."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest
from plots import runs

from kedro_rats import plots
from kedro_rats.combinators.study import AskTellStudy, GridInOrder
from kedro_rats.errors import RatsError
from kedro_rats.plots import stills

NAN = float("nan")
TRIALS = pd.DataFrame(
    [(0, "complete", 1.0, True), (1, "complete", 2.0, True)],
    columns=["number", "state", "value", "feasible"],
)
SCORES = runs.scores_of((0, "eval", "auc", 0.5, 9))
BYTES_OF_GRID = pickle.dumps(AskTellStudy(GridInOrder({})))
BYTES_OF_NEW = pickle.dumps(optuna.create_study())
NOTHING_VARIES = optuna.create_study()
for _ in range(2):
    NOTHING_VARIES.add_trial(optuna.create_trial(value=1.0))

WRONG: dict[str, tuple[str, tuple[Any, ...], str]] = {
    "a summary": (
        "fold_scores",
        ({"auc": {"mean": 0.5}},),
        (
            "plots.fold_scores, scores: expected a pandas table with the columns fold, part, "
            "metric, value, rows, got a dict. Give the table NAME.scores."
        ),
    ),
    "another column": (
        "fold_scores",
        (SCORES.rename(columns={"metric": "metrics"}),),
        (
            "plots.fold_scores, scores: expected a pandas table with the columns fold, part, "
            "metric, value, rows, got fold, part, metrics, value, rows. Give "
            "the table NAME.scores."
        ),
    ),
    "no rows": (
        "fold_scores",
        (SCORES.iloc[:0],),
        (
            "plots.fold_scores, scores: expected at least one row, got an empty table. Give "
            "the table NAME.scores."
        ),
    ),
    "text": (
        "fold_scores",
        (SCORES.astype({"value": object}).assign(value="high"),),
        "column 'value': expected numbers, got ",
    ),
    "three classes": (
        "roc",
        ([0, 1, 2], [0.1, 0.2, 0.3]),
        (
            "plots.roc, y: expected two classes, got 3 (0, 1, 2). Draw one class against the "
            "rest: y == one of them."
        ),
    ),
    "one class": ("roc", ([1, 1], [0.1, 0.2]), "expected two classes, got 1 (1)."),
    "probabilities of three": (
        "roc",
        ([0, 1], np.ones((2, 3))),
        (
            "plots.roc, scores: expected probabilities of two classes, or one decision value "
            "a row, got shape (2, 3). Name the output of predict_proba or decision_function."
        ),
    ),
    "a failed fold": (
        "roc",
        ([0, 1, 1], [[0.5, 0.5], [NAN, NAN], [0.1, 0.9]]),
        (
            "plots.roc, scores: expected a finite number in each row, got NaN or infinity in "
            "1 of 3. Leave these rows out; on_error='nan' leaves them for a fold that failed."
        ),
    ),
    "other rows": (
        "roc",
        ([0, 1, 1], [0.1, 0.2]),
        (
            "plots.roc: expected as many rows in each, got 3 in y, 2 in scores. Give outputs "
            "of the same rows."
        ),
    ),
    "labels": (
        "roc",
        ([0, 1], ["a", "b"]),
        "plots.roc, scores: expected numbers, got ",
    ),
    "a missing class": (
        "roc",
        (np.array(["a", None], dtype=object), [0.1, 0.2]),
        "plots.roc, y: expected classes of one kind, got NoneType, str. ",
    ),
    "several targets": (
        "residuals",
        (np.ones((3, 2)), np.ones((3, 2))),
        (
            "plots.residuals, y: expected one number a row, got shape (3, 2). Name a dataset "
            "of one column."
        ),
    ),
    "a missing prediction": (
        "residuals",
        ([1.0, 2.0], [1.0, np.inf]),
        (
            "plots.residuals, predicted: expected a finite number in each row, got NaN or "
            "infinity in 1 of 2."
        ),
    ),
    "fewer predictions": (
        "residuals",
        ([1.0, 2.0], [1.0]),
        "got 2 in y, 1 in predicted.",
    ),
    "no predictions": (
        "residuals",
        ([], []),
        "expected one number a row, got shape (0,)",
    ),
    "probabilities": (
        "confusion",
        ([0, 1], [0.2, 0.7]),
        "plots.confusion: expected classes of one kind in each, got ",
    ),
    "a matrix": (
        "confusion",
        ([0, 1], np.eye(2)),
        (
            "plots.confusion, label: expected one class a row, got shape (2, 2). Name a "
            "dataset of one column."
        ),
    ),
    "text and numbers": (
        "confusion",
        ([0, 1], ["a", "b"]),
        "expected classes of one kind",
    ),
    "a study for trials": (
        "optimization_history",
        (b"study",),
        (
            "plots.optimization_history, trials: expected a pandas table with the columns "
            "number, state, feasible, got a bytes. Give the table NAME.trials."
        ),
    ),
    "no values": (
        "optimization_history",
        (TRIALS.drop(columns="value"),),
        (
            "expected a column 'value', or 'value.NAME' for each objective, got number, "
            "state, feasible. Give the table NAME.trials."
        ),
    ),
    "the best of another search": (
        "optimization_history",
        (TRIALS, {"value": 7.0}),
        (
            "plots.optimization_history, best: expected 2.0 or 1.0, the ends of 'value' in "
            "trials, got 7.0. Give NAME.best of the same search."
        ),
    ),
    "no best": (
        "optimization_history",
        (TRIALS, 2.0),
        "best: expected a dict with the value of the best trial, got 2.0. Give NAME.best",
    ),
    "trials for a study": (
        "parameter_importance",
        (TRIALS,),
        (
            "plots.parameter_importance, study: expected a study of Optuna, got a DataFrame. "
            "Only a search with an Optuna sampler tells what matters."
        ),
    ),
    "a grid": (
        "parameter_importance",
        (BYTES_OF_GRID,),
        "expected a study of Optuna, got a AskTellStudy. Only a search with an Optuna",
    ),
    "bytes of nothing": (
        "parameter_importance",
        (b"no study",),
        (
            "plots.parameter_importance, study: expected the bytes of a study, got bytes that "
            "are none (UnpicklingError). Give NAME.study, from the versions that wrote it."
        ),
    ),
    "a study without trials": (
        "parameter_importance",
        (BYTES_OF_NEW,),
        (
            "plots.parameter_importance, study: expected at least two complete trials, got "
            "0. Search longer."
        ),
    ),
    "a study of nothing": (
        "parameter_importance",
        (NOTHING_VARIES,),
        (
            "plots.parameter_importance, study: expected a parameter that was searched, got "
            "none. Search at least one parameter."
        ),
    ),
    "labels for a history": (
        "rounds",
        (pd.DataFrame(columns=["row", "round", "label", "confidence"]),),
        (
            "plots.rounds, history: expected a pandas table with the columns round, selected, "
            "labeled, unlabeled, stop, got row, round, label, confidence. Give the table "
            "NAME.history."
        ),
    ),
}


@pytest.mark.parametrize("kind", [plots, stills], ids=["plotly", "matplotlib"])
@pytest.mark.parametrize(("name", "given", "message"), WRONG.values(), ids=WRONG)
def test_it_is_refused_in_one_line(
    kind: Any, name: str, given: tuple[Any, ...], message: str
) -> None:
    with pytest.raises(RatsError) as caught:
        getattr(kind, name)(*given)

    assert message in str(caught.value)
    assert str(caught.value).startswith(f"plots.{name}")
    assert "\n" not in str(caught.value)


def test_all_columns_that_are_no_numbers_are_named_at_once() -> None:
    table = SCORES.astype({"value": object, "rows": object})

    with pytest.raises(RatsError) as caught:
        plots.fold_scores(table.assign(value="a", rows="b"))

    first, second = str(caught.value).splitlines()
    assert "column 'value'" in first
    assert "column 'rows'" in second


@pytest.mark.parametrize(
    ("module", "call", "message"),
    [
        ("plotly", "plots.residuals([1.0], [1.0])", "plotly, got an environment"),
        ("matplotlib", "plots.stills.residuals([1.0], [1.0])", "matplotlib, got an"),
        ("pandas", "plots.rounds(1)", "pandas, got an environment without it"),
        ("optuna", "plots.parameter_importance(1)", "Install kedro-rats[tune]."),
    ],
)
def test_a_library_that_is_not_installed_is_named(
    module: str, call: str, message: str
) -> None:
    program = (
        "import sys\n"
        f"sys.modules[{module!r}] = None\n"
        "from kedro_rats import plots\n"
        "from kedro_rats.errors import RatsError\n"
        "try:\n"
        f"    {call}\n"
        "except RatsError as error:\n"
        "    print(error)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert message in done.stdout
    assert len(done.stdout.splitlines()) == 1


def test_importing_the_functions_imports_nothing_that_draws() -> None:
    program = "import sys, kedro_rats.plots; print(*sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    heavy = {"plotly", "matplotlib", "optuna", "pandas", "sklearn", "numpy", "scipy"}
    assert not heavy & set(done.stdout.split())
