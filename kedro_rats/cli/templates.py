"""The files that a project gets: templates, filled with what the project is."""

from __future__ import annotations

import re
import string
import sys
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

import kedro_rats

if TYPE_CHECKING:
    from collections.abc import Mapping

_INSTALL: Final = "pip install --find-links /tmp/needed"
_WHAT: Final = '"${KEDRO_RATS}" ${PACKAGES}'

_REQUIREMENTS: Final = (
    f" && {_INSTALL} --requirement /tmp/needed/requirements.txt {_WHAT}"
)

_PROJECT: Final = f"""\
 && python -c "@@{{toml}}; print(*tomllib.load(open('/tmp/needed/pyproject.toml', 'rb'))['project']['dependencies'], sep='\\n')" > /tmp/requirements.txt \\
 && {_INSTALL} --requirement /tmp/requirements.txt {_WHAT} \\
 && rm /tmp/requirements.txt"""

_NOTHING: Final = f" && {_INSTALL} {_WHAT}"

# A table [project] with a list of dependencies in it, as Python's packaging has it.
_LISTED = re.compile(r"^\[project\]$(?:(?!^\[).)*^dependencies\s*=", re.M | re.S)


class _Template(string.Template):
    """Text with ``@@{name}``: dollars and braces mean something in what is made."""

    delimiter = "@@"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What the templates need to know of a project.

    Args:
        folder: Where it is.
        package: Name of its package.
        source: Folder of the sources, relative to ``folder``.
        conf: Folder of the configuration.
        environment: The environment that gets ``rats.yml``.
        base: Whether that is the base of all environments.
    """

    folder: Path
    package: str
    source: str
    conf: Path
    environment: str
    base: bool

    @property
    def settings(self) -> Path:
        """The folder that gets ``rats.yml``."""
        return self.conf / self.environment

    @property
    def slug(self) -> str:
        """A name for images and folders."""
        return self.package.replace("_", "-").lower()

    def shown(self, path: Path) -> str:
        """Return a path as it is called, not where a link leads."""
        inside = path.is_relative_to(self.folder)
        return (path.relative_to(self.folder) if inside else path).as_posix()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterAnswers:
    """What ``globals.yml`` of a cluster's environment says."""

    bucket: str = "my-bucket"
    registry: str = "registry.example.com/me"
    images: str = "push"
    namespace: str | None = None

    def said(self) -> dict[str, str]:
        """Return it as the template takes it."""
        named = f"namespace: {self.namespace}" if self.namespace else "#namespace: argo"
        return {
            "bucket": self.bucket,
            "registry": self.registry,
            "images": self.images,
            "namespace": named,
        }


@dataclass(frozen=True, slots=True)
class Files:
    """Files and what is in them."""

    texts: Mapping[Path, str] = field(default_factory=dict)

    def write_new(self) -> tuple[list[Path], list[Path]]:
        """Write the files that are not there; return what was made and what was left.

        A file that is there is never touched, whatever is in it, a link included.

        Raises:
            OSError: If one cannot be made.
        """
        made, left = [], []
        for path, text in self.texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with path.open("x", encoding="utf-8", newline="\n") as file:
                    file.write(text)
            except FileExistsError:
                left.append(path)
            else:
                made.append(path)
        return made, left


def templates_path() -> Path:
    """Return where the templates are: inside an installed wheel, or in the checkout."""
    package = Path(kedro_rats.__file__).parent
    installed = package / "templates"
    return installed if installed.is_dir() else package.parent / "templates"


def files_of(project: Project) -> Files:
    """Return the files of every project."""
    return _files(
        project,
        {
            project.settings / "rats.yml": "rats.yml"
            if project.base
            else "rats_env.yml",
            project.settings / "catalog_rats.yml": "catalog_rats.yml",
            **_of_the_image(project),
        },
    )


def files_for_argo(project: Project, answers: ClusterAnswers) -> Files:
    """Return the files of a project that runs on Argo, but for its catalog."""
    return _files(
        project,
        {
            project.settings / "globals.yml": "globals.yml",
            project.settings / "rats.yml": "rats_argo.yml",
            **_of_the_image(project),
            project.folder / "argo" / "rbac.yml": "rbac.yml",
        },
        **answers.said(),
    )


def _of_the_image(project: Project) -> dict[Path, str]:
    return {
        project.folder / "Dockerfile": "Dockerfile",
        project.folder / ".dockerignore": "dockerignore",
    }


def _files(project: Project, templates: Mapping[Path, str], **more: str) -> Files:
    needed, dependencies = _dependencies(project.folder)
    said = {
        "package": project.package,
        "image": project.slug,
        "python": ".".join(map(str, sys.version_info[:2])),
        "source": project.source,
        "conf": inside(project.conf, project.folder) or "conf",
        "needed": needed,
        "dependencies": dependencies,
        **more,
    }
    return Files({path: filled(name, said) for path, name in templates.items()})


def filled(template: str, said: Mapping[str, str]) -> str:
    """Return the text of a template with what is said of a project."""
    text = (templates_path() / template).read_text("utf-8")
    return _Template(text).substitute(said)


def inside(path: Path, folder: Path) -> str | None:
    """Return a path relative to a folder; None where it is not in it."""
    try:
        return PurePosixPath(path.resolve().relative_to(folder.resolve())).as_posix()
    except ValueError:
        return None


def _dependencies(folder: Path) -> tuple[str, str]:
    """Return what says what the project needs, and the lines that install that."""
    if (folder / "requirements.txt").is_file():
        return "requirements.txt", _REQUIREMENTS
    pyproject = folder / "pyproject.toml"
    if pyproject.is_file() and _LISTED.search(pyproject.read_text("utf-8")):
        # Python 3.10 has no tomllib, but its pip has brought one.
        own = sys.version_info >= (3, 11)
        toml = "import tomllib" if own else "from pip._vendor import tomli as tomllib"
        return "pyproject.toml", _Template(_PROJECT).substitute(toml=toml)
    return "pyproject.toml", _NOTHING
