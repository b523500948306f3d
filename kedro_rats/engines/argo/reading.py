"""Reads what ``ext: {argo: …}`` of ``rats.yml`` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro_rats.engines.argo.settings import ENGINE, ArgoSettings, ArtifactRepository

if TYPE_CHECKING:
    from kedro_rats.placement.settings import Settings


def argo_settings(settings: Settings) -> ArgoSettings:
    """Return what ``rats.yml`` says of this engine.

    Args:
        settings: What ``rats.yml`` says.

    Raises:
        DefinitionError: With all that is wrong in it, and the nearest known keys.

    Example:
        >>> from kedro_rats.placement.settings import Settings
        >>> argo_settings(Settings(ext={"argo": {"namespace": "ml"}})).namespace
        'ml'
    """
    said = settings.ext.get(ENGINE)
    if not said:
        return ArgoSettings()
    # pydantic takes longer to import than everything else here.
    from kedro_rats.engines.argo.schema import parse

    found = parse(said)
    if "artifact_repository" in found:
        found["artifact_repository"] = ArtifactRepository(
            **found["artifact_repository"]
        )
    return ArgoSettings(**found)
