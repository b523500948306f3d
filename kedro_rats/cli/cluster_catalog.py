"""Places on S3 for what nodes write: entries of a catalog for a cluster's environment.

The catalog of an ordinary project names local files, which pods do not share. An entry in
another environment replaces it, as Kedro has it, so Kedro, Viz and notebooks find the
same files there. Inputs stay where they are: they are uploaded when a run is submitted.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import yaml  # type: ignore[import-untyped]

from kedro_rats.errors import DefinitionError
from kedro_rats.store import catalogued

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from kedro.io import CatalogConfigResolver
    from kedro.pipeline import Pipeline

_WIDE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Places:
    """What a catalog lacks for a cluster.

    Attributes:
        entries: An entry for each local output, at a place on S3.
        unwritable: Local outputs whose entries hold what YAML cannot.
    """

    entries: Mapping[str, Mapping[str, Any]]
    unwritable: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the entries as YAML."""
        return "\n".join(_dumped({name: entry}) for name, entry in self.entries.items())


def places(
    config: Mapping[str, Any],
    pipelines: Iterable[Pipeline],
    *,
    root: str,
    project: Path,
) -> Places:
    """Return places for the local outputs of pipelines.

    Args:
        config: The catalog, with the environment put on top of the base.
        pipelines: All that are registered.
        root: What stands before a path, such as ``s3://bucket/project``.
        project: The project's folder.

    Example:
        >>> from pathlib import Path
        >>> from kedro.pipeline import Pipeline, node
        >>> config = {"size": {"type": "json.JSONDataset", "filepath": "data/n.json"}}
        >>> made = Pipeline([node(len, "X", "size")])
        >>> print(places(config, [made], root="s3://b/p", project=Path()).text())
        size:
          type: json.JSONDataset
          filepath: s3://b/p/data/n.json
        <BLANKLINE>
    """
    from kedro.io import CatalogConfigResolver

    pipelines = list(pipelines)
    written = {_bare(n) for p in pipelines for n in p.all_outputs()}
    read = {n for p in pipelines for n in p.inputs()}
    free = {n for n in read if _bare(n) not in written}
    in_memory = {"{default}": {"type": "kedro.io.MemoryDataset"}}
    # It would look for the credentials, and a file of this machine has none.
    known = _without_credentials({n: e for n, e in config.items() if "{" in n})
    resolver = CatalogConfigResolver(known, default_runtime_patterns=in_memory)
    entries: dict[str, Mapping[str, Any]] = {}
    unwritable = []
    names = {n for p in pipelines for n in p.datasets() if _bare(n) in written}
    for name in sorted({*names, *(n for n in config if _bare(n) in written)}):
        key, entry = _entry(name, config, resolver, free)
        if entry is None or key in entries or not _is_local(entry):
            continue
        moved = _moved(entry, root, project)
        if _can_be_written(moved):
            entries[key] = moved
        else:
            unwritable.append(name)
    return Places(entries, tuple(unwritable))


def _without_credentials(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {k: item for k, item in value.items() if k != "credentials"}
        return {key: _without_credentials(item) for key, item in kept.items()}
    return value


def _bare(name: str) -> str:
    return name.partition("@")[0]


def _entry(
    name: str,
    config: Mapping[str, Any],
    resolver: CatalogConfigResolver,
    free: Iterable[str],
) -> tuple[str, Mapping[str, Any] | None]:
    """Return what the catalog says of a dataset, and under which name.

    A pattern is moved as a whole, unless an input that is uploaded has it too.
    """
    if name in config:
        return name, config[name]
    pattern = resolver.match_dataset_pattern(name)
    if pattern is None or pattern not in config:
        return name, None
    if any(
        n not in config and resolver.match_dataset_pattern(n) == pattern for n in free
    ):
        return name, resolver.resolve_pattern(name)
    return pattern, config[pattern]


def _is_local(entry: object) -> bool:
    if not isinstance(entry, dict):
        return False
    try:
        return catalogued.is_local(entry)
    except DefinitionError:
        return False


def _moved(entry: Mapping[str, Any], root: str, project: Path) -> dict[str, Any]:
    inner = entry.get("dataset")
    location = catalogued.location_of(entry)
    if location is None or location.argument not in entry:
        # Around a dataset that has the path.
        nested = inner if isinstance(inner, dict) else {}
        return {**_escaped(entry), "dataset": _moved(nested, root, project)}
    slash = "/" if location.uri.endswith("/") else ""
    path = f"{root}/{_relative(location.path, project)}{slash}"
    moved = {**_escaped(entry), location.argument: path}
    if isinstance(options := moved.get("fs_args"), dict):
        # Of local files alone; another file system does not know it.
        moved["fs_args"] = {k: v for k, v in options.items() if k != "auto_mkdir"}
    return moved


def _relative(path: str, project: Path) -> str:
    """Return a path under a prefix: relative, and never above it."""
    pure = PurePosixPath(path)
    if pure.is_relative_to(project.as_posix()) and pure.is_absolute():
        pure = pure.relative_to(project.as_posix())
    parts = posixpath.normpath(str(pure)).split("/")
    return "/".join(part for part in parts if part not in ("", ".", ".."))


def _escaped(value: Any) -> Any:
    """Return a value that OmegaConf reads as it is: what it resolved stays so."""
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(item) for item in value]
    return value.replace("${", "\\${") if isinstance(value, str) else value


def _can_be_written(entry: Mapping[str, Any]) -> bool:
    try:
        return bool(yaml.safe_load(_dumped(entry)) == entry)
    except yaml.YAMLError:
        return False


def _dumped(entries: Mapping[str, Any]) -> str:
    return yaml.safe_dump(  # type: ignore[no-any-return]
        dict(entries), sort_keys=False, allow_unicode=True, width=_WIDE
    )
