"""Calibration is a composition: it equals ``CalibratedClassifierCV(ensemble=False)``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from combinators import toys
from combinators.stack_toys import linear
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from kedro_rats import cross_validate, estimator

if TYPE_CHECKING:
    from combinators.toys import Array

    from kedro_rats import Estimator

FOLDS = StratifiedKFold(4, shuffle=True, random_state=0)
SVC = make_pipeline(StandardScaler(), LinearSVC(C=0.1))


class Given(ClassifierMixin, BaseEstimator):
    """Takes what a classifier said as what it would say itself."""

    def fit(self, said: Array, y: Array) -> Given:
        self.classes_ = np.unique(y)
        return self

    def predict(self, said: Array) -> Array:
        raise NotImplementedError


class Decisions(Given):
    def decision_function(self, said: Array) -> Array:
        return said


class Probabilities(Given):
    def predict_proba(self, said: Array) -> Array:
        return said


def base(obj: Any, method: str) -> Estimator:
    model = estimator(
        clone(obj),
        fit_inputs=["X", "y"],
        inputs="X",
        outputs={method: "said"},
        name="model",
    )
    return cross_validate(
        model, splitter=FOLDS, rows=["X", "y"], stratify="y", name="cv"
    )


def calibrated(obj: Any, method: str, kind: str) -> Estimator:
    """Return a calibration that learns from out-of-fold decisions or probabilities."""
    given = Decisions() if method == "decision_function" else Probabilities()
    said = base(obj, method)
    calibrate = estimator(
        CalibratedClassifierCV(given, method=kind, ensemble=False, cv=2),
        fit_inputs=["said", "y"],
        inputs="said",
        outputs={"predict_proba": "p", "predict": "label"},
        name="calibrate",
    )
    return said + calibrate


MODELS = {
    "decisions": (SVC, "decision_function"),
    "probabilities": (GaussianNB(), "predict_proba"),
}


@pytest.mark.parametrize("kind", ["sigmoid", "isotonic"])
@pytest.mark.parametrize(("obj", "method"), MODELS.values(), ids=MODELS.keys())
@pytest.mark.parametrize("data", ["breast_cancer", "wine"])
def test_a_calibrating_estimator_equals_scikit_learns(
    data: str, obj: Any, method: str, kind: str
) -> None:
    X, y = toys.bundled(data, 2)
    ours = calibrated(obj, method, kind)
    trained = toys.run(ours.train, {"X": X, "y": y})

    made = toys.evaluated(ours, trained, {"X": X[::2] * 1.01})

    peer = CalibratedClassifierCV(clone(obj), method=kind, ensemble=False, cv=FOLDS)
    peer.fit(X, y)
    assert np.array_equal(made["p"], peer.predict_proba(X[::2] * 1.01))
    assert np.array_equal(made["label"], peer.predict(X[::2] * 1.01))


def test_isotonic_regression_alone_is_the_isotonic_calibration_of_two_classes() -> None:
    X, y = toys.bundled("breast_cancer", 2)
    ours = base(SVC, "decision_function") + estimator(
        IsotonicRegression(out_of_bounds="clip"),
        fit_inputs=["said", "y"],
        inputs="said",
        outputs={"predict": "p"},
        name="calibrate",
    )
    trained = toys.run(ours.train, {"X": X, "y": y})

    made = toys.evaluated(ours, trained, {"X": X * 1.01})

    peer = CalibratedClassifierCV(
        clone(SVC), method="isotonic", ensemble=False, cv=FOLDS
    ).fit(X, y)
    assert np.array_equal(made["p"], peer.predict_proba(X * 1.01)[:, 1])


def test_a_calibrated_model_can_be_cross_validated_as_scikit_learns() -> None:
    X, y = toys.bundled("breast_cancer", 2)
    outer = KFold(3, shuffle=True, random_state=1)
    cv = cross_validate(
        calibrated(SVC, "decision_function", "sigmoid"),
        splitter=outer,
        rows=["X", "y"],
        outputs=["p"],
        name="outer",
    )

    made = toys.run(cv.train, {"X": X, "y": y})

    peer = CalibratedClassifierCV(
        clone(SVC), method="sigmoid", ensemble=False, cv=FOLDS
    )
    expected = cross_val_predict(peer, X, y, cv=outer, method="predict_proba")
    assert np.array_equal(made["p"], expected)


def test_the_calibration_learns_from_decisions_out_of_fold() -> None:
    X, y = toys.bundled("breast_cancer", 2)
    in_sample = estimator(
        linear(),
        fit_inputs=["X", "y"],
        inputs="X",
        outputs={"decision_function": "said"},
        name="model",
    )
    calibrate = estimator(
        IsotonicRegression(out_of_bounds="clip"),
        fit_inputs=["said", "y"],
        inputs="said",
        outputs={"predict": "p"},
        name="calibrate",
    )

    honest = toys.run(
        (base(linear(), "decision_function") + calibrate).train, {"X": X, "y": y}
    )
    leaking = toys.run((in_sample + calibrate).train, {"X": X, "y": y})

    expected = cross_val_predict(linear(), X, y, cv=FOLDS, method="decision_function")
    assert np.array_equal(honest["said"], expected)
    assert not np.array_equal(honest["p"], leaking["p"])
