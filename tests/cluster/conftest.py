"""Projects on the cluster, which are cleaned up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cluster.harness import Project

# Modules of projects: they are imported by Kedro, as part of the project.
collect_ignore_glob = ["projects/*"]


@pytest.fixture(scope="module")
def cleaned() -> Iterator[Callable[[Project], Project]]:
    """Returns a function that has a project cleaned up after the tests of the module."""
    projects: list[Project] = []

    def register(project: Project) -> Project:
        projects.append(project)
        return project

    yield register
    for project in projects:
        project.remove()
