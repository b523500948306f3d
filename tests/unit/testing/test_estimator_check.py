"""`check_estimator` accepts what keeps the laws, and names what does not."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from kedro.pipeline import Pipeline, node
from scipy import sparse
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from kedro_rats import Estimator, estimator, train_only, transformer
from kedro_rats.testing import CheckError, check_estimator

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)


def scale():
    return estimator(StandardScaler(), inputs="X", outputs="Z", name="scale")


def classify():
    return scale() + estimator(
        LogisticRegression(),
        fit_inputs=["Z", "y"],
        inputs="Z",
        outputs={"predict": "label", "predict_proba": "p"},
        name="clf",
    )


def mean_of(rows):
    return {"mean": rows.mean(axis=0)}


def centred(state, rows):
    return rows - state["mean"]


def centred_by_itself(state, rows):
    return rows - rows.mean(axis=0)


def centred_while_learning(state, rows):
    state["mean"] = rows.mean(axis=0)
    return rows


def own(apply):
    return estimator(mean_of, apply, inputs="X", outputs="Z", name="own")


def test_an_estimator_that_keeps_the_laws_passes_without_data():
    check_estimator(classify)


def test_an_estimator_that_keeps_the_laws_passes_with_data():
    check_estimator(classify, data={"X": X, "y": Y})


@pytest.mark.parametrize(
    "rows", [pd.DataFrame(X, index=list("ab" * 20)), sparse.csr_matrix(X)]
)
def test_data_frames_and_sparse_rows_are_halved_by_position(rows):
    def reduce():
        return estimator(PCA(2), inputs="X", outputs="Z", name="pca")

    check_estimator(reduce, data={"X": rows})


def test_lists_of_texts_are_rows():
    def vectorize():
        return estimator(TfidfVectorizer(), inputs="texts", outputs="T", name="tfidf")

    check_estimator(vectorize, data={"texts": ["a rat", "two rats", "rats", "no"]})


def test_inputs_that_are_not_rows_are_shared():
    def weighed():
        return transformer(np.multiply, inputs=["X", "w"], outputs="W", name="weigh")

    check_estimator(weighed, data={"X": X, "w": np.arange(3.0)}, shared=["w"])


def test_evaluation_that_learns_from_its_rows_is_found():
    with pytest.raises(CheckError, match=r"output 'Z'.*other rows"):
        check_estimator(lambda: own(centred_by_itself), data={"X": X})


def test_evaluation_that_changes_the_state_is_found():
    with pytest.raises(CheckError, match=r"state 'own_state'.*the same after"):
        check_estimator(lambda: own(centred_while_learning), data={"X": X})


def test_training_rows_that_cross_to_evaluation_are_found():
    applied = transformer(np.abs, inputs="X", outputs="A", name="absolute")
    late = transformer(np.log1p, inputs="A", outputs="L", name="late")

    def crossing():
        return Estimator(train=applied.train + late.train, eval=late.eval)

    with pytest.raises(CheckError, match=r"state 'A'.*'absolute.apply'"):
        check_estimator(crossing)


def test_a_definition_that_changes_between_calls_is_found():
    names = iter(["one", "two", "three"])

    def changing():
        return estimator(StandardScaler(), inputs="X", outputs="Z", name=next(names))

    with pytest.raises(CheckError, match=r"definition.*the same nodes"):
        check_estimator(changing)


def test_a_definition_that_depends_on_the_hash_seed_is_found(tmp_path):
    (tmp_path / "unordered.py").write_text(
        "from sklearn.preprocessing import StandardScaler\n"
        "from kedro_rats import estimator\n"
        "def model():\n"
        "    name = '_'.join({'alpha', 'beta', 'gamma', 'delta', 'epsilon'})\n"
        "    return estimator(StandardScaler(), inputs='X', outputs='Z', name=name)\n"
    )
    code = (
        "import unordered\n"
        "from kedro_rats.testing import check_estimator\n"
        "check_estimator(unordered.model)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONHASHSEED": "7", "PYTHONPATH": ":".join(sys.path)},
    )

    assert done.returncode == 1
    assert "CheckError: definition: expected the same nodes" in done.stderr


def test_a_node_that_does_not_pickle_is_found():
    def with_lambda():
        return transformer(lambda rows: rows, inputs="X", outputs="Z", name="same")

    with pytest.raises(CheckError, match=r"node 'same.apply'.*pickles"):
        check_estimator(with_lambda)


def test_all_that_is_wrong_is_told_at_once():
    def two_lambdas():
        return transformer(
            lambda rows: rows, inputs="X", outputs="A", name="first"
        ) + transformer(lambda rows: rows, inputs="A", outputs="B", name="second")

    with pytest.raises(CheckError) as caught:
        check_estimator(two_lambdas)

    assert [breach.subject for breach in caught.value.breaches] == [
        "node 'first.apply'",
        "node 'second.apply'",
    ]


def test_missing_data_is_named():
    with pytest.raises(CheckError, match=r"none for y"):
        check_estimator(classify, data={"X": X})


@pytest.mark.parametrize("given", [classify(), 3, lambda: 3])
def test_what_is_not_a_definition_is_refused(given):
    with pytest.raises(CheckError, match=r"a function that returns an Estimator"):
        check_estimator(given)


def test_an_estimator_of_plain_kedro_pipelines_is_checked_too():
    def by_hand():
        return Estimator(
            train=Pipeline([node(mean_of, "X", "state", name="learn")]),
            eval=Pipeline([node(centred, ["state", "X"], "Z", name="use")]),
        )

    check_estimator(by_hand, data={"X": X})


def test_steps_of_training_alone_may_change_the_number_of_rows():
    def resampled():
        return train_only(drop_half, inputs="X", outputs="fewer") + estimator(
            StandardScaler(), fit_inputs="fewer", inputs="X", outputs="Z", name="scale"
        )

    check_estimator(resampled, data={"X": X})


def drop_half(rows):
    return rows[::2]
