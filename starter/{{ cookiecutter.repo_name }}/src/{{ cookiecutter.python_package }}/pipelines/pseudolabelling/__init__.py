"""The model, learning from birds of unknown sex too."""

from .pipeline import judged, self_taught

__all__ = ["judged", "self_taught"]
