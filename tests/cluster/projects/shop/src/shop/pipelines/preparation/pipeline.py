from kedro.pipeline import Pipeline, node, pipeline

from .nodes import clean_customers, clean_orders


def create_pipeline(**kwargs) -> Pipeline:
    return pipeline(
        [
            node(
                clean_customers, "customers", "clean_customers", name="clean_customers"
            ),
            node(clean_orders, "orders", "clean_orders", name="clean_orders"),
        ]
    )
