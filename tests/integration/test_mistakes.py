"""Mistakes of somebody new: one line that says what to mend, and no traceback."""

from __future__ import annotations

import inspect
import textwrap
from typing import TYPE_CHECKING

import pytest
from kedro.framework.project import find_pipelines
from kedro.framework.session import KedroSession
from pipelines.project import QUIET, KedroProject

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.project import Ran

NODES = """
    import os, signal
    from pathlib import Path
    from kedro.io import DatasetError
    from kedro.pipeline import node


    def clean(raw):
        return raw


    def summed(rows):
        if os.environ.get("BREAK"):
            raise DatasetError(os.environ["BREAK"])
        if os.environ.get("STOP"):
            os.kill(os.getpid(), signal.SIGINT)
        return sum(rows)


    PIPELINE = [
        node(clean, "raw", "rows", name="clean", tags=["image.slim"]),
        node(summed, "rows", "total", name="sum"),
    ]
    """
FILES = {
    "conf/logging.yml": QUIET,
    "nodes.py": NODES,
    "conf/base/catalog.yml": """
        raw: {type: shop.files.JsonFile, filepath: data/raw.json}
        """,
    "conf/cluster/rats.yml": "store: .rats\n",
    "data/raw.json": "[1, 2]",
}
REGISTRY = "src/shop/pipeline_registry.py"
FOUND = """
    from kedro.framework.project import find_pipelines

    def register_pipelines():
        pipelines = find_pipelines(raise_errors=True)
        pipelines["__default__"] = sum(pipelines.values())
        return pipelines
    """
ESTIMATOR = """
    from kedro_rats import estimator

    def fit(X):
        return 1

    def apply(state, X):
        return X

    def chain(**changed):
        said = {"inputs": "X", "outputs": "Z", "name": "own", **changed}
        return estimator(fit, apply, **said)
    """


@pytest.fixture
def project(tmp_path: Path) -> KedroProject:
    return KedroProject.make(tmp_path / "shop", FILES)


def register(project: KedroProject, text: str, name: str = REGISTRY) -> None:
    project.write(name, textwrap.dedent(text))


def last_line(ran: Ran) -> str:
    assert "Traceback" not in ran.said
    return ran.err.strip().splitlines()[-1]


def assert_refused(project: KedroProject, ran: Ran, line: str) -> None:
    assert last_line(ran) == f"Error: {line}"
    assert ran.code == 2
    assert project.runs() == []


# --- what is registered ---------------------------------------------------------------


@pytest.mark.parametrize("command", ["run", "plan", "describe", "submit", "compile"])
def test_an_estimator_that_is_registered_is_named(
    project: KedroProject, command: str
) -> None:
    returned = 'def register_pipelines():\n    return {"__default__": chain()}\n'
    register(project, textwrap.dedent(ESTIMATOR) + returned)

    assert_refused(
        project,
        project.kedro("rats", command),
        "pipeline '__default__': expected a Pipeline, got an Estimator. Register its "
        ".train or .eval_on(…).",
    )


@pytest.mark.skipif(
    "+= pipelines[" not in inspect.getsource(KedroSession.run),
    reason="this Kedro sums no pipelines",
)
def test_kedros_own_run_says_what_to_take_of_an_estimator(
    project: KedroProject,
) -> None:
    returned = 'def register_pipelines():\n    return {"__default__": chain()}\n'
    register(project, textwrap.dedent(ESTIMATOR) + returned)

    ran = project.kedro("run")

    assert ran.code == 1
    assert "expected a Pipeline, got an Estimator. Take its .train or" in ran.err


@pytest.mark.skipif(
    "' not found" not in inspect.getsource(find_pipelines),
    reason="this Kedro warns of such a module, and leaves it out",
)
@pytest.mark.parametrize("command", ["run", "plan", "describe"])
def test_a_module_that_returns_an_estimator_is_named(
    project: KedroProject, command: str
) -> None:
    register(project, FOUND)
    register(project, "", "src/shop/pipelines/__init__.py")
    created = "def create_pipeline():\n    return chain()\n"
    module = "src/shop/pipelines/forecast/__init__.py"
    register(project, textwrap.dedent(ESTIMATOR) + created, module)

    line = last_line(project.kedro("rats", command))

    assert line == (
        "Error: pipeline 'forecast': expected a function create_pipeline that returns a "
        "Pipeline, got none. Return .train or .eval_on(…) of an estimator from it."
    )


@pytest.mark.parametrize("command", ["run", "plan", "describe"])
@pytest.mark.parametrize("found", [True, False])
def test_a_wrong_definition_is_one_line_wherever_it_stands(
    project: KedroProject, command: str, *, found: bool
) -> None:
    wrong = "chain(inputs=3)\n"
    if found:
        register(project, FOUND)
        register(project, "", "src/shop/pipelines/__init__.py")
        module = "src/shop/pipelines/forecast/__init__.py"
        register(project, textwrap.dedent(ESTIMATOR) + wrong, module)
    else:
        register(project, textwrap.dedent(ESTIMATOR) + wrong)

    ran = project.kedro("rats", command)

    assert last_line(ran).startswith("Error: estimator 'own', inputs: expected ")
    assert ran.code == 2


@pytest.mark.parametrize(
    ("registry", "line"),
    [
        (
            "def register_pipelines():\n    return {}\n",
            "the project's pipelines: expected at least one with nodes, got none.",
        ),
        (
            FOUND,
            "the project's pipelines: expected at least one with nodes, got none.",
        ),
        (
            """
            from kedro.pipeline import Pipeline
            from shop import nodes

            def register_pipelines():
                return {"__default__": Pipeline([]), "sum": Pipeline(nodes.PIPELINE)}
            """,
            (
                "pipeline '__default__': expected at least one node, got none. Add nodes to "
                "it, or choose with --pipelines: sum."
            ),
        ),
    ],
    ids=["nothing", "a new project", "an empty default"],
)
@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_project_without_nodes_is_told_where_they_go(
    project: KedroProject, command: str, registry: str, line: str
) -> None:
    register(project, registry)

    ran = project.kedro("rats", command)

    assert last_line(ran).startswith(f"Error: {line}")
    if "project's" in line:
        assert "register_pipelines" in last_line(ran)
    assert ran.code == 2


@pytest.mark.parametrize("package", [True, False])
def test_a_name_that_no_module_has_is_one_line(
    project: KedroProject, *, package: bool
) -> None:
    register(project, FOUND)
    if package:
        register(project, "", "src/shop/pipelines/__init__.py")

    ran = project.kedro("rats", "plan", "--pipelines", "other")

    assert last_line(ran) == (
        "Error: --pipelines: expected a registered pipeline, got 'other'. Registered "
        "are __default__."
    )


@pytest.mark.parametrize("option", ["--pipeline", "--pipelines", "-p"])
@pytest.mark.parametrize("command", ["plan", "describe"])
def test_one_or_several_pipelines_are_one_option(
    project: KedroProject, command: str, option: str
) -> None:
    project.kedro("rats", command, option, "__default__").ok()


# --- the configuration ----------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["run"],
        ["run", "--resume", "x"],
        ["plan"],
        ["submit"],
        ["compile"],
        ["runs"],
        ["get", "z"],
        ["status"],
        ["doctor"],
        ["build"],
    ],
    ids=" ".join,
)
def test_an_environment_that_is_not_there_is_named_with_the_one_that_was_meant(
    project: KedroProject, words: list[str]
) -> None:
    assert_refused(
        project,
        project.kedro("rats", *words, "--env=cluste"),
        "--env: expected an environment of conf, got no folder for 'cluste'. Did you "
        "mean 'cluster'? Make the folder, or choose another one with --env.",
    )


def test_the_environment_of_the_variable_is_said_to_be_of_it(
    project: KedroProject,
) -> None:
    ran = project.kedro("rats", "plan", KEDRO_ENV="cluste")

    assert last_line(ran).startswith(
        "Error: KEDRO_ENV: expected an environment of conf"
    )


def test_a_loader_of_the_projects_own_may_know_environments_without_a_folder(
    project: KedroProject,
) -> None:
    project.write(
        "src/shop/settings.py",
        textwrap.dedent("""
            from kedro.config import OmegaConfigLoader

            class CONFIG_LOADER_CLASS(OmegaConfigLoader):
                def __init__(self, conf_source, env=None, **more):
                    super().__init__(conf_source, env=env and "local", **more)
            """),
    )

    project.kedro("rats", "plan", "--env=mine").ok()


@pytest.mark.parametrize(
    ("entry", "got"),
    [
        ("type: shop.files.JsonFlie, filepath: data/raw.json", "JsonFlie"),
        ("typ: shop.files.JsonFile, filepath: data/raw.json", "'type' is missing"),
        ("type: shop.files.JsonFile, filepat: data/raw.json", "'filepat'"),
    ],
)
@pytest.mark.parametrize("options", [[], ["--isolate"]], ids=["here", "isolated"])
def test_a_typo_in_the_catalog_is_one_line_that_names_the_dataset(
    project: KedroProject, options: list[str], entry: str, got: str
) -> None:
    project.write("conf/base/catalog.yml", f"raw: {{{entry}}}\n")

    ran = project.run(*options)

    assert last_line(ran).startswith("Error: dataset 'raw': expected an entry that ")
    assert got in last_line(ran)
    assert ran.code == 2
    assert project.runs() == []


@pytest.mark.parametrize("name", ["catalog", "parameters"])
@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_file_that_cannot_be_read_is_one_line(
    project: KedroProject, command: str, name: str
) -> None:
    project.write(f"conf/base/{name}.yml", "a: [\n")

    ran = project.kedro("rats", command)

    assert f"conf/base/{name}.yml" in last_line(ran)
    assert "Mend it" in last_line(ran)
    assert ran.code == 2


def test_what_a_node_raises_keeps_its_traceback(project: KedroProject) -> None:
    ran = project.run(BREAK="An error of the node")

    assert ran.code == 1
    assert "Traceback" in ran.err
    assert 'raise DatasetError(os.environ["BREAK"])' in ran.err
    assert "An error of the node" in ran.err


# --- an interrupt ---------------------------------------------------------------------


def test_after_an_interrupt_it_says_how_to_go_on(project: KedroProject) -> None:
    ran = project.run("--env=cluster", STOP="1")

    (run,) = project.runs()
    how = f"kedro rats run --resume {run} --env=cluster"
    assert last_line(ran) == f"Interrupted. `{how}` goes on."
    assert ran.code == 130

    again = project.run("--resume", run, "--env=cluster", STOP="1")
    assert last_line(again) == f"Interrupted. `{how}` goes on."

    project.kedro(*how.split()[1:]).ok()


def test_an_interrupt_before_a_run_is_begun_says_nothing_of_one(
    project: KedroProject,
) -> None:
    project.write(
        "src/shop/settings.py",
        textwrap.dedent("""
            from kedro.framework.hooks import hook_impl

            class Stop:
                @hook_impl
                def before_pipeline_run(self):
                    raise KeyboardInterrupt

            HOOKS = (Stop(),)
            """),
    )

    ran = project.run()

    assert ran.code != 0
    assert "--resume" not in ran.said
    assert project.runs() == []
