"""``kedro rats init``: gives an existing project what kedro-rats reads from it."""

from __future__ import annotations

import contextlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from kedro_rats.cli.templates import (
    ClusterAnswers,
    Project,
    files_for_argo,
    files_of,
    inside,
)
from kedro_rats.errors import Breach, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from kedro.framework.startup import ProjectMetadata

_ENVIRONMENT = re.compile(r"\w[\w.-]*")
_CLUSTER: Final = "cluster"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGISTRY = re.compile(r"[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?(/[a-z0-9][a-z0-9._-]*)*")
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def _matching(pattern: re.Pattern[str], expected: str) -> Callable[..., Any]:
    """Return the check of an option that ends up in a file."""

    def check(ctx: click.Context, option: click.Parameter, value: str | None) -> Any:
        del ctx
        if value is not None and not pattern.fullmatch(value):
            remedy = "Give it as the cluster knows it."
            breach = Breach(f"--{option.name}", expected, shown(value), remedy)
            raise click.UsageError(str(breach))
        return value

    return check


@click.command()
@click.option(
    "--env",
    "-e",
    "environment",
    default=None,
    help="Environment that gets the files.  [default: the base; with --argo: cluster]",
)
@click.option("--argo", is_flag=True, help="Also what a cluster with Argo needs.")
@click.option(
    "--bucket",
    callback=_matching(_BUCKET, "the name of a bucket of S3"),
    help="With --argo: the bucket of S3 for data and results.",
)
@click.option(
    "--registry",
    callback=_matching(_REGISTRY, "a registry such as ghcr.io/me"),
    help="With --argo: where images are pushed; localhost for none.",
)
@click.option(
    "--images",
    type=click.Choice(["push", "kind", "k3d", "minikube", "keep"]),
    help="With --argo: how images get to the cluster.",
)
@click.option(
    "--namespace",
    callback=_matching(_NAMESPACE, "a namespace of Kubernetes"),
    help="With --argo: where workflows run.",
)
@click.pass_obj
def init(
    metadata: ProjectMetadata | None,
    /,
    environment: str | None,
    argo: bool,  # noqa: FBT001 - a command's flag
    **answers: str | None,
) -> None:
    """Add rats.yml, catalog_rats.yml, Dockerfile and .dockerignore to a project.

    With --argo also globals.yml, the one file to fill in; argo/rbac.yml, the rights that
    are needed; and places on S3 for what nodes write to local files.

    What is there already is left as it is. Nothing else is touched. Run again with
    --argo it adds places for outputs that have none yet.
    """
    if metadata is None:
        raise click.UsageError(
            "kedro rats init: expected to be run in a Kedro project, got a folder"
            " outside one. Change into the folder that has the project's pyproject.toml,"
            " or make a project with: kedro new --starter=rats"
        )
    given = {name: value for name, value in answers.items() if value is not None}
    if given and not argo:
        options = ", ".join(f"--{name}" for name in given)
        breach = Breach(options, "--argo beside it", "none", "Add it, or leave these.")
        raise click.UsageError(str(breach))
    if argo:
        _for_argo(metadata, environment or _CLUSTER, ClusterAnswers(**given))
        return
    project = project_of(metadata, environment)
    click.echo("\n".join([*_made(project, files_of), *_next(project)]))


def project_of(metadata: ProjectMetadata, environment: str | None) -> Project:
    """Return what is known of a project and one of its environments.

    Args:
        metadata: Kedro's.
        environment: None for the base.

    Raises:
        click.UsageError: If its configuration is in no folder, or the environment has
            no name of a folder.
    """
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
    source = inside(Path(metadata.source_dir), folder)
    return Project(
        folder=folder,
        package=metadata.package_name,
        source=source or "src",
        conf=folder / conf_source,
        environment=chosen,
        base=chosen == base,
    )


def _made(project: Project, files: Callable[[Project], Any]) -> list[str]:
    try:
        made, left = files(project).write_new()
    except OSError as error:
        raise _not_made(project, error) from error
    return [
        *(f"made  {project.shown(path)}" for path in made),
        *(f"left  {project.shown(path)} (it was there already)" for path in left),
    ]


def _not_made(project: Project, error: OSError) -> click.ClickException:
    remedy = "Allow it, and run the command again: it goes on where it stopped."
    where = error.filename or project.folder
    breach = Breach(str(where), "a file to be made", error.strerror or "", remedy)
    return click.ClickException(str(breach))


def _next(project: Project) -> list[str]:
    env = "" if project.base else f" --env={project.environment}"
    settings = project.shown(project.settings / "rats.yml")
    return [
        "",
        "Next:",
        f"  1. Read {settings}: it says where and how nodes run.",
        "  2. For a cluster: kedro rats init --argo",
        f"  3. kedro run{env}",
    ]


# --- for a cluster --------------------------------------------------------------------


def _for_argo(
    metadata: ProjectMetadata, environment: str, answers: ClusterAnswers
) -> None:
    project = project_of(metadata, environment)
    lines = _made(project, lambda each: files_for_argo(each, answers))
    click.echo("\n".join(lines))
    click.echo("\n".join(_catalog(metadata, project)))
    click.echo("\n".join(_next_on_argo(project)))


def _next_on_argo(project: Project) -> list[str]:
    env = project.environment
    answers = project.shown(project.settings / "globals.yml")
    settings = project.shown(project.settings / "rats.yml")
    rights = "kubectl apply -f argo/rbac.yml"
    return [
        "",
        "Next:",
        f"  1. Fill in {answers}.",
        f"  2. kedro rats build --env={env}",
        f"  3. kedro rats submit --env={env}",
        "",
        f"`kedro rats doctor --env={env}` says what a cluster lacks. Once for a namespace",
        f"it needs {rights}, and a secret rats-s3 (see {settings}).",
    ]


def _catalog(metadata: ProjectMetadata, project: Project) -> list[str]:
    """Write the places that the catalog lacks; say which these are."""
    from kedro_rats.cli.cluster_catalog import places

    # What Kedro logs meanwhile is not our output.
    with contextlib.redirect_stdout(sys.stderr):
        config, pipelines = _known(metadata, project)
    found = places(
        config,
        pipelines,
        root=f"s3://${{globals:bucket}}/{project.slug}",
        project=project.folder,
    )
    path = project.settings / "catalog_rats.yml"
    there = path.exists()
    text = found.text()
    try:
        if not there:
            path.write_text(f"{_HEADER}{text}", "utf-8")
        elif text:
            with path.open("a", encoding="utf-8") as file:
                file.write(f"\n{text}")
    except OSError as error:
        raise _not_made(project, error) from error
    by_hand = (_by_hand(name, path, project) for name in found.unwritable)
    what = f"{len(found.entries)} places on S3 for local outputs"
    did = "made " if not there else "added"
    if there and not text:
        did, what = "left ", "no local output lacks a place"
    return [f"{did} {project.shown(path)}: {what}", *by_hand]


_HEADER: Final = """\
# Places on S3 for what nodes write to local files elsewhere: pods share no files. Inputs
# are not here: they are uploaded when a run is submitted. These entries are yours; run
# again, `kedro rats init --argo` adds those of new outputs at the end.

"""


def _by_hand(name: str, path: Path, project: Project) -> str:
    return (
        f"      dataset {name!r} has a value that YAML cannot hold: write its place on S3"
        f" into {project.shown(path)} yourself"
    )


def _known(metadata: ProjectMetadata, project: Project) -> tuple[Any, list[Any]]:
    """Return the catalog of the environment and all registered pipelines."""
    from kedro.framework.project import pipelines

    from kedro_rats.cli.selection import Selection, session_of

    env = None if project.base else project.environment
    selection = Selection(params={}, load_versions={}, env=env)
    try:
        loader = session_of(metadata, selection).load_context().config_loader
        config = loader["catalog"]
        # Kedro 1.2 and newer import only the pipelines that are asked for.
        if hasattr(pipelines, "set_requested"):
            pipelines.set_requested(None)
        registered = list(dict(pipelines).values())
    except Exception as error:
        # Whatever the project's own code raises.
        got = " ".join(f"{type(error).__name__}: {error}".split())
        breach = Breach(
            "the project's catalog and pipelines",
            "that they can be loaded, to find places on S3 for local outputs",
            got,
            "Mend it, and run the command again: it goes on where it stopped.",
        )
        raise click.ClickException(str(breach)) from error
    return config, registered
