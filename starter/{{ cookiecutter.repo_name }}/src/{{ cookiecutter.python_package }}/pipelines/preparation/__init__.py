"""From the table of penguins to what a model can learn from."""

from .pipeline import preparation

__all__ = ["preparation"]
