"""What a newcomer stumbled over elsewhere, obstacle by obstacle: none is met here.

A fresh ordinary project reaches a finished workflow with four commands, one of which is
an editor, and no workflow fails on the way. The ten tests after it are named after the
obstacles that were found with another plugin.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from cluster import harness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.cluster

SHOP = Path(__file__).parent / "projects" / "shop"
CLOUDS = re.compile(r"\b(gke|gcr|gcloud|google|eks|ecr|acr|azure)\b", re.IGNORECASE)
TOOLS = ("docker", "podman", "buildah")


@dataclass
class Reached:
    """A project that has just reached its first finished workflow."""

    project: harness.Project
    commands: list[str]
    edited: list[str]
    made: list[str]
    seconds: float
    run: str


@pytest.fixture(scope="module")
def reached(
    tmp_path_factory: pytest.TempPathFactory,
    cleaned: Callable[[harness.Project], harness.Project],
) -> Reached:
    folder = tmp_path_factory.mktemp("p")
    project = cleaned(harness.new_plain(folder, "shop", SHOP, folder="shop/rats"))
    harness.make_data(project)
    before = set(files(project.path))
    begun, commands = time.monotonic(), []

    def command(*words: str, **options: Any) -> harness.Done:
        commands.append(" ".join(words))
        return project.kedro(*words, **options)

    # 1: what is needed. 2: the one file to fill in. 3: the image. 4: the run.
    command("rats", "init", "--argo")
    made = sorted(set(files(project.path)) - before)
    edited = fill_in(project)
    commands.append(f"edit {edited}")
    command("rats", "build", f"--env={harness.ENV}", seconds=600, **of_this_place())
    command("rats", "submit", f"--env={harness.ENV}", "--wait", seconds=900)

    return Reached(
        project,
        commands,
        [edited],
        made,
        time.monotonic() - begun,
        newest(project)["metadata"]["labels"]["rats.kedro/run"],
    )


def fill_in(project: harness.Project) -> str:
    """Write into the file that `init` has made what it asks for."""
    path = project.path / "conf" / harness.ENV / "globals.yml"
    answers = {
        "bucket": project.prefix,
        "registry": os.environ.get("RATS_TEST_REGISTRY", "localhost"),
        "images": os.environ["RATS_TEST_IMAGES_TO"],
        "namespace": harness.namespace(),
    }
    text = path.read_text()
    for key, value in answers.items():
        text, found = re.subn(
            rf"(?m)^#?{key}:.*$", lambda _, k=key, v=value: f"{k}: {v}", text
        )
        assert found == 1, key
    path.write_text(text)
    return path.relative_to(project.path).as_posix()


def of_this_place() -> dict[str, str]:
    """Return the environment of a place without a package index: its own base image.

    It has the dependencies of the project, and the package that is tested.
    """
    return {"KEDRO_RATS_BUILD_OPTIONS": f"--build-arg=BASE={harness.image(1)}"}


def files(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(folder).as_posix()


def newest(project: harness.Project) -> harness.Json:
    return max(project.workflows(), key=lambda w: w["metadata"]["creationTimestamp"])


def compiled(project: harness.Project) -> harness.Json:
    return dict(harness.document(project.rats("compile").out))


def test_four_commands_lead_to_a_finished_workflow_and_none_fails(
    reached: Reached,
) -> None:
    phases = [each["status"]["phase"] for each in reached.project.workflows()]

    assert len(reached.commands) <= 4, reached.commands
    assert phases == ["Succeeded"]


def test_1_documentation_for_one_cloud_only(reached: Reached) -> None:
    """What `init` writes names no cloud, and it has just run on a bare Kubernetes."""
    texts = {name: (reached.project.path / name).read_text() for name in reached.made}

    assert {n: CLOUDS.findall(t) for n, t in texts.items() if CLOUDS.search(t)} == {}


def test_2_a_dockerfile_that_needs_files_and_registries_the_project_lacks(
    reached: Reached,
) -> None:
    text = (reached.project.path / "Dockerfile").read_text()
    lines = [line.split() for line in text.splitlines()]
    bases = [words[1] for words in lines if words[:1] == ["FROM"]]
    copied = [
        word
        for words in lines
        if words[:1] == ["COPY"]
        for word in words[1:-1]
        if not word.startswith("--")
    ]

    assert bases == ["scratch", "${BASE}"]
    assert copied
    # A folder of wheels is optional: its name is a pattern, so that it may be missing.
    needed = [name for name in copied if "[" not in name]
    assert [n for n in needed if not (reached.project.path / n).exists()] == []


def test_3_a_submit_that_always_builds_and_pushes_with_one_tool(
    reached: Reached, tmp_path: Path
) -> None:
    """Submitting needs no such tool at all: where there is none, it works."""
    for tool in (*TOOLS, "ctr"):
        (tmp_path / tool).write_text("#!/bin/sh\nexit 99\n")
        (tmp_path / tool).chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"

    said = reached.project.asked("submit", "--dry-run", PATH=path)
    found = shutil.which("buildah", path=path)

    assert found == str(tmp_path / "buildah")
    assert said["tasks"] == 12


def test_4_integer_parameters_refused_by_the_resource_types(reached: Reached) -> None:
    """Numbers of a project stay in its store; the server takes the workflow as it is."""
    numbers = (reached.project.path / "conf/base/parameters.yml").read_text()
    workflow = compiled(reached.project)

    values = [
        parameter["value"]
        for found in walk(workflow)
        for parameter in found.get("parameters", [])
        if isinstance(parameter, dict) and "value" in parameter
    ]
    assert "n_estimators: 20" in numbers
    assert values
    assert {type(value) for value in values} == {str}
    # The server checks against the resource types: it answers 422 if they are broken.
    said = reached.project.asked(
        "submit", "--dry-run", "--params=classifier.max_depth=3"
    )
    assert said["tasks"] == 12


def test_5_a_volume_claim_for_each_node(reached: Reached) -> None:
    claims = harness.core().list_namespaced_persistent_volume_claim(harness.namespace())
    workflow = newest(reached.project)

    mine = workflow["metadata"]["name"]
    assert [c for c in claims.items if mine in c.metadata.name] == []
    assert not any("volumeClaimTemplates" in found for found in walk(workflow["spec"]))
    assert not any("persistentVolumeClaim" in found for found in walk(workflow["spec"]))


@pytest.mark.parametrize("policy", ["Always", "Never"])
def test_6_a_pull_policy_that_is_hard_coded(reached: Reached, policy: str) -> None:
    with more_settings(reached.project, image={"default": {"pull": policy}}):
        containers = main_containers(compiled(reached.project))

    assert {each["imagePullPolicy"] for each in containers} == {policy}


def test_7_no_setting_for_the_service_account(reached: Reached) -> None:
    with more_settings(reached.project, ext={"argo": {"service_account": "somebody"}}):
        workflow = compiled(reached.project)

    assert workflow["spec"]["serviceAccountName"] == "somebody"
    assert newest(reached.project)["spec"]["serviceAccountName"] == "rats-workflow"


def test_8_every_run_starts_without_its_data(reached: Reached) -> None:
    """Inputs lie under their digest: a second run finds those of the first."""
    kept = objects(reached.project)

    said = reached.project.submit("--to-nodes=clean_orders,clean_customers", "--wait")

    assert said["state"] == "succeeded"
    new = objects(reached.project) - kept
    sizes = {
        path.stat().st_size for path in (reached.project.path / "data/01_raw").iterdir()
    }
    fs = harness.bucket()
    assert [key for key in new if fs.size(key) in sizes] == []


def test_9_data_in_memory_that_is_lost_between_pods(reached: Reached) -> None:
    """What the catalog does not list has arrived; what must stay in memory is refused."""
    folder = reached.project.get("order_features", run=reached.run)
    conf = reached.project.path / "conf" / harness.ENV
    catalog = conf / "catalog_memory.yml"
    catalog.write_text("order_features: {type: MemoryDataset}\n")
    elsewhere = {
        "resources": {"more": {"memory": "2Gi"}, "most": {"memory": "3Gi"}},
        "assign": [
            {"nodes": "order_features", "resources": "more"},
            {"nodes": "join", "resources": "most"},
        ],
    }
    with more_settings(reached.project, **elsewhere):
        done = reached.project.rats("submit", code=None)
    catalog.unlink()

    assert list(folder.iterdir())
    assert done.code == 2
    assert "order_features" in done.err
    assert "Traceback" not in done.text


def test_10_a_node_is_skipped_that_succeeded_but_whose_data_was_never_stored(
    reached: Reached,
) -> None:
    """Done is what has a record, whatever Argo says of the pod."""
    project = reached.project
    fs = harness.bucket()
    lost = [
        key
        for key in project.found()
        if f"/runs/{reached.run}/" in key and "/evaluate-" in key
    ]
    lost.append(f"{project.prefix}/shop/data/08_reporting/metrics.json")
    before = fs.cat_file(lost[-1])
    assert len(lost) > 1
    fs.rm(lost)

    said = project.asked("retry", reached.run)

    assert said["tasks"] == 1
    harness.succeeded(said["workflow"])
    assert json.loads(fs.cat_file(lost[-1])) == json.loads(before)


# ------------------------------------------------------------------------ what is shared


@contextmanager
def more_settings(project: harness.Project, **settings: Any) -> Iterator[None]:
    """Put settings on top of those of the environment, for a while."""
    path = project.path / "conf" / harness.ENV / "rats.yml"
    text = path.read_text()
    path.write_text(json.dumps(harness.merged(yaml.safe_load(text), settings)))
    try:
        yield
    finally:
        path.write_text(text)


def walk(value: Any) -> Iterator[dict[str, Any]]:
    """Yield each mapping inside a value."""
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from walk(item)


def main_containers(workflow: harness.Json) -> list[harness.Json]:
    return [t["container"] for t in workflow["spec"]["templates"] if "container" in t]


def objects(project: harness.Project) -> set[str]:
    return {key for key in project.found() if "/rats/objects/" in key}
