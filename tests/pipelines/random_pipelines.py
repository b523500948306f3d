"""Random pipelines, as data: other processes build the same ones and engines run them.

Everything is at the top of this module and works on lists of whole numbers, so that equal
means equal to the last digit. ``drawn_pipelines`` is the strategy; a ``DrawnPipeline`` has
the pipeline, its catalog, its parameters and its free inputs.

    @given(drawn=drawn_pipelines())
    def test_engine(drawn):
        expected = SequentialRunner().run(drawn.pipeline(), …)
"""

from __future__ import annotations

import json
import sys
import warnings
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import cycle, islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from kedro.io.core import AbstractVersionedDataset, Version
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from hypothesis.strategies import DrawFn

Rows = list[int]

MODULUS = 1_000_003
FREE_INPUTS = ("raw", "other", "third")
PARAMETERS: dict[str, Any] = {
    "shift": 3,
    "model": {"depth": 4, "rate": 0.5, "names": ["b", "a"], "inner": {"on": True}},
}
PARAMETER_NAMES = (
    "parameters",
    "params:shift",
    "params:model",
    "params:model.depth",
    "params:model.inner",
)
_NAMESPACES = (None, None, "prep", "prep.deep", "fit")
_KINDS = ("function", "keyword", "method", "partial", "take", "gather")


# --- what the nodes call ------------------------------------------------------------------


def mixed(salt: int, *values: Any) -> Rows:
    """Return rows that depend on the salt, and on every value, its place and its order."""
    columns = [as_rows(value) or [0] for value in values] or [
        [salt, salt + 1, salt + 2]
    ]
    rows = max(map(len, columns))
    total = [salt] * rows
    for column in columns:
        filled = islice(cycle(column), rows)
        total = [(31 * t + c + 7) % MODULUS for t, c in zip(total, filled, strict=True)]
    return total


def as_rows(value: Any) -> Rows:
    """Return whole numbers that tell any two values of these tests apart."""
    if isinstance(value, dict):
        return as_rows([part for key in sorted(value) for part in (key, value[key])])
    if isinstance(value, (list, tuple)):
        return [row for part in value for row in as_rows(part)]
    if isinstance(value, str):
        return [ord(letter) for letter in value]
    return [round(value * 1000) if isinstance(value, float) else int(value)]


def mix(*values: Any) -> Rows:
    return mixed(1, *values)


def by_keyword(first: Any, second: Any = 0, third: Any = 0) -> Rows:
    return mixed(2, first, second, third)


def salted(salt: int, *values: Any) -> Rows:
    return mixed(salt, *values)


def in_chunks(*values: Any) -> Iterator[Rows]:
    """Yield rows twice: Kedro saves each, and a file keeps the last."""
    yield mixed(3, *values)
    yield mixed(4, *values)


@dataclass(frozen=True)
class Maker:
    """Makes several outputs, as a list or by key."""

    salt: int
    outputs: tuple[str, ...]
    keyed: bool

    def make(self, *values: Any) -> Any:
        made = [mixed(self.salt + i, *values) for i in range(len(self.outputs))]
        if self.keyed:
            return {f"key_{i}": rows for i, rows in enumerate(made)}
        return made if len(made) > 1 else made[0]


@dataclass(frozen=True)
class Slice:
    """Takes some rows, as the nodes that are tagged ``rats.take`` do."""

    start: int
    step: int

    def take(self, rows: Any) -> Rows:
        return as_rows(rows)[self.start :: self.step]


@dataclass(frozen=True)
class Sink:
    """Makes nothing; refuses what is no rows."""

    def look(self, *values: Any) -> None:
        for value in values:
            as_rows(value)


class RowsFile(AbstractVersionedDataset[Any, Any]):
    """Rows in a JSON file; ``kind="tuple"`` reads what ``kind="list"`` wrote."""

    def __init__(
        self,
        *,
        filepath: str,
        kind: str = "list",
        version: Version | None = None,
        credentials: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            PurePosixPath(filepath),
            version,
            exists_function=lambda path: Path(path).exists(),
            glob_function=lambda pattern: [
                str(path)
                for path in Path(pattern.split("*")[0]).glob(
                    "*" + pattern.partition("*")[2]
                )
            ],
        )
        self._kind = kind

    def load(self) -> Any:
        rows = json.loads(Path(self._get_load_path()).read_text())
        return tuple(rows) if self._kind == "tuple" else rows

    def save(self, data: Any) -> None:
        path = Path(self._get_save_path())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(list(data)))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "kind": self._kind}


# --- pipelines as data --------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Step:
    """One node as data."""

    kind: str
    name: str | None
    namespace: str | None
    reads: tuple[str, ...]
    makes: tuple[str, ...]
    salt: int
    tags: tuple[str, ...] = ()

    def node(self) -> Node:
        inputs: Any = list(self.reads) or None
        outputs: Any = list(self.makes) if len(self.makes) > 1 else None
        if len(self.makes) == 1:
            outputs = self.makes[0]
        if self.kind == "keyword":
            inputs = dict(zip(("first", "second", "third"), self.reads, strict=False))
        if self.keyed:
            outputs = {f"key_{i}": name for i, name in enumerate(self.makes)}
        return Node(
            self.func(),
            inputs,
            outputs,
            name=self.name,
            namespace=self.namespace,
            tags=self.tags,
        )

    @property
    def keyed(self) -> bool:
        return self.kind == "method" and len(self.makes) > 1 and self.salt % 2 == 1

    def func(self) -> Callable[..., Any]:
        if not self.makes:
            return Sink().look
        return {
            "function": lambda: mix,
            "gather": lambda: mix,
            "keyword": lambda: by_keyword,
            "generator": lambda: in_chunks,
            "lambda": lambda: _lambda(self.salt),
            "partial": lambda: partial(salted, self.salt),
            "take": lambda: Slice(self.salt % 2, 1 + self.salt % 3).take,
            "method": lambda: Maker(self.salt, self.makes, self.keyed).make,
        }[self.kind]()


def _lambda(salt: int) -> Callable[..., Any]:
    return lambda *values: mixed(salt, *values)


@dataclass(frozen=True, kw_only=True)
class DrawnPipeline:
    """A pipeline as data.

    Attributes:
        steps: The nodes, in an order in which they can run.
        files: The datasets that the catalog keeps in files.
        memory: The datasets that the catalog keeps in memory, so that their makers and
            readers must be one task.
        versioned: Those of ``files`` that are versioned.
    """

    steps: tuple[Step, ...]
    files: tuple[str, ...] = ()
    memory: tuple[str, ...] = ()
    versioned: tuple[str, ...] = field(default=())

    def pipeline(self) -> Pipeline:
        with warnings.catch_warnings():
            # Kedro's advice, once a process, on datasets of another namespace; and on
            # partials, which have no name.
            warnings.filterwarnings("ignore", category=UserWarning, module="kedro")
            warnings.filterwarnings("ignore", "One or more dataset", UserWarning)
            warnings.filterwarnings("ignore", "The node producing", UserWarning)
            return Pipeline([step.node() for step in self.steps])

    def catalog(self, folder: str = "data") -> dict[str, dict[str, Any]]:
        """Return the catalog's configuration; ``x`` kept is ``x@list`` and ``x@tuple``.

        Args:
            folder: Where the files are, ``/`` between.
        """
        entries: dict[str, dict[str, Any]] = {}
        for name in self.files:
            base, _, kind = name.partition("@")
            entry = {
                "type": f"{__name__}.RowsFile",
                "filepath": f"{folder}/{base}.json",
            }
            if kind:
                entry["kind"] = kind
            if name in self.versioned:
                entry["versioned"] = True  # type: ignore[assignment]
            entries[name] = entry
        for name in self.memory:
            entries[name] = {"type": "MemoryDataset"}
        return entries

    def parameters(self) -> dict[str, Any]:
        """Return the parameters by the names of Kedro's datasets."""
        return parameter_datasets(PARAMETERS)

    def inputs(self) -> dict[str, Rows]:
        """Return the values of the free inputs."""
        read = {name for step in self.steps for name in step.reads}
        return {
            name: list(range(i, 40 + 7 * i))
            for i, name in enumerate(FREE_INPUTS)
            if name in read
        }

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> DrawnPipeline:
        steps = [
            Step(**{k: tuple(v) if isinstance(v, list) else v for k, v in s.items()})
            for s in value["steps"]
        ]
        rest = {k: tuple(v) for k, v in value.items() if k != "steps"}
        return cls(steps=tuple(steps), **rest)


def parameter_datasets(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as Kedro names them: ``parameters``, ``params:a``, ``params:a.b``."""
    found: dict[str, Any] = {"parameters": dict(values)}

    def add(prefix: str, value: Any) -> None:
        found[f"params:{prefix}"] = value
        if isinstance(value, dict):
            for key, item in value.items():
                add(f"{prefix}.{key}", item)

    for key, value in values.items():
        add(key, value)
    return found


# --- drawing them -------------------------------------------------------------------------


@st.composite
def drawn_pipelines(
    draw: DrawFn,
    *,
    max_nodes: int = 40,
    groups: bool = True,
    memory: bool = True,
    files: bool = True,
    extra_kinds: Sequence[str] = (),
) -> DrawnPipeline:
    """Draw a pipeline that can be lowered and run.

    Groups never make a cycle: each is a run of neighbours in one order of the nodes.

    Args:
        draw: Hypothesis's.
        max_nodes: At most so many nodes.
        groups: Whether some nodes have ``group.`` tags.
        memory: Whether the catalog has explicit ``MemoryDataset`` entries.
        files: Whether the catalog keeps some datasets in files.
        extra_kinds: ``"lambda"`` (must be pickled) and ``"generator"``.
    """
    # Skewed to small ones, which shrink and run faster, by Hypothesis itself.
    size = draw(st.integers(1, max_nodes))
    kinds = [*_KINDS, *extra_kinds]
    transcoded: set[str] = set()
    readable: list[str] = list(FREE_INPUTS)
    steps: list[Step] = []
    for i in range(size):
        step = _drawn_step(draw, i, kinds, readable)
        steps.append(step)
        readable += step.makes
    if groups:
        steps = _grouped(draw, steps)
    kept = [name for step in steps for name in step.makes]
    in_files = _some(draw, kept) if files else []
    if files:
        transcoded = set(_some(draw, in_files))
    rest = [name for name in kept if name not in in_files]
    in_memory = [n for n in _some(draw, rest) if _can_be_memory(n, steps)]
    steps = [_transcoded(step, transcoded) for step in steps]
    plain = [name for name in in_files if name not in transcoded]
    # Kedro refuses to save one version twice, as the chunks of a generator would be.
    chunks = {n for step in steps if step.kind == "generator" for n in step.makes}
    return DrawnPipeline(
        steps=tuple(steps),
        files=(
            *plain,
            *(f"{n}@{kind}" for n in sorted(transcoded) for kind in ("list", "tuple")),
        ),
        memory=tuple(in_memory) if memory else (),
        versioned=tuple(_some(draw, [n for n in plain if n not in chunks])),
    )


def _drawn_step(
    draw: DrawFn, i: int, kinds: Sequence[str], readable: Sequence[str]
) -> Step:
    kind = draw(st.sampled_from(kinds))
    namespace = draw(st.sampled_from(_NAMESPACES))
    # The last datasets are read more often, so that pipelines are deep as well as wide.
    sources = st.sampled_from([*readable, *readable[-3:]])
    least, most = {"take": (1, 1), "gather": (2, 5), "keyword": (1, 3)}.get(
        kind, (0, 3)
    )
    reads = draw(st.lists(sources, min_size=least, max_size=most, unique=True))
    if kind not in ("take", "gather") and draw(st.booleans()):
        reads = [*reads, draw(st.sampled_from(PARAMETER_NAMES))][-3:]
    count = draw(st.integers(0 if reads else 1, 3)) if kind == "method" else 1
    prefix = f"{namespace}." if namespace else ""
    tags = {"take": ("rats.take",), "gather": ("rats.gather",)}.get(kind, ())
    # An unnamed node of a method gets no name of its own from Kedro: two would be alike.
    named = kind in ("method", "take") or draw(st.booleans())
    return Step(
        kind=kind,
        name=f"step_{(7 * i) % 100}_{i}" if named else None,
        namespace=namespace,
        reads=tuple(reads),
        makes=tuple(f"{prefix}made_{i}_{j}" for j in range(count)),
        salt=draw(st.integers(0, 9)),
        tags=tags,
    )


def _grouped(draw: DrawFn, steps: list[Step]) -> list[Step]:
    found: list[Step] = []
    group, left = 0, 0
    for step in steps:
        if not left and draw(st.integers(0, 3)) == 0:
            group, left = group + 1, draw(st.integers(2, 4))
        if left:
            left -= 1
            found.append(replace(step, tags=(*step.tags, f"group.g{group}")))
        else:
            found.append(step)
    return found


def _can_be_memory(name: str, steps: Sequence[Step]) -> bool:
    """Say whether one task can hold the maker and all readers without a cycle.

    So it is where all are in one group; or where what the maker makes has one reader, and
    neither is in a group.
    """
    maker = next(step for step in steps if name in step.makes)
    readers = [step for step in steps if name in step.reads]
    groups = {_group(step) for step in (maker, *readers)}
    if not readers:
        return False
    if len(groups) == 1 and groups != {None}:
        return True
    all_readers = [s for s in steps if set(maker.makes) & set(s.reads)]
    return (
        groups == {None}
        and len(all_readers) == 1
        and "take"
        not in (
            maker.kind,
            all_readers[0].kind,
        )
    )


def _group(step: Step) -> str | None:
    return next((tag for tag in step.tags if tag.startswith("group.")), None)


def _transcoded(step: Step, names: set[str]) -> Step:
    """Return a step that writes ``x@list`` and reads ``x@tuple``."""
    return replace(
        step,
        reads=tuple(f"{n}@tuple" if n in names else n for n in step.reads),
        makes=tuple(f"{n}@list" if n in names else n for n in step.makes),
    )


def _some(draw: DrawFn, names: Sequence[str]) -> list[str]:
    """Return some names, about a quarter, in their order."""
    if not names:
        return []
    chosen = draw(st.sets(st.sampled_from(list(names)), max_size=1 + len(names) // 4))
    return [name for name in names if name in chosen]


def some_pipelines(count: int, **options: Any) -> list[DrawnPipeline]:
    """Return random pipelines in one batch, for another process; always the same ones."""
    from hypothesis import given, settings

    many: list[DrawnPipeline] = []

    @settings(max_examples=count, derandomize=True, database=None)
    @given(drawn=drawn_pipelines(**options))
    def collect(drawn: DrawnPipeline) -> None:
        many.append(drawn)

    collect()
    return many


def read_drawn() -> list[DrawnPipeline]:
    """Return the pipelines that another process wrote to this one's input, as JSON."""
    return [DrawnPipeline.from_json(value) for value in json.load(sys.stdin)]
