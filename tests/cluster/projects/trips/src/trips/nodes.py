"""Nodes that import what they need when they run: no image has both libraries."""


def zones(trips):
    """Returns a row for each zone: Spark sums up."""
    from pyspark.sql import functions as f

    table = trips.groupBy("zone").agg(
        f.count("*").alias("trips"),
        f.sum("metres").alias("metres"),
        f.sum("seconds").alias("seconds"),
    )
    # One file, in one order: the same bytes each time.
    table = table.orderBy("zone").coalesce(1)
    return table, [row.asDict() for row in table.collect()]


def line(zones):
    """Returns a line through the zones: scikit-learn fits it."""
    from sklearn.linear_model import LinearRegression

    fitted = LinearRegression().fit(zones[["metres"]], zones["seconds"])
    found = {"slope": fitted.coef_.tolist(), "intercept": float(fitted.intercept_)}
    return found, zones.to_dict("records")


def longest(seen):
    """Returns the zone with the longest way: needs neither library."""
    return max(seen, key=lambda row: row["metres"])
