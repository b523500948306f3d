"""Makes the tables of the shop, the same ones each time."""

from pathlib import Path

import numpy as np
import pandas as pd

CUSTOMERS = 160
ORDERS = 900
REGIONS = ["north", "east", "south", "west"]


def main():
    raw = Path("data/01_raw")
    raw.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    customers = pd.DataFrame(
        {
            "customer": np.arange(CUSTOMERS),
            "Region": rng.choice([*REGIONS, " East "], CUSTOMERS),
            "age": rng.integers(18, 80, CUSTOMERS).astype(float),
            "member": rng.choice(["t", "f"], CUSTOMERS),
        }
    )
    customers.loc[::17, "age"] = np.nan
    orders = pd.DataFrame(
        {
            "order": np.arange(ORDERS),
            "customer": rng.integers(0, CUSTOMERS, ORDERS),
            "amount": rng.gamma(2.0, 30.0, ORDERS).round(2),
            "day": pd.Timestamp("2025-01-01")
            + pd.to_timedelta(rng.integers(0, 365, ORDERS), unit="D"),
        }
    )
    orders["price"] = "$" + orders.pop("amount").astype(str)
    customers.to_excel(raw / "customers.xlsx", index=False)
    orders.to_parquet(raw / "orders.parquet", index=False)


if __name__ == "__main__":
    main()
