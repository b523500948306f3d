import pandas as pd
import plotly.express as px
from plotly.graph_objects import Figure


def sales_by_month(orders: pd.DataFrame) -> Figure:
    """Draws what was sold in each month."""
    sold = orders.groupby(orders["day"].dt.strftime("%Y-%m"))["amount"].sum().round(2)
    return px.bar(
        x=list(sold.index), y=sold.tolist(), labels={"x": "month", "y": "sold"}
    )


def sales_by_region(orders: pd.DataFrame, customers: pd.DataFrame) -> pd.DataFrame:
    """Returns what was sold in each region."""
    table = orders.merge(customers, on="customer")
    sold = table.groupby("region")["amount"].agg(["count", "sum"]).round(2)
    return sold.reset_index()
