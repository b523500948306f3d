"""The model of ``rats.yml``: what may be in it, and how it becomes ``Settings``.

This module imports pydantic. It is imported only where there is a ``rats.yml``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, cast

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from typing_extensions import Self

from kedro_rats.errors import Breach, listed, raise_if
from kedro_rats.placement import binding, references, secrets, settings
from kedro_rats.placement.complaints import breaches_of
from kedro_rats.placement.fields import (
    PATTERN,
    PROFILE_NAME,
    CredentialsName,
    EngineName,
    GroupName,
    Pattern,
    ProfileName,
    ShortForm,
    SizeInBytes,
    refused,
)
from kedro_rats.placement.freely import not_plain
from kedro_rats.placement.profiles import AnyImage, Bind, Policy, Resources, Strict
from kedro_rats.placement.stores import StoreUri  # noqa: TC001 - pydantic reads it

SOURCE: Final = "rats.yml"


def _as_uri(value: object) -> object:
    return {"uri": value} if isinstance(value, str) else value


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


_TEXT: Final = (("type", "string"), ("pattern", r"^\S(.*\S)?$"))
Patterns = Annotated[list[Pattern], Field(min_length=1), ShortForm(_as_list, PATTERN)]
Binds = Annotated[list[ProfileName], ShortForm(_as_list, PROFILE_NAME)]


class Store(Strict):
    """Where data is kept; a text stands for ``uri``."""

    uri: StoreUri
    credentials: CredentialsName | None = None


class Default(Strict):
    """Profiles of every node that nothing else speaks of."""

    image: ProfileName | None = None
    resources: ProfileName | None = None
    policy: ProfileName | None = None
    bind: Binds | None = None


def _on_or_off(value: object) -> object:
    # YAML 1.1 reads on and off as true and false.
    return (
        {"on": True, "off": False}.get(value, value)
        if isinstance(value, str)
        else value
    )


Switch = Annotated[
    StrictBool,
    BeforeValidator(_on_or_off),
    WithJsonSchema({"enum": [True, False, "on", "off"]}),
]


class Assignment(Default):
    """What nodes get whose name, namespace or tag matches."""

    nodes: Patterns | None = None
    namespaces: Patterns | None = None
    tags: Patterns | None = None
    group: GroupName | None = None
    cache: Switch | None = None

    @model_validator(mode="after")
    def _says_whom_and_what(self) -> Self:
        if not (self.nodes or self.namespaces or self.tags):
            remedy = 'Say which nodes; nodes: "*" are all.'
            raise refused("nodes, namespaces or tags", remedy, got="none of them")
        given = (self.image, self.resources, self.policy, self.bind, self.group)
        if not any(given) and self.cache is None:
            remedy = (
                "Say what they get: image, resources, policy, bind, group or cache."
            )
            raise refused("something for these nodes", remedy, got="nothing")
        return self


class Grouping(Strict):
    """Which nodes run together in one task."""

    tags: StrictBool | None = None
    namespace_depth: Annotated[StrictInt, Field(ge=0, le=100)] | None = None


_SENT: Final = ("push", "kind", "k3d", "minikube", "keep")
_HANDED: Final = ("{archive}", "{image}")


def _known_way(value: list[str]) -> list[str]:
    if len(value) == 1 and value[0] in _SENT:
        return value
    if not any(held in word for word in value for held in _HANDED):
        remedy = "Write the program and each argument as a text of its own."
        expected = f"{listed(_SENT)}, or a command with {{archive}} or {{image}}"
        raise refused(expected, remedy)
    return value


class Building(Strict):
    """What builds images, and how they get to where nodes run."""

    tool: Literal["docker", "podman", "buildah"] | None = None
    to: (
        Annotated[
            list[StrictStr],
            Field(min_length=1),
            AfterValidator(_known_way),
            ShortForm(
                _as_list, (("type", "string"), ("pattern", f"^({'|'.join(_SENT)})$"))
            ),
        ]
        | None
    ) = None


class RatsYml(Strict):
    """Settings of kedro-rats for a Kedro project, one environment on top of another."""

    store: Annotated[Store, ShortForm(_as_uri, _TEXT)] | None = None
    import_limit: SizeInBytes | None = None
    image: dict[ProfileName, AnyImage | None] | None = None
    resources: dict[ProfileName, Resources | None] | None = None
    policy: dict[ProfileName, Policy | None] | None = None
    bind: dict[ProfileName, Bind | None] | None = None
    default: Default | None = None
    assign: list[Assignment] | None = None
    grouping: Grouping | None = None
    build: Building | None = None
    ext: dict[EngineName, dict[str, Any] | None] | None = None


def parse(data: object) -> settings.Settings:
    """Return the settings that a mapping says, as it comes from ``rats.yml``.

    Args:
        data: What the file holds, environments merged.

    Raises:
        DefinitionError: With all that is wrong in it.

    Example:
        >>> parse({"image": {"slim": "python:3.11-slim"}}).profiles["image"]
        {'slim': {'ref': 'python:3.11-slim'}}
    """
    if not isinstance(data, Mapping):
        got = f"a {type(data).__name__}"
        raise_if([Breach(SOURCE, "a mapping", got, "Begin with a key such as image:.")])
    plain = dict(cast("Mapping[Any, Any]", data))
    raise_if(not_plain(plain, (SOURCE,)))
    breaches: list[Breach] = []
    try:
        model = RatsYml.model_validate(plain)
    except ValidationError as error:
        breaches += breaches_of(error, RatsYml, SOURCE)
        model = RatsYml()
    breaches += references.unknown_profiles(plain, SOURCE)
    breaches += secrets.named_in_plain_text(plain, SOURCE)
    said = _without_nulls(model)
    profiles = dict(_profiles(said, breaches))
    raise_if(breaches)
    return _settings(said, profiles)


def _without_nulls(model: RatsYml) -> dict[str, Any]:
    said: dict[str, Any] = model.model_dump(exclude_none=True)
    # No placement, and `build: {}` says something: that there is a Dockerfile.
    said["builds"] = {
        name: image.pop("build")
        for name, image in said.get("image", {}).items()
        if image is not None and "build" in image
    }
    for kind in settings.KINDS:
        profiles = said.get(kind, {}).items()
        said[kind] = {
            name: _pruned(part) for name, part in profiles if part is not None
        }
    said["ext"] = model.ext or {}
    return said


# Kubernetes' own form, where an empty mapping may mean "all".
_KEPT: Final = ("affinity",)


def _pruned(value: Any) -> Any:
    """Leave out what says nothing: null, false, zero, empty mappings and lists."""
    if not isinstance(value, dict):
        return value
    pruned = {k: part if k in _KEPT else _pruned(part) for k, part in value.items()}
    return {k: part for k, part in pruned.items() if part or part == ""}


def _profiles(
    said: Mapping[str, Any], breaches: list[Breach]
) -> Iterator[tuple[settings.Kind, dict[str, Any]]]:
    for kind in settings.KINDS:
        found = {}
        for name, part in said[kind].items():
            # How to pull an image that is not built yet says nothing.
            found[name] = {} if kind == "image" and "ref" not in part else part
            if kind == "bind":
                found[name], wrong = binding.flat(part)
                breaches += [_in_profile(name, breach) for breach in wrong]
        yield kind, found


def _in_profile(name: str, breach: Breach) -> Breach:
    subject = f"{SOURCE}, bind.{name}, {breach.subject}"
    return Breach(subject, breach.expected, breach.got, breach.remedy)


def _settings(
    said: Mapping[str, Any], profiles: dict[settings.Kind, dict[str, Any]]
) -> settings.Settings:
    store, limit = said.get("store"), said.get("import_limit")
    return settings.Settings(
        store=settings.StoreSettings(**store) if store else settings.StoreSettings(),
        import_limit=limit or settings.DEFAULT_IMPORT_LIMIT,
        profiles=profiles,
        default=_choice(said.get("default", {})),
        assign=tuple(map(_rule, said.get("assign", []))),
        grouping=settings.Grouping(**said.get("grouping", {})),
        ext={engine: part or {} for engine, part in said["ext"].items()},
        builds={name: _build(part) for name, part in said["builds"].items()},
        building=_building(said.get("build", {})),
    )


def _build(said: Mapping[str, Any]) -> settings.ImageBuild:
    args = {k: value for k, value in said.get("args", {}).items() if value is not None}
    return settings.ImageBuild(**{**said, "args": args})


def _building(said: Mapping[str, Any]) -> settings.Building:
    to = said.get("to", ["keep"])
    known = len(to) == 1 and to[0] in _SENT
    return settings.Building(tool=said.get("tool"), to=to[0] if known else tuple(to))


def _choice(said: Mapping[str, Any]) -> settings.Choice:
    return settings.Choice(
        image=said.get("image"),
        resources=said.get("resources"),
        policy=said.get("policy"),
        bind=tuple(said.get("bind", ())),
    )


def _rule(said: Mapping[str, Any]) -> settings.Rule:
    return settings.Rule(
        nodes=tuple(said.get("nodes", ())),
        namespaces=tuple(said.get("namespaces", ())),
        tags=tuple(said.get("tags", ())),
        choice=_choice(said),
        group=said.get("group"),
        cache=said.get("cache"),
    )
