"""`kedro rats compile`, `submit` and `retry` as a user types them, without a cluster."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from pipelines.project import QUIET, KedroProject

from kedro_rats.engines.argo.naming import check_key
from kedro_rats.errors import DefinitionError

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("hera", reason="needs the extra kedro-rats[argo]")

NODES = """
    from kedro.pipeline import node


    def doubled(x):
        return x * 2


    PIPELINE = [
        node(doubled, "params:x", "y", name="one"),
        node(doubled, "y", "z", name="two"),
    ]
    """
GOOD = """
    store: s3://bucket/prefix
    image: {slim: registry.example.com/slim:1}
    default: {image: slim}
    ext: {argo: {namespace: ml, service_account: rats}}
    """
FILES = {
    "conf/logging.yml": QUIET,
    "nodes.py": NODES,
    "conf/base/parameters.yml": "x: 3\n",
    "conf/cluster/rats.yml": GOOD,
}
KUBECONFIG = """
    apiVersion: v1
    kind: Config
    clusters: [{name: c, cluster: {server: "http://127.0.0.1:9"}}]
    users: [{name: u, user: {token: t}}]
    contexts: [{name: x, context: {cluster: c, user: u}}]
    current-context: x
    """
# Nothing listens there, and no configuration of this machine's user is read.
NOWHERE = {"KUBECONFIG": "none", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}


@pytest.fixture
def project(tmp_path: Path) -> KedroProject:
    return KedroProject.make(tmp_path / "shop", FILES)


def test_the_same_definition_compiles_to_the_same_bytes(project: KedroProject) -> None:
    for name, seed in (("a.json", "1"), ("b.json", "2")):
        arguments = ("rats", "compile", "--env=cluster", "-o", name)
        project.kedro(*arguments, PYTHONHASHSEED=seed, **NOWHERE).ok()

    first, second = ((project.folder / n).read_bytes() for n in ("a.json", "b.json"))
    assert first == second
    workflow = json.loads(first)
    assert workflow["kind"] == "Workflow"
    assert workflow["metadata"]["labels"]["rats.kedro/project"] == "shop"
    assert not project.store.exists()


def test_without_a_file_the_workflow_goes_to_standard_output(
    project: KedroProject,
) -> None:
    ran = project.kedro("rats", "compile", "--env=cluster", **NOWHERE).ok()

    assert json.loads(ran.out)["spec"]["entrypoint"]


def test_the_plan_that_is_compiled_is_the_plan_that_is_shown(
    project: KedroProject,
) -> None:
    compiled = project.kedro(
        "rats",
        "compile",
        "--env=cluster",
        "--target=plan",
        "-o",
        "plan.json",
        **NOWHERE,
    ).ok()
    shown = project.kedro("rats", "plan", "--env=cluster", "-o", "json").ok()

    from kedro_rats.encoding.canonical import digest

    data = (project.folder / "plan.json").read_bytes()
    assert digest(data) == json.loads(shown.out)["plan"]
    assert compiled.out.startswith("plan.json: 2 tasks")


def test_all_that_a_cluster_cannot_do_is_said_at_once(project: KedroProject) -> None:
    project.write("conf/cluster/rats.yml", "ext: {argo: {namespase: ml}}\n")
    project.write(
        "conf/base/catalog.yml",
        "z: {type: pickle.PickleDataset, filepath: data/z.pkl}\n",
    )

    ran = project.kedro("rats", "submit", "--env=cluster", **NOWHERE)

    assert ran.code == 2
    for part in ("store", "image", "dataset 'z'", "namespace"):
        assert part in ran.err, part
    assert "Traceback" not in ran.said
    assert not project.store.exists()


@pytest.mark.parametrize(
    "command",
    [["submit"], ["submit", "--dry-run"], ["status"], ["list"], ["retry", "x"]],
)
def test_the_environment_that_was_meant_is_named(
    project: KedroProject, command: list[str]
) -> None:
    ran = project.kedro("rats", *command, **NOWHERE)

    assert ran.code == 2
    (line,) = ran.err.strip().splitlines()[-1:]
    assert "got " in line
    assert "Did you mean --env=cluster? conf/cluster/rats.yml names one." in line
    assert ran.err.count("expected") == 1
    assert not project.store.exists()


def test_an_image_of_other_files_is_named_before_anything_is_submitted(
    project: KedroProject,
) -> None:
    old = "registry.example.com/shop:000000000000"
    build = f"{{ref: '{old}', build: {{name: registry.example.com/shop}}}}"
    text = (
        f"store: s3://bucket/prefix\nimage: {{app: {build}}}\ndefault: {{image: app}}\n"
    )
    project.write("Dockerfile", "FROM scratch\n")
    project.write("conf/cluster/rats.yml", text)
    project.write("kubeconfig", KUBECONFIG)

    ran = project.kedro(
        "rats", "submit", "--env=cluster", **{**NOWHERE, "KUBECONFIG": "kubeconfig"}
    )

    assert "Image 'app' was built from other files than the project has" in ran.err
    assert "`kedro rats build --env=cluster` builds it anew" in ran.err


def test_without_access_to_a_cluster_nothing_is_written(project: KedroProject) -> None:
    ran = project.kedro("rats", "submit", "--env=cluster", **NOWHERE)

    assert ran.code == 1
    assert "kubeconfig" in ran.err
    assert "Traceback" not in ran.said
    assert not project.store.exists()


@pytest.mark.parametrize("key", ["a b", "-x", "x" * 64, "{{workflow.name}}", "", "x."])
def test_a_key_that_cannot_be_a_label_is_refused(key: str) -> None:
    with pytest.raises(DefinitionError, match=r"run: expected (1 to 128|at most 63)"):
        check_key(key)


def test_a_wrong_key_is_said_before_anything_is_done(project: KedroProject) -> None:
    ran = project.kedro("rats", "submit", "--env=cluster", "--key=a b", **NOWHERE)

    assert ran.code == 2
    assert len(ran.err.strip().splitlines()) == 1
    assert not project.store.exists()


def test_kedro_run_takes_the_runner_and_says_what_is_missing(
    project: KedroProject,
) -> None:
    ran = project.kedro(
        "run", "--env=cluster", "--runner=kedro_rats.ArgoRunner", **NOWHERE
    )

    assert ran.code == 1
    assert "kubeconfig" in ran.said


def test_outside_a_project_a_command_says_so(tmp_path: Path) -> None:
    project = KedroProject(tmp_path)

    for command in (["compile"], ["submit"], ["retry", "r"]):
        ran = project.kedro("rats", *command)
        assert ran.code == 2
        assert f"kedro rats {command[0]}: expected to be run in a Kedro" in ran.err
