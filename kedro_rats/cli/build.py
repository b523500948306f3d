"""``kedro rats build``: the images of ``rats.yml``, made, sent, and written into it."""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from kedro_rats.cli.completion import env_option
from kedro_rats.cli.selection import (
    Selection,
    plain_errors,
    require_project,
    session_of,
)
from kedro_rats.cli.tables import output_option

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kedro.framework.startup import ProjectMetadata

    from kedro_rats.cli.templates import Project
    from kedro_rats.engines.images.building import Wanted
    from kedro_rats.placement.settings import Settings

OPTIONS: Final = "KEDRO_RATS_BUILD_OPTIONS"
"""The variable with further arguments for the tool; what follows ``--`` comes after."""

_MORE: Final = "kedro_rats.build.more"


class _PassesOn(click.Command):
    """A command that keeps what follows ``--`` for another program."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        more: list[str] = []
        if "--" in args:
            at = args.index("--")
            args, more = args[:at], args[at + 1 :]
        ctx.meta[_MORE] = more
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "[-- TOOL'S OPTIONS]"]


@click.command(cls=_PassesOn)
@click.argument("images", nargs=-1, metavar="[IMAGE]...")
@env_option
@click.option("--push", is_flag=True, help="Push to the registry in the image's name.")
@click.option(
    "--load",
    type=click.Choice(["kind", "k3d", "minikube"]),
    help="Load into a cluster on this machine.",
)
@click.option(
    "--tool",
    type=click.Choice(["docker", "podman", "buildah"]),
    help="What builds.  [default: the first that works]",
)
@click.option("--rebuild", is_flag=True, help="Also what is there already.")
@click.option("--quiet", "-q", is_flag=True, help="Hide what the tool prints.")
@output_option
@click.pass_context
def build(
    context: click.Context,
    /,
    images: tuple[str, ...],
    env: str | None,
    output: str,
    **options: Any,
) -> None:
    """Build the images of rats.yml, and write their names into it.

    An image is named by what goes into it, so a second time does nothing. What it is
    called then stands in the rats.yml of the environment, with a digest if it was
    pushed. IMAGE is a name under `image:`; without one, all that have a `build`.
    """
    if options["push"] and options["load"]:
        msg = "--push and --load: expected one of them, got both. Run it twice."
        raise click.UsageError(msg)
    _refuse_contents(context.meta[_MORE])
    project = require_project(context.obj, "build")
    asked = _Asked(
        images=images,
        to="push" if options["push"] else options["load"],
        tool=options["tool"],
        # Whether a cluster has an image already, nobody here can know.
        rebuild=options["rebuild"] or options["load"] is not None,
        more=(*shlex.split(os.environ.get(OPTIONS, "")), *context.meta[_MORE]),
        show=None if options["quiet"] else _show,
    )
    with plain_errors():
        done = _build(project, env, asked)
    if output == "json":
        click.echo(json.dumps(done, indent=2, sort_keys=True))
        return
    click.echo("\n".join(_report(done, env)))


_CONTENTS: Final = {
    "--build-arg": "args",
    "--build-arg-file": "args",
    "--file": "dockerfile",
    "-f": "dockerfile",
    "--platform": "platform",
    "--target": "target",
}
"""Options of tools that change what is built, and what rats.yml has for them."""


def _refuse_contents(more: Sequence[str]) -> None:
    """Raise if what is passed on changes an image, but not the name of its content."""
    found = dict.fromkeys(word.partition("=")[0] for word in more)
    wrong = [word for word in found if word in _CONTENTS]
    if wrong:
        keys = dict.fromkeys(f"build.{_CONTENTS[word]}" for word in wrong)
        msg = (
            "what follows --: expected options that change nothing of what is built, got "
            f"{', '.join(wrong)}. An image is named by its content: put it under "
            f"{', '.join(keys)} of the image in rats.yml; what is of this machine, such "
            f"as a proxy, may stand in {OPTIONS}."
        )
        raise click.UsageError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    images: tuple[str, ...]
    to: str | None
    tool: str | None
    rebuild: bool
    more: Sequence[str]
    show: Callable[[str], object] | None


def _build(
    metadata: ProjectMetadata, env: str | None, asked: _Asked
) -> list[dict[str, Any]]:
    import kedro_rats
    from kedro_rats.cli.init import project_of
    from kedro_rats.engines.images.building import make, wanted
    from kedro_rats.engines.images.outdated import files_with_refs
    from kedro_rats.engines.images.sending import check_way
    from kedro_rats.engines.images.tools import find_tool
    from kedro_rats.placement.loading import load_settings

    project = project_of(metadata, env)
    selection = Selection(params={}, load_versions={}, env=env)
    loader = session_of(metadata, selection).load_context().config_loader
    settings = load_settings(loader)
    to = asked.to or settings.building.to
    images = wanted(
        settings,
        project.folder,
        names=asked.images,
        version=kedro_rats.__version__,
        written=files_with_refs(project.conf),
    )
    todo = [each for each in images if asked.rebuild or not each.is_there(to)]
    if todo:
        check_way(to)
        tool = find_tool(asked.tool or settings.building.tool, show=asked.show)
    done = []
    for each in images:
        ref = each.known or each.image
        file = None
        if each in todo:
            ref = make(tool, each, project=project.folder, to=to, more=asked.more)
            file = _write(project, each, ref)
        done.append(_said(each, ref, built=each in todo, file=file))
    _check(load_settings(loader), done)
    return done


def _write(project: Project, image: Wanted, ref: str) -> str:
    from kedro_rats.engines.images.editing import has_images, write_ref
    from kedro_rats.engines.images.outdated import files_with_refs

    folder = project.conf / project.environment
    known = [f for f in files_with_refs(project.conf) if folder in f.parents]
    named = [file for file in known if has_images(file)]
    file = named[0] if named else folder / "rats.yml"
    write_ref(file, image.profile, ref)
    return file.relative_to(project.folder).as_posix()


def _said(image: Wanted, ref: str, *, built: bool, file: str | None) -> dict[str, Any]:
    return {"image": image.profile, "ref": ref, "built": built, "file": file}


def _check(settings: Settings, done: list[dict[str, Any]]) -> None:
    """Raise if another file has the last word on an image."""
    from kedro_rats.errors import Breach, raise_if

    raise_if(
        Breach(
            f"image {each['image']!r}",
            f"the ref that was written into {each['file']}",
            f"{got} from a file that is put on top of it",
            "Take the ref out of that file, or give its environment with --env.",
        )
        for each in done
        if (got := settings.profiles["image"][each["image"]].get("ref")) != each["ref"]
    )


def _report(done: list[dict[str, Any]], env: str | None) -> list[str]:
    lines = []
    for each in done:
        what = f"built, written to {each['file']}" if each["built"] else "up to date"
        lines.append(f"{each['image']}: {each['ref']} ({what})")
    of = f" --env={env}" if env else ""
    return [*lines, "", f"Next: kedro rats submit{of}, or first kedro rats doctor{of}"]


def _show(line: str) -> None:
    click.echo(line, err=True)
