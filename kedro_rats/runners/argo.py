"""``ArgoRunner``: Kedro's door to Argo Workflows, and what ``kedro rats submit`` does."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from kedro.io.core import generate_timestamp
from kedro.runner import AbstractRunner

from kedro_rats.errors import Breach, RatsError, raise_if, shown
from kedro_rats.runners.catalogs import outputs_of, parameters_of, save_version
from kedro_rats.runners.preparing import Asked, check, stored
from kedro_rats.runners.project import of_catalog

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from concurrent.futures import Executor

    from kedro.io import AbstractDataset
    from kedro.pipeline import Pipeline
    from pluggy import PluginManager

    from kedro_rats.engines.argo.cluster.client import Cluster
    from kedro_rats.engines.argo.progress import Progress
    from kedro_rats.engines.argo.settings import ArgoSettings
    from kedro_rats.engines.argo.submission import Submitted
    from kedro_rats.placement.settings import Settings
    from kedro_rats.plan import Plan
    from kedro_rats.runners.preparing import Checked, Prepared
    from kedro_rats.runners.project import ProjectView


class WorkflowFailed(RatsError):  # noqa: N818 - says what happened
    """A run on a cluster ended, and not all that was asked for is done.

    Attributes:
        run: The run.
        code: How the first task that failed ended: see ``ExitCode``.
    """

    def __init__(self, run: str, lines: Sequence[str], *, code: int = 1) -> None:
        super().__init__(run, tuple(lines))
        self.run = run
        self.lines = tuple(lines)
        self.code = code

    def __str__(self) -> str:
        return "\n".join(self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnArgo:
    """A project's cluster, as ``rats.yml`` names it.

    Attributes:
        settings: What ``ext.argo`` says.
        cluster: The cluster.
    """

    settings: ArgoSettings
    cluster: Cluster

    @classmethod
    def of(cls, view: ProjectView, *, namespace: str | None = None) -> OnArgo:
        """Return the cluster of a project; nothing is asked of it yet.

        Args:
            view: The project.
            namespace: In place of the one that ``rats.yml`` names.

        Raises:
            DefinitionError: If ``ext.argo`` is wrong.
            ClusterError: If there is no access to a cluster.
        """
        from kedro_rats.engines.argo.cluster.client import Cluster
        from kedro_rats.engines.argo.reading import argo_settings

        settings = argo_settings(view.settings)
        cluster = Cluster.connect(
            namespace=namespace or settings.namespace, context=settings.context
        )
        return cls(settings=settings, cluster=cluster)


class ArgoRunner(AbstractRunner):
    """Runs a pipeline as a workflow of Argo, each task in a pod of its own.

    Where tasks run, the store and the cluster are what ``rats.yml`` of the environment
    says: see the reference of ``ext.argo``.

    Args:
        wait: Whether to follow the run to its end; else it is only submitted.
        namespace: In place of the one that ``rats.yml`` names.
        is_async: Refused: tasks already save before others load.

    Raises:
        RatsError: For ``is_async``.

    Example:
        >>> from kedro_rats import ArgoRunner
        >>> ArgoRunner(wait=False).wait
        False
    """

    def __init__(
        self,
        *,
        wait: bool = True,
        namespace: str | None = None,
        is_async: bool = False,
    ) -> None:
        if is_async:
            msg = (
                "ArgoRunner, is_async: expected False, got True. Leave --async out: "
                "each task loads and saves on its own."
            )
            raise RatsError(msg)
        super().__init__(is_async=False)
        self.wait = wait
        self.namespace = namespace

    def run(
        self,
        pipeline: Pipeline,
        catalog: Any,
        hook_manager: PluginManager | None = None,
        run_id: str | None = None,
        only_missing_outputs: bool = False,  # noqa: FBT001, FBT002 - Kedro's signature
    ) -> dict[str, AbstractDataset[Any, Any]]:
        """Run a pipeline on the cluster.

        Args:
            pipeline: The pipeline.
            catalog: Its catalog.
            hook_manager: Calls hooks.
            run_id: The run's id; default the time.
            only_missing_outputs: Refused: a file that exists may be an old or half one.

        Returns:
            The pipeline's free outputs by name, as datasets; none without ``wait``.

        Raises:
            DefinitionError: If the pipeline cannot be run there, with all that is wrong.
            ClusterError: If the cluster cannot be reached, or does not take it.
            WorkflowFailed: If a task failed, with a line for each that did.
        """
        if only_missing_outputs:
            msg = (
                "ArgoRunner, --only-missing-outputs: expected to run all that is "
                "selected. A file that is there may be old or half written: take results "
                "of an earlier run with `kedro rats submit --from-run RUN`."
            )
            raise RatsError(msg)
        view = of_catalog(catalog, hook_manager, isolate=True)
        checked = checked_for_argo(
            pipeline,
            view,
            parameters=parameters_of(pipeline, catalog),
            asked=Asked(
                run=run_id or generate_timestamp(),
                save_version=run_id or save_version(view),
            ),
        )
        on = OnArgo.of(view, namespace=self.namespace)
        for line in outdated_images(view, checked.lowered.plan):
            click.echo(line, err=True)
        prepared = stored(checked)
        submitted = submit(prepared, on)
        for line in where_to_look(submitted, env=view.env):
            # Not logged: few projects show what others than Kedro log.
            click.echo(line, err=True)
        if not self.wait:
            return {}
        follow(on, prepared, submitted)
        return outputs_of(pipeline, catalog, prepared)

    def _get_executor(self, max_workers: int) -> Executor | None:  # noqa: ARG002
        return None

    def _run(self, *_: object, **__: object) -> None:
        """Not called: ``run`` submits the pipeline instead."""


def checked_for_argo(
    pipeline: Pipeline,
    view: ProjectView,
    *,
    parameters: dict[str, object],
    asked: Asked,
) -> Checked:
    """Check a run that is meant for a cluster; nothing is written.

    Raises:
        DefinitionError: If it cannot run there, with all that is wrong.
    """
    from kedro_rats.engines.argo.submission import ArgoEngine

    raise_if(_unreachable(view))
    engine = ArgoEngine(view.settings, view.env)
    return check(pipeline, view, parameters=parameters, asked=asked, engine=engine)


def _unreachable(view: ProjectView) -> Iterator[Breach]:
    """Yield what a pod could not find of a project."""
    if not view.in_project:
        yield Breach(
            "ArgoRunner",
            "a Kedro project, which images are made of",
            "a catalog made in code",
            "Run it inside a project, or with LocalRunner.",
        )
    if view.conf_source is not None and Path(view.conf_source).is_absolute():
        yield Breach(
            "--conf-source",
            "a folder inside the project, which images have too",
            shown(view.conf_source),
            "Put the configuration into the project.",
        )
    yield from environment_breaches(
        view.settings.store.uri, view.folder / (view.conf_source or "conf")
    )


def environment_breaches(store: str, conf: Path) -> Iterator[Breach]:
    """Yield that another environment is meant, if only another has a store for pods.

    Args:
        store: What ``rats.yml`` of this environment names.
        conf: The folder of the configuration.
    """
    if store.startswith("s3://"):
        return
    files = sorted(conf.glob("*/rats*.y*ml"))
    others = {file.parent.name: file for file in files if _names_s3(file)}
    if others:
        first, file = next(iter(others.items()))
        yield Breach(
            "rats.yml, store",
            "a place that pods can reach, such as s3://BUCKET/PREFIX",
            shown(store),
            f"Did you mean --env={first}? {conf.name}/{first}/{file.name} names one.",
        )


def _names_s3(file: Path) -> bool:
    try:
        text = file.read_text("utf-8")
    except (OSError, ValueError):
        return False
    return re.search(r"^store:.*\bs3://", text, re.MULTILINE) is not None


def outdated_images(view: ProjectView, plan: Plan) -> list[str]:
    """Return a line for each image of a plan that was built from other files than now."""
    refs = (task.placement.get("image", {}).get("ref") for task in plan)
    used = {ref for ref in refs if ref}
    return outdated_in(view.settings, view.folder, env=view.env, used=used)


def outdated_in(
    settings: Settings,
    project: Path,
    *,
    env: str | None,
    used: Collection[str] | None = None,
) -> list[str]:
    """Return a line for each image that was built from other files than now.

    Args:
        settings: What ``rats.yml`` says.
        project: The project's folder.
        env: Kedro's environment; None for its default.
        used: What the nodes' images are called; None for all that ``rats.yml`` names.
    """
    from kedro.framework.project import settings as of_kedro

    import kedro_rats
    from kedro_rats.engines.images.outdated import advice, outdated

    names = outdated(
        settings,
        project,
        conf=project / str(of_kedro.CONF_SOURCE),
        version=kedro_rats.__version__,
        used=used,
    )
    return list(advice(names, env=env))


def submit(prepared: Prepared, on: OnArgo) -> Submitted:
    """Make the workflow of a run that is in the store, unless it is there already.

    Raises:
        DefinitionError: If the workflow is one that Argo does not take.
        ClusterError: If the cluster does not take it.
    """
    from kedro_rats.engines.argo import submission

    return submission.submit(
        on.cluster,
        prepared.lowered.plan,
        prepared.request,
        store=prepared.store,
        settings=on.settings,
    )


def follow(on: OnArgo, prepared: Prepared, submitted: Submitted) -> Progress:
    """Show how a run gets on, to its end.

    An interrupt asks whether to stop the workflow, where somebody can answer; else it
    goes on without us.

    Raises:
        WorkflowFailed: If a task failed, with a line for each.
        KeyboardInterrupt: If the user went away.
    """
    from kedro_rats.engines.argo.progress import failure_lines, wait
    from kedro_rats.engines.argo.progress.showing import live

    plan: Plan = prepared.lowered.plan
    try:
        with live(plan, run=submitted.run) as show:
            last = wait(
                on.cluster,
                submitted.workflow,
                plan,
                store=prepared.store,
                run=submitted.run,
                settings=on.settings,
                show=show,
            )
    except KeyboardInterrupt:
        _leave_or_stop(on, submitted, env=prepared.view.env)
        raise
    if last.state != "succeeded":
        lines = failure_lines(last, plan, submitted.run, env=prepared.view.env)
        raise WorkflowFailed(submitted.run, lines, code=last.code)
    return last


def where_to_look(submitted: Submitted, *, env: str | None) -> list[str]:
    """Return the lines that tell a user what was submitted, and what to do next."""
    where = f" --env={env}" if env else ""
    said = "submitted" if submitted.created else "was submitted before"
    workflow = f"workflow {submitted.workflow} in namespace {submitted.namespace}"
    shown_at = [f"Argo shows it: {submitted.address}"] if submitted.address else []
    return [
        f"Run {submitted.run}: {submitted.tasks} tasks, {workflow} {said}.",
        *shown_at,
        f"Next: kedro rats watch {submitted.run}{where}",
    ]


def _leave_or_stop(on: OnArgo, submitted: Submitted, *, env: str | None) -> None:
    """Ask somebody who has interrupted us what becomes of the workflow."""
    run = f"{submitted.run} --env={env}" if env else submitted.run
    if sys.stdin.isatty() and click.confirm(
        f"\nStop workflow {submitted.workflow} too? Without it, it goes on.", err=True
    ):
        on.cluster.stop(submitted.workflow, "Stopped by the user.")
        click.echo(
            f"Stopped. `kedro rats retry {run}` runs what is not done.", err=True
        )
        return
    click.echo(
        f"Run {submitted.run} goes on. `kedro rats watch {run}` follows it, "
        f"`kedro rats stop {run}` ends it.",
        err=True,
    )
