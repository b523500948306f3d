"""What is selected, checked for a cluster: nothing is written, and nobody is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro_rats.cli.selection import (
    Selection,
    context_of,
    selected_pipeline,
    session_of,
)

if TYPE_CHECKING:
    from kedro.framework.startup import ProjectMetadata

    from kedro_rats.engines.argo.settings import ArgoSettings
    from kedro_rats.runners.preparing import Checked


def checked_selection(
    metadata: ProjectMetadata,
    selection: Selection,
    *,
    from_run: str | None,
    key: str | None,
) -> Checked:
    """Return what is selected, checked for a cluster; nothing is written.

    Raises:
        DefinitionError: If it cannot run there, with all that is wrong.
    """
    from dataclasses import replace

    from kedro.io.core import generate_timestamp

    from kedro_rats.engines.argo.naming import check_key
    from kedro_rats.runners.argo import checked_for_argo
    from kedro_rats.runners.preparing import Asked
    from kedro_rats.runners.project import of_context, parameter_values

    now = generate_timestamp()
    asked = Asked(
        run=now if key is None else check_key(key),
        again=key is not None,
        save_version=None if key is None else now,
        from_run=from_run,
        about={"pipeline": ",".join(selection.pipelines) or "__default__"},
    )
    pipeline = selected_pipeline(selection)
    session = session_of(metadata, selection)
    context = context_of(session, selection)
    view = of_context(context, session._hook_manager)
    return checked_for_argo(
        pipeline,
        replace(view, load_versions=selection.load_versions),
        parameters=parameter_values(pipeline, context.params),
        asked=asked,
    )


def manifest_of_checked(checked: Checked, settings: ArgoSettings) -> dict[str, Any]:
    """Return the workflow of a run that is not stored.

    Raises:
        DefinitionError: If Argo cannot do what the plan asks for, or it is too large.
    """
    from kedro_rats.engines.argo.naming import workflow_name
    from kedro_rats.engines.argo.submission import NOT_STORED, manifest_of
    from kedro_rats.engines.argo.translation.workflow import Submission

    project = checked.view.project.package or ""
    submission = Submission(
        name=workflow_name(project, checked.asked.run),
        run=checked.asked.run,
        plan=checked.lowered.digest,
        request=NOT_STORED,
        project=project,
        pipeline=str(checked.asked.about.get("pipeline", "")).strip("_"),
        env=checked.view.env,
        store=checked.store.uri,
    )
    return manifest_of(checked.lowered.plan, submission, settings)
