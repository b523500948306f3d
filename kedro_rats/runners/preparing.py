"""From a pipeline to a run that an engine can start: the plan and all it needs, stored."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from kedro_rats.encoding.canonical import from_bytes
from kedro_rats.encoding.objects import ObjectDecoder
from kedro_rats.engines.execution.redaction import without_secrets
from kedro_rats.engines.execution.surroundings import Surroundings
from kedro_rats.engines.importing import Importer, import_value, outputs_of_run
from kedro_rats.engines.request import Request, keep
from kedro_rats.plan import Lowered, lower, verify
from kedro_rats.plan.placing import SettingsPlacing
from kedro_rats.runners.provenance import git_state, versions
from kedro_rats.store.layout import check_run
from kedro_rats.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kedro.pipeline import Pipeline

    from kedro_rats.runners.project import ProjectView
    from kedro_rats.store.base import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for, beyond a pipeline and its parameters.

    Attributes:
        run: The id that the run should have; another is made of it if it is taken.
        save_version: The version of versioned outputs; None for the run's id.
        from_run: An earlier run whose outputs stand in for free inputs.
        about: What people want to know of the run later.
    """

    run: str
    save_version: str | None = None
    from_run: str | None = None
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A run that can be started.

    Attributes:
        lowered: The plan.
        request: What is asked for.
        store: Where both are.
        view: The project.
    """

    lowered: Lowered
    request: Request
    store: Store
    view: ProjectView

    def surroundings(self) -> Surroundings:
        """Return what tasks are executed with in this process."""
        parameters: Any = from_bytes(self.lowered.parameters)
        return Surroundings(
            store=self.store,
            request=self.request,
            project=self.view.folder,
            credentials=self.view.credentials,
            decoder=ObjectDecoder(self.store.get),
            parameters=parameters,
        )


def store_of(view: ProjectView) -> Store:
    """Return the store that ``rats.yml`` names."""
    settings = view.settings.store
    credentials = (
        view.credentials[settings.credentials] if settings.credentials else None
    )
    return open_store(settings.uri, base=view.folder, credentials=credentials)


def prepare(
    pipeline: Pipeline,
    view: ProjectView,
    *,
    parameters: Mapping[str, object],
    asked: Asked,
) -> Prepared:
    """Lower and verify a pipeline, resolve its inputs, and put all into the store.

    Args:
        pipeline: The pipeline, as selected.
        view: The project.
        parameters: Values by the names of Kedro's datasets.
        asked: What is asked for beyond that.

    Raises:
        DefinitionError: If the pipeline cannot be run, with all that is wrong; then
            nothing is written. If a value in memory cannot be stored, which is only
            known when it is tried, there are objects in the store, and no run.
        RatsError: If there is no run ``asked.from_run``.
        StoreError: If the store cannot be written.
    """
    check_run(asked.run)
    store = store_of(view)
    taken = outputs_of_run(store, asked.from_run) if asked.from_run is not None else {}
    held = _held(pipeline, view)
    lowered = lower(
        pipeline,
        catalog=view.entries,
        parameters=parameters,
        placing=SettingsPlacing(view.settings),
        given={*taken, *held},
        project=view.project,
    )
    verify(lowered.plan)
    importer = _importer(view, lowered, store)
    free = importer.found(
        lowered.plan,
        taken={n: made for n, made in taken.items() if n not in held},
        load_versions=view.load_versions,
        given=held,
    )
    store.probe()
    inputs = importer.inputs(free)
    values = {n: import_value(store, n, v) for n, v in held.items()}
    request = Request(
        run=asked.run,
        plan=lowered.digest,
        started=datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        save_version=asked.save_version or asked.run,
        load_versions=inputs.load_versions,
        imports={**inputs.imports, **values},
        env=view.env,
        conf_source=view.conf_source,
        about={
            **_about(view, lowered),
            **asked.about,
            "from_run": asked.from_run,
        },
    )
    kept = _kept(store, lowered, request)
    return Prepared(lowered=lowered, request=kept, store=store, view=view)


def _held(pipeline: Pipeline, view: ProjectView) -> dict[str, object]:
    live = view.live
    if live is None:
        return {}
    names = sorted(n for n in pipeline.inputs() if not n.startswith("params:"))
    return {n: live.value(n) for n in names if n != "parameters" and live.has_value(n)}


def _importer(view: ProjectView, lowered: Lowered, store: Store) -> Importer:
    return Importer(
        store=store,
        decoder=ObjectDecoder(lowered.pickles.__getitem__),
        project=view.folder,
        credentials=view.credentials,
        limit=view.settings.import_limit,
    )


def _kept(store: Store, lowered: Lowered, request: Request) -> Request:
    """Store a request; of two runs with one id, the later gets another."""
    first = request
    while not keep(store, lowered, request):
        run = f"{first.run}-{uuid4().hex[:4]}"
        # Two runs that save one version would write to one place.
        same = first.save_version == first.run
        request = replace(
            first, run=run, save_version=run if same else first.save_version
        )
    return request


def _about(view: ProjectView, lowered: Lowered) -> dict[str, Any]:
    return {
        "project": view.project.package,
        "git": git_state(view.folder),
        "versions": versions(),
        "platform": platform.platform(),
        "parameters": without_secrets(from_bytes(lowered.parameters)),
    }
