"""From the table of penguins to what a model can learn from."""

from .nodes import features
from .pipeline import birds, preparation

__all__ = ["birds", "features", "preparation"]
