from kedro.pipeline import Pipeline, node, pipeline

from .nodes import sales_by_month, sales_by_region


def create_pipeline(**kwargs) -> Pipeline:
    return pipeline(
        [
            node(
                sales_by_month, "clean_orders", "sales_by_month", name="sales_by_month"
            ),
            node(
                sales_by_region,
                inputs=["clean_orders", "clean_customers"],
                outputs="sales_by_region",
                name="sales_by_region",
            ),
        ]
    )
