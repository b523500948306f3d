"""What is wrong with a project's configuration, in a line for each thing."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from kedro.config import (
    BadConfigException,
    MissingConfigException,
    OmegaConfigLoader,
)

from kedro_rats.errors import Breach, DefinitionError, nearest, shown

# Kedro names the dataset in its messages, and nowhere else.
_DATASET: Final = re.compile(
    r"(?:for dataset|^Dataset|instantiate dataset) '([^']+)'", re.MULTILINE
)
_CREDENTIALS: Final = re.compile(r"Unable to find credentials '([^']+)'")
_PARSING: Final = re.compile(r"An exception occurred when parsing config .*:\n")


def check_environment(env: str | None, conf_source: str | None, project: Path) -> None:
    """Check that the configuration has the environment that is asked for.

    Args:
        env: The environment; None for the one that ``KEDRO_ENV`` names, if any.
        conf_source: The folder of the configuration; None for the project's own.
        project: The project's folder.

    Raises:
        DefinitionError: If it has no folder.
    """
    from kedro.framework.project import settings

    asked = env or os.environ.get("KEDRO_ENV")
    folder = Path(conf_source or project / settings.CONF_SOURCE)
    # A loader of the project's own, or a place that is no folder, may know others.
    if not asked or settings.CONFIG_LOADER_CLASS is not OmegaConfigLoader:
        return
    if not folder.is_dir() or (folder / asked).is_dir():
        return
    known = sorted(path.name for path in folder.iterdir() if path.is_dir())
    remedy = "Make the folder, or choose another one with --env."
    raise DefinitionError(
        Breach(
            "--env" if env else "KEDRO_ENV",
            f"an environment of {folder.name}",
            f"no folder for {shown(asked)}",
            f"{nearest(asked, known)}{remedy}",
        )
    )


def plain_error(error: BaseException) -> DefinitionError | None:
    """Return what is wrong with the project where Kedro raises it; None for all else.

    These are a configuration that cannot be read, an entry of the catalog that is no
    dataset or has no credentials, and what we refuse in a module that Kedro imports.
    """
    from kedro.io.core import DatasetError

    while isinstance(error, ImportError) and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, DefinitionError):
        return error
    if isinstance(error, DatasetError):
        return DefinitionError(_of_catalog(error))
    if isinstance(error, KeyError) and (named := _CREDENTIALS.search(str(error))):
        subject, expected = f"credentials {named[1]!r}", "an entry of credentials.yml"
        remedy = (
            "Add it to conf/local/credentials.yml, or mend its name in the catalog."
        )
        return DefinitionError(Breach(subject, expected, "none", remedy))
    if _is_of_configuration(error):
        remedy = "Mend it, or choose another one with --env or --conf-source."
        expected = "files that Kedro can read"
        subject = "the project's configuration"
        return DefinitionError(Breach(subject, expected, _one_line(error), remedy))
    return None


def _is_of_configuration(error: BaseException) -> bool:
    """Say whether what Kedro's loader read is wrong; it has errors of several libraries."""
    root = type(error).__module__.partition(".")[0]
    return root in ("omegaconf", "yaml") or isinstance(
        error, BadConfigException | MissingConfigException
    )


def _of_catalog(error: BaseException) -> Breach:
    named = _DATASET.search(str(error))
    return Breach(
        f"dataset {named[1]!r}" if named else "the catalog",
        "an entry that Kedro can make a dataset of",
        _one_line(error.__cause__ or error),
        "Check its type and arguments in the catalog, and that the package of the type "
        "is installed.",
    )


def _one_line(error: BaseException) -> str:
    # Kedro's hints are for other mistakes than the one that was made.
    text = _PARSING.sub("", str(error)).partition("\nHint:")[0]
    return " ".join(text.split()).rstrip(".") or type(error).__name__
