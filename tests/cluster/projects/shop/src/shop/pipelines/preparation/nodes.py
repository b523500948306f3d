import pandas as pd


def clean_customers(customers: pd.DataFrame) -> pd.DataFrame:
    """Gives all columns the names and types that they should have."""
    return pd.DataFrame(
        {
            "customer": customers["customer"],
            "region": customers["Region"].str.strip().str.lower(),
            "age": customers["age"],
            "member": (customers["member"] == "t").astype(int),
        }
    )


def clean_orders(orders: pd.DataFrame) -> pd.DataFrame:
    """Makes numbers of prices."""
    amount = orders["price"].str.removeprefix("$").astype(float)
    return orders.assign(amount=amount).drop(columns="price")
