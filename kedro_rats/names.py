"""Names and tags: what is allowed, and what the plugin's own ones mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kedro_rats.errors import Breach, listed, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

TYPE_PREFIX: Final = "rats."
"""Tags that begin so are the type of a node and are set by kedro-rats alone.

Kedro rebuilds nodes when it copies them (a subclass of ``Node`` would be lost) and only
ever adds tags, so a node's type is a tag.
"""

FIT: Final = "rats.fit"
APPLY: Final = "rats.apply"
TRAIN_ONLY: Final = "rats.train_only"
SCORE: Final = "rats.score"
GATHER: Final = "rats.gather"
SPLIT: Final = "rats.split"
TAKE: Final = "rats.take"
ASK: Final = "rats.ask"
TELL: Final = "rats.tell"
NODE_TYPES: Final = (
    FIT,
    APPLY,
    TRAIN_ONLY,
    SPLIT,
    TAKE,
    SCORE,
    GATHER,
    ASK,
    TELL,
)

PLACEMENT_KINDS: Final = ("image", "resources", "policy", "bind", "group", "cache")
"""Tags of these kinds (``image.NAME``, …) say where and how a node runs."""

FORMAT: Final = "rats/0"
"""The version of plans, records and the store's layout."""

MAX_LENGTH: Final = 200
"""Longest name that a user may give; nesting adds prefixes to it."""

_SECRET_WORDS: Final = {
    *("password", "passwd", "passphrase", "token", "tokens", "secret", "secrets"),
    *("key", "keys", "apikey", "credential", "credentials", "accesskey", "secretkey"),
}
# Names that end so say where a secret is, not what it is.
_PLACE_WORDS: Final = {"file", "path", "dir"}
_SECRET_ENDS: Final = ("password", "passwd", "apikey", "secret", "token")

_SEGMENT = r"\w[\w-]*"
_NAME = re.compile(rf"{_SEGMENT}(\.{_SEGMENT})*")
_DATASET = re.compile(rf"{_SEGMENT}(\.{_SEGMENT})*(@\w+)?")
_PARAMETERS = re.compile(r"parameters|params:[\w-]+(\.[\w-]+)*")
_TAG = re.compile(r"[\w.-]+")


def node_type(tags: Iterable[str]) -> str | None:
    """Return the type tag among ``tags``, or None for a node that is not ours.

    Example:
        >>> node_type({"rats.fit", "image.sklearn"})
        'rats.fit'
    """
    return next((tag for tag in NODE_TYPES if tag in set(tags)), None)


def tag_kind(tag: str) -> str | None:
    """Return the kind of a placement tag, or None for any other tag.

    Example:
        >>> tag_kind("image.sklearn"), tag_kind("nightly")
        ('image', None)
    """
    kind, dot, _ = tag.partition(".")
    return kind if dot and kind in PLACEMENT_KINDS else None


def is_parameter(dataset: str) -> bool:
    """Say whether Kedro takes a name from the parameters, not from the catalog.

    Example:
        >>> is_parameter("params:clf"), is_parameter("X")
        (True, False)
    """
    return dataset == "parameters" or dataset.startswith("params:")


def names_a_secret(variable: str) -> bool:
    """Say whether an environment variable is called like a secret.

    Example:
        >>> names_a_secret("PGPASSWORD"), names_a_secret("AWS_ACCESS_KEY_ID")
        (True, True)
        >>> names_a_secret("TOKENIZERS_PARALLELISM"), names_a_secret("KEY_FILE")
        (False, False)
    """
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", variable).lower().split("_")
    joined = any(word.endswith(_SECRET_ENDS) for word in words)
    joined = joined or variable.lower().endswith("_pwd")
    return words[-1] not in _PLACE_WORDS and (
        joined or not _SECRET_WORDS.isdisjoint(words)
    )


def base_name(dataset: str) -> str:
    """Return a dataset's name without Kedro's transcoding suffix.

    Example:
        >>> base_name("X@pandas")
        'X'
    """
    return dataset.partition("@")[0] if not is_parameter(dataset) else dataset


def snake_case(name: str) -> str:
    """Return a class's or function's name as Python writes functions.

    Example:
        >>> snake_case("LogisticRegression"), snake_case("PCA"), snake_case("log1p")
        ('logistic_regression', 'pca', 'log1p')
    """
    words = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z\d])([A-Z])", r"\1_\2", words).lower()


def check_name(subject: str, name: object) -> list[Breach]:
    """Return what is wrong with the name of an estimator, a namespace or a metric."""
    return _check(
        subject, name, _NAME, "a name of letters, digits, '_' and '-' (dots between)"
    )


def check_dataset(subject: str, name: object) -> list[Breach]:
    """Return what is wrong with the name of a dataset or of parameters."""
    if isinstance(name, str) and is_parameter(name):
        return _check(
            subject, name, _PARAMETERS, "parameters as 'params:NAME' or 'parameters'"
        )
    return _check(
        subject, name, _DATASET, "a dataset name of letters, digits, '_', '-' and dots"
    )


def check_tags(subject: str, tags: Iterable[object]) -> list[Breach]:
    """Return what is wrong with tags that a user gives."""
    breaches = []
    for tag in tags:
        breaches += _check(subject, tag, _TAG, "tags of letters, digits, '_', '-', '.'")
        if isinstance(tag, str) and tag.startswith(TYPE_PREFIX):
            breaches.append(
                Breach(
                    subject,
                    f"tags that do not begin with {TYPE_PREFIX!r}",
                    shown(tag),
                    "kedro-rats sets the type of a node itself: leave this tag out.",
                )
            )
    return breaches


def check_one_of_a_kind(subject: str, tags: Iterable[str]) -> list[Breach]:
    """Return a breach for each placement kind of which there are two tags."""
    by_kind: dict[str, list[str]] = {}
    for tag in sorted(set(tags)):
        kind = tag_kind(tag)
        if kind is not None:
            by_kind.setdefault(kind, []).append(tag)
    return [
        Breach(
            subject,
            f"at most one tag {kind}.NAME",
            listed(same),
            "A node runs in one place: keep one of them.",
        )
        for kind, same in by_kind.items()
        if len(same) > 1
    ]


def _check(
    subject: str, name: object, pattern: re.Pattern[str], expected: str
) -> list[Breach]:
    if not isinstance(name, str):
        return [Breach(subject, expected, shown(name), "Give it as a string.")]
    if len(name) > MAX_LENGTH:
        got = f"{len(name)} characters"
        return [Breach(subject, f"at most {MAX_LENGTH} characters", got, "Shorten it.")]
    if not pattern.fullmatch(name):
        return [Breach(subject, expected, shown(name), "Rename it.")]
    return []
