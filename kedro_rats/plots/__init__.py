"""Pictures of folds, searches and rounds: functions for ordinary Kedro nodes.

Those here return Plotly figures, which Kedro-Viz previews from a ``plotly.JSONDataset``;
`kedro_rats.plots.stills` has the same names and arguments, and returns matplotlib figures
for a ``matplotlib.MatplotlibDataset``. Importing this imports neither library.
"""

from kedro_rats.plots import stills
from kedro_rats.plots.interactive import (
    confusion,
    fold_scores,
    optimization_history,
    parameter_importance,
    residuals,
    roc,
    rounds,
)

__all__ = [
    "confusion",
    "fold_scores",
    "optimization_history",
    "parameter_importance",
    "residuals",
    "roc",
    "rounds",
    "stills",
]
