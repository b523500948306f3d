"""Gets an image to where nodes run: a registry, or the machines themselves."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kedro_rats.engines.images.tools import qualified, run
from kedro_rats.errors import Breach, DefinitionError

if TYPE_CHECKING:
    from kedro_rats.engines.images.tools import Tool

PUSH: Final = "push"
KEEP: Final = "keep"
ARCHIVE: Final = "{archive}"
IMAGE: Final = "{image}"

LOADERS: Final = {
    "kind": ("kind", "load", "image-archive", ARCHIVE),
    "k3d": ("k3d", "image", "import", ARCHIVE),
    "minikube": ("minikube", "image", "load", ARCHIVE),
}
"""What loads an archive into a cluster of that kind on this machine."""


def send(tool: Tool, image: str, to: str | tuple[str, ...]) -> str | None:
    """Do with an image what ``build.to`` of ``rats.yml`` says.

    Args:
        tool: What built it.
        image: Its name and tag.
        to: ``push``, ``keep``, one of ``LOADERS``, or a command.

    Returns:
        Its digest, if it was pushed.

    Raises:
        RatsError: If it does not get there.
    """
    if to == PUSH:
        return tool.push(image)
    if to == KEEP:
        return None
    words = LOADERS[to] if isinstance(to, str) else to
    with tempfile.TemporaryDirectory(prefix="rats-image-") as folder:
        archive = Path(folder) / "image.tar"
        if any(ARCHIVE in word for word in words):
            tool.save(image, archive)
        meant = {ARCHIVE: str(archive), IMAGE: qualified(image)}
        run(
            [_filled(word, meant) for word in words],
            Breach(
                f"image {image}",
                f"that `{words[0]}` loads it into the cluster",
                "",
                "Start the cluster, or mend build.to in rats.yml.",
            ),
            show=tool.show,
        )
    return None


def check_way(to: str | tuple[str, ...]) -> None:
    """Raise if the program is missing that loads images: before anything is built.

    Raises:
        DefinitionError: If it is.
    """
    words = LOADERS.get(to) if isinstance(to, str) else to
    if words and shutil.which(words[0]) is None:
        remedy = "Install it, or change build.to in rats.yml."
        breach = Breach("build.to", f"the program {words[0]!r}", "none", remedy)
        raise DefinitionError(breach)


def _filled(word: str, meant: dict[str, str]) -> str:
    for held, value in meant.items():
        word = word.replace(held, value)
    return word
