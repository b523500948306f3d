"""A standardised logistic regression, made of three estimators.

Each estimator knows how it is trained and how it is evaluated. They can be put together
in two ways, and both give the same pipelines. The project uses ``by_component``.
"""

from __future__ import annotations

from kedro_rats import Estimator, estimator, metric
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.preprocessing import StandardScaler

METRICS = {
    "auc": metric(roc_auc_score, inputs=["y", "d"]),
    "accuracy": metric(accuracy_score, inputs=["y", "label"]),
}

# Fills in missing measurements with the mean of the training rows.
impute = estimator(
    SimpleImputer().set_output(transform="pandas"),
    inputs="X",
    outputs="X_complete",
    name="impute",
)

# Brings every feature to mean 0 and variance 1, as measured on the training rows.
scale = estimator(
    StandardScaler().set_output(transform="pandas"),
    inputs="X_complete",
    outputs="Z",
    name="scale",
)

# `label` is the predicted sex, `p` the probability of each sex, and `d` the decision:
# positive means male. The parameters are in conf/base/parameters.yml. In training there
# are no predictions: on rows that the model has learned from, they look too good. The
# tags name profiles of conf/base/rats.yml: this is what needs its own image.
clf = estimator(
    LogisticRegression(),
    fit_inputs=["Z", "y"],
    inputs="Z",
    outputs={"predict": "label", "predict_proba": "p", "decision_function": "d"},
    name="clf",
    params="params:clf",
    train_outputs=False,
    tags=["image.sklearn", "resources.medium"],
)


def by_component() -> Estimator:
    """Chain the three estimators: the shortest way to say it."""
    return impute + scale + clf


def by_phase() -> Estimator:
    """Chain the three training pipelines, and the three evaluation pipelines.

    The way to go where a phase needs something of its own: put your nodes between.
    """
    return Estimator(
        train=impute.train + scale.train + clf.train,
        eval=impute.eval + scale.eval + clf.eval,
    )
