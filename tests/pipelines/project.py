"""A Kedro project on disk, made of texts, in which commands run as users run them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FILES = {
    "pyproject.toml": """
        [tool.kedro]
        package_name = "{package}"
        project_name = "{package}"
        kedro_init_version = "1.0.0"
        source_dir = "src"
        """,
    "src/{package}/__init__.py": "",
    "src/{package}/settings.py": "",
    "src/{package}/files.py": """
        import json
        from pathlib import Path
        from kedro.io import AbstractDataset


        class JsonFile(AbstractDataset):
            def __init__(self, *, filepath, metadata=None):
                self._path = Path(filepath)

            def load(self):
                return json.loads(self._path.read_text())

            def save(self, data):
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._path.write_text(json.dumps(data))

            def _describe(self):
                return {{}}
        """,
    "src/{package}/pipeline_registry.py": """
        from kedro.pipeline import Pipeline, node
        from {package} import nodes


        def register_pipelines():
            return {{"__default__": Pipeline(nodes.PIPELINE)}}
        """,
    "conf/base/parameters.yml": "",
    "conf/base/catalog.yml": "",
    "conf/local/.gitkeep": "",
}

# A logging.yml that keeps stdout for what commands say.
QUIET = """
    version: 1
    disable_existing_loggers: false
    handlers: {console: {class: logging.StreamHandler, stream: ext://sys.stderr}}
    loggers: {}
    root: {handlers: [console], level: WARNING}
    """


@dataclass(frozen=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err

    def ok(self) -> Ran:
        assert self.code == 0, self.said
        return self


@dataclass(frozen=True)
class KedroProject:
    """A project in a folder; its package has the name of the folder.

    Modules of it cannot be imported by the tests' own process: only commands do.
    """

    folder: Path

    @property
    def package(self) -> str:
        return self.folder.name

    @property
    def store(self) -> Path:
        return self.folder / ".rats"

    @classmethod
    def make(cls, folder: Path, files: Mapping[str, str]) -> KedroProject:
        """Write a project; ``nodes.py`` has ``PIPELINE``, a list of nodes."""
        made = cls(folder)
        for name, text in FILES.items():
            made.write(
                name.format(package=made.package),
                textwrap.dedent(text).format(package=made.package),
            )
        for name, text in files.items():
            where = f"src/{made.package}/{name}" if name.endswith(".py") else name
            made.write(where, textwrap.dedent(text))
        return made

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def start(
        self, *arguments: str, cwd: Path | None = None, **env: str
    ) -> subprocess.Popen[str]:
        """Start Python with arguments, in the project."""
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=cwd or self.folder,
            env={**os.environ, "DO_NOT_TRACK": "1", "COLUMNS": "500", **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def python(self, *arguments: str, cwd: Path | None = None, **env: str) -> Ran:
        process = self.start(*arguments, cwd=cwd, **env)
        out, err = process.communicate(timeout=120)
        return Ran(process.returncode, out, err)

    def kedro(self, *arguments: str, cwd: Path | None = None, **env: str) -> Ran:
        return self.python("-m", "kedro", *arguments, cwd=cwd, **env)

    def run(self, *arguments: str, **env: str) -> Ran:
        return self.kedro("rats", "run", *arguments, **env)

    def task(self, store: str, request: str, task: str, **env: str) -> Ran:
        return self.python(*task_command(store, request, task), **env)

    def runs(self) -> list[str]:
        """Return the ids of the runs, in the order of their time."""
        folder = self.store / "runs"
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        return [path.name for path in found if (path / "request.json").exists()]

    def record(self, run: str | None = None) -> dict[str, Any]:
        """Return ``run.json`` of a run, by default the only one."""
        if run is None:
            (run,) = self.runs()
        text = (self.store / "runs" / run / "run.json").read_text()
        return json.loads(text)  # type: ignore[no-any-return]

    def lines(self, name: str) -> list[str]:
        """Return the lines of a file that nodes or hooks append to."""
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def files(self, *left_out: str) -> dict[str, bytes]:
        """Return all files by path, those in some folders and caches left out."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file()
            and not {"__pycache__", *left_out}
            & set(path.relative_to(self.folder).parts)
        }


def task_command(store: str, request: str, task: str) -> Sequence[str]:
    """Return how an engine starts a task."""
    return [
        *("-m", "kedro_rats.engines.execution"),
        *("--store", store, "--request", request, "--task", task),
    ]
