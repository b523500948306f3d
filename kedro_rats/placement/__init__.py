"""Placement: what ``rats.yml`` says, and what it comes to for each node."""

from kedro_rats.placement.loading import load_settings
from kedro_rats.placement.placements import Placement
from kedro_rats.placement.placing import place, unmatched
from kedro_rats.placement.settings import Settings

__all__ = ["Placement", "Settings", "load_settings", "place", "unmatched"]
