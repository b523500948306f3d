"""``kedro rats describe``, in a project of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from kedro.pipeline import node, pipeline

from kedro_rats.cli.describe import as_text, describe_pipeline

if TYPE_CHECKING:
    from pathlib import Path

REGISTRY = """
from kedro.pipeline import node, pipeline

def register_pipelines():
    print("a line that a project prints")
    train = pipeline([
        node(len, "X", "model", name="m.fit", tags="rats.fit"),
        node(max, ["model", "X"], "q", name="m.apply", tags="rats.apply"),
    ])
    test = pipeline([node(max, ["model", "rows"], "p", name="apply", tags="rats.apply")])
    return {"__default__": train, "test": test}
"""

PYPROJECT = """
[tool.kedro]
package_name = "toy"
project_name = "toy"
kedro_init_version = "1.0.0"
source_dir = "src"
"""

QUIET = """
version: 1
disable_existing_loggers: false
loggers: {}
root: {level: WARNING}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    package = root / "src" / "toy"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "settings.py").touch()
    (package / "pipeline_registry.py").write_text(REGISTRY)
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "conf").mkdir()
    (root / "conf" / "logging.yml").write_text(QUIET)
    return root


def rats(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kedro", "rats", *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_group_lists_what_exists_and_no_more(tmp_path: Path) -> None:
    done = rats("--help", cwd=tmp_path)

    listed = done.stdout.partition("Commands:")[2].split("\n")
    assert [line.split()[0] for line in listed if line.strip()] == [
        "build",
        "compile",
        "describe",
        "doctor",
        "exec",
        "get",
        "init",
        "list",
        "logs",
        "plan",
        "retry",
        "run",
        "runs",
        "status",
        "stop",
        "submit",
        "watch",
    ]


def test_json_is_all_that_stdout_gets(project: Path) -> None:
    done = rats("describe", "--output=json", cwd=project)

    described = json.loads(done.stdout)
    assert "a line that a project prints" in done.stderr
    assert [(n["name"], n["type"]) for n in described["nodes"]] == [
        ("m.fit", "fit"),
        ("m.apply", "apply"),
    ]
    assert described["state"] == [
        {"name": "model", "made_by": "m.fit", "read_by": ["m.apply"]}
    ]
    assert (described["inputs"], described["outputs"]) == (["X"], ["q"])


def test_a_state_is_known_from_the_pipeline_that_makes_it(project: Path) -> None:
    done = rats("describe", "--pipeline=test", "--output=json", cwd=project)

    described = json.loads(done.stdout)
    assert described["state"] == [
        {"name": "model", "made_by": None, "read_by": ["apply"]}
    ]
    assert described["inputs"] == ["rows"]


def test_an_unknown_pipeline_is_refused_with_the_nearest_name(project: Path) -> None:
    done = rats("describe", "--pipeline=tset", cwd=project)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip().split("\n")[-1] == (
        "Error: --pipeline: expected a registered pipeline, got 'tset'. "
        "Did you mean 'test'? Registered are __default__, test."
    )


def test_outside_a_project_it_says_where_to_go(tmp_path: Path) -> None:
    done = rats("describe", cwd=tmp_path)

    assert done.returncode == 2
    assert "expected to be run in a Kedro project" in done.stderr


def test_the_table_names_types_state_and_free_datasets() -> None:
    registered = {
        "p": pipeline(
            [
                node(len, "X", "model", name="fit", tags=["rats.fit", "image.big"]),
                node(max, ["model", "params:top"], "q", name="own"),
            ]
        )
    }

    text = as_text(describe_pipeline("p", registered))

    assert text == (
        "pipeline p: 2 nodes\n"
        "\n"
        "type  node  makes\n"
        "fit   fit   model\n"
        "-     own   q\n"
        "\n"
        "state  made by  read by\n"
        "model  fit      own\n"
        "\n"
        "inputs      X\n"
        "parameters  params:top\n"
        "outputs     q"
    )


def test_a_state_is_found_under_its_transcoded_names() -> None:
    registered = {
        "p": pipeline(
            [
                node(len, "X", "model@pickle", name="fit", tags="rats.fit"),
                node(max, "model@bytes", "q", name="size"),
            ]
        )
    }

    (state,) = describe_pipeline("p", registered).state

    assert (state.name, state.made_by, state.read_by) == ("model", "fit", ("size",))


def test_an_empty_pipeline_is_described() -> None:
    text = as_text(describe_pipeline("empty", {"empty": pipeline([])}))

    assert text.startswith("pipeline empty: 0 nodes")
