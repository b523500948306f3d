"""Whole projects, run as users run them: `kedro run`, `kedro rats run` and `exec`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from pipelines.project import KedroProject

if TYPE_CHECKING:
    from pathlib import Path

CANARIES = {
    "credentials": "canary-of-credentials",
    "environment": "canary-of-environment",
    "parameter": "canary-of-parameter",
}

NODES = """
    import os
    from kedro.pipeline import node

    def count(name):
        with open(os.path.join(ROOT, "calls"), "a") as file:
            file.write(name + "\\n")

    ROOT = os.environ.get("RATS_TEST_ROOT", ".")

    def a(x):
        count("a")
        return x + 1

    def b(y, mode):
        count("b")
        if os.path.exists(os.path.join(ROOT, "fail")):
            raise ValueError(f"b cannot: {os.environ.get('SOME_TOKEN')} {mode}")
        return {"rows": y * 10}

    def c(z):
        count("c")
        return [z["rows"]]

    PIPELINE = [
        node(a, "params:x", "y", name="a"),
        node(b, ["y", "params:db"], "z", name="b"),
        node(c, "z", "w", name="c"),
    ]
    """
HOOKS = """
    import json, os
    from kedro.framework.hooks import hook_impl
    from kedro.pipeline.node import Node

    def note(name, **said):
        shown = {
            key: value.name if isinstance(value, Node) else value
            if isinstance(value, (str, int, bool, list, dict, type(None)))
            else type(value).__name__ if not isinstance(value, Exception) else repr(value)
            for key, value in said.items()
            if key not in ("run_id", "catalog")
        }
        with open(os.environ["RATS_TEST_HOOKS"], "a") as file:
            file.write(json.dumps([name, shown], sort_keys=True) + "\\n")

    class Noted:
        def __init__(self):
            import threading
            self.lock = threading.Lock()  # cannot be pickled

        @hook_impl
        def before_node_run(self, node, catalog, inputs, is_async, run_id):
            note("before_node_run", node=node, inputs=inputs, is_async=is_async, run=bool(run_id))
            return {"y": 7} if "y" in inputs else None

        @hook_impl
        def after_node_run(self, node, catalog, inputs, outputs, is_async, run_id):
            note("after_node_run", node=node, inputs=inputs, outputs=outputs, is_async=is_async)

        @hook_impl
        def on_node_error(self, error, node, catalog, inputs, is_async, run_id):
            note("on_node_error", error=error, node=node, inputs=inputs)

        @hook_impl
        def before_dataset_loaded(self, dataset_name, node):
            note("before_dataset_loaded", dataset_name=dataset_name, node=node)

        @hook_impl
        def after_dataset_loaded(self, dataset_name, data, node):
            note("after_dataset_loaded", dataset_name=dataset_name, data=data, node=node)

        @hook_impl
        def before_dataset_saved(self, dataset_name, data, node):
            note("before_dataset_saved", dataset_name=dataset_name, data=data, node=node)

        @hook_impl
        def after_dataset_saved(self, dataset_name, data, node):
            note("after_dataset_saved", dataset_name=dataset_name, data=data, node=node)

    class Adds:
        @hook_impl
        def after_catalog_created(self, catalog, save_version):
            if save_version is not None:
                catalog["extra"] = [5]
    """


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KedroProject:
    made = KedroProject.make(
        tmp_path / "shop",
        {
            "nodes.py": NODES,
            "conf/base/parameters.yml": (
                f"x: 3\ndb: {{user: me, password: {CANARIES['parameter']}, also: 1}}\n"
            ),
            "conf/base/catalog.yml": (
                "z: {type: shop.files.JsonFile, filepath: data/z.json}\n"
                "w: {type: shop.files.JsonFile, filepath: data/w.json}\n"
            ),
        },
    )
    monkeypatch.setenv("RATS_TEST_ROOT", str(made.folder))
    monkeypatch.setenv("RATS_TEST_HOOKS", str(made.folder / "hooks.txt"))
    return made


def test_a_run_fails_is_resumed_and_gives_its_results_to_another(
    project: KedroProject,
) -> None:
    (project.folder / "fail").touch()
    failed = project.run()
    assert failed.code == 1
    assert "ValueError: b cannot" in failed.err
    (run,) = project.runs()
    assert run in failed.said
    assert not (project.folder / "data/z.json").exists()
    record = project.record()
    assert record["state"] == "failed"
    assert [t["state"] for t in sorted(record["tasks"].values(), key=lambda t: t["label"])] == ["done", "failed", "not run"]  # fmt: skip
    (project.folder / "fail").unlink()
    # What is in the configuration now is not what the run was asked for.
    project.write("conf/base/parameters.yml", "x: 99\ndb: {}\n")
    project.run("--resume", run).ok()
    assert project.lines("calls") == ["a", "b", "b", "c"]
    assert json.loads((project.folder / "data/w.json").read_text()) == [40]
    record = project.record()
    assert record["state"] == "done"
    attempts = {t["label"]: [a["outcome"] for a in t["attempts"]] for t in record["tasks"].values()}  # fmt: skip
    assert attempts == {"a": ["done"], "b": ["user_error", "done"], "c": ["done"]}
    project.run("--from-nodes", "b", "--from-run", run).ok()
    assert project.lines("calls") == ["a", "b", "b", "c", "b", "c"]
    assert json.loads((project.folder / "data/w.json").read_text()) == [40]
    wrong = project.run("--resume", run, "--env", "other")
    assert wrong.code != 0
    assert project.lines("calls")[6:] == []


def test_a_resumed_run_keeps_what_it_was_asked_and_says_so(
    project: KedroProject,
) -> None:
    fail = project.write("fail", "")
    failed = project.run()
    (run,) = project.runs()
    fail.unlink()
    project.write("conf/base/parameters.yml", "x: 5\ndb: {password: canary}\n")

    refused = project.run("--resume", run, "--params=x=2", "--from-nodes=b", "-t", "a")
    resumed = project.run("--resume", run).ok()

    assert f"--resume {run}` goes on with the same plan, parameters" in failed.said
    assert f"`kedro rats run --from-nodes b --from-run {run}`" in failed.said
    assert refused.code == 2
    assert "--resume: expected no --tags, --from-nodes, --params beside" in refused.err
    assert f"--from-run {run}" in refused.err
    assert "Parameter 'params:x' is another one now" in resumed.err
    assert "canary" not in resumed.said
    # It ran with the first.
    assert project.record()["about"]["parameters"]["params:x"] == 3


def test_hooks_are_called_as_with_kedro(project: KedroProject) -> None:
    project.write(f"src/{project.package}/hooks.py", _text(HOOKS))
    project.write(
        f"src/{project.package}/settings.py",
        f"from {project.package}.hooks import Adds, Noted\nHOOKS = (Noted(), Adds())\n",
    )
    found = []
    noted = project.folder / "hooks.txt"
    for command in (["run"], ["rats", "run"], ["rats", "run", "--isolate"]):
        project.kedro(*command).ok()
        found.append(noted.read_text().splitlines())
        noted.unlink()
    assert len(found[0]) == 3 * 2 + 4 * 2 + 3 * 2
    assert found[1] == found[0]
    assert found[2] == found[0]
    assert json.loads((project.folder / "data/w.json").read_text()) == [70]
    # A node that fails, and a dataset that only a hook has put into the catalog.
    nodes = _text(NODES).replace('"y", "params:db"', '"extra", "params:db"')
    project.write(f"src/{project.package}/nodes.py", nodes)
    (project.folder / "fail").touch()
    errors = []
    for command in (["run"], ["rats", "run"], ["rats", "run", "--isolate"]):
        assert project.kedro(*command).code == 1
        errors.append(noted.read_text().splitlines())
        noted.unlink()
    assert "on_node_error" in errors[0][-1]
    assert errors[1] == errors[0]
    assert errors[2] == errors[0]


def _text(text: str) -> str:
    import textwrap

    return textwrap.dedent(text)


TABLE_NODES = """
    import os
    from kedro.pipeline import node

    def read(t):
        if os.environ.get("RATS_TEST_TELL"):
            raise ValueError(os.environ["SHOP_TOKEN"])
        return t

    def fail(password):
        if os.environ.get("RATS_TEST_TELL"):
            raise ValueError(f"wrong password {password}")
        return 1

    PIPELINE = [node(read, "t", "seen", name="read"), node(read, "broken", "more", name="break"),
                node(len, "parameters", "text", name="aaa_all"),
                node(fail, "params:password", "none", name="tell")]
    """
TABLES = """
    import os
    from kedro.io import AbstractDataset

    class Table(AbstractDataset):
        def __init__(self, *, table, credentials, metadata=None):
            self.table, self.credentials = table, credentials

        def load(self):
            if self.table == "broken":
                token = os.environ["SHOP_TOKEN"]
                raise RuntimeError(f"no connection with {self.credentials} or {token}")
            return [self.table]

        def save(self, data):
            pass

        def _describe(self):
            return {"table": self.table}
    """


@pytest.mark.parametrize("how", ["in process", "isolated"])
def test_secrets_are_nowhere_but_in_the_parameters_own_object(
    tmp_path: Path, how: str
) -> None:
    project = KedroProject.make(
        tmp_path / "shop",
        {
            "nodes.py": TABLE_NODES,
            "tables.py": TABLES,
            "conf/base/parameters.yml": (
                f"user: me\npassword: {CANARIES['parameter']}\nalso: 1\n"
            ),
            "conf/base/catalog.yml": (
                "t: {type: shop.tables.Table, table: t, credentials: db}\n"
                "broken: {type: shop.tables.Table, table: broken, credentials: db}\n"
            ),
            "conf/local/credentials.yml": f"db: {{con: '{CANARIES['credentials']}'}}\n",
        },
    )
    options = ["--isolate"] if how == "isolated" else []
    variables = {"SHOP_TOKEN": CANARIES["environment"]}
    if how == "isolated":
        # In our own process Kedro logs what a node raises, as it is.
        variables["RATS_TEST_TELL"] = "1"
        options.append("--keep-going")
    done = project.run(*options, **variables)
    assert done.code == 1
    assert ("wrong password [hidden]" in done.said) == (how == "isolated")
    assert "no connection with" in done.said
    (run,) = project.runs()
    record = project.record()
    hidden = {record["parameters"]}
    places = {"stdout": done.out.encode(), "stderr": done.err.encode()}
    for path in project.store.rglob("*"):
        if path.is_file() and path.parent.name + path.name not in hidden:
            places[str(path)] = path.read_bytes()
    for kind, canary in CANARIES.items():
        found = [name for name, data in places.items() if canary.encode() in data]
        assert not found, (kind, found)
    assert record["about"]["parameters"]["parameters"]
    assert "[hidden]" in json.dumps(record["about"]["parameters"])
    assert "[hidden]" in (project.store / "runs" / run / "run.json").read_text()


def test_a_task_needs_only_the_modules_of_its_nodes(tmp_path: Path) -> None:
    project = KedroProject.make(
        tmp_path / "lean",
        {
            "nodes.py": "from lean import heavy, light\nfrom kedro.pipeline import node\n"
            "PIPELINE = [node(light.work, 'params:x', 'y', name='light'),"
            " node(heavy.work, 'y', 'z', name='heavy')]\n",
            "light.py": "def work(x):\n    return x + 1\n",
            "heavy.py": "def work(x):\n    return x * 2\n",
            "conf/base/parameters.yml": "x: 3\n",
            "conf/base/catalog.yml": "z: {type: lean.files.JsonFile, filepath: data/z.json}\n",
        },
    )
    code = (
        "from kedro.framework.session import KedroSession\n"
        "from kedro.framework.startup import bootstrap_project\n"
        "from kedro.framework.project import pipelines\n"
        "from pathlib import Path\n"
        "from kedro_rats.runners.preparing import Asked, prepare\n"
        "from kedro_rats.runners.project import of_context, parameter_values\n"
        "bootstrap_project(Path.cwd())\n"
        "session = KedroSession.create(Path.cwd())\n"
        "context = session.load_context()\n"
        "view = of_context(context, session._hook_manager)\n"
        "pipeline = pipelines['__default__']\n"
        "made = prepare(pipeline, view, parameters=parameter_values(pipeline, "
        "context.params), asked=Asked(run='r1'))\n"
        "print('MADE', made.request.digest, *made.lowered.plan.tasks)\n"
    )
    said = project.python("-c", code).ok().out
    (line,) = re.findall(r"MADE (.*)", said)
    request, light, heavy = line.split()
    for name in ("heavy.py", "pipeline_registry.py", "nodes.py"):
        project.write(f"src/lean/{name}", "raise RuntimeError('imported')\n")
    done = project.task(".rats", request, light).ok()
    assert f"Task {light} done" in done.err
    assert "was done before" in project.task(".rats", request, light).ok().err
    refused = project.task(".rats", request, heavy)
    assert refused.code == 2
    assert "Node 'heavy': expected its function where it runs" in refused.err
    assert "Traceback" not in refused.err
    project.write("src/lean/heavy.py", "def work(x):\n    return x * 2\n")
    # What people type does the same.
    project.kedro("rats", "exec", "--store", ".rats", "--request", request,
                  "--task", heavy).ok()  # fmt: skip
    assert json.loads((project.folder / "data/z.json").read_text()) == 8


def test_two_whole_runs_at_once_in_one_project(project: KedroProject) -> None:
    two = [project.start("-m", "kedro", "rats", "run") for _ in range(2)]
    for process in two:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, out + err
    runs = project.runs()
    assert len(runs) == 2
    for run in runs:
        assert project.record(run)["state"] == "done"
        assert len(list((project.store / "runs" / run / "records").iterdir())) == 3
    assert sorted(project.lines("calls")) == sorted(["a", "b", "c"] * 2)
    assert json.loads((project.folder / "data/w.json").read_text()) == [40]
    assert sorted(p.name for p in (project.folder / "data").iterdir()) == [
        "w.json",
        "z.json",
    ]


def test_paths_are_the_projects_also_from_a_folder_in_it(project: KedroProject) -> None:
    inside = project.folder / "src"
    for options in ([], ["--isolate"]):
        project.kedro("rats", "run", *options, cwd=inside).ok()
        (project.folder / "data/w.json").rename(project.folder / "w.json")
    assert not (inside / ".rats").exists()
    assert not (inside / "data").exists()


def test_the_runner_is_kedros_too_and_its_record_says_all(
    project: KedroProject,
) -> None:
    done = project.kedro(
        "run", "--runner=kedro_rats.LocalRunner", "--params", "x=4"
    ).ok()
    record = project.record()
    (run,) = project.runs()
    assert record["format"] == "rats/0"
    assert record["run"] == run == record["save_version"]
    assert record["state"] == "done"
    about = record["about"]
    assert about["project"] == project.package
    assert about["pipeline"] == "__default__"
    assert set(about["versions"]) == {"python", "kedro", "kedro-rats"}
    assert about["parameters"]["params:x"] == 4
    assert "canary" not in json.dumps(about) + done.said
    tasks = {task["label"]: task for task in record["tasks"].values()}
    made = tasks["b"]["outputs"]["z"]
    assert made["format"] == "dataset"
    assert [file["path"] for file in made["files"]] == ["z.json"]
    assert tasks["c"]["inputs"]["z"]
    assert all(task["attempts"][0]["outcome"] == "done" for task in tasks.values())
