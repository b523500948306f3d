"""Whether the images in use were built from what the project is now."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kedro_rats.engines.images.building import Wanted, buildable, wanted
from kedro_rats.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from kedro_rats.placement.settings import Settings

_TAG: Final = re.compile(r"[0-9a-f]{12}")


def files_with_refs(conf: Path) -> list[Path]:
    """Return the files in which the name of an image may stand: no part of an image.

    Args:
        conf: The folder of the configuration.
    """
    return sorted({*conf.glob("*/rats*.y*ml"), *conf.glob("*/rats/**/*.y*ml")})


def outdated(
    settings: Settings,
    project: Path,
    *,
    conf: Path,
    version: str,
    used: Collection[str] | None = None,
) -> list[str]:
    """Return the images that ``kedro rats build`` would build anew, by their profiles.

    Only images that it has built before are looked at: what anything else has put under
    another name is nobody's business here.

    Args:
        settings: What ``rats.yml`` says.
        project: The project's folder.
        conf: The folder of the configuration.
        version: The version of kedro-rats that images get.
        used: What the nodes' images are called; None for all.
    """
    refs = {
        name: str(profile.get("ref"))
        for name, profile in settings.profiles.get("image", {}).items()
    }
    names = [
        name
        for name in buildable(settings, project)
        if name in refs and (used is None or refs[name] in used)
    ]
    if not names:
        return []
    try:
        images = wanted(
            settings,
            project,
            names=names,
            version=version,
            written=files_with_refs(conf),
        )
    except (DefinitionError, OSError):
        # Whoever builds is told what is wrong.
        return []
    return [each.profile for each in images if _is_outdated(each)]


def _is_outdated(image: Wanted) -> bool:
    known = (image.known or "").partition("@")[0]
    repository, _, tag = known.rpartition(":")
    ours = repository == image.image.rpartition(":")[0] and _TAG.fullmatch(tag)
    return bool(ours) and known != image.image


def advice(names: Collection[str], *, env: str | None) -> Iterator[str]:
    """Yield a line for each image that is outdated.

    Example:
        >>> print(*advice(["default"], env="cluster"))
        Image 'default' was built from other files than the project has now, and nodes run what is in it. `kedro rats build --env=cluster` builds it anew.
    """
    where = f" --env={env}" if env else ""
    for name in names:
        yield (
            f"Image {name!r} was built from other files than the project has now, and "
            f"nodes run what is in it. `kedro rats build{where}` builds it anew."
        )
