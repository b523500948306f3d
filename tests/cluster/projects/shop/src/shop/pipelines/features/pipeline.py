from kedro.pipeline import Pipeline, node, pipeline

from .nodes import impute_age, model_input, order_features, until


def create_pipeline(**kwargs) -> Pipeline:
    return pipeline(
        [
            node(
                until,
                inputs=["clean_orders", "params:cut_off"],
                outputs=["past_orders", "future_orders"],
                name="split_by_day",
            ),
            node(
                order_features, "past_orders", "order_features", name="order_features"
            ),
            node(
                impute_age, "clean_customers", "complete_customers", name="impute_age"
            ),
            node(
                model_input,
                inputs=["complete_customers", "order_features", "future_orders"],
                outputs="model_input",
                name="join",
            ),
        ]
    )
