"""`kedro rats plan`, `run`, `runs` and `get`, as a user types them."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

import pytest
from pipelines.project import QUIET, KedroProject

if TYPE_CHECKING:
    from pathlib import Path

NODES = """
    import os
    from kedro.pipeline import node


    def clean(raw):
        return [row for row in raw if row is not None]


    def summed(rows, factor):
        if os.environ.get("BREAK") == "1":
            raise ValueError("no luck today")
        return sum(rows) * factor


    PIPELINE = [
        node(clean, "raw", "rows", name="clean", tags=["image.slim"]),
        node(summed, ["rows", "params:factor"], "total", name="sum"),
    ]
    """
FILES = {
    "conf/logging.yml": QUIET,
    "nodes.py": NODES,
    "conf/base/parameters.yml": "factor: 10\n",
    "conf/base/catalog.yml": """
        raw: {type: own.Json, filepath: data/raw.json}
        total: {type: own.Json, filepath: data/total.json}
        """,
    "conf/base/rats.yml": """
        image: {slim: "slim:1", fat: "fat:2"}
        resources: {big: {cpu: 2, memory: 4Gi}}
        policy: {again: {retries: 3}}
        assign: [{nodes: sum, image: fat, resources: big, policy: again}]
        """,
    "data/raw.json": "[1, null, 2]",
    "src/own.py": """
        import json
        from pathlib import Path
        from kedro.io import AbstractDataset


        class Json(AbstractDataset):
            def __init__(self, *, filepath, metadata=None):
                self._filepath = Path(filepath)

            def load(self):
                return json.loads(self._filepath.read_text())

            def save(self, data):
                self._filepath.parent.mkdir(parents=True, exist_ok=True)
                self._filepath.write_text(json.dumps(data))

            def _describe(self):
                return {}
        """,
}


def write(project: KedroProject, name: str, text: str) -> None:
    path = project.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def project(tmp_path: Path) -> KedroProject:
    files = dict(FILES)
    own = files.pop("src/own.py")
    made = KedroProject.make(tmp_path / "shop", files)
    write(made, "src/own.py", textwrap.dedent(own))
    return made


def test_the_plan_says_where_tasks_run_and_what_crosses(project: KedroProject) -> None:
    lines = project.kedro("rats", "plan").ok().out.splitlines()

    assert lines[0].endswith("2 tasks")
    assert [line.split() for line in lines[2:5]] == [
        ["task", "nodes", "image", "cpu", "memory", "gpu", "retries", "keeps"],
        ["clean", "1", "slim:1", "rows"],
        ["sum", "1", "fat:2", "2", "4Gi", "3", "total", "→", "data/total.json"],
    ]
    assert [line.split() for line in lines[6:]] == [
        ["dataset", "from", "to", "kept"],
        ["raw", "(input)", "clean", "data/raw.json"],
        ["rows", "clean", "sum", "the", "store"],
    ]
    assert not project.store.exists()


def test_the_plan_as_json_is_all_that_stdout_gets(project: KedroProject) -> None:
    first = project.kedro("rats", "plan", "-o", "json").ok().out
    again = project.kedro("rats", "plan", "-o", "json", PYTHONHASHSEED="7").ok().out

    assert [task["label"] for task in json.loads(first)["tasks"]] == ["clean", "sum"]
    assert first == again


def test_the_plan_names_entries_of_assign_that_match_no_node_of_any_pipeline(
    project: KedroProject,
) -> None:
    path = project.folder / "conf/base/rats.yml"
    wrong = ", {nodes: 'smu*', image: fat}]"
    path.write_text(path.read_text().replace("again}]", "again}" + wrong))

    done = project.kedro("rats", "plan", "--to-nodes", "clean").ok()

    warnings = [x for x in done.err.splitlines() if x.startswith("Warning: rats.yml")]
    (line,) = warnings
    assert "assign.1: nodes smu* matches no node. Mend the pattern" in line


def test_nodes_are_selected_as_kedro_selects_them(project: KedroProject) -> None:
    plan = project.kedro("rats", "plan", "-o", "json", "--to-nodes", "clean").ok().out

    assert [task["label"] for task in json.loads(plan)["tasks"]] == ["clean"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--pipelines", "__defualt__"), "Did you mean '__default__'?"),
        (("--nodes", "clena"), "Did you mean 'clean'?"),
        (("--nodes", "sum"), "dataset 'rows', read by node 'sum'"),
        (("--from-run", "never"), "expected a run in the store"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_wrong_selection_is_one_line_and_writes_nothing(
    project: KedroProject, command: str, options: tuple[str, ...], said: str
) -> None:
    done = project.kedro("rats", command, *options)

    assert done.code in (1, 2)
    assert said in done.said
    assert not project.store.exists()


def test_all_that_is_wrong_in_rats_yml_is_said(project: KedroProject) -> None:
    write(project, "conf/base/rats.yml", "image: {x: 3}\ndefualt: {image: y}\n")
    done = project.kedro("rats", "run")

    assert done.code == 2
    assert "rats.yml, image.x" in done.err
    assert "Did you mean 'default'?" in done.err
    assert "Traceback" not in done.said
    assert not project.store.exists()


def test_a_run_a_failure_and_its_end(project: KedroProject) -> None:
    failed = project.kedro("rats", "run", "--isolate", BREAK="1")

    assert failed.code == 1
    assert "ValueError: no luck today" in failed.err
    (run,) = project.runs()
    assert f"--resume {run}" in failed.err
    said = project.kedro("rats", "runs").ok().out
    assert said.splitlines()[1].split()[:3] == [run, "failed", "1/2"]
    tasks = project.kedro("rats", "runs", run).ok().out.splitlines()[1:]
    assert [line.split()[:2] for line in tasks] == [
        ["clean", "done"],
        ["sum", "failed"],
    ]
    assert "no luck today" in tasks[1]

    project.kedro("rats", "run", "--resume", run).ok()

    assert json.loads((project.folder / "data/total.json").read_text()) == 30
    record = json.loads(project.kedro("rats", "runs", run, "-o", "json").ok().out)
    assert record["state"] == "done"
    attempts = [len(task["attempts"]) for task in record["tasks"].values()]
    assert sorted(attempts) == [1, 2]


def test_data_without_a_place_is_got_and_stands_in_for_inputs(
    project: KedroProject,
) -> None:
    project.kedro("rats", "run").ok()
    (run,) = project.runs()

    got = project.kedro("rats", "get", "rows", "--to", "mine").ok()

    assert got.out.startswith(f"rows of run {run} (json): mine/")
    (file,) = (project.folder / "mine").iterdir()
    assert json.loads(file.read_text()) == [1, 2]
    again = project.kedro("rats", "get", "rows", "--to", "mine")
    assert again.code == 2
    assert "a folder that is not there" in again.err
    wrong = project.kedro("rats", "get", "rwos")
    assert wrong.code == 1
    assert "Did you mean 'rows'?" in wrong.err

    options = ("--nodes", "sum", "--from-run", run, "--params", "factor=100")
    project.kedro("rats", "run", *options).ok()
    assert json.loads((project.folder / "data/total.json").read_text()) == 300


def test_kedros_own_run_and_a_subfolder(project: KedroProject) -> None:
    (project.folder / "notebooks").mkdir()
    project.kedro(
        "run", "--runner=kedro_rats.LocalRunner", cwd=project.folder / "notebooks"
    ).ok()

    assert json.loads((project.folder / "data/total.json").read_text()) == 30
    assert len(project.runs()) == 1


def test_a_missing_input_is_named_before_anything_runs(project: KedroProject) -> None:
    (project.folder / "data/raw.json").unlink()
    done = project.kedro("rats", "run")

    assert done.code == 2
    assert "dataset 'raw': expected the file 'data/raw.json'" in done.err
    assert project.runs() == []


def test_outside_a_project_one_line_says_so(tmp_path: Path) -> None:
    outside = KedroProject(tmp_path)
    for command in (["plan"], ["run"], ["runs"], ["get", "x"]):
        done = outside.kedro("rats", *command)
        assert done.code == 2
        assert "expected to be run in a Kedro project" in done.err


def test_an_ordinary_project_runs_after_init_alone(project: KedroProject) -> None:
    (project.folder / "conf/base/rats.yml").unlink()
    project.kedro("run").ok()
    expected = (project.folder / "data/total.json").read_bytes()
    (project.folder / "data/total.json").unlink()

    project.kedro("rats", "init").ok()
    project.kedro("rats", "run", "--isolate").ok()

    assert (project.folder / "data/total.json").read_bytes() == expected
