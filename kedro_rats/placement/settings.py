"""What ``rats.yml`` says, checked and in canonical form: plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["image", "resources", "policy", "bind"]

KINDS: Final[tuple[Kind, ...]] = ("image", "resources", "policy", "bind")
"""The kinds of profile: top-level keys of ``rats.yml`` and first parts of tags."""

DEFAULT_STORE: Final = ".rats"
DEFAULT_IMPORT_LIMIT: Final = 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Where data is kept: a folder or ``s3://…``, and the name of its credentials."""

    uri: str = DEFAULT_STORE
    credentials: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Names of profiles: for all nodes, or for those that a rule matches."""

    image: str | None = None
    resources: str | None = None
    policy: str | None = None
    bind: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One entry of ``assign``: patterns, and what the nodes that match get.

    An empty tuple of patterns asks for nothing; the others must all match.
    """

    nodes: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    choice: Choice = field(default_factory=Choice)
    group: str | None = None
    cache: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """Which nodes run together in one task."""

    tags: bool = True
    namespace_depth: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageBuild:
    """How one image is built.

    Attributes:
        name: Its name without a tag; None for that of the image's ``ref``.
        dockerfile: Relative to the project's folder.
        context: The folder that it is built from, relative to the project's folder.
        target: The stage of the Dockerfile; None for the last.
        platform: Such as ``linux/amd64``; None for this machine's.
        args: Arguments of the build.
    """

    name: str | None = None
    dockerfile: str = "Dockerfile"
    context: str = "."
    target: str | None = None
    platform: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """What builds images, and how they get to where nodes run.

    Attributes:
        tool: ``docker``, ``podman`` or ``buildah``; None for what is there.
        to: ``push``, ``kind``, ``k3d``, ``minikube``, ``keep``, or a program and its
            arguments, in which ``{archive}`` and ``{image}`` stand for what was built.
    """

    tool: str | None = None
    to: str | tuple[str, ...] = "keep"


def _no_profiles() -> dict[Kind, Mapping[str, Mapping[str, Any]]]:
    return {kind: {} for kind in KINDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a project for one environment.

    Args:
        store: Where data is kept.
        import_limit: Bytes of the largest local input file that is imported.
        profiles: By kind and name, as plain JSON in canonical form.
        default: Profiles of every node that nothing else speaks of.
        assign: Rules by pattern, the first one first.
        grouping: Which nodes run together.
        ext: Settings of engines, which they check themselves.
        builds: How images are built, by profile; no plan knows of it.
        building: What builds them.

    Example:
        >>> Settings().store.uri
        '.rats'
    """

    store: StoreSettings = field(default_factory=StoreSettings)
    import_limit: int = DEFAULT_IMPORT_LIMIT
    profiles: Mapping[Kind, Mapping[str, Mapping[str, Any]]] = field(
        default_factory=_no_profiles
    )
    default: Choice = field(default_factory=Choice)
    assign: tuple[Rule, ...] = ()
    grouping: Grouping = field(default_factory=Grouping)
    ext: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    builds: Mapping[str, ImageBuild] = field(default_factory=dict)
    building: Building = field(default_factory=Building)
