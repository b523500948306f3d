"""From a pipeline to a run that an engine can start: the plan and all it needs, stored."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from kedro_rats.encoding.canonical import from_bytes
from kedro_rats.encoding.objects import ObjectDecoder
from kedro_rats.engines.execution.redaction import without_secrets
from kedro_rats.engines.execution.surroundings import Surroundings
from kedro_rats.engines.importing import Importer, import_value, outputs_of_run
from kedro_rats.engines.request import Request, keep, request_of
from kedro_rats.errors import Breach, DefinitionError, listed, raise_if
from kedro_rats.plan import Lowered, lower, verify
from kedro_rats.plan.placing import SettingsPlacing
from kedro_rats.runners.provenance import git_state, versions
from kedro_rats.store.layout import check_run, request_key
from kedro_rats.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kedro.pipeline import Pipeline

    from kedro_rats.engines.importing import Found
    from kedro_rats.plan import Plan
    from kedro_rats.runners.project import ProjectView
    from kedro_rats.store.base import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for, beyond a pipeline and its parameters.

    Attributes:
        run: The id that the run should have; another is made of it if it is taken.
        again: Whether the id names what is asked for: asked for twice, it is one run.
        save_version: The version of versioned outputs; None for the run's id.
        from_run: An earlier run whose outputs stand in for free inputs.
        about: What people want to know of the run later.
    """

    run: str
    again: bool = False
    save_version: str | None = None
    from_run: str | None = None
    about: Mapping[str, Any] = field(default_factory=dict)


class Engine(Protocol):
    """What an engine says of a plan before anything of it is stored."""

    @property
    def remote(self) -> bool:
        """Whether tasks run where the files of this machine are not."""

    def breaches(
        self, plan: Plan, *, store: Store, decoder: ObjectDecoder
    ) -> list[Breach]:
        """Return what the engine cannot do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A run that could be started; nothing of it is stored yet.

    Attributes:
        lowered: The plan.
        asked: What was asked for.
        found: Its inputs.
        held: Inputs whose values are in memory.
        importer: Puts inputs into the store.
        view: The project.
    """

    lowered: Lowered
    asked: Asked
    found: Found
    held: Mapping[str, object]
    importer: Importer
    view: ProjectView

    @property
    def store(self) -> Store:
        """Where all of it goes."""
        return self.importer.store


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


def check(
    pipeline: Pipeline,
    view: ProjectView,
    *,
    parameters: Mapping[str, object],
    asked: Asked,
    engine: Engine | None = None,
) -> Checked:
    """Lower and verify a pipeline, and look for its inputs; nothing is written.

    Args:
        pipeline: The pipeline, as selected.
        view: The project.
        parameters: Values by the names of Kedro's datasets.
        asked: What is asked for beyond that.
        engine: What the plan is for, if that cannot do all that a plan may ask for.

    Raises:
        DefinitionError: If the pipeline cannot be run, with all that is wrong.
        RatsError: If there is no run ``asked.from_run``.
        StoreError: If the store cannot be read.
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
    decoder = ObjectDecoder(lowered.pickles.__getitem__)
    importer = Importer(
        store=store,
        decoder=decoder,
        project=view.folder,
        credentials=view.credentials,
        limit=view.settings.import_limit,
        refuse_larger=engine is not None and engine.remote,
    )
    breaches = (
        engine.breaches(lowered.plan, store=store, decoder=decoder) if engine else []
    )
    try:
        found = importer.found(
            lowered.plan,
            taken={n: made for n, made in taken.items() if n not in held},
            load_versions=view.load_versions,
            given=held,
        )
    except DefinitionError as error:
        raise DefinitionError(*breaches, *error.breaches) from error
    raise_if(breaches)
    return Checked(
        lowered=lowered,
        asked=asked,
        found=found,
        held=held,
        importer=importer,
        view=view,
    )


def stored(checked: Checked) -> Prepared:
    """Put a run into the store: its inputs, its plan, and what is asked for.

    Raises:
        DefinitionError: If a value in memory cannot be stored, which is only known when
            it is tried; then there are objects in the store, and no run. If its id was
            to name it, and names something else.
        StoreError: If the store cannot be written.
    """
    store, asked, view = checked.store, checked.asked, checked.view
    store.probe()
    inputs = checked.importer.inputs(checked.found)
    values = {n: import_value(store, n, v) for n, v in checked.held.items()}
    request = Request(
        run=asked.run,
        plan=checked.lowered.digest,
        started=datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        save_version=asked.save_version or asked.run,
        load_versions=inputs.load_versions,
        imports={**inputs.imports, **values},
        env=view.env,
        conf_source=view.conf_source,
        about={
            **_about(view, checked.lowered),
            **asked.about,
            "from_run": asked.from_run,
        },
    )
    if asked.again:
        kept = _kept_once(store, checked.lowered, request)
    else:
        kept = _kept(store, checked.lowered, request)
    return Prepared(lowered=checked.lowered, request=kept, store=store, view=view)


def prepare(
    pipeline: Pipeline,
    view: ProjectView,
    *,
    parameters: Mapping[str, object],
    asked: Asked,
) -> Prepared:
    """Check a run, and put it into the store.

    Raises:
        DefinitionError: If the pipeline cannot be run, with all that is wrong; then
            nothing is written. Also as ``stored`` says.
        RatsError: If there is no run ``asked.from_run``.
        StoreError: If the store cannot be written.
    """
    return stored(check(pipeline, view, parameters=parameters, asked=asked))


def _held(pipeline: Pipeline, view: ProjectView) -> dict[str, object]:
    live = view.live
    if live is None:
        return {}
    names = sorted(n for n in pipeline.inputs() if not n.startswith("params:"))
    return {n: live.value(n) for n in names if n != "parameters" and live.has_value(n)}


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


def _kept_once(store: Store, lowered: Lowered, request: Request) -> Request:
    """Store a request whose run has a name, or return the one that was first."""
    known = store.read(request_key(request.run)) is not None
    if not known and keep(store, lowered, request):
        return request
    first = request_of(store, request.run)
    same = ("plan", "imports", "load_versions", "env", "conf_source")
    differing = [n for n in same if getattr(first, n) != getattr(request, n)]
    if differing:
        raise DefinitionError(
            Breach(
                f"run {request.run!r}",
                f"what was asked for under this name at {first.started}",
                f"another {listed(differing)}",
                "Give another key, or leave it out.",
            )
        )
    return first


def _about(view: ProjectView, lowered: Lowered) -> dict[str, Any]:
    pipelines = {"pipeline": ",".join(view.pipelines)} if view.pipelines else {}
    return {
        **pipelines,
        "project": view.project.package,
        "git": git_state(view.folder),
        "versions": versions(),
        "platform": platform.platform(),
        "parameters": without_secrets(from_bytes(lowered.parameters)),
    }
