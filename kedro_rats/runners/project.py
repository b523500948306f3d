"""What a run has to know of the project that it belongs to."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro_rats.encoding.objects import ObjectEncoder
from kedro_rats.encoding.values import Unencodable
from kedro_rats.engines.execution.credentials import Credentials
from kedro_rats.names import is_parameter
from kedro_rats.placement.loading import load_settings
from kedro_rats.placement.settings import Settings
from kedro_rats.plan import CatalogEntries, Project
from kedro_rats.runners.live_catalog import LiveCatalog
from kedro_rats.runners.session import memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kedro.framework.context import KedroContext
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline

_TASK_SPECS = (
    "before_node_run",
    "after_node_run",
    "on_node_error",
    "before_dataset_loaded",
    "after_dataset_loaded",
    "before_dataset_saved",
    "after_dataset_saved",
)
_NOT_IN_TASKS = ("kedro_viz", "kedro_rats", "kedro_telemetry")
"""Plugins whose hooks report to this machine: a task elsewhere has no use for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectView:
    """A project, or a catalog made in code, as a run sees it.

    Attributes:
        entries: What the catalog says of each dataset.
        settings: What ``rats.yml`` says.
        folder: The project's folder.
        credentials: Credentials by name.
        project: What tasks need to know of it.
        env: Kedro's environment; None for its default.
        conf_source: The configuration folder; None for the project's own.
        load_versions: Versions that were asked for, by dataset.
        pipelines: Names of the registered pipelines that were asked for, if any is known.
        live: The catalog that holds values in memory, if there is one.
    """

    entries: CatalogEntries
    settings: Settings
    folder: Path
    credentials: Credentials
    project: Project
    env: str | None = None
    conf_source: str | None = None
    load_versions: Mapping[str, str] = field(default_factory=dict)
    pipelines: tuple[str, ...] = ()
    live: LiveCatalog | None = None

    @property
    def in_project(self) -> bool:
        """Whether another process can find the configuration too."""
        return self.project.package is not None


def of_catalog(
    catalog: DataCatalog, hook_manager: Any, *, isolate: bool = False
) -> ProjectView:
    """Return what is known where Kedro runs a pipeline: the project, or the catalog.

    Args:
        catalog: The catalog of the run.
        hook_manager: pluggy's; None for no hooks.
        isolate: Whether tasks run in other processes, which need all hooks.
    """
    live = LiveCatalog(catalog)
    context = memory.context_of(catalog)
    if context is None:
        hooks, plugins, _ = task_hooks(hook_manager)
        if not isolate:
            # Those of this process run; what cannot be written is not needed.
            hooks = tuple(hook for hook in hooks if _can_travel(hook))
        return ProjectView(
            entries=CatalogEntries({}, fallback=live.entry),
            settings=Settings(),
            folder=Path.cwd(),
            credentials=Credentials(lambda: live.credentials),
            project=Project(hooks=hooks, plugins=plugins),
            load_versions=live.load_versions,
            live=live,
        )
    conf_creds = dict(memory.credentials)
    return of_context(
        context,
        hook_manager,
        credentials=Credentials(lambda: {**live.credentials, **conf_creds}),
        live=live,
    )


def of_context(
    context: KedroContext,
    hook_manager: Any,
    *,
    credentials: Credentials | None = None,
    live: LiveCatalog | None = None,
) -> ProjectView:
    """Return what is known of a project, from its configuration alone.

    Args:
        context: Kedro's context of the project.
        hook_manager: pluggy's, with the project's hooks.
        credentials: Credentials by name; default those of the configuration.
        live: The catalog that was made of it, whose hooks may have added to it.
    """
    loader = context.config_loader
    hooks, plugins, waits = task_hooks(hook_manager)
    # What cannot be written is made anew from the project's settings, too.
    waits = waits or not all(map(_can_travel, hooks))
    package = _package_of(context)
    config = loader["catalog"]
    if live is not None:
        replaced = live.replaced(config)
        config = {name: e for name, e in config.items() if name not in replaced}
    return ProjectView(
        entries=CatalogEntries(
            config, fallback=live.entry if live is not None else None
        ),
        settings=load_settings(loader),
        folder=Path(context.project_path),
        credentials=credentials or Credentials(context._get_config_credentials),
        project=Project(
            package=package,
            source=_source_folder(package, Path(context.project_path)),
            # With a context come the project's hooks, made anew where the task runs.
            hooks=() if waits else hooks,
            plugins=plugins,
            context=waits,
        ),
        env=context.env,
        conf_source=_conf_source(loader, Path(context.project_path)),
        load_versions=memory.load_versions if live is not None else {},
        pipelines=memory.pipelines if live is not None else (),
        live=live,
    )


def _package_of(context: KedroContext) -> str | None:
    """Return the project's package, which Kedro 1.0 does not tell the context."""
    from kedro.framework.project import PACKAGE_NAME

    named = (context._package_name, PACKAGE_NAME)
    return next((name for name in named if name), None)


def task_hooks(
    hook_manager: Any,
) -> tuple[tuple[object, ...], tuple[str, ...], bool]:
    """Return the hooks around nodes and datasets, in the order of their registration.

    Returns:
        The project's own; the entry points of plugins that have some; and whether one of
        all these waits for a Kedro context.
    """
    if hook_manager is None:
        return (), (), False
    of_plugins = {id(plugin) for plugin, _ in hook_manager.list_plugin_distinfo()}
    own: list[object] = []
    plugins: dict[str, object] = {}
    for name, hook in hook_manager.list_name_plugin():
        if hook is None or _root(hook) in _NOT_IN_TASKS:
            continue
        callers = hook_manager.get_hookcallers(hook) or ()
        if any(caller.name in _TASK_SPECS for caller in callers):
            if id(hook) in of_plugins:
                plugins[name] = hook
            else:
                own.append(hook)
    waits = any(
        hasattr(hook, "after_context_created") for hook in (*own, *plugins.values())
    )
    return tuple(own), tuple(plugins), waits


def parameter_values(pipeline: Pipeline, parameters: object) -> dict[str, object]:
    """Return the values of the parameters that a pipeline reads, as Kedro names them.

    Args:
        pipeline: The pipeline.
        parameters: All parameters of the project, typed ones as instances.
    """
    names = {n for node in pipeline.nodes for n in node.inputs if is_parameter(n)}
    return values_of(names, parameters)


def values_of(names: Iterable[str], parameters: object) -> dict[str, object]:
    """Return the values of parameters that there are, by what Kedro calls them."""
    found: dict[str, object] = {}
    for name in sorted(names):
        value, there = _reached(parameters, name.partition(":")[2])
        if there:
            found[name] = value
    return found


def _reached(value: object, path: str) -> tuple[object, bool]:
    for key in path.split(".") if path else ():
        if isinstance(value, dict):
            if key not in value:
                return None, False
            value = value[key]
        elif hasattr(value, key):
            value = getattr(value, key)
        else:
            return None, False
    return value, True


def _source_folder(package: str | None, project: Path) -> str | None:
    module = sys.modules.get(package or "")
    file = getattr(module, "__file__", None)
    if file is None:
        return None
    folder = Path(file).resolve().parent.parent
    inside = folder == project or project in folder.parents
    return folder.relative_to(project).as_posix() if inside else None


def _conf_source(loader: Any, project: Path) -> str | None:
    source = Path(str(getattr(loader, "conf_source", "conf")))
    if source == project / "conf":
        return None
    # A task finds it from the project's folder, wherever that is.
    return str(source.relative_to(project) if project in source.parents else source)


def _can_travel(hook: object) -> bool:
    """Say whether another process can make a hook from data."""
    try:
        ObjectEncoder(lambda _: None).encode(hook)
    except Unencodable:
        return False
    return True


def _root(plugin: object) -> str:
    module = getattr(plugin, "__module__", None) or type(plugin).__module__
    return str(module).partition(".")[0]
