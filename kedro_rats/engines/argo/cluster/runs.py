"""The runs of a project that a cluster knows, found by labels alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kedro_rats.engines.argo import naming
from kedro_rats.engines.argo.cluster.client import Cluster, NoSuchWorkflow, phase_of
from kedro_rats.errors import Breach, nearest, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterRun:
    """A run and its workflows: a retry makes another.

    Attributes:
        run: Its id.
        pipeline: The pipeline, as far as a label can say it.
        workflows: Names of its workflows, the latest first.
        state: Of the latest: running, succeeded or failed.
        created: When the latest was made, ISO 8601, UTC.
    """

    run: str
    pipeline: str
    workflows: tuple[str, ...]
    state: str
    created: str

    @property
    def workflow(self) -> str:
        """The latest workflow."""
        return self.workflows[0]


def runs_on(cluster: Cluster, project: str, *, store: str) -> list[ClusterRun]:
    """Return the runs of a project, the latest first.

    Args:
        cluster: Where they are.
        project: The project.
        store: Where they keep their data: somebody else may have a project of that name.

    Raises:
        ClusterError: If the cluster does not say.
    """
    heads = cluster.list({naming.PROJECT: naming.label_value(project)})
    found: dict[str, list[Json]] = {}
    for head in heads:
        said = _said(head, naming.STORE)
        if said in ("", store):
            found.setdefault(_said(head, naming.RUN), []).append(head)
    return [_as_run(run, workflows) for run, workflows in found.items() if run]


def find_run(
    cluster: Cluster, project: str, asked: str | None, *, store: str
) -> ClusterRun:
    """Return a run of a project.

    Args:
        cluster: Where it is.
        project: The project.
        asked: A run's id, or the name of a workflow; None for the latest run.
        store: Where the project keeps its data.

    Raises:
        NoSuchWorkflow: If there is none.
        ClusterError: If the cluster does not say.
    """
    known = runs_on(cluster, project, store=store)
    for run in known:
        if asked is None or asked == run.run or asked in run.workflows:
            return run
    where = (
        f"project {project!r} with store {store!r} in namespace {cluster.namespace!r}"
    )
    if asked is None:
        breach = Breach(
            "cluster",
            f"a workflow of {where}",
            "none",
            "`kedro rats submit` makes one; ext.argo.namespace says where.",
        )
    else:
        names = [*(r.run for r in known), *_names(known)]
        breach = Breach(
            "RUN",
            f"a run or a workflow of {where}",
            shown(asked),
            f"{nearest(asked, names)}`kedro rats list` shows those that are there.",
        )
    raise NoSuchWorkflow(breach)


def _names(runs: Iterable[ClusterRun]) -> list[str]:
    return [name for run in runs for name in run.workflows]


def _said(head: Json, key: str) -> str:
    metadata = head["metadata"]
    annotations, labels = (
        metadata.get("annotations") or {},
        metadata.get("labels") or {},
    )
    return str(annotations.get(key) or labels.get(key) or "")


def _as_run(run: str, workflows: list[Json]) -> ClusterRun:
    latest = workflows[0]
    return ClusterRun(
        run=run,
        pipeline=_said(latest, naming.PIPELINE),
        workflows=tuple(str(w["metadata"]["name"]) for w in workflows),
        state=_STATES.get(phase_of(latest), "running"),
        created=str(latest["metadata"].get("creationTimestamp", "")),
    )


_STATES = {"Succeeded": "succeeded", "Failed": "failed", "Error": "failed"}
