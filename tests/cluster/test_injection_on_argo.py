"""Hostile texts arrive as they are, or are refused before anything is written.

Nothing of them is in what the cluster is given, so nothing there can evaluate them.
"""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cluster import harness
from cluster.committed import Run, assert_committed_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from cluster.harness import Json, Project

pytestmark = pytest.mark.cluster

FOLDER = Path(__file__).parent / "projects/hostile"
LARGE = ("{{=1+1}}'\"\n\x00é" * 2**17)[: 2**20]
TYPED = "x-{{=1+1}}-{{workflow.name}}-$(id)-`id`"


def _texts() -> ModuleType:
    path = FOLDER / "src/hostile/texts.py"
    spec = importlib.util.spec_from_file_location("hostile_texts", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TEXTS = _texts()
# As keys too.
GIVEN = TEXTS.TEXTS | {value: key for key, value in TEXTS.TEXTS.items()}
PIPELINES = ("large", "texts", "typed", TEXTS.PIPELINE)


def as_yaml(value: Any) -> str:
    """Return YAML with each character written as its number."""
    if isinstance(value, dict):
        parts = (f"{as_yaml(key)}: {as_yaml(part)}" for key, part in value.items())
        return f"{{{', '.join(parts)}}}"
    return '"' + "".join(f"\\U{ord(letter):08x}" for letter in value) + '"'


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory,
    cleaned: Callable[[Project], Project],
) -> Project:
    folder = tmp_path_factory.mktemp("p")
    made = cleaned(harness.new_plain(folder, "hostile", FOLDER))
    made.configure(ext={"argo": {"pods": "keep"}})
    given = as_yaml({"texts": GIVEN})
    (made.path / "conf/cluster/parameters.yml").write_text(given)
    return made


@pytest.fixture(scope="module")
def ran(project: Project) -> dict[str, Json]:
    """Submit all that is accepted, and wait; return what was said, by pipeline."""
    more = {
        name: [f"--params=typed={TYPED}"] if name == "typed" else []
        for name in PIPELINES
    }
    # Read by Kedro's own parser in seconds, so it is there for one run only.
    large = project.path / "conf/cluster/parameters_large.yml"
    large.write_text(f"large: {json.dumps(LARGE)}")
    said = {"large": project.submit("--pipelines=large")}
    large.unlink()
    calls = [
        lambda name=name: project.submit(f"--pipelines={name}", *more[name])
        for name in PIPELINES[1:]
    ]
    said.update(zip(PIPELINES[1:], harness.all_at_once(*calls), strict=True))
    for each in said.values():
        harness.succeeded(each["workflow"])
    return said


def exact(value: Any) -> Any:
    if isinstance(value, dict):
        return [[exact(key), exact(part)] for key, part in value.items()]
    return value.encode("utf-8", "surrogatepass").hex()


# -------------------------------------------------------------------- what arrives


def test_texts_arrive_in_the_node_byte_for_byte(
    project: Project, ran: dict[str, Json]
) -> None:
    # The catalog's own path is hostile too: the file is where it says, to the letter.
    path = "{{workflow.name}}/$(id)/{{=1+1}}.json"

    got = json.loads(harness.published(project, path))

    assert got == exact(GIVEN)
    assert len(got) >= 2 * len(TEXTS.TEXTS) - 2


def test_a_text_of_a_mebibyte_arrives(project: Project, ran: dict[str, Json]) -> None:
    run = Run.of(project, ran["large"]["run"])

    assert run.value("exact_large") == exact(LARGE)


def test_a_text_of_the_command_line_arrives(
    project: Project, ran: dict[str, Json]
) -> None:
    run = Run.of(project, ran["typed"]["run"])

    assert run.value("exact_typed") == exact(TYPED)


def test_half_a_character_in_a_file_is_refused_without_a_trace(
    project: Project, ran: dict[str, Json]
) -> None:
    before = traces(project)
    halves = project.path / "conf/cluster/parameters_halves.yml"
    halves.write_text(as_yaml({"typed": "a\ud800b"}))

    done = project.rats("submit", "--pipelines=typed", code=None)
    halves.unlink()

    assert done.code not in (0, None)
    assert "parameters_halves.yml" in done.err
    assert "Traceback" not in done.text
    assert traces(project) == before


def test_bytes_of_the_command_line_that_are_no_text_arrive_or_are_refused(
    project: Project, ran: dict[str, Json]
) -> None:
    text = "a\udcffb\udc80"  # how Python reads such bytes
    before = traces(project)

    key, typed = f"bytes-{project.uid}", f"--params=typed={text}"
    done = project.rats("submit", "--pipelines=typed", f"--key={key}", typed, code=None)

    if done.code == 0:
        (name,) = traces(project)[1] - before[1]
        harness.succeeded(name)
        assert Run.of(project, key).value("exact_typed") == exact(text)
    else:
        assert "Traceback" not in done.text
        assert "typed" in done.err
        assert traces(project) == before


def test_every_name_may_be_hostile(project: Project, ran: dict[str, Json]) -> None:
    said = ran[TEXTS.PIPELINE]
    run = Run.of(project, said["run"])

    assert_committed_once(run)
    names = [*TEXTS.DATASETS, *(f"{name}.made" for name in TEXTS.NAMESPACES)]
    assert {name: run.value(name) for name in names} == {
        name: ["word"] for name in names
    }
    assert run.value("count") == len(names) + len(TEXTS.NODES)


def test_our_commands_can_show_what_has_hostile_names(
    project: Project, ran: dict[str, Json]
) -> None:
    run = ran[TEXTS.PIPELINE]["run"]

    status = project.asked("status", run)
    text = project.rats("status", run).out

    assert status["state"] == "succeeded"
    assert len(status["tasks"]) == ran[TEXTS.PIPELINE]["tasks"]
    # A terminal that is shown them must not be told to do anything.
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text)


# -------------------------------------------------------------------- what is sent


@pytest.mark.parametrize("name", PIPELINES)
def test_nothing_hostile_is_in_the_workflow(ran: dict[str, Json], name: str) -> None:
    found = harness.workflow(ran[name]["workflow"])
    found["metadata"].pop("managedFields", None)
    # What Argo itself writes there begins with its own name.
    sent = {
        "spec": found["spec"],
        "labels": found["metadata"]["labels"],
        "annotations": found["metadata"]["annotations"],
    }
    text = json.dumps(sent)

    assert set(re.findall(r"\{\{.*?\}\}", text)) == {"{{inputs.parameters.task}}"}
    for hostile in ("$(", "`", "=1+1", "{{workflow", "%s", "\\u00", ";"):
        assert hostile not in text
    assert TYPED not in text
    # And Argo has evaluated nothing: it gives as it was what it was given.
    for node in found["status"]["nodes"].values():
        for parameter in node.get("inputs", {}).get("parameters", ()):
            assert re.fullmatch(r"[a-z0-9-]+", parameter["value"])


@pytest.mark.parametrize("name", PIPELINES)
def test_nothing_hostile_is_in_a_pod(ran: dict[str, Json], name: str) -> None:
    for pod in harness.pods(ran[name]["workflow"]):
        main = harness.main_of(pod)
        command = [*(main.command or ()), *(main.args or ())]
        values = [*command, *(e.value or "" for e in main.env), *_values(pod)]
        for text in values:
            if not text.startswith(("{", "[")):  # Argo's own: the template as JSON
                assert re.fullmatch(r"[A-Za-z0-9._/:@=-]*", text), text


def _values(pod: Any) -> Iterator[str]:
    for key, value in (pod.metadata.labels or {}).items():
        yield from (key, value)


# -------------------------------------------------------------------- what is refused


def traces(project: Project) -> tuple[dict[str, str], set[str]]:
    """Return all that a project has on the cluster."""
    found = {each["metadata"]["name"] for each in project.workflows()}
    return project.found(), found


@pytest.mark.parametrize("option", ["--key", "--from-run"])
@pytest.mark.parametrize("name", ["{{workflow.name}}", "../up", "x\ny"])
def test_a_hostile_name_of_a_run_is_refused_without_a_trace(
    project: Project, ran: dict[str, Json], option: str, name: str
) -> None:
    before = traces(project)

    done = project.rats("submit", "--pipelines=typed", f"{option}={name}", code=None)

    assert done.code not in (0, None)
    assert "Traceback" not in done.text
    assert "expected" in done.err
    assert traces(project) == before


def test_a_template_in_rats_yml_is_refused_without_a_trace(
    project: Project, ran: dict[str, Json]
) -> None:
    before = traces(project)
    path = project.path / "conf/cluster/rats.yml"
    kept = path.read_text()
    settings = json.loads(kept)
    settings["bind"]["cluster"]["env"]["EVIL"] = "{{=1+1}}"
    settings["image"]["default"]["ref"] = "{{workflow.name}}"
    settings["ext"]["argo"]["labels"] = {"evil": "{{workflow.name}}"}
    path.write_text(json.dumps(settings))
    try:
        done = project.rats("submit", "--pipelines=typed", code=None)
    finally:
        path.write_text(kept)

    assert done.code not in (0, None)
    assert "bind.cluster.env.EVIL" in done.err
    assert "image.default" in done.err
    assert "Traceback" not in done.text
    assert traces(project) == before
