"""The inputs of a run: resolved once, and put into the store where that is possible.

A task reads its inputs from the store by digest, on whatever machine it runs, so all
tasks of a run see the same bytes, also if a file is changed meanwhile.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro_rats.engines.execution.surroundings import absolute
from kedro_rats.engines.run_record import records_of
from kedro_rats.errors import Breach, DefinitionError, listed, raise_if
from kedro_rats.store import catalogued, formats
from kedro_rats.store.artifacts import DATASET, IN_PLACE, Artifact, File, put_folder
from kedro_rats.store.catalogued.entries import location_of
from kedro_rats.store.errors import reported

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from kedro_rats.encoding.objects import ObjectDecoder
    from kedro_rats.plan.model import Plan
    from kedro_rats.store.base import Store


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a run reads that none of its tasks makes.

    Attributes:
        imports: What is in the store, by dataset.
        load_versions: The versions of versioned inputs, by dataset.
    """

    imports: Mapping[str, Artifact]
    load_versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """Inputs that are there, before the store has them.

    Attributes:
        inputs: What needs no import.
        sources: The path of each that does, and its name as a staged file.
    """

    inputs: Inputs
    sources: Mapping[str, tuple[Path, str]]


def free_inputs(plan: Plan) -> dict[str, Any]:
    """Return the inputs of a plan with their encoded entries; None for no entry."""
    return {
        name: source.entry
        for task in plan
        for name, source in task.reads.items()
        if source.task is None
    }


def outputs_of_run(store: Store, run: str) -> dict[str, Artifact]:
    """Return what the tasks of an earlier run made, by dataset.

    Raises:
        RatsError: If there is no such run.
    """
    found: dict[str, Artifact] = {}
    for record in records_of(store, run):
        found.update(record.outputs)
    return {name: made for name, made in found.items() if made.format != IN_PLACE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """Resolves the inputs of one run.

    Attributes:
        store: Where to import to.
        decoder: Makes entries from what the plan says.
        project: The folder that relative paths start from.
        credentials: Credentials by name.
        limit: The largest local input that is imported, in bytes.
        refuse_larger: Whether larger ones are an error; else they are read in place.
    """

    store: Store
    decoder: ObjectDecoder
    project: Path
    credentials: Mapping[str, Mapping[str, Any]]
    limit: int
    refuse_larger: bool = False

    def found(
        self,
        plan: Plan,
        *,
        taken: Mapping[str, Artifact],
        load_versions: Mapping[str, str],
        given: Collection[str] = (),
    ) -> Found:
        """Look for the inputs of a plan; nothing is written.

        Args:
            plan: The plan.
            taken: What is in the store already: values of an earlier run.
            load_versions: Versions that were asked for.
            given: Inputs whose values the caller has.

        Raises:
            DefinitionError: If an input is not there or too large, with all that are.
        """
        imports = {}
        versions = dict(load_versions)
        sources: dict[str, tuple[Path, str]] = {}
        breaches: list[Breach] = []
        for name, encoded in sorted(free_inputs(plan).items()):
            entry = None
            if encoded is not None:
                entry = absolute(self.decoder.decode(encoded), self.project)
            if name in taken:
                imports[name] = taken[name]
                breaches += _taken_breaches(name, taken[name], entry)
            elif entry is not None and name not in given:
                if entry.get("versioned") and name not in versions:
                    latest = catalogued.latest_version(entry, self.credentials)
                    versions |= {name: latest} if latest else {}
                breaches += self._source(name, entry, versions, sources)
        raise_if(breaches)
        asked = {n: v for n, v in versions.items() if n in free_inputs(plan)}
        return Found(Inputs(imports, asked), sources)

    def inputs(self, found: Found) -> Inputs:
        """Put the local files that were found into the store; return all inputs.

        Raises:
            StoreError: If a file cannot be read, or the store cannot be written.
        """
        made = {name: self._imported(*source) for name, source in found.sources.items()}
        known = found.inputs
        return Inputs({**known.imports, **made}, known.load_versions)

    def _source(
        self,
        name: str,
        entry: Mapping[str, Any],
        versions: Mapping[str, str],
        sources: dict[str, tuple[Path, str]],
    ) -> Iterator[Breach]:
        location = location_of(entry)
        if (
            catalogued.kind_of(entry) == "in_place"
            or location is None
            or not catalogued.is_local(entry)
        ):
            return
        if entry.get("versioned") and name not in versions:
            yield Breach(
                f"dataset {name!r}",
                "a version of it that can be loaded",
                "none yet",
                "Run what saves it first, or give one with --load-versions.",
            )
            return
        path = Path(catalogued.source_of(entry, load_version=versions.get(name)))
        if not path.exists():
            shown = (
                path.relative_to(self.project) if _inside(path, self.project) else path
            )
            yield Breach(
                f"dataset {name!r}",
                f"the file {str(shown)!r}",
                "none there",
                "Put it there, or mend the path in the catalog.",
            )
            return
        size = _size(path)
        if size <= self.limit:
            sources[name] = (path, location.base)
        elif self.refuse_larger:
            yield Breach(
                f"dataset {name!r}",
                f"at most {self.limit} bytes to import",
                f"{size} bytes",
                "Put it where tasks can reach it, or raise import_limit in rats.yml.",
            )

    def _imported(self, path: Path, base: str) -> Artifact:
        # A link of the user's leads to where the data is; a store takes files only.
        path = path.resolve()
        if path.is_file():
            digest, size = self.store.put_file(path)
            return Artifact(DATASET, (File(base, digest, size),))
        with self.store.staged() as folder:
            with reported(f"folder {str(path)!r}"):
                _copied(path, folder / base)
            return put_folder(self.store, folder, DATASET, move=True)


def import_value(store: Store, name: str, value: object) -> Artifact:
    """Put a value from memory into the store.

    Raises:
        DefinitionError: If it cannot be stored.
        StoreError: If the store cannot be written.
    """
    with store.staged() as folder:
        try:
            kind, meta = formats.save_value(value, folder)
        except formats.FormatError as error:
            b = error.breach
            raise_if(
                [Breach(f"dataset {name!r}, {b.subject}", b.expected, b.got, b.remedy)]
            )
            raise
        return put_folder(store, folder, kind, meta, move=True)


def _taken_breaches(
    name: str, artifact: Artifact, entry: Mapping[str, Any] | None
) -> Iterator[Breach]:
    """Yield a breach if what another run made cannot be read as the catalog says now."""
    if artifact.format != DATASET:
        return
    location = location_of(entry) if entry is not None else None
    if location is None:
        yield Breach(
            f"dataset {name!r} of another run",
            "a catalog entry, since the dataset of one wrote it",
            "none" if entry is None else f"one without files ({entry.get('type')})",
            "Give it the entry that it had then.",
        )
        return
    bases = {file.path.partition("/")[0] for file in artifact.files}
    if bases and location.base not in bases:
        yield Breach(
            f"dataset {name!r} of another run",
            f"the name {location.base!r} that its catalog entry gives it",
            listed(sorted(bases)),
            "Give it the entry that it had then.",
        )


def _copied(folder: Path, target: Path) -> None:
    """Copy a folder, with what links in it lead to."""
    try:
        shutil.copytree(folder, target)
    except shutil.Error as error:
        source, _, reason = error.args[0][0]
        raise DefinitionError(
            Breach(
                f"folder {str(folder)!r}",
                "files that can be read",
                f"{str(source)!r}: {reason}",
                "Remove it, or mend its permissions or its link.",
            )
        ) from error


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())


def _inside(path: Path, folder: Path) -> bool:
    return folder in path.parents
