"""From what ``rats.yml`` says of images to images that nodes can run in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kedro_rats.engines.images.contents import content_tag
from kedro_rats.engines.images.ignoring import ignored_in
from kedro_rats.engines.images.sending import PUSH, send
from kedro_rats.errors import Breach, listed, nearest, raise_if, shown
from kedro_rats.placement.settings import ImageBuild

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from kedro_rats.engines.images.tools import Tool
    from kedro_rats.placement.settings import Settings

DEFAULT: Final = "default"
"""The image that has a Dockerfile in the project's folder, if nothing else is said."""

OURS: Final = "KEDRO_RATS"
"""The argument that says which kedro-rats an image gets: the one that is used here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An image that is to be built.

    Attributes:
        profile: Its name in ``rats.yml``.
        build: How it is built.
        args: All arguments of the build.
        image: The name and tag that its content comes to.
        known: What ``rats.yml`` refers to now; None for nothing.
    """

    profile: str
    build: ImageBuild
    args: Mapping[str, str]
    image: str
    known: str | None

    def is_there(self, to: str | tuple[str, ...]) -> bool:
        """Say whether what is known has this content already.

        What has a digest has been pushed.
        """
        name, at, _ = (self.known or "").partition("@")
        return name == self.image and (to != PUSH or bool(at))


@dataclass(frozen=True, slots=True)
class Profile:
    """An image of ``rats.yml`` and how it is built."""

    name: str
    build: ImageBuild
    repository: str


def wanted(
    settings: Settings,
    project: Path,
    *,
    names: Collection[str],
    version: str,
    written: Collection[Path],
) -> list[Wanted]:
    """Return the images that are to be built, all of them if none is named.

    Args:
        settings: What ``rats.yml`` says.
        project: The project's folder.
        names: Profiles that were asked for.
        version: The version of kedro-rats that images get.
        written: Files that the command writes to: no part of the content.

    Raises:
        DefinitionError: With all that is wrong, before anything is built.
    """
    profiles, breaches = _profiles(settings, project, names)
    raise_if(breaches)
    return [
        _wanted(profile, settings, project, version, written) for profile in profiles
    ]


def make(
    tool: Tool,
    asked: Wanted,
    *,
    project: Path,
    to: str | tuple[str, ...],
    more: Sequence[str] = (),
) -> str:
    """Build an image and send it; return what ``rats.yml`` is to refer to.

    Raises:
        RatsError: If it cannot be built or does not get there.
    """
    dockerfile = project / asked.build.dockerfile
    ignored = ignored_in(project / asked.build.context, dockerfile)
    tool.build(
        asked.image,
        asked.build,
        project=project,
        args=asked.args,
        ignorefile=ignored.file,
        more=more,
    )
    digest = send(tool, asked.image, to)
    return f"{asked.image}@{digest}" if digest else asked.image


def buildable(settings: Settings, project: Path) -> dict[str, ImageBuild]:
    """Return how images are built, by their profiles in ``rats.yml``."""
    builds = dict(settings.builds)
    named = DEFAULT in settings.profiles.get("image", {})
    if named and (project / "Dockerfile").is_file():
        builds.setdefault(DEFAULT, ImageBuild())
    return builds


def _profiles(
    settings: Settings, project: Path, names: Collection[str]
) -> tuple[list[Profile], list[Breach]]:
    images = settings.profiles.get("image", {})
    builds = buildable(settings, project)
    found, breaches = [], list(_not_built(names, images, builds))
    for name in names or builds:
        if name in builds:
            profile = Profile(name, builds[name], _repository(settings, builds, name))
            breaches += _missing(profile, project)
            found.append(profile)
    if not names and not builds:
        got = f"{listed(images)} without one" if images else "no image"
        remedy = "Add image: {default: {build: {name: registry.example/app}}}."
        breaches.append(Breach("rats.yml", "an image with a build", got, remedy))
    return found, breaches


def _repository(
    settings: Settings, builds: Mapping[str, ImageBuild], profile: str
) -> str:
    said = builds[profile].name
    return said or without_tag(str(settings.profiles["image"][profile].get("ref")))


def without_tag(ref: str) -> str:
    """Return the name of an image without its tag and digest.

    Example:
        >>> without_tag("localhost:5000/app:1@sha256:00"), without_tag("localhost:5000/app")
        ('localhost:5000/app', 'localhost:5000/app')
    """
    name = ref.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _not_built(
    names: Collection[str],
    images: Collection[str],
    builds: Collection[str],
) -> Iterator[Breach]:
    for name in dict.fromkeys(names):
        if name in builds:
            continue
        if name in images:
            remedy = f"Add image.{name}.build to rats.yml."
            yield Breach(f"image {name!r}", "how it is built", "nothing", remedy)
        else:
            remedy = f"{nearest(name, images)}Known: {listed(images)}."
            yield Breach("image", "one of rats.yml", shown(name), remedy)


def _missing(profile: Profile, project: Path) -> Iterator[Breach]:
    build = profile.build
    if not (project / build.dockerfile).is_file():
        remedy = "`kedro rats init` makes one; or mend build.dockerfile."
        yield Breach(
            f"image {profile.name!r}",
            f"the file {build.dockerfile!r}",
            "none there",
            remedy,
        )
    if not (project / build.context).is_dir():
        yield Breach(
            f"image {profile.name!r}",
            f"the folder {build.context!r}",
            "none there",
            "Mend build.context.",
        )


def _wanted(
    profile: Profile,
    settings: Settings,
    project: Path,
    version: str,
    written: Collection[Path],
) -> Wanted:
    args = dict(profile.build.args)
    text = (project / profile.build.dockerfile).read_text("utf-8")
    if _takes(text, OURS):
        # An image with another version could not read the plans that are made here.
        args.setdefault(OURS, f"kedro-rats[s3]=={version}")
    tag = content_tag(project, profile.build, args=args, written=written)
    return Wanted(
        profile=profile.name,
        build=profile.build,
        args=args,
        image=f"{profile.repository}:{tag}",
        known=settings.profiles["image"][profile.name].get("ref"),
    )


def _takes(dockerfile: str, argument: str) -> bool:
    words = (line.split() for line in dockerfile.splitlines())
    return any(
        w[0].upper() == "ARG" and any(a.partition("=")[0] == argument for a in w[1:])
        for w in words
        if w
    )
