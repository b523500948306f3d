"""The hooks that run around nodes and datasets, without Kedro's project machinery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from kedro.io import DataCatalog

    from kedro_rats.engines.request import Request
    from kedro_rats.plan.model import Header


class NoHooks:
    """Stands for ``hook_manager.hook`` where there is no hook to call."""

    def __getattr__(self, name: str) -> Any:
        return _nothing


def _nothing(**_: object) -> list[object]:
    return []


def hook_caller(hooks: Iterable[object], plugins: Iterable[str] = ()) -> Any:
    """Return what calls hooks (``.before_node_run(…)`` and so on).

    Args:
        hooks: The project's, in the order in which they are registered: Kedro calls the
            last first.
        plugins: Names of entry points of plugins; Kedro registers them after these.

    Raises:
        ImportError: If a plugin is not installed.
    """
    registered = [*hooks, *(_of_plugin(name) for name in plugins)]
    return _manager(registered).hook if registered else NoHooks()


def project_hook_caller(header: Header, request: Request, project: Path) -> Any:
    """Return what calls a project's hooks, after they have seen a Kedro context.

    It is for projects with a hook that keeps the context for its work around nodes: the
    settings and the configuration are read, pipelines and the catalog are not made.

    Raises:
        ImportError: If the project or a plugin is not installed.
    """
    from kedro.framework.project import configure_project, settings

    configure_project(str(header.package))
    plugins = [_of_plugin(name) for name in header.plugins]
    manager = _manager([*settings.HOOKS, *plugins])
    loader = settings.CONFIG_LOADER_CLASS(
        conf_source=request.conf_source or str(project / settings.CONF_SOURCE),
        env=request.env,
        **settings.CONFIG_LOADER_ARGS,
    )
    context = settings.CONTEXT_CLASS(
        package_name=header.package,
        project_path=project,
        config_loader=loader,
        env=request.env,
        hook_manager=manager,
    )
    manager.hook.after_context_created(context=context)
    return manager.hook


def _manager(hooks: Iterable[object]) -> Any:
    # Kedro's own hook manager, imported only where there are hooks.
    from kedro.framework.hooks.manager import _create_hook_manager

    manager = _create_hook_manager()
    for hook in hooks:
        manager.register(hook)
    return manager


def _of_plugin(name: str) -> object:
    from importlib.metadata import entry_points

    for point in entry_points(group="kedro.hooks", name=name):
        return point.load()
    msg = f"no plugin with the hook {name!r}"
    raise ImportError(msg)


def announce_catalog(hooks: Any, catalog: DataCatalog) -> None:
    """Tell hooks of the datasets of a task, as Kedro tells them of the catalog.

    Configuration and credentials stay out: the hook of a task gets its task's data only.
    """
    hooks.after_catalog_created(
        catalog=catalog,
        conf_catalog={},
        conf_creds={},
        parameters={},
        save_version=None,
        load_versions={},
    )
