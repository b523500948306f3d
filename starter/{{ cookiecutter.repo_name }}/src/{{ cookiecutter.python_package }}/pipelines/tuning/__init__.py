"""The search for the best parameters, and how good it really is."""

from .pipeline import judged, tuned

__all__ = ["judged", "tuned"]
