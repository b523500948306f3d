"""``kedro rats init``: gives an existing project what kedro-rats reads from it."""

from __future__ import annotations

import re
import string
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

import click

import kedro_rats
from kedro_rats.errors import Breach, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kedro.framework.startup import ProjectMetadata

_ENVIRONMENT = re.compile(r"\w[\w.-]*")

_REQUIREMENTS: Final = """\
COPY requirements.txt ./
RUN pip install --requirement requirements.txt "kedro-rats[s3]\""""

_PROJECT: Final = """\
COPY pyproject.toml ./
RUN python -c "{toml}; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\\n')" > /tmp/requirements.txt \\
 && pip install --requirement /tmp/requirements.txt "kedro-rats[s3]\""""

_NOTHING: Final = """\
# Add what the project needs: there was no requirements.txt to take it from.
RUN pip install "kedro-rats[s3]\""""

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


def templates_path() -> Path:
    """Return where the templates are: inside an installed wheel, or in the checkout."""
    package = Path(kedro_rats.__file__).parent
    installed = package / "templates"
    return installed if installed.is_dir() else package.parent / "templates"


def files_of(project: Project) -> dict[Path, str]:
    """Return the files that a project gets, and what is in them."""
    settings = project.conf / project.environment
    said = {
        "package": project.package,
        "image": project.package.replace("_", "-"),
        "python": ".".join(map(str, sys.version_info[:2])),
        "source": project.source,
        "conf": _inside(project.conf, project.folder) or "conf",
        "dependencies": _dependencies(project.folder),
    }
    made = {
        settings / "rats.yml": "rats.yml" if project.base else "rats_env.yml",
        settings / "catalog_rats.yml": "catalog_rats.yml",
        project.folder / "Dockerfile": "Dockerfile",
        project.folder / ".dockerignore": "dockerignore",
    }
    return {path: _filled(template, said) for path, template in made.items()}


def write_new(files: Mapping[Path, str]) -> tuple[list[Path], list[Path]]:
    """Write the files that are not there; return what was made and what was left.

    A file that is there is never touched, whatever is in it, a link included.
    """
    made, left = [], []
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except FileExistsError:
            left.append(path)
        else:
            made.append(path)
    return made, left


@click.command()
@click.option(
    "--env",
    "-e",
    "environment",
    default=None,
    help="Environment that gets rats.yml and catalog_rats.yml.  [default: the base]",
)
@click.pass_obj
def init(metadata: ProjectMetadata | None, environment: str | None) -> None:
    """Add rats.yml, catalog_rats.yml, Dockerfile and .dockerignore to a project.

    What is there already is left as it is. Nothing else is touched.
    """
    if metadata is None:
        raise click.UsageError(
            "kedro rats init: expected to be run in a Kedro project, got a folder"
            " outside one. Change into the folder that has the project's pyproject.toml,"
            " or make a project with: kedro new --starter=rats"
        )
    project = _project(metadata, environment)
    try:
        made, left = write_new(files_of(project))
    except OSError as error:
        remedy = "Allow it, and run the command again: it goes on where it stopped."
        where = error.filename or project.folder
        breach = Breach(str(where), "a file to be made", error.strerror or "", remedy)
        raise click.ClickException(str(breach)) from error
    click.echo("\n".join(_report(project, made, left)))


def _project(metadata: ProjectMetadata, environment: str | None) -> Project:
    from kedro.framework.project import settings

    folder = Path(metadata.project_path)
    conf_source = str(settings.CONF_SOURCE)
    if "://" in conf_source or conf_source.endswith(
        (".tar", ".tar.gz", ".tgz", ".zip")
    ):
        remedy = "Copy the files from a project whose configuration is in a folder."
        breach = Breach("CONF_SOURCE", "a folder", shown(conf_source), remedy)
        raise click.UsageError(str(breach))
    base = settings.CONFIG_LOADER_ARGS.get("base_env") or "base"
    chosen = base if environment is None else environment
    if not _ENVIRONMENT.fullmatch(chosen):
        remedy = "It is the name of a folder in the configuration, such as cluster."
        breach = Breach("--env", "letters, digits, _ and -", shown(chosen), remedy)
        raise click.UsageError(str(breach))
    source = _inside(Path(metadata.source_dir), folder)
    return Project(
        folder=folder,
        package=metadata.package_name,
        source=source or "src",
        conf=folder / conf_source,
        environment=chosen,
        base=chosen == base,
    )


def _inside(path: Path, folder: Path) -> str | None:
    """Return a path relative to a folder; None where it is not in it."""
    try:
        return PurePosixPath(path.resolve().relative_to(folder.resolve())).as_posix()
    except ValueError:
        return None


def _dependencies(folder: Path) -> str:
    """Return the lines that install what the project needs, from where it says so."""
    if (folder / "requirements.txt").is_file():
        return _REQUIREMENTS
    pyproject = folder / "pyproject.toml"
    if pyproject.is_file() and _LISTED.search(pyproject.read_text("utf-8")):
        # Python 3.10 has no tomllib, but its pip has brought one.
        own = sys.version_info >= (3, 11)
        toml = "import tomllib" if own else "from pip._vendor import tomli as tomllib"
        return _PROJECT.format(toml=toml)
    return _NOTHING


def _filled(template: str, said: Mapping[str, str]) -> str:
    text = (templates_path() / template).read_text("utf-8")
    return _Template(text).substitute(said)


def _report(project: Project, made: Iterable[Path], left: Iterable[Path]) -> list[str]:
    lines = [f"made  {_shown(path, project.folder)}" for path in made]
    lines += [
        f"left  {_shown(path, project.folder)} (it was there already)" for path in left
    ]
    settings = _shown(project.conf / project.environment / "rats.yml", project.folder)
    env = "" if project.base else f" --env={project.environment}"
    return [
        *lines,
        "",
        "Next:",
        f"  1. Read {settings}: it says where and how nodes run.",
        "  2. Build the image with the Dockerfile, if you have a cluster.",
        f"  3. kedro run{env}",
    ]


def _shown(path: Path, folder: Path) -> str:
    # As it is called, not where a link leads.
    return (
        path.relative_to(folder) if path.is_relative_to(folder) else path
    ).as_posix()
