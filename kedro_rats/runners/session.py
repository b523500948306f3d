"""Remembers the Kedro session that a runner runs in.

Kedro gives a runner the pipeline and the catalog, and not the configuration that they
come from: in a catalog, credentials stand in the entries, and paths are of this machine.
So a hook of the plugin keeps the context for the runner to ask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

from kedro.framework.hooks import hook_impl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kedro.framework.context import KedroContext
    from kedro.io import CatalogProtocol


class SessionMemory:
    """The last context and catalog that Kedro made, for as long as Kedro keeps them."""

    def __init__(self) -> None:
        self._context: ref[KedroContext] | None = None
        self._catalog: ref[CatalogProtocol[Any, Any]] | None = None
        self.credentials: Mapping[str, Any] = {}
        self.load_versions: Mapping[str, str] = {}
        self.pipelines: tuple[str, ...] = ()

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Keep the context."""
        self._context = ref(context)

    @hook_impl
    def after_catalog_created(
        self,
        catalog: CatalogProtocol[Any, Any],
        conf_creds: dict[str, Any],
        load_versions: dict[str, str] | None,
    ) -> None:
        """Keep the catalog and what belongs to it."""
        self._catalog = ref(catalog)
        self.credentials = conf_creds
        self.load_versions = load_versions or {}
        self.pipelines = ()

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any]) -> None:
        """Keep which registered pipelines were asked for."""
        # Kedro before 1.2 ran one of them.
        names = run_params.get("pipeline_names") or run_params.get("pipeline_name")
        names = [names] if isinstance(names, str) else names
        self.pipelines = tuple(names or ("__default__",))

    def parameters(self) -> Mapping[str, Any]:
        """Return the parameters of the last context; none if Kedro has let go of it."""
        context = self._context() if self._context is not None else None
        return context.params if context is not None else {}

    def context_of(self, catalog: object) -> KedroContext | None:
        """Return the context of a catalog; None if it was made in another way."""
        mine = self._catalog is not None and self._catalog() is catalog
        return self._context() if mine and self._context is not None else None


memory = SessionMemory()
"""The hook that the plugin registers."""
