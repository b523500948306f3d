"""Datasets of the catalog, made from their entries: in a folder of ours, or in place."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro_rats.errors import Breach, DefinitionError, raise_if, shown
from kedro_rats.plan.entries import entry_breaches
from kedro_rats.store.catalogued.entries import (
    LOCAL,
    kind_of_named,
    location_of,
    unwrapped,
)
from kedro_rats.store.catalogued.places import named_credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kedro.io import AbstractDataset
    from kedro.io.core import Version

    from kedro_rats.store.catalogued.entries import Entry

_ARGUMENTS_OF_LIBRARIES = ("load_args", "save_args")


def staged(name: str, entry: Entry, folder: Path) -> AbstractDataset[Any, Any]:
    """Return a dataset like that of an entry, whose files lie in ``folder``.

    Class, arguments and the last part of the path are those of the entry, so what it
    writes and reads is what the entry's own dataset would. It has no version and no
    credentials, and no arguments of a remote file system. Of a ``CachedDataset`` it is
    the dataset inside. A transcoded entry (``x@spark``) reads what another one of the
    same path wrote.

    Args:
        name: The dataset's name, for errors.
        entry: The catalog's entry, credentials as a name.
        folder: Where its files are made or were put: ``folder/BASENAME``, which may
            become a folder itself.

    Raises:
        DefinitionError: If it cannot be staged, or its class cannot be imported or made.
    """
    raise_if(entry_breaches(name, entry))
    location = location_of(entry)
    if kind_of_named(entry, f"dataset {name!r}") == "in_place" or location is None:
        got, remedy = shown(entry["type"]), "It is loaded and saved in place."
        expected = "one whose files can be moved"
        raise DefinitionError(Breach(f"dataset {name!r}", expected, got, remedy))
    config = _without_remote(unwrapped(entry), remote=location.protocol != LOCAL)
    config[location.argument] = str(Path(folder).absolute() / location.base)
    if "validator" in entry:
        config["validator"] = entry["validator"]
    return _made(name, config, _unversioned, [])


def in_place(
    name: str,
    entry: Entry,
    *,
    credentials: Mapping[str, Mapping[str, Any]] | None = None,
    version: Version | None = None,
) -> AbstractDataset[Any, Any]:
    """Return the dataset of an entry itself.

    Args:
        name: The dataset's name, for errors.
        entry: The catalog's entry, credentials as a name.
        credentials: The project's credentials by name.
        version: The versions to load and to save, for a versioned entry.

    Raises:
        DefinitionError: If credentials are missing, or its class cannot be imported or
            made. No value of the credentials is shown.
    """
    from kedro.io.core import parse_dataset_definition

    raise_if(entry_breaches(name, entry))
    secrets: list[str] = []
    config = _with_credentials(dict(entry), credentials or {}, secrets)
    load, save = version or (None, None)

    def made_by(config: dict[str, Any]) -> Any:
        kind, arguments = parse_dataset_definition(config, load, save)
        return kind(**arguments)

    return _made(name, config, made_by, secrets)


def _without_remote(config: dict[str, Any], *, remote: bool) -> dict[str, Any]:
    """Return a configuration without what a local, unversioned dataset has no use for."""
    kept = {k: v for k, v in config.items() if k not in {"credentials", "versioned"}}
    if remote:
        given = kept.pop("fs_args", None) or {}
        opening = {k: v for k, v in given.items() if k.startswith("open_args")}
        kept |= {"fs_args": opening} if opening else {}
        for key in _ARGUMENTS_OF_LIBRARIES:
            if isinstance(kept.get(key), dict):
                arguments = kept[key].items()
                kept[key] = {k: v for k, v in arguments if k != "storage_options"}
    if isinstance(kept.get("dataset"), dict):
        kept["dataset"] = _without_remote(kept["dataset"], remote=remote)
    return kept


def _with_credentials(
    config: dict[str, Any],
    credentials: Mapping[str, Mapping[str, Any]],
    secrets: list[str],
) -> dict[str, Any]:
    """Return a configuration with credentials in place of their names, as Kedro does."""
    resolved: dict[str, Any] = {}
    for key, value in config.items():
        if key == "credentials" and isinstance(value, str):
            resolved[key] = named_credentials(value, credentials)
            secrets += _texts(resolved[key])
        elif isinstance(value, dict):
            resolved[key] = _with_credentials(value, credentials, secrets)
        else:
            resolved[key] = value
    return resolved


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inside = value.values() if hasattr(value, "values") else value
    if isinstance(inside, (int, float)) or not hasattr(inside, "__iter__"):
        return [str(inside)] if inside is not None else []
    return [text for item in inside for text in _texts(item)]


def _made(
    name: str, config: dict[str, Any], made_by: Callable[..., Any], secrets: list[str]
) -> AbstractDataset[Any, Any]:
    """Return the dataset of a configuration, validated as Kedro's catalog would."""
    from kedro.io import core

    validator = None
    if hasattr(core, "VALIDATOR_KEY"):
        config = dict(config)
        validator = config.pop(core.VALIDATOR_KEY, None)
    try:
        dataset = made_by(config)
    except Exception as reason:  # noqa: BLE001 - a constructor raises anything
        error, showable = _not_made(name, config, reason, secrets)
        # The first error would show the secrets in a traceback.
        raise error from (reason if showable else None)
    if validator is None:
        return dataset  # type: ignore[no-any-return]
    from kedro_rats.store.catalogued.validation import Validated

    return Validated(name, dataset, validator)


def _unversioned(config: dict[str, Any]) -> Any:
    from kedro.io.core import VERSION_KEY, parse_dataset_definition

    kind, arguments = parse_dataset_definition(config)
    # A class may be versioned whatever the entry says, and may insist on the argument.
    arguments.pop(VERSION_KEY, None)
    wanted = inspect.signature(kind).parameters.get(VERSION_KEY)
    if wanted is not None and wanted.default is wanted.empty:
        arguments[VERSION_KEY] = None
    return kind(**arguments)


def _not_made(
    name: str, config: Entry, reason: Exception, secrets: list[str]
) -> tuple[DefinitionError, bool]:
    text = " ".join(str(reason).split())
    # Kedro's own advice comes last; ours is shorter.
    text = re.split(r"\.? (?:Hint:|Please (?:see|install|check)) ", text)[0].rstrip(".")
    shows = [secret for secret in secrets if secret and secret in str(reason)]
    for secret in sorted(shows, key=len, reverse=True):
        text = text.replace(secret, "***")
    kind = str(config["type"])
    package = "" if isinstance(reason, TypeError) else _package(kind)
    expected = f"a dataset of type {kind}"
    got = f"{type(reason).__name__}: {text}"
    remedy = f"Check its type and arguments{package}."
    breach = Breach(f"dataset {name!r}", expected, got, remedy)
    return DefinitionError(breach), not shows


def _package(kind: str) -> str:
    """Say what to install for a type of kedro-datasets; nothing for other types."""
    words = kind.removeprefix("kedro_datasets.").split(".")
    if len(words) < 2 or words[0] == "kedro" or not words[-1].endswith("Dataset"):
        return ""
    if len(words) > 2 and not kind.startswith("kedro_datasets."):
        return f", and that {words[0]} is installed"
    return f"; install kedro-datasets[{words[0]}-{words[-1].lower()}]"
