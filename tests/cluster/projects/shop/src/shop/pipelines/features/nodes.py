import pandas as pd


def until(orders: pd.DataFrame, cut_off) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns the orders before a day, and those from that day on."""
    before = orders["day"] < pd.Timestamp(cut_off)
    return orders[before], orders[~before]


def order_features(past: pd.DataFrame) -> pd.DataFrame:
    """Returns what is known of each customer by the orders."""
    by_customer = past.groupby("customer")["amount"]
    return pd.DataFrame(
        {
            "orders": by_customer.count(),
            "spent": by_customer.sum().round(2),
            "mean_amount": by_customer.mean().round(4),
        }
    ).reset_index()


def impute_age(customers: pd.DataFrame) -> pd.DataFrame:
    """Fills in missing ages with the median."""
    return customers.assign(age=customers["age"].fillna(customers["age"].median()))


def model_input(
    customers: pd.DataFrame, features: pd.DataFrame, future: pd.DataFrame
) -> pd.DataFrame:
    """Returns a row for each customer, and whether there was an order afterwards."""
    table = customers.merge(features, on="customer", how="left").fillna(0)
    again = table["customer"].isin(future["customer"]).astype(int)
    return table.assign(buys_again=again)
