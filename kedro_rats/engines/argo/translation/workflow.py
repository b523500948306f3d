"""From a plan to a workflow of Argo, as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.engines.argo import naming
from kedro_rats.engines.argo.translation.characters import TASK_INPUT, harmful
from kedro_rats.engines.argo.translation.outputs import outputs_text
from kedro_rats.engines.argo.translation.pods import pod_security
from kedro_rats.engines.argo.translation.requirements import impossible
from kedro_rats.engines.argo.translation.structure import dag_of
from kedro_rats.engines.argo.translation.templates import ENTRY, Templates
from kedro_rats.errors import Breach, listed, raise_if

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from hera.workflows import Workflow, models

    from kedro_rats.engines.argo.settings import ArgoSettings
    from kedro_rats.plan.model import Plan, Task

_POD_GC: Final = {"on_success": "OnWorkflowSuccess", "on_end": "OnWorkflowCompletion"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a workflow has to know of its run.

    Attributes:
        name: The workflow's name.
        run: The run's id.
        plan: Digest of the plan.
        request: Digest of what was asked for.
        project: The project's name.
        pipeline: The pipeline's name.
        env: Kedro's environment; None for its default.
        store: The store's URI.
    """

    name: str
    run: str
    plan: str
    request: str
    project: str
    pipeline: str
    env: str | None
    store: str


def translate(
    plan: Plan,
    submission: Submission,
    settings: ArgoSettings,
    *,
    only: Collection[str] | None = None,
) -> dict[str, Any]:
    """Return the workflow that runs a plan, as JSON: the same for the same arguments.

    Args:
        plan: The plan.
        submission: What the workflow has to know of its run.
        settings: Of the engine.
        only: Names of the tasks that are still to be run; None for all.

    Raises:
        DefinitionError: With all that Argo cannot do of it.
    """
    tasks = _chosen(plan, only)
    raise_if(impossible(tasks))
    templates = Templates(settings, _command(submission))
    templates.add(dag_of(tasks), {task.name: task.placement for task in tasks})
    made = _workflow(submission, settings, tasks, templates.built())
    text = made.build().model_dump_json(by_alias=True, exclude_none=True)
    manifest: dict[str, Any] = _sorted(json.loads(text))
    raise_if(harmful(manifest))
    return manifest


def _sorted(value: Any) -> Any:
    """Return JSON with its keys in order, whatever the versions of Hera and pydantic."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return list(map(_sorted, value)) if isinstance(value, list) else value


def _chosen(plan: Plan, only: Collection[str] | None) -> list[Task]:
    if only is None:
        return list(plan)
    unknown = sorted(set(only) - set(plan.tasks))
    expected, remedy = "tasks of this plan", "`kedro rats plan` lists them."
    got = listed(map(repr, unknown))
    raise_if([Breach("tasks to run", expected, got, remedy)] if unknown else [])
    chosen = set(only)
    return [task for task in plan if task.name in chosen]


def _workflow(
    submission: Submission,
    settings: ArgoSettings,
    tasks: Sequence[Task],
    templates: list[Any],
) -> Workflow:
    from hera.workflows import Workflow, models

    labels = _labels(submission, settings)
    repository = settings.artifact_repository
    return Workflow(
        # Hera would take these from its global configuration.
        api_version="argoproj.io/v1alpha1",
        kind="Workflow",
        name=submission.name,
        namespace=settings.namespace,
        labels=labels,
        annotations=_annotations(submission, settings, tasks),
        entrypoint=ENTRY,
        templates=templates,
        pod_metadata=models.Metadata(
            labels=labels, annotations=dict(settings.annotations) or None
        ),
        security_context=pod_security(settings),
        service_account_name=settings.service_account,
        image_pull_secrets=_pull_secrets(tasks),
        parallelism=settings.parallelism,
        priority=settings.priority,
        active_deadline_seconds=settings.deadline,
        ttl_strategy=models.TTLStrategy(seconds_after_completion=settings.keep),
        pod_gc=_pod_gc(settings),
        archive_logs=settings.artifacts or None,
        artifact_repository_ref=models.ArtifactRepositoryRef(
            config_map=repository.config_map, key=repository.key
        )
        if repository
        else None,
    )


def _command(submission: Submission) -> list[str]:
    return [
        *("python", "-m", "kedro_rats.engines.execution"),
        *("--store", submission.store),
        *("--request", submission.request),
        *("--task", TASK_INPUT),
    ]


def _labels(submission: Submission, settings: ArgoSettings) -> dict[str, str]:
    known = {naming.PROJECT: submission.project, naming.PIPELINE: submission.pipeline}
    return {
        **settings.labels,
        **{key: naming.label_value(said) for key, said in known.items() if said},
        naming.RUN: naming.label_value(submission.run),
        naming.PLAN: submission.plan[:12],
    }


def _annotations(
    submission: Submission, settings: ArgoSettings, tasks: Sequence[Task]
) -> dict[str, str]:
    return {
        **settings.annotations,
        naming.RUN: submission.run,
        naming.PLAN: submission.plan,
        naming.REQUEST: submission.request,
        naming.STORE: submission.store,
        naming.OUTPUTS: outputs_text(tasks),
    }


def _pod_gc(settings: ArgoSettings) -> models.PodGC | None:
    from hera.workflows import models

    strategy = _POD_GC.get(settings.pods)
    return models.PodGC(strategy=strategy) if strategy else None


def _pull_secrets(tasks: Sequence[Task]) -> list[models.LocalObjectReference] | None:
    from hera.workflows import models

    images = (task.placement.get("image", {}) for task in tasks)
    found = {name for image in images for name in image.get("pull_secrets", [])}
    return [models.LocalObjectReference(name=name) for name in sorted(found)] or None
