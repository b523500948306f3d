"""Makes the table of trips, the same one each time."""

from pathlib import Path

import numpy as np
import pandas as pd

ROWS = 400


def main():
    rng = np.random.default_rng(11)
    table = pd.DataFrame(
        {
            "zone": rng.integers(0, 25, ROWS),
            "metres": rng.integers(200, 20_000, ROWS),
            "seconds": rng.integers(60, 3_600, ROWS),
        }
    )
    folder = Path("data/01_raw")
    folder.mkdir(parents=True, exist_ok=True)
    table.to_parquet(folder / "trips.parquet", index=False)


if __name__ == "__main__":
    main()
