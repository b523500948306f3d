"""The model of ``ext.argo`` in ``rats.yml``.

This module imports pydantic. It is imported only where something is said there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    Field,
    StrictBool,
    StrictInt,
    ValidationError,
    WithJsonSchema,
)

from kedro_rats.errors import raise_if
from kedro_rats.placement.complaints import breaches_of
from kedro_rats.placement.fields import (
    PLAIN,
    PLAIN_SAID,
    Duration,
    LabelKey,
    LabelValue,
    ResourceName,
    SecretKey,
    Text,
    refused,
)
from kedro_rats.placement.profiles import Strict
from kedro_rats.placement.secrets import refuse_value

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE: Final = "rats.yml"
IMAGES_OWN: Final = "image"
"""In place of a user's number: the user that each image names."""

LARGEST_USER: Final = 2**31 - 1

_OURS: Final = re.compile(r"(rats\.kedro|([a-z0-9-]+\.)*argoproj\.io)/.*")


def _of_the_user(key: str) -> str:
    if _OURS.fullmatch(key):
        remedy = "Rename it: these are set by kedro-rats and by Argo."
        raise refused("a name that is not rats.kedro/… or …argoproj.io/…", remedy)
    return key


def _not_a_secret(value: str) -> str:
    refuse_value(value)
    return value


def _not_nothing(value: int) -> int:
    if value == 0:
        raise refused("at least 1s", "Leave it out for the default.", got="0s")
    return value


def _user(value: Any) -> Any:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if value in (None, IMAGES_OWN) or (is_number and 1 <= value <= LARGEST_USER):
        return value
    expected = f"the number of a user, at least 1, or {IMAGES_OWN}"
    raise refused(expected, "Pods never run as root: give another number.")


OwnKey = Annotated[LabelKey, AfterValidator(_of_the_user)]
Said = Annotated[
    str,
    Text(PLAIN, f"a text of {PLAIN_SAID}", "Leave other characters out.", longest=1000),
    AfterValidator(_not_a_secret),
]
Context = Annotated[
    str,
    Text(rf"(?!$){PLAIN}", f"a context: {PLAIN_SAID}", "Give it as kubectl lists it."),
]
ServerUrl = Annotated[
    str,
    Text(
        r"https?://[A-Za-z0-9._-]+(:[0-9]{1,5})?(/[A-Za-z0-9._/-]*)?",
        "a URL such as https://argo.example.com, without a user or a query",
        "Give the address of Argo's server; its token is read from ARGO_TOKEN.",
        longest=500,
    ),
]
Seconds = Annotated[Duration, AfterValidator(_not_nothing)]
User = Annotated[
    Any,
    AfterValidator(_user),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": LARGEST_USER},
                {"const": IMAGES_OWN},
            ]
        }
    ),
]


class Repository(Strict):
    """A config map that describes where Argo keeps artifacts."""

    config_map: ResourceName
    key: SecretKey | None = None


class Argo(Strict):
    """Settings of the engine for Argo Workflows."""

    namespace: ResourceName | None = None
    context: Context | None = None
    server: ServerUrl | None = None
    service_account: ResourceName | None = None
    parallelism: Annotated[StrictInt, Field(ge=1, le=100_000)] | None = None
    deadline: Seconds | None = None
    keep: Seconds | None = None
    pods: Literal["on_success", "on_end", "keep"] | None = None
    pending: Seconds | None = None
    retries: Annotated[StrictInt, Field(ge=0, le=100)] | None = None
    artifacts: StrictBool | None = None
    artifact_repository: Repository | None = None
    run_as_user: User = None
    api_token: StrictBool | None = None
    labels: dict[OwnKey, LabelValue | None] | None = None
    annotations: dict[OwnKey, Said | None] | None = None
    queue_label: LabelKey | None = None
    priority: Annotated[StrictInt, Field(ge=-(10**9), le=10**9)] | None = None


class Ext(Strict):
    """The part of ``rats.yml`` that is for engines, as far as this one reads it."""

    argo: Argo


class Part(Strict):
    """The part of ``rats.yml`` that this engine reads."""

    ext: Ext


def parse(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a mapping says, by the names of ``ArgoSettings``.

    Args:
        said: What stands under ``ext: {argo: …}``.

    Raises:
        DefinitionError: With all that is wrong in it.
    """
    try:
        model = Part.model_validate({"ext": {"argo": dict(said)}}).ext.argo
    except ValidationError as error:
        raise_if(breaches_of(error, Part, SOURCE))
        raise
    found: dict[str, Any] = model.model_dump(exclude_none=True)
    for name in ("labels", "annotations"):
        given = found.get(name, {})
        found[name] = {
            key: text for key, text in sorted(given.items()) if text is not None
        }
    if found.get("run_as_user") == IMAGES_OWN:
        found["run_as_user"] = None
    return found
