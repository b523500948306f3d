"""The commands that look at runs on a cluster, where there is none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.shell_completion import BashComplete
from pipelines.api_server import Answer, ApiServer
from pipelines.project import QUIET, KedroProject

from kedro_rats.cli import rats

if TYPE_CHECKING:
    from pathlib import Path

NODES = """
    from kedro.pipeline import node

    PIPELINE = [node(sorted, "raw", "rows", name="sort")]
    """
FILES = {
    "conf/logging.yml": QUIET,
    "nodes.py": NODES,
    # It cannot be read without a parameter, which these commands do not ask for.
    "conf/base/catalog.yml": """
        raw: {type: json.JSONDataset, filepath: "${runtime_params:case}.json"}
        """,
    "conf/base/rats.yml": "ext: {argo: {namespace: ml}}\n",
}
COMMANDS = (["status"], ["watch"], ["list"], ["logs", "sort"], ["stop", "--yes"])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    pytest.importorskip("kubernetes", reason="needs the extra kedro-rats[argo]")
    return KedroProject.make(tmp_path_factory.mktemp("following") / "toy", FILES)


def test_outside_a_project_one_line_says_so(tmp_path: Path) -> None:
    done = KedroProject(tmp_path).kedro("rats", "logs", "sort")

    assert done.code == 2
    assert "kedro rats logs: expected to be run in a Kedro project" in done.err


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_without_a_cluster_one_line_says_what_to_set(
    project: KedroProject, command: list[str]
) -> None:
    done = project.kedro("rats", *command, KUBECONFIG="nowhere")

    assert done.code == 1
    assert done.out == ""
    assert "Error: kubeconfig 'nowhere': expected a file, got none." in done.err
    assert "Traceback" not in done.said


def test_a_project_without_runs_is_told_how_to_make_one(
    project: KedroProject, tmp_path: Path
) -> None:
    with ApiServer(lambda *_: Answer(body={"items": None})) as server:
        kubeconfig = str(server.kubeconfig(tmp_path))
        status = project.kedro("rats", "status", KUBECONFIG=kubeconfig)
        listed = project.kedro("rats", "list", "-o", "json", KUBECONFIG=kubeconfig)

    assert status.code == 1
    assert "project 'toy'" in status.err
    assert "`kedro rats submit` makes one" in status.err
    assert json.loads(listed.ok().out) == []
    ((_, path), _) = server.seen
    assert path.startswith("/apis/argoproj.io/v1alpha1/namespaces/ml/workflows?labelSe")


@pytest.mark.parametrize(
    ("before", "begun", "found"),
    [
        ([], "st", ["status", "stop"]),
        (["logs"], "--fo", ["--follow"]),
        (["stop"], "--y", ["--yes"]),
        (["watch", "--output"], "j", ["json"]),
    ],
)
def test_a_shell_completes_commands_and_options(
    before: list[str], begun: str, found: list[str]
) -> None:
    shell = BashComplete(rats, {}, "rats", "_RATS_COMPLETE")

    completed = [each.value for each in shell.get_completions(before, begun)]

    assert completed == found
