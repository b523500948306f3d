"""Credentials by name, read from the project's configuration when one is asked for.

They are never written anywhere: a plan has their names, and each process that needs
them reads them where it runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kedro_rats.engines.execution.redaction import texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Credentials(Mapping[str, Any]):
    """Credentials by name.

    Args:
        load: Returns all of them; called when the first is asked for.
    """

    def __init__(self, load: Callable[[], Mapping[str, Any]]) -> None:
        self._load = load
        self._all: Mapping[str, Any] | None = None

    def __getitem__(self, name: str) -> Any:
        return self._loaded()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaded())

    def __len__(self) -> int:
        return len(self._loaded())

    def __repr__(self) -> str:
        return "Credentials(…)"

    def secrets(self) -> set[str]:
        """Return the texts in them, once they were read: to be kept out of others."""
        return texts(self._all or {})

    def _loaded(self) -> Mapping[str, Any]:
        if self._all is None:
            self._all = self._load()
        return self._all


def project_credentials(
    project: Path,
    *,
    package: str | None,
    env: str | None,
    conf_source: str | None,
) -> Credentials:
    """Return the credentials of a project's configuration, read as Kedro reads them.

    Args:
        project: The project's folder.
        package: The project's package; None where there is no project.
        env: Kedro's environment.
        conf_source: The configuration folder; None for the project's own.
    """

    def load() -> Mapping[str, Any]:
        from kedro.config import MissingConfigException
        from kedro.framework.project import configure_project, settings

        if package is not None:
            configure_project(package)
        loader = settings.CONFIG_LOADER_CLASS(
            conf_source=conf_source or str(project / settings.CONF_SOURCE),
            env=env,
            **settings.CONFIG_LOADER_ARGS,
        )
        try:
            return dict(loader["credentials"])
        except MissingConfigException:
            return {}

    return Credentials(load)
