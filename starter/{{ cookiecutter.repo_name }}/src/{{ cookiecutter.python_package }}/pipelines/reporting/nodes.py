"""Functions that show how good the predictions are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from matplotlib.figure import Figure
from sklearn.metrics import ConfusionMatrixDisplay, roc_auc_score, roc_curve


def list_predictions(
    penguins: pd.DataFrame, label: np.ndarray, p: np.ndarray
) -> pd.DataFrame:
    """Return one row a penguin: who it is, the truth, and what was predicted."""
    known = penguins[["season", "species", "island", "individual_id", "sex"]]
    return known.assign(
        predicted=label, p_male=p[:, 1], correct=penguins["sex"] == label
    )


def plot_roc(y: pd.Series, d: np.ndarray) -> go.Figure:
    """Draw the receiver operating characteristic of the decision for male."""
    false_positive, true_positive, _ = roc_curve(y, d, pos_label="male")
    figure = go.Figure(
        [
            go.Scatter(x=false_positive, y=true_positive, name="model"),
            go.Scatter(x=[0, 1], y=[0, 1], name="chance", line_dash="dash"),
        ]
    )
    return figure.update_layout(
        title=f"ROC curve, AUC = {roc_auc_score(y, d):.3f}",
        xaxis_title="females taken for males",
        yaxis_title="males found",
    )


def plot_confusion(y: pd.Series, label: np.ndarray) -> Figure:
    """Draw how often each sex was predicted for each sex."""
    figure = Figure(figsize=(4, 4), layout="constrained")
    ConfusionMatrixDisplay.from_predictions(
        y, label, ax=figure.subplots(), colorbar=False, cmap="Blues"
    )
    return figure
