"""The profiles of ``rats.yml``: images, resources, policies and bindings."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    WithJsonSchema,
    model_validator,
)
from typing_extensions import Self

from kedro_rats.placement import quantities
from kedro_rats.placement.fields import (
    IMAGE_REFERENCE,
    MOUNT_PATH,
    PLAIN,
    AllOr,
    BuildArgument,
    ContextPath,
    Cpu,
    Duration,
    FileMode,
    ImageReference,
    InnerPath,
    LabelKey,
    LabelValue,
    MountPath,
    Platform,
    Prefix,
    Repository,
    ResourceName,
    SecretKey,
    ShortForm,
    Size,
    Stage,
    Variable,
    refused,
)
from kedro_rats.placement.freely import Affinity  # noqa: TC001 - pydantic reads it
from kedro_rats.placement.secrets import OF_A_BUILD, looks_like_a_secret, refuse_value


class Strict(BaseModel):
    """A mapping with fixed keys; ``null`` stands for a key that is not there."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _unless(default: object) -> AfterValidator:
    """Leave a value out that is the default: equal profiles have equal bytes."""
    return AfterValidator(lambda value: None if value == default else value)


Count = Annotated[StrictInt, Field(ge=1, le=10**9)]


# --- image ----------------------------------------------------------------------------


def _no_secret(value: str) -> str:
    if looks_like_a_secret(value):
        raise refused("no secret in plain text", OF_A_BUILD, got="a value like one")
    return value


class Build(Strict):
    """How an image is built from files of the project."""

    name: Repository | None = None
    dockerfile: InnerPath | None = None
    context: ContextPath | None = None
    target: Stage | None = None
    platform: Platform | None = None
    args: (
        dict[Variable, Annotated[BuildArgument, AfterValidator(_no_secret)] | None]
        | None
    ) = None


class Image(Strict):
    """A container image; a text stands for its ``ref``."""

    ref: ImageReference | None = None
    pull: Literal["Always", "IfNotPresent", "Never"] | None = None
    pull_secrets: list[ResourceName] | None = None
    build: Build | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if self.ref is None and (self.build is None or self.build.name is None):
            remedy = "Name the image, or say what its build is to be called."
            raise refused("ref or build.name", remedy, got="neither")
        return self


def _as_ref(value: object) -> object:
    return {"ref": value} if isinstance(value, str) else value


AnyImage = Annotated[Image, ShortForm(_as_ref, IMAGE_REFERENCE)]


# --- resources ------------------------------------------------------------------------


class Gpu(Strict):
    """A number of graphics processors; a number stands for its ``count``."""

    count: Annotated[StrictInt, Field(ge=0, le=64)]
    resource: Annotated[LabelKey, _unless("nvidia.com/gpu")] | None = None


def _as_count(value: object) -> object:
    is_count = isinstance(value, int) and not isinstance(value, bool)
    return {"count": value} if is_count else value


AnyGpu = Annotated[
    Gpu, ShortForm(_as_count, (("type", "integer"), ("minimum", 0), ("maximum", 64)))
]


class Toleration(Strict):
    """Lets a node run on machines with a taint, as in Kubernetes."""

    key: LabelKey | None = None
    operator: Literal["Exists", "Equal"] | None = None
    value: LabelValue | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    seconds: Annotated[StrictInt, Field(ge=0, le=10**9)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _with_operator(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("operator") is None:
            exists = value.get("value") is None
            return {**value, "operator": "Exists" if exists else "Equal"}
        return value

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.operator == "Exists" and self.value is not None:
            remedy = "Leave the value or the operator out."
            raise refused("no value with operator Exists", remedy, got="a value")
        if self.operator == "Equal" and self.value is None:
            remedy = "Say which value, or use operator Exists."
            raise refused("a value with operator Equal", remedy, got="none")
        if self.key is None and (self.value is not None or self.operator != "Exists"):
            remedy = "Name the taint's key; 'operator: Exists' alone tolerates all."
            raise refused("a key", remedy, got="none")
        return self


class Limits(Strict):
    """Where a limit is not the request."""

    cpu: Cpu | None = None
    memory: Size | None = None
    disk: Size | None = None


class Resources(Strict):
    """What a node asks for, and where that is to be found."""

    cpu: Cpu | None = None
    memory: Size | None = None
    disk: Size | None = None
    gpu: AnyGpu | None = None
    extended: dict[LabelKey, Count | None] | None = None
    limits: Limits | None = None
    node_selector: dict[LabelKey, LabelValue | None] | None = None
    tolerations: list[Toleration] | None = None
    affinity: Affinity | None = None
    scheduler: ResourceName | None = None
    queue: LabelValue | None = None
    priority: ResourceName | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        limits = self.limits or Limits()
        for name, read in (
            ("cpu", quantities.cpu_in_millis),
            ("memory", quantities.size_in_bytes),
            ("disk", quantities.size_in_bytes),
        ):
            asked, most = getattr(self, name), getattr(limits, name)
            if asked is not None and most is not None and read(most) < read(asked):
                expected = f"limits.{name} of at least {name}, {asked}"
                raise refused(expected, "Raise the limit.", got=most)
        if self.gpu and (self.gpu.resource or "nvidia.com/gpu") in (
            self.extended or {}
        ):
            remedy = "Leave it out of extended."
            raise refused("a gpu named once", remedy, got="gpu and extended")
        return self


# --- policy ---------------------------------------------------------------------------


def _whole(value: float) -> float:
    # 2 and 2.0 are one factor, and must be one text in a plan.
    return int(value) if value.is_integer() else value


Factor = Annotated[StrictFloat, Field(ge=1, le=100), AfterValidator(_whole), _unless(2)]


class Backoff(Strict):
    """How long to wait before a retry."""

    delay: Duration
    factor: Factor | None = None
    max: Duration | None = None


class Policy(Strict):
    """What happens when a node fails, or does not end."""

    retries: Annotated[StrictInt, Field(ge=0, le=100)] | None = None
    backoff: Backoff | None = None
    timeout: Duration | None = None
    deadline: Duration | None = None
    pending: Duration | None = None
    memory_ladder: list[Size] | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        for name in ("timeout", "deadline", "pending"):
            if getattr(self, name) == 0:
                remedy = "Leave it out for no limit."
                raise refused(f"{name} of at least 1s", remedy, got="0s")
        steps = [quantities.size_in_bytes(step) for step in self.memory_ladder or []]
        if any(low >= high for low, high in pairwise(steps)):
            got = ", ".join(self.memory_ladder or [])
            remedy = "Put the smallest first."
            raise refused("memory_ladder in rising order", remedy, got=got)
        if self.timeout and self.deadline and self.deadline < self.timeout:
            got = f"{self.deadline}s"
            remedy = "The deadline is for all attempts together: raise it."
            raise refused(f"a deadline of at least {self.timeout}s", remedy, got=got)
        return self


# --- bind -----------------------------------------------------------------------------


class Files(Strict):
    """Where keys are put as files; a text stands for ``mount``."""

    mount: MountPath
    items: dict[InnerPath, SecretKey | None] | None = None
    mode: FileMode | None = None


def _as_mount(value: object) -> object:
    return {"mount": value} if isinstance(value, str) else value


AnyFiles = Annotated[Files, ShortForm(_as_mount, MOUNT_PATH)]


class Source(Strict):
    """What is taken from a secret or a config map, as variables or as files."""

    env: Annotated[Any, AllOr(dict[Variable, SecretKey | None])] = None
    prefix: Prefix | None = None
    files: AnyFiles | None = None
    optional: StrictBool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.env is None and self.files is None:
            remedy = "Write 'env: all', 'env: {VARIABLE: key}' or 'files: /folder'."
            raise refused("env or files", remedy, got="neither")
        if self.prefix is not None and self.env != "all":
            remedy = "Name the variables in full, or write 'env: all'."
            raise refused("a prefix with 'env: all' only", remedy, got="a prefix")
        return self


class Volume(Strict):
    """A volume claim that exists, or a scratch folder that is gone afterwards."""

    claim: ResourceName | None = None
    sub_path: InnerPath | None = None
    read_only: StrictBool | None = None
    scratch: Size | None = None
    medium: Annotated[Literal["disk", "memory"], _unless("disk")] | None = None

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if (self.claim is None) == (self.scratch is None):
            got = "neither" if self.claim is None else "both"
            remedy = "Write 'claim: NAME' or 'scratch: 10Gi'."
            raise refused("claim or scratch", remedy, got=got)
        if self.claim is None and (self.sub_path or self.read_only):
            remedy = "They belong to a claim."
            raise refused("no sub_path or read_only for scratch", remedy, got="one")
        if self.scratch is None and self.medium:
            remedy = "It belongs to scratch."
            raise refused("no medium for a claim", remedy, got=self.medium)
        return self


def _harmless(value: str) -> str:
    refuse_value(value)
    return value


EnvValue = Annotated[
    StrictStr,
    AfterValidator(_harmless),
    WithJsonSchema({"type": "string", "pattern": f"^{PLAIN}$"}),
]


class Bind(Strict):
    """What a node finds in its environment and in its file system."""

    env: dict[Variable, EnvValue | None] | None = None
    secrets: dict[ResourceName, Source | None] | None = None
    config_maps: dict[ResourceName, Source | None] | None = None
    volumes: dict[MountPath, Volume | None] | None = None
