"""Makes the workflow of a run, once: however often, and by however many, it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kedro_rats.engines.argo.cluster.client import (
    ClusterError,
    WorkflowExists,
    has_ended,
)
from kedro_rats.engines.argo.naming import (
    PLAN,
    PREFIX,
    REQUEST,
    RUN,
    STORE,
    label_value,
    workflow_name,
)
from kedro_rats.engines.argo.reading import argo_settings
from kedro_rats.engines.argo.translation.requirements import requirements
from kedro_rats.engines.argo.translation.sizes import refuse_too_large
from kedro_rats.engines.argo.translation.workflow import Submission, translate
from kedro_rats.engines.request import request_of
from kedro_rats.errors import DefinitionError, RatsError, raise_if
from kedro_rats.plan.document import plan_from_bytes
from kedro_rats.plan.placing import placed_again
from kedro_rats.store.records import is_published, record_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from kedro_rats.encoding.objects import ObjectDecoder
    from kedro_rats.engines.argo.cluster.client import Cluster
    from kedro_rats.engines.argo.settings import ArgoSettings
    from kedro_rats.engines.request import Request
    from kedro_rats.errors import Breach
    from kedro_rats.placement.settings import Settings
    from kedro_rats.plan.model import Plan, Task
    from kedro_rats.store.base import Store

    Json = dict[str, Any]

NOT_STORED = "0" * 64
"""Stands for the request of a manifest that is made to be looked at."""

_MOST_RETRIES = 1000


@dataclass(frozen=True, slots=True)
class ArgoEngine:
    """What Argo says of a plan before anything of it is stored.

    Attributes:
        settings: What ``rats.yml`` says.
        env: Kedro's environment; None for its default.
        remote: Tasks run where the files of this machine are not.
    """

    settings: Settings
    env: str | None = None
    remote: bool = True

    def breaches(
        self, plan: Plan, *, store: Store, decoder: ObjectDecoder
    ) -> list[Breach]:
        """Return what cannot be done on a cluster."""
        found = requirements(plan, store_uri=store.uri, decoder=decoder, env=self.env)
        try:
            argo_settings(self.settings)
        except DefinitionError as error:
            found += error.breaches
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A workflow on the cluster.

    Attributes:
        workflow: Its name.
        run: The run that it does.
        namespace: Where it is.
        created: Whether it was made now; else it was there already.
        tasks: How many tasks it runs.
        address: Where Argo's server shows it; None if no server is named.
    """

    workflow: str
    run: str
    namespace: str
    created: bool
    tasks: int
    address: str | None = None


def manifest_of(
    plan: Plan,
    submission: Submission,
    settings: ArgoSettings,
    *,
    only: Collection[str] | None = None,
) -> dict[str, Any]:
    """Return the workflow of a plan, of a size that Argo takes.

    Raises:
        DefinitionError: If Argo cannot do what the plan asks for, or it is too large.
    """
    manifest = translate(plan, submission, settings, only=only)
    refuse_too_large(manifest)
    return manifest


def submission_of(request: Request, store: Store, *, name: str) -> Submission:
    """Return what a workflow has to know of its run."""
    return Submission(
        name=name,
        run=request.run,
        plan=request.plan,
        request=request.digest,
        project=_said(request, "project"),
        pipeline=_said(request, "pipeline").strip("_"),
        env=request.env,
        store=store.uri,
    )


def submit(
    cluster: Cluster,
    plan: Plan,
    request: Request,
    *,
    store: Store,
    settings: ArgoSettings,
) -> Submitted:
    """Make the workflow of a run, unless it is there.

    Returns:
        The workflow; of a run that was submitted before, its latest: a retry's.

    Raises:
        ClusterError: If the cluster does not take it, or has another of that name.
    """
    name = workflow_name(_said(request, "project"), request.run)
    manifest = manifest_of(plan, submission_of(request, store, name=name), settings)
    created = True
    try:
        cluster.create(manifest)
    except WorkflowExists:
        _same(cluster, name, REQUEST, request.digest, request.run)
        created = False
        latest = _of_the_run(cluster, request, store)[:1]
        name = str(latest[0]["metadata"]["name"]) if latest else name
    return Submitted(
        workflow=name,
        run=request.run,
        namespace=cluster.namespace,
        created=created,
        tasks=len(plan),
        address=settings.address(cluster.namespace, name),
    )


def rehearse(
    cluster: Cluster, manifest: dict[str, Any], *, run: str, plan: str
) -> bool:
    """Have the cluster check the workflow of a run; nothing is changed.

    Args:
        cluster: Where to.
        manifest: The workflow.
        run: The run that it does.
        plan: The plan of the run.

    Returns:
        Whether it would be made: not if it is there already.

    Raises:
        ClusterError: If the cluster would not take it, or has another of that name.
    """
    try:
        cluster.create(manifest, dry_run=True)
    except WorkflowExists:
        _same(cluster, manifest["metadata"]["name"], PLAN, plan, run)
        return False
    return True


def retry(
    cluster: Cluster,
    run: str,
    *,
    store: Store,
    rats_yml: Settings,
    settings: ArgoSettings,
) -> Submitted | None:
    """Make a workflow of what is not done of a run; None if all of it is.

    Args:
        cluster: Where to.
        run: The run.
        store: Where it is.
        rats_yml: Says where tasks run now; what they do stays as it is.
        settings: What ``ext.argo`` of it says.

    Raises:
        RatsError: If there is no such run, or it still goes on.
        DefinitionError: If it cannot run as ``rats.yml`` says now.
        ClusterError: If the cluster does not take it.
    """
    request = request_of(store, run)
    plan = placed_again(plan_from_bytes(store.get(request.plan)), rats_yml)
    raise_if(
        ArgoEngine(rats_yml, request.env).breaches(
            plan, store=store, decoder=_decoder(store)
        )
    )
    first = workflow_name(_said(request, "project"), request.run)
    earlier = _of_the_run(cluster, request, store)
    _raise_if_running(earlier, request)
    undone = [t.name for t in unfinished(plan, store, request.run)]
    if not undone:
        return None
    for attempt in range(len(earlier) + 1, _MOST_RETRIES):
        name = f"{first}-r{attempt}" if attempt > 1 else first
        submission = submission_of(request, store, name=name)
        try:
            cluster.create(manifest_of(plan, submission, settings, only=undone))
            created = True
        except WorkflowExists:
            # Somebody else was faster, or the answer to our own first try was lost.
            if not _goes_on(cluster, name, request):
                continue
            created = False
        return Submitted(
            workflow=name,
            run=request.run,
            namespace=cluster.namespace,
            created=created,
            tasks=len(undone),
            address=settings.address(cluster.namespace, name),
        )
    msg = f"Run {request.run!r}: expected fewer than {_MOST_RETRIES} retries, got more."
    raise ClusterError(msg)


_ENDED = ("Succeeded", "Failed", "Error")


def _decoder(store: Store) -> ObjectDecoder:
    from kedro_rats.encoding.objects import ObjectDecoder

    return ObjectDecoder(store.get)


def _of_the_run(cluster: Cluster, request: Request, store: Store) -> list[Json]:
    """Return the workflows of a run; of another store, a run of that name is another."""
    return [
        workflow
        for workflow in cluster.list({RUN: label_value(request.run)})
        if workflow["metadata"].get("annotations", {}).get(STORE) in (None, store.uri)
    ]


def _raise_if_running(workflows: list[Json], request: Request) -> None:
    for workflow in workflows:
        if workflow.get("status", {}).get("phase") not in _ENDED:
            run = f"{request.run} --env={request.env}" if request.env else request.run
            msg = (
                f"Run {request.run!r}: expected that it has ended, got workflow "
                f"{workflow['metadata']['name']!r} that goes on. `kedro rats watch {run}` "
                f"follows it, `kedro rats stop {run}` ends it."
            )
            raise RatsError(msg)


def _goes_on(cluster: Cluster, name: str, request: Request) -> bool:
    """Say whether a workflow does this request, and has not ended."""
    found = cluster.get(name)
    annotations = found["metadata"].get("annotations", {})
    return annotations.get(REQUEST) == request.digest and not has_ended(found)


def unfinished(plan: Plan, store: Store, run: str) -> list[Task]:
    """Return the tasks that are not committed, or not published yet."""
    done = store.each(lambda task: _is_done(store, run, task), plan)
    return [task for task, is_done in zip(plan, done, strict=True) if not is_done]


def _is_done(store: Store, run: str, task: Task) -> bool:
    return record_of(store, run, task.name) is not None and is_published(
        store, run, task.name
    )


def _same(cluster: Cluster, name: str, key: str, value: str, run: str) -> None:
    """Raise if a workflow of this name does something else."""
    found = cluster.get(name)["metadata"].get("annotations", {}).get(key)
    if found != value:
        msg = (
            f"Workflow {name!r}: expected the one of run {run!r}, got one of "
            f"another {key.removeprefix(PREFIX)} in namespace {cluster.namespace!r}. Give another --key, or "
            "delete it if nobody needs it."
        )
        raise ClusterError(msg)


def _said(request: Request, key: str) -> str:
    return str(request.about.get(key) or "")
