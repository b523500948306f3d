import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import train_test_split


def split_rows(table: pd.DataFrame, options: dict) -> tuple:
    """Keeps rows apart to evaluate on."""
    return tuple(train_test_split(table, **options))


def train(rows: pd.DataFrame, options: dict) -> RandomForestClassifier:
    """Fits the classifier."""
    arguments = {key: value for key, value in options.items() if key != "features"}
    model = RandomForestClassifier(**arguments)
    return model.fit(rows[options["features"]], rows["buys_again"])


def predict(
    model: RandomForestClassifier, rows: pd.DataFrame, features: list[str]
) -> pd.DataFrame:
    """Returns the probability for each customer."""
    p = model.predict_proba(rows[features])[:, 1]
    return rows[["customer", "buys_again"]].assign(p=p)


def evaluate(predictions: pd.DataFrame) -> dict:
    """Returns how good the predictions are."""
    truth, p = predictions["buys_again"], predictions["p"]
    return {
        "auc": float(roc_auc_score(truth, p)),
        "accuracy": float(accuracy_score(truth, p > 0.5)),
        "rows": len(predictions),
    }
