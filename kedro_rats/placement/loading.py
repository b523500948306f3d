"""Reads ``rats.yml`` through Kedro's configuration loader."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.errors import Breach, DefinitionError
from kedro_rats.placement.settings import Settings

if TYPE_CHECKING:
    from kedro.config import AbstractConfigLoader

KEY: Final = "rats"
PATTERNS: Final = ("rats*", "rats*/**")


def load_settings(config_loader: AbstractConfigLoader) -> Settings:
    """Return what ``rats.yml`` says in the base and in the chosen environment.

    Environments are merged softly, key by key; a list replaces a list. A pattern or
    merge strategy that the project sets for ``rats`` itself (``CONFIG_LOADER_ARGS``) is
    kept, and the loader is left as it is. Without a file the defaults hold.

    Args:
        config_loader: ``context.config_loader``.

    Raises:
        DefinitionError: If a file cannot be read, or something in it is wrong.
    """
    data = _read(config_loader)
    if not data:
        return Settings()
    # pydantic takes longer to import than everything else here.
    from kedro_rats.placement import schema

    return schema.parse(data)


def _read(config_loader: AbstractConfigLoader) -> dict[str, Any]:
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError  # type: ignore[import-untyped]

    loader = _with_pattern(config_loader)
    try:
        return _found(loader)
    except DefinitionError:
        raise
    # A plain AttributeError or ValueError: what Kedro or OmegaConf make of a file that
    # holds no mapping, of bytes that are no text, and of a key that is in two files.
    except (
        *(YAMLError, OmegaConfBaseException, ValueError, OSError),
        *(AttributeError, TypeError, RecursionError),
    ) as error:
        raise DefinitionError(*(_wrong_files(loader) or [_unknown(error)])) from error


def _with_pattern(config_loader: AbstractConfigLoader) -> AbstractConfigLoader:
    """Return a copy of the loader that knows our files; the user's stays as it is."""
    loader = copy.copy(config_loader)
    for name, added in (
        ("config_patterns", {KEY: list(PATTERNS)}),
        ("merge_strategy", {KEY: "soft"}),
    ):
        known = getattr(loader, name, None)
        if isinstance(known, dict):
            setattr(loader, name, {**added, **known})
    return loader


def _found(loader: AbstractConfigLoader) -> dict[str, Any]:
    # Here, so that who reads a plan alone does not wait for Kedro.
    from kedro.config import MissingConfigException

    try:
        return dict(loader[KEY])
    except KeyError:
        # A loader of the project's own, which knows nothing of us.
        return {}
    except MissingConfigException as error:
        base = getattr(loader, "base_env", None)
        chosen = loader.env
        if chosen and chosen != base and "not a valid directory" in str(error):
            got = f"no folder for {chosen!r}"
            remedy = "Make the folder, or choose another one with --env."
            breach = Breach("--env", "an environment of conf", got, remedy)
            raise DefinitionError(breach) from error
        return _of_base_alone(loader, base)


def _of_base_alone(loader: AbstractConfigLoader, base: str | None) -> dict[str, Any]:
    """Read again for the base: a fresh clone may have no ``conf/local``."""
    if not base or loader.env == base:
        return {}
    loader.env = base
    return _found(loader)


def _wrong_files(loader: AbstractConfigLoader) -> list[Breach]:
    """Say which files are wrong, and where: Kedro does not always name the file.

    Looks only where the configuration is in a local folder.
    """
    conf = Path(str(loader.conf_source))
    environments = (
        getattr(loader, "base_env", None),
        loader.env or getattr(loader, "default_run_env", None),
    )
    patterns = getattr(loader, "config_patterns", {}).get(KEY, ())
    paths = (
        path
        for environment in dict.fromkeys(filter(None, environments))
        for pattern in patterns
        for path in sorted((conf / environment).glob(pattern))
        if path.suffix in {".yml", ".yaml", ".json"} and path.is_file()
    )
    found = (_wrong_in(path, path.relative_to(conf.parent)) for path in paths)
    return [breach for breach in dict.fromkeys(found) if breach is not None]


def _wrong_in(path: Path, shown: Path) -> Breach | None:
    from omegaconf import DictConfig, OmegaConf
    from yaml import YAMLError

    name, expected = shown.as_posix(), "YAML"
    remedy = "Indent with spaces, and put texts with ':' or '{' in quotes."
    try:
        loaded = OmegaConf.load(path)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "a character that YAML forbids"
        if "duplicate key" in problem:
            expected, remedy = "each key once", "Put both values under one of them."
        return Breach(f"{name}{place}", expected, " ".join(problem.split()), remedy)
    except UnicodeDecodeError:
        return Breach(name, "UTF-8", "other bytes", "Save the file as UTF-8.")
    except (OSError, ValueError, RecursionError) as error:
        return Breach(name, expected, _one_line(error), remedy)
    if not isinstance(loaded, DictConfig):
        return Breach(name, "a mapping", "a list", "Begin with a key such as image:.")
    return None


def _unknown(error: Exception) -> Breach:
    from omegaconf.errors import OmegaConfBaseException

    if isinstance(error, OmegaConfBaseException):
        remedy = "Mend the ${...} in it, or set what it refers to."
    else:
        remedy = "Let each key stand in one file of an environment."
    return Breach(f"{KEY}.yml", "files that Kedro can read", _one_line(error), remedy)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
