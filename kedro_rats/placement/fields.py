"""The types of single values in ``rats.yml``.

What may reach an engine's manifest is limited to characters that mean nothing to a
shell, to YAML or to a template, so no quoting is ever needed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from kedro_rats.placement import quantities

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler

CUSTOM: Final = "rats"
"""Type of the validation errors that carry ``expected``, ``remedy`` and maybe ``got``."""

PLAIN: Final = r"[A-Za-z0-9._/:@=-]*"
PLAIN_SAID: Final = "letters, digits and . _ / : @ = -"

_SUBDOMAIN = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"

JsonSchema = dict[str, Any]


def refused(expected: str, remedy: str, *, got: str | None = None) -> Exception:
    """Return the error that a validator raises; it ends as one ``Breach``.

    Args:
        expected: What the rule asks for.
        remedy: What to do, as a whole sentence.
        got: What was there; None to show the value.
    """
    said = {"expected": expected, "remedy": remedy}
    if got is not None:
        said["got"] = got
    return PydanticCustomError(CUSTOM, "{expected}", said)


@dataclass(frozen=True)
class Text:
    """The type of a string that matches a pattern as a whole."""

    pattern: str
    expected: str
    remedy: str
    longest: int = 253

    def check(self, value: str) -> str:
        """Return the value, or raise what ``refused`` returns."""
        if len(value) > self.longest:
            got = f"{len(value)} characters"
            expected = f"at most {self.longest} characters"
            raise refused(expected, "Shorten it.", got=got)
        if not re.fullmatch(self.pattern, value):
            raise refused(self.expected, self.remedy)
        return value

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            self.check, core_schema.str_schema(strict=True)
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchema:
        return self.json_schema()

    def json_schema(self) -> JsonSchema:
        """Return what editors are told."""
        pattern = f"^(?:{self.pattern})$"
        return {"type": "string", "pattern": pattern, "maxLength": self.longest}


@dataclass(frozen=True)
class Quantity:
    """The type of what ``quantities`` reads; its value is canonical."""

    read: Callable[[object], object]
    pattern: str
    number: bool = True

    def check(self, value: object) -> object:
        """Return the value in canonical form, or raise what ``refused`` returns."""
        try:
            return self.read(value)
        except quantities.QuantityError as error:
            raise refused(error.expected, error.remedy) from error

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchema:
        text = {"type": "string", "pattern": f"^(?:{self.pattern})$"}
        number = {"type": "number", "exclusiveMinimum": 0}
        return {"anyOf": [number, text]} if self.number else text


@dataclass(frozen=True)
class ShortForm:
    """Lets a simple value stand for a mapping or a list.

    Args:
        expand: Makes the long form of the short one, and leaves all else as it is.
        schema: What a short form looks like: a ``Text``, or items of a JSON Schema.
    """

    expand: Callable[[object], object]
    schema: Text | tuple[tuple[str, object], ...]

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            self.expand, handler(source)
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchema:
        short = self.schema
        said = short.json_schema() if isinstance(short, Text) else dict(short)
        return {"anyOf": [said, handler(schema)]}


def _as_it_is(value: object) -> object:
    return value


@dataclass(frozen=True)
class AllOr:
    """The type of the word ``all``, or of a mapping."""

    mapping: object

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(
            self.check,
            handler.generate_schema(self.mapping),
            # Both forms are plain data already: written as they are, without a warning.
            serialization=core_schema.plain_serializer_function_ser_schema(_as_it_is),
        )

    @staticmethod
    def check(value: object, otherwise: Callable[[object], object]) -> object:
        """Return the word, or what the mapping's own check makes of the value."""
        return "all" if value == "all" else otherwise(value)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchema:
        return {"anyOf": [{"const": "all"}, handler(schema)]}


Size = Annotated[str, Quantity(quantities.room_text, quantities.SIZE_PATTERN)]
SizeInBytes = Annotated[
    int, Quantity(quantities.size_in_bytes, quantities.SIZE_PATTERN)
]
Cpu = Annotated[str, Quantity(quantities.cpu_text, quantities.CPU_PATTERN)]
Duration = Annotated[
    int,
    Quantity(quantities.duration_in_seconds, quantities.DURATION_PATTERN, number=False),
]

PROFILE_NAME: Final = Text(
    r"[A-Za-z0-9_][A-Za-z0-9_.-]*",
    "a name of letters, digits, '_', '-' and '.'",
    "Rename it: a tag must be able to hold it.",
    longest=100,
)
ProfileName = Annotated[str, PROFILE_NAME]
_REPOSITORY = r"[a-z0-9][a-z0-9.-]*(:[0-9]{1,5}(?=/))?(/[a-z0-9][a-z0-9._-]*)*"
IMAGE_REFERENCE: Final = Text(
    rf"{_REPOSITORY}"
    r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?",
    "an image such as registry.example/app:1.2 or registry.example/app@sha256:DIGEST",
    "Write the name in lower case, and a digest with 64 digits 0-9 and a-f.",
    longest=500,
)
ImageReference = Annotated[str, IMAGE_REFERENCE]
Repository = Annotated[
    str,
    Text(
        _REPOSITORY,
        "the name of an image without tag and digest, such as registry.example/app",
        "Write it in lower case; the tag is made of what is built.",
        longest=255,
    ),
]
ResourceName = Annotated[
    str,
    Text(
        _SUBDOMAIN,
        "the name of a Kubernetes object: lower case letters, digits, '-' and '.'",
        "Give the name as the cluster lists it.",
    ),
]
LabelKey = Annotated[
    str,
    Text(
        rf"({_SUBDOMAIN}/)?{_LABEL}",
        "a Kubernetes label such as gpu or example.com/gpu",
        "Give the label as the cluster lists it.",
        longest=317,
    ),
]
LabelValue = Annotated[
    str,
    Text(
        rf"({_LABEL})?",
        "the value of a label: at most 63 letters, digits, '.', '_' and '-'",
        "Give the value as the cluster lists it.",
        longest=63,
    ),
]
Variable = Annotated[
    str,
    Text(
        r"[A-Za-z_][A-Za-z0-9_]*",
        "the name of an environment variable: letters, digits and '_'",
        "Rename it.",
    ),
]
SecretKey = Annotated[
    str,
    Text(
        r"[A-Za-z0-9._-]+",
        "a key of letters, digits, '.', '_' and '-'",
        "Give the key as the secret or config map lists it.",
    ),
]
Prefix = Annotated[
    str,
    Text(
        r"[A-Za-z_][A-Za-z0-9_]*",
        "the beginning of a variable's name: letters, digits and '_'",
        "Change it.",
        longest=100,
    ),
]
MOUNT_PATH: Final = Text(
    r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._@=-]+)+",
    "an absolute folder such as /data, without '..'",
    "Use letters, digits and . _ @ = - between slashes.",
)
MountPath = Annotated[str, MOUNT_PATH]
InnerPath = Annotated[
    str,
    Text(
        r"(?!\.{1,2}(/|$))[A-Za-z0-9._@=-]+(/(?!\.{1,2}(/|$))[A-Za-z0-9._@=-]+)*",
        "a relative path such as models/best, without '..'",
        "Use letters, digits and . _ @ = - between slashes.",
    ),
]
ContextPath = Annotated[
    str,
    Text(
        r"\.|(\.\./)*(\.\.|(?!\.{1,2}(/|$))[A-Za-z0-9._@=-]+(/(?!\.{1,2}(/|$))[A-Za-z0-9._@=-]+)*)",
        "a folder such as ., images/spark or ..",
        "Use letters, digits and . _ @ = - between slashes.",
    ),
]
Stage = Annotated[
    str,
    Text(
        r"[A-Za-z0-9][A-Za-z0-9_.-]*",
        "the name of a stage: letters, digits, '_', '-' and '.'",
        "Give it as the Dockerfile does, after AS.",
        longest=100,
    ),
]
Platform = Annotated[
    str,
    Text(
        r"[a-z0-9]+/[a-z0-9_]+(/v[0-9]+)?",
        "a platform such as linux/amd64",
        "Give the system and the processor of the machines on which nodes run.",
        longest=60,
    ),
]
BuildArgument = Annotated[
    str,
    Text(
        r"[^\x00-\x1f\x7f]*",
        "one line of text",
        "Leave out what does not print.",
        longest=2000,
    ),
]
FileMode = Annotated[
    str,
    Text(
        r"0?[0-7]{3}",
        'a file mode in quotes, such as "0400"',
        "Quote it: YAML reads 0400 as the number 256.",
        longest=4,
    ),
]
PATTERN: Final = Text(
    r"[A-Za-z0-9_.*?\[\]!-]+",
    "a pattern of letters, digits, '_', '-', '.', '*', '?' and [...]",
    "Names of nodes and tags hold no other characters.",
    longest=500,
)
Pattern = Annotated[str, PATTERN]
GroupName = Annotated[
    str,
    Text(
        r"[A-Za-z0-9_][A-Za-z0-9_.-]*",
        "a name of letters, digits, '_', '-' and '.'",
        "Rename it.",
        longest=100,
    ),
]
CredentialsName = Annotated[
    str,
    Text(
        r"[A-Za-z0-9_][A-Za-z0-9_.-]*",
        "the name of an entry in credentials.yml",
        "Never write credentials into rats.yml.",
        longest=200,
    ),
]
EngineName = Annotated[
    str,
    Text(
        r"[a-z][a-z0-9_]*",
        "the name of an engine, such as argo",
        "Write it in lower case.",
        longest=40,
    ),
]
