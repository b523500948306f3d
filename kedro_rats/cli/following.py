"""A run on a cluster, for the commands that look at one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro_rats.cli.selection import Selection, session_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kedro.framework.startup import ProjectMetadata

    from kedro_rats.engines.argo.cluster.client import Cluster
    from kedro_rats.engines.argo.cluster.runs import ClusterRun
    from kedro_rats.engines.argo.progress import Looking, Progress
    from kedro_rats.engines.argo.settings import ArgoSettings
    from kedro_rats.placement.settings import Settings
    from kedro_rats.plan import Plan
    from kedro_rats.store.base import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectCluster:
    """A project's cluster and store: what ``rats.yml`` says, and nothing of the catalog.

    Attributes:
        name: The project's name, as its workflows have it.
        env: Kedro's environment; None for its default.
        cluster: The cluster.
        settings: What ``ext.argo`` of ``rats.yml`` says.
        rats_yml: What the rest of it says.
        store: Where runs keep their data.
        credentials: The store's own; None for those of the environment.
    """

    name: str
    env: str | None
    cluster: Cluster
    settings: ArgoSettings
    rats_yml: Settings
    store: Store
    credentials: Mapping[str, Any] | None

    @property
    def env_option(self) -> str:
        """The option that a further command needs."""
        return f" --env={self.env}" if self.env else ""

    def runs(self) -> list[ClusterRun]:
        """Return the project's runs on the cluster, the latest first.

        Raises:
            ClusterError: If the cluster does not say.
        """
        from kedro_rats.engines.argo.cluster.runs import runs_on

        return runs_on(self.cluster, self.name, store=self.store.uri)

    def stored_run(self, asked: str) -> str:
        """Return the id of a run that the store knows: by it, or by a workflow's name.

        Raises:
            RatsError: If there is none.
            ClusterError: If the cluster does not say.
        """
        from kedro_rats.engines.argo.cluster.runs import find_run
        from kedro_rats.store.layout import request_key

        if self.store.read(request_key(asked)) is not None:
            return asked
        return find_run(self.cluster, self.name, asked, store=self.store.uri).run

    def run(self, asked: str | None) -> FollowedRun:
        """Return a run: by its id, by the name of a workflow, or the latest.

        Raises:
            NoSuchWorkflow: If the cluster has none.
            RatsError: If the store does not have its plan.
        """
        from kedro_rats.engines.argo.cluster.runs import find_run
        from kedro_rats.engines.request import request_of
        from kedro_rats.plan.document import plan_from_bytes

        store = self.store
        found = find_run(self.cluster, self.name, asked, store=store.uri)
        plan = plan_from_bytes(store.get(request_of(store, found.run).plan))
        return FollowedRun(on=self, found=found, plan=plan)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedRun:
    """A run on a cluster.

    Attributes:
        on: Where it is.
        found: What the cluster calls it.
        plan: Its plan.
    """

    on: ProjectCluster
    found: ClusterRun
    plan: Plan

    @property
    def address(self) -> str | None:
        """Where Argo's server shows its latest workflow; None if no server is named."""
        on = self.on
        return on.settings.address(on.cluster.namespace, self.found.workflow)

    def looking(self) -> Looking:
        """Return what looks at its latest workflow."""
        from kedro_rats.engines.argo.progress import Looking

        cluster = self.on.cluster
        return Looking(
            cluster,
            self.found.workflow,
            self.plan,
            store=self.on.store,
            run=self.found.run,
        )

    def progress(self) -> Progress:
        """Return how it gets on now; the record of one that has ended is finished.

        Raises:
            ClusterError: If the cluster does not say.
        """
        from kedro_rats.engines.argo.progress import finish_record

        found = self.looking().at(self.on.cluster.get(self.found.workflow))
        finish_record(self.on.store, self.found.run, self.plan, found)
        return found

    def document(self, found: Progress) -> dict[str, Any]:
        """Return how it gets on for programs."""
        return {
            "run": self.found.run,
            "workflow": found.workflow,
            "workflows": list(self.found.workflows),
            "namespace": self.on.cluster.namespace,
            "address": self.address,
            "state": found.state,
            "message": found.message,
            "started": found.started,
            "finished": found.finished,
            "tasks": [
                {
                    "name": task.name,
                    "label": task.label,
                    "state": task.state,
                    "attempts": task.attempts,
                    "started": task.started,
                    "finished": task.finished,
                    "pod": task.pod,
                    "cause": task.cause,
                    "code": task.code,
                }
                for task in found.tasks.values()
            ],
        }

    def advice(self, found: Progress) -> list[str]:
        """Return what failed, and the next command."""
        from kedro_rats.engines.argo.progress import failure_lines

        env, run = self.on.env, self.found.run
        if found.state == "running":
            lines = failure_lines(found, self.plan, run, env=env)
            message = [f"{found.message}."] if found.message else []
            next_one = f"Next: kedro rats watch {run}{self.on.env_option}"
            return [*lines, *message, next_one]
        return failure_lines(found, self.plan, run, env=env)


def project_cluster(
    metadata: ProjectMetadata, *, env: str | None, conf_source: str | None
) -> ProjectCluster:
    """Return a project's cluster and store; nothing is asked of them yet.

    Raises:
        DefinitionError: If ``rats.yml`` is wrong.
        ClusterError: If there is no access to a cluster.
    """
    from kedro_rats.engines.argo.cluster.client import Cluster
    from kedro_rats.engines.argo.reading import argo_settings
    from kedro_rats.errors import raise_if
    from kedro_rats.placement.loading import load_settings
    from kedro_rats.runners.argo import environment_breaches
    from kedro_rats.store.opening import open_store

    asked = Selection(params={}, load_versions={}, env=env, conf_source=conf_source)
    # Its hooks may add credentials. The catalog is left alone: it may need parameters.
    context = session_of(metadata, asked).load_context()
    said = load_settings(context.config_loader)
    raise_if(
        environment_breaches(said.store.uri, Path(context.config_loader.conf_source))
    )
    settings = argo_settings(said)
    named = said.store.credentials
    credentials = context._get_config_credentials()[named] if named else None
    return ProjectCluster(
        name=metadata.package_name,
        env=context.env,
        cluster=Cluster.connect(namespace=settings.namespace, context=settings.context),
        settings=settings,
        rats_yml=said,
        store=open_store(
            said.store.uri, base=metadata.project_path, credentials=credentials
        ),
        credentials=credentials,
    )
