"""The place of the store, as ``rats.yml`` says it."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator, StrictStr, WithJsonSchema

from kedro_rats.placement.fields import PLAIN, PLAIN_SAID, refused

_EXPECTED: Final = "a folder such as .rats, or s3://BUCKET/PREFIX"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(//)?")
_S3 = re.compile(
    r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/(?!\.{1,2}(/|$))[A-Za-z0-9._=-]+)*/?"
)


def _check(value: str) -> str:
    """Return the place; what may hold a password is refused and not shown."""
    if "@" in value and "://" in value:
        remedy = "Name an entry of credentials.yml: store: {uri: …, credentials: NAME}."
        raise refused("a place without credentials", remedy, got="one with an '@'")
    if not value.strip() or value != value.strip() or "\n" in value:
        raise refused(_EXPECTED, "Write it without spaces around.")
    scheme = _SCHEME.match(value)
    if scheme is None or scheme[1] == "file":
        if "{{" in value or "${" in value:
            raise refused(_EXPECTED, "Write it without placeholders.")
        return value
    if scheme[1] != "s3":
        remedy = "Other kinds of store are not supported."
        raise refused(_EXPECTED, remedy, got=f"{scheme[1]}:")
    if not re.fullmatch(PLAIN, value) or not _S3.fullmatch(value):
        remedy = f"Use {PLAIN_SAID} and the name of a bucket."
        raise refused(_EXPECTED, remedy)
    # One store has one name.
    return value.rstrip("/")


StoreUri = Annotated[
    StrictStr,
    AfterValidator(_check),
    WithJsonSchema({"type": "string", "pattern": r"^\S(.*\S)?$"}),
]
