"""The documentation is true: every block runs, every link leads somewhere.

The blocks of a page run in their order, in a folder of the page's own:

- ``python`` without a title runs, in one namespace for the whole page;
- ``text title="output"`` is what the ``python`` block before it prints;
- ``python`` or ``yaml`` with a file as title is that file: it is written;
- ``diff`` with a file as title is applied to that file, ``@@`` between its hunks;
- ``console`` holds commands after ``$``, and what they print, if that is shown;
- ``bash`` holds commands alone; ``yaml``, ``toml`` and ``json`` parse.

Outputs are compared as doctest does: ``...`` stands for anything, and all white space is
equal.

A page with the comment ``needs a cluster`` runs on a real one, with the other end-to-end
tests: with its bucket, its registry and its way to get images there.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import json
import logging
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("README.md")])

PROGRAMS = {
    "cat": ["cat"],
    "kedro": [sys.executable, "-m", "kedro"],
    "pytest": [sys.executable, "-m", "pytest"],
    "python": [sys.executable],
}
# The only commands that are not run: the first needs a network, the second runs the
# tests from the tests. `.ci/run` does both.
NOT_RUN = (("pip", "install"), ("make",))
# These never end; the site that is built in their place is what they would show.
INSTEAD = {
    ("kedro", "viz"): ("kedro", "viz", "build", "--include-previews"),
    ("kedro", "viz", "run"): ("kedro", "viz", "build", "--include-previews"),
}

CLUSTER = "<!-- needs a cluster -->"
"""A page with this comment is done on a cluster only."""

# Wide lines, so that logs are not wrapped; no windows; no threads that fight over cores.
SETTINGS = {"COLUMNS": "200", "MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"}

FENCE = re.compile(r"^( *)(```+)([\w-]*)(?: title=\"([^\"]+)\")?$")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+?)(?: *\{.*\})?$", re.MULTILINE)
SAME_OUTPUT = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    language: str
    title: str | None
    text: str

    def __str__(self) -> str:
        return f"{self.page}, line {self.line}"


def blocks_of(page: Path) -> Iterator[Block]:
    """Find the fenced blocks of a page; what looks like a fence and is none fails."""
    lines = enumerate(page.read_text("utf-8").splitlines(), 1)
    for number, line in lines:
        if not line.lstrip().startswith("```"):
            continue
        opening = FENCE.match(line)
        assert opening, f"{page.name}, line {number}: not a fence we know: {line}"
        indent, fence, language, title = opening.groups()
        inside = []
        for _, line in lines:
            if line == indent + fence:
                break
            inside.append(line)
        else:
            pytest.fail(f"{page.name}, line {number}: this block has no end")
        text = "".join(f"{line.removeprefix(indent)}\n" for line in inside)
        yield Block(page, number, language, title, text)


@dataclass(frozen=True)
class Place:
    """The cluster of the end-to-end tests, where a page means the reader's own."""

    prefix: str

    @property
    def programs(self) -> dict[str, list[str]]:
        return {**PROGRAMS, "kedro": [os.environ["RATS_TEST_KEDRO"]]}

    @property
    def settings(self) -> dict[str, str]:
        base = os.environ["RATS_TEST_IMAGE"]
        # There is no package index: the base has all that is installed.
        return {**SETTINGS, "KEDRO_RATS_BUILD_OPTIONS": f"--build-arg=BASE={base}"}

    def fill_in(self, text: str) -> str:
        """Return what a reader with this cluster would write."""
        answers = {
            "penguins-data": self.prefix,
            "registry.example.com/team": os.environ.get(
                "RATS_TEST_REGISTRY", "localhost"
            ),
            "images: push": f"images: {os.environ['RATS_TEST_IMAGES_TO']}",
            "#namespace: argo": f"namespace: {os.environ['ARGO_NAMESPACE']}",
        }
        for said, meant in answers.items():
            text = text.replace(said, meant)
        return text


@dataclass
class Reader:
    """Someone who does what a page says, in a folder of their own."""

    folder: Path
    module: ModuleType
    place: Place | None = None
    printed: str | None = None
    done: list[str] = field(default_factory=list)

    def do(self, block: Block) -> None:
        getattr(self, f"do_{block.language}", self.refuse)(block)
        self.done.append(block.language)

    def refuse(self, block: Block) -> None:
        pytest.fail(f"{block}: no test knows the language {block.language!r}")

    def do_python(self, block: Block) -> None:
        # The line numbers are those of the page, and Python finds the source there.
        code = compile("\n" * block.line + block.text, str(block.page), "exec")
        if block.title:
            self.write(block)
            return
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(code, vars(self.module))  # noqa: S102 - the pages are our own
        self.printed = out.getvalue()

    def do_text(self, block: Block) -> None:
        assert block.title == "output", f"{block}: what does this text show?"
        assert self.done[-1:] == ["python"], f"{block}: no python block printed this"
        assert self.printed is not None
        compare(block, block.text, self.printed)

    def do_console(self, block: Block) -> None:
        parts = re.split(r"^\$ (.*)\n", block.text, flags=re.MULTILINE)
        assert not parts[0], f"{block}: expected a line that begins with '$ '"
        for line, expected in zip(parts[1::2], parts[2::2], strict=True):
            *before, last = line.split(" && ")
            for command in before:
                self.run(block, command, "")
            self.run(block, last, expected)

    def do_bash(self, block: Block) -> None:
        for line in block.text.splitlines():
            command, _, _ = line.partition("  #")
            if command.strip():
                self.run(block, command, "")

    def do_diff(self, block: Block) -> None:
        path = self.folder / str(block.title)
        text = path.read_text("utf-8")
        for hunk in re.split(r"^@@\n", block.text, flags=re.MULTILINE):
            lines = [line or " " for line in hunk.splitlines()]
            assert {line[0] for line in lines} <= {" ", "+", "-"}, f"{block}: no diff"
            old = "".join(f"{line[1:]}\n" for line in lines if line[0] != "+")
            new = "".join(f"{line[1:]}\n" for line in lines if line[0] != "-")
            times = text.count(old)
            assert times == 1, f"{block}: is {times} times in the file:\n{old}"
            text = text.replace(old, new)
        path.write_text(self.place.fill_in(text) if self.place else text, "utf-8")

    def do_yaml(self, block: Block) -> None:
        yaml = pytest.importorskip("yaml")
        yaml.safe_load(block.text)
        if block.title:
            self.write(block)

    def do_json(self, block: Block) -> None:
        json.loads(block.text)

    def do_toml(self, block: Block) -> None:
        toml().loads(block.text)

    def write(self, block: Block) -> None:
        path = self.folder / str(block.title)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, "utf-8")

    def run(self, block: Block, command: str, expected: str) -> None:
        words = tuple(shlex.split(command))
        if any(words[: len(start)] == start for start in NOT_RUN):
            return
        program, *arguments = INSTEAD.get(words, words)
        if "--pipelines" in arguments and not takes_several_pipelines():
            arguments[arguments.index("--pipelines")] = "--pipeline"
        if program == "cd":
            self.folder = self.folder / arguments[0]
            assert self.folder.is_dir(), f"{block}: {command}: no such folder"
            assert not arguments[1:], f"{block}: {command}: more than a folder"
            return
        programs = self.place.programs if self.place else PROGRAMS
        assert program in programs, f"{block}: no test knows the program {program!r}"
        done = subprocess.run(
            [*programs[program], *arguments],
            cwd=self.folder,
            env=os.environ | (self.place.settings if self.place else SETTINGS),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=900 if self.place else 300,
            check=False,
        )
        assert done.returncode == 0, f"{block}: {command}\n{done.stdout}"
        if expected.strip():
            compare(block, expected, done.stdout)


def compare(block: Block, expected: str, found: str) -> None:
    same = doctest.OutputChecker().check_output(expected, found, SAME_OUTPUT)
    assert same, f"{block}: expected\n{expected}\ngot\n{found}"


def takes_several_pipelines() -> bool:
    """Say whether this Kedro has ``--pipelines``; pages say what to do without."""
    from kedro.framework.cli.project import run

    return any("--pipelines" in option.opts for option in run.params)


def toml() -> ModuleType:
    return pytest.importorskip("tomllib" if find_spec("tomllib") else "tomli")


def relative(page: Path) -> str:
    return str(page.relative_to(ROOT))


WITH_BLOCKS = [page for page in PAGES if "```" in page.read_text("utf-8")]


HERE = [page for page in WITH_BLOCKS if CLUSTER not in page.read_text("utf-8")]
ON_A_CLUSTER = [page for page in WITH_BLOCKS if page not in HERE]


@pytest.mark.parametrize("page", HERE, ids=relative)
def test_the_blocks_of_a_page_do_what_it_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for needed in ("sklearn", "kedro_datasets", "kedro_viz"):
        pytest.importorskip(needed, reason="needs the extra kedro-rats[starter]")
    module = ModuleType(f"docs_{page.stem.replace('-', '_')}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.chdir(tmp_path)
    # Kedro logs to stdout; pages show what their blocks print, not the log.
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)
    reader = Reader(tmp_path, module)

    # Tests run side by side: threads of one would wait for cores that the other has.
    with pytest.importorskip("threadpoolctl").threadpool_limits(1):
        for block in blocks_of(page):
            reader.do(block)


@pytest.mark.cluster
@pytest.mark.parametrize("page", ON_A_CLUSTER, ids=relative)
def test_the_blocks_of_a_page_do_what_it_says_on_a_cluster(
    page: Path, tmp_path: Path
) -> None:
    from cluster import harness

    prefix = f"{os.environ['RATS_TEST_BUCKET']}/tests/docs-{uuid4().hex[:12]}"
    reader = Reader(tmp_path, ModuleType("page"), Place(prefix))
    try:
        for block in blocks_of(page):
            reader.do(block)
    finally:
        for workflow in harness.objects().list_namespaced_custom_object(
            "argoproj.io", "v1alpha1", harness.namespace(), "workflows"
        )["items"]:
            store = workflow["metadata"].get("annotations", {}).get(harness.STORE, "")
            if prefix in store:
                harness.delete_workflow(workflow["metadata"]["name"])
        if harness.bucket().exists(prefix):
            harness.bucket().rm(prefix, recursive=True)


WRONG = {
    "another output": '```python\nprint(1)\n```\n```text title="output"\n2\n```',
    "an error": "```python\n1 / 0\n```",
    "an unknown language": "```ruby\nputs 1\n```",
    "a fence of another kind": "```{.python}\nprint(1)\n```",
    "a block without an end": "```python\nprint(1)",
    "a text that nothing printed": "```text\nprint(1)\n```",
    "an unknown program": "```console\n$ rm file\n```",
    "a command that fails": '```console\n$ python -c "1 / 0"\n```',
    "a command with another output": '```console\n$ python -c "print(1)"\n2\n```',
    "a change of a line that is not there": (
        '```yaml title="a.yml"\na: 1\n```\n```diff title="a.yml"\n-b: 1\n+b: 2\n```'
    ),
    "malformed YAML": "```yaml\na: [\n```",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_a_page_that_is_wrong_is_found(text: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text + "\n", "utf-8")
    reader = Reader(tmp_path, ModuleType("page"))

    with pytest.raises((Exception, pytest.fail.Exception)):
        for block in blocks_of(page):
            reader.do(block)


def test_the_pages_name_extras_that_exist() -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    project = toml().loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    named = set(re.findall(r"kedro-rats\[([\w-]+)\]", text))

    assert named
    assert named <= project["optional-dependencies"].keys()


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_lead_to_pages_and_headings_that_exist(page: Path) -> None:
    prose = re.sub(
        r"^( *)```.*?^\1```$", "", page.read_text("utf-8"), flags=re.M | re.S
    )
    broken = []
    for link in (one or other for one, other in LINK.findall(prose)):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (anchor and not has_anchor(path, anchor)):
            broken.append(link)

    assert not broken


def has_anchor(path: Path, anchor: str) -> bool:
    text = path.read_text("utf-8")
    made_from_docstrings = re.findall(r"^::: ([\w.]+)", text, flags=re.MULTILINE)
    return anchor in {*map(slug, HEADING.findall(text)), *made_from_docstrings}


def slug(heading: str) -> str:
    """Return the anchor of a heading, as Python-Markdown makes it."""
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower())


def test_the_tests_that_hold_the_laws_exist() -> None:
    laws = (DOCS / "explanation" / "laws.md").read_text("utf-8")

    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", laws)
    missing = [
        f"{path}::{test}"
        for path, test in named
        if not (ROOT / path).is_file()
        or (test and f"def {test}(" not in (ROOT / path).read_text("utf-8"))
    ]

    assert named
    assert not missing


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the built site; a warning fails the build."""
    if find_spec("mkdocs") is None or not (ROOT / "kedro_rats").is_dir():
        pytest.skip("needs MkDocs and the source: make docs")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_the_site_loads_nothing_from_other_hosts(site: Path) -> None:
    loaded = re.compile(
        r"<(?:script|img|iframe)[^>]+src=\"?(?:https?:)?//[^\s>]+"
        r"|<link[^>]+rel=\"?(?:stylesheet|preconnect|preload)[^>]+//[^\s>]+"
    )

    pages = list(site.rglob("*.html"))
    remote = {
        f"{page.relative_to(site)}: {found}"
        for page in pages
        for found in loaded.findall(page.read_text("utf-8"))
    }

    assert len(pages) > len(list(DOCS.rglob("*.md"))) - 1
    assert not remote


def test_every_public_name_is_in_the_reference(site: Path) -> None:
    import kedro_rats

    page = (site / "reference" / "api" / "index.html").read_text("utf-8")

    missing = [n for n in kedro_rats.__all__ if f'id="kedro_rats.{n}"' not in page]

    assert not missing
