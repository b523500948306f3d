"""``kedro rats init`` in projects that know nothing of kedro-rats."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from kedro.config import OmegaConfigLoader
from placement.documents import read as read_yaml

from kedro_rats.cli.init import init as init_command
from kedro_rats.engines.argo.reading import argo_settings
from kedro_rats.placement.loading import load_settings

FILES = {
    "conf/base/rats.yml",
    "conf/base/catalog_rats.yml",
    "Dockerfile",
    ".dockerignore",
}
PIPELINE = """
from kedro.pipeline import Pipeline, node


def double(x):
    return 2 * x


def register_pipelines():
    tags = ["image.slim", "resources.small"]
    return {"__default__": Pipeline([node(double, "params:x", "y", name="d", tags=tags)])}
"""


def kedro(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kedro", *arguments],
        cwd=cwd,
        env={**os.environ, "DO_NOT_TRACK": "1", "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def invoke(project: Path, *arguments: str) -> Result:
    """Run the command in this process, as Kedro does for a project."""
    metadata = SimpleNamespace(
        project_path=project, package_name="plain", source_dir=project / "src"
    )
    return CliRunner().invoke(init_command, arguments, obj=metadata)


def init(project: Path, *arguments: str) -> str:
    done = invoke(project, *arguments)
    assert done.exit_code == 0, done.output
    return done.output


def files_of(project: Path) -> dict[str, bytes]:
    return {
        path.relative_to(project).as_posix(): path.read_bytes()
        for path in project.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project as Kedro itself makes it, with a pipeline and a parameter."""
    folder = tmp_path_factory.mktemp("plain")
    done = kedro("new", "--name=Plain", "--tools=none", "--example=no", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    project = folder / "plain"
    (project / "src" / "plain" / "pipeline_registry.py").write_text(PIPELINE)
    (project / "conf" / "base" / "parameters.yml").write_text("x: 21\n")
    (project / "conf" / "base" / "catalog.yml").write_text(
        "y: {type: kedro_datasets.json.JSONDataset, filepath: data/y.json}\n"
        if has_datasets()
        else ""
    )
    return project


def has_datasets() -> bool:
    try:
        import kedro_datasets  # noqa: F401
    except ImportError:
        return False
    return True


@pytest.fixture
def project(plain: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(plain, tmp_path / "plain"))


def test_four_files_are_added_and_nothing_else_is_touched(project: Path) -> None:
    before = files_of(project)

    done = kedro("rats", "init", cwd=project)

    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout
    after = files_of(project)
    assert after.keys() - before.keys() == FILES
    assert {name: after[name] for name in before} == before
    assert [
        line.split()[1] for line in said.splitlines() if line.startswith("made")
    ] == [
        "conf/base/rats.yml",
        "conf/base/catalog_rats.yml",
        "Dockerfile",
        ".dockerignore",
    ]
    assert "Next:" in said
    assert "@@" not in "".join(after[name].decode() for name in FILES)


def test_a_second_time_changes_nothing(project: Path) -> None:
    init(project)
    (project / "conf" / "base" / "rats.yml").write_text("store: mine\n")
    before = files_of(project)

    said = init(project)

    assert files_of(project) == before
    assert said.count("(it was there already)") == 4
    assert "made" not in said


def test_what_is_there_is_left_whatever_it_is(project: Path) -> None:
    (project / "Dockerfile").write_text("FROM scratch\n")
    (project / ".dockerignore").symlink_to(project / "nowhere")

    said = init(project)

    assert (project / "Dockerfile").read_text() == "FROM scratch\n"
    assert not (project / "nowhere").exists()
    assert "left  Dockerfile (it was there already)" in said
    assert "left  .dockerignore (it was there already)" in said
    assert "made  conf/base/rats.yml" in said


def test_the_project_runs_as_before(project: Path) -> None:
    init(project)
    init(project, "--env=cluster")

    for arguments in (["run"], ["run", "--env=cluster"]):
        done = kedro(*arguments, cwd=project)
        assert done.returncode == 0, done.stdout + done.stderr
    if has_datasets():
        assert json.loads((project / "data" / "y.json").read_text()) == 42


def test_another_environment_gets_files_of_its_own(project: Path) -> None:
    said = init(project, "--env=cluster")

    rats = project / "conf" / "cluster" / "rats.yml"
    assert "different in this environment" in rats.read_text()
    assert "kedro run --env=cluster" in said
    assert not (project / "conf" / "base" / "rats.yml").exists()


def test_configuration_may_be_elsewhere(project: Path) -> None:
    settings = project / "src" / "plain" / "settings.py"
    settings.write_text(
        'CONF_SOURCE = "settings/all"\n'
        'CONFIG_LOADER_ARGS = {"base_env": "main", "default_run_env": "mine"}\n'
    )
    (project / "settings").mkdir()
    (project / "conf").rename(project / "settings" / "all")

    done = kedro("rats", "init", cwd=project)

    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout
    made = project / "settings" / "all" / "main"
    assert (made / "rats.yml").is_file()
    assert "made  settings/all/main/rats.yml" in said
    assert "settings/all/local\n" in (project / ".dockerignore").read_text()
    assert not (project / "conf").exists()


def test_the_image_gets_what_the_project_needs(project: Path) -> None:
    def dockerfile() -> str:
        (project / "Dockerfile").unlink(missing_ok=True)
        init(project)
        return (project / "Dockerfile").read_text()

    (project / "requirements.txt").write_text("kedro\n")
    by_requirements = dockerfile()
    (project / "requirements.txt").unlink()
    pyproject = (project / "pyproject.toml").read_text()
    (project / "pyproject.toml").write_text(
        "[tool.kedro]" + pyproject.partition("[tool.kedro]")[2]
    )
    by_nothing = dockerfile()
    (project / "pyproject.toml").write_text(
        '[project]\nname = "plain"\nversion = "1"\ndependencies = [\n  "kedro",\n]\n\n'
        "[tool.kedro]" + pyproject.partition("[tool.kedro]")[2]
    )
    by_project = dockerfile()

    assert "COPY requirements.txt wheel[s] /" in by_requirements
    assert "--requirement /tmp/needed/requirements.txt" in by_requirements
    assert "COPY pyproject.toml wheel[s] /" in by_project
    assert "--requirement" not in by_nothing
    for text in (by_requirements, by_project, by_nothing):
        lines = text.splitlines()
        users = [line for line in lines if line.startswith("USER ")]
        assert users == ["USER root", "USER ${USER_ID}"]
        assert "ARG KEDRO_RATS=kedro-rats[s3]" in lines
        install, copy = text.index("pip install"), text.index("COPY --chown")
        assert install < copy < text.index("USER ${USER_ID}\nCMD")


def test_the_command_that_reads_the_dependencies_does_so(project: Path) -> None:
    (project / "requirements.txt").unlink(missing_ok=True)
    (project / "pyproject.toml").write_text(
        '[project]\nname = "plain"\nversion = "1"\ndependencies = ["b>=1", "a[x]<2"]\n\n'
        "[tool.kedro]"
        + (project / "pyproject.toml").read_text().partition("[tool.kedro]")[2]
    )
    init(project)
    (line,) = (
        line
        for line in (project / "Dockerfile").read_text().splitlines()
        if line.startswith(" && python -c ")
    )
    # The shell of the image reads it as the one here does.
    command = line.removeprefix(" && python").partition(" > ")[0]
    command = command.replace("/tmp/needed/", "")  # noqa: S108 - in the image
    if sys.version_info < (3, 11):
        pytest.importorskip("pip._vendor.tomli")

    done = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable}{command}"],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "b>=1\na[x]<2\n"


ARGO = {
    "conf/cluster/globals.yml",
    "conf/cluster/rats.yml",
    "conf/cluster/catalog_rats.yml",
    "Dockerfile",
    ".dockerignore",
    "argo/rbac.yml",
}

CATALOG = """
_csv: &csv {type: pandas.CSVDataset}
table: {<<: *csv, filepath: data/01_raw/table.csv}
y:
  type: kedro_datasets.json.JSONDataset
  filepath: data/y.json
  metadata: {kedro-viz: {layer: reporting}, text: 'costs \\${5}'}
parts:
  type: partitions.PartitionedDataset
  path: data/parts/
  dataset: {type: pickle.PickleDataset}
cached: {type: CachedDataset, versioned: true, dataset: {<<: *csv, filepath: data/c.csv}}
there: {<<: *csv, filepath: s3://other/there.csv}
held: {type: MemoryDataset}
sql: {type: pandas.SQLTableDataset, table_name: t, credentials: db}
absolute: {<<: *csv, filepath: /srv/../x/a.csv}
"{name}_model": {type: pickle.PickleDataset, filepath: "data/models/{name}.pkl"}
"{name}.shared": {<<: *csv, filepath: "data/{name}.csv"}
"""

OUTPUTS = (
    *("y", "parts", "cached", "there", "held", "sql", "absolute", "a_model", "b_model"),
    *("in.shared", "plain_memory"),
)

PLACES = """
from kedro.pipeline import Pipeline, node


def make(*given):
    return [1] * {count}


def register_pipelines():
    made = Pipeline([node(make, ["table", "free.shared"], {outputs}, name="make")])
    later = Pipeline([node(len, "y", "late.shared", name="later")])
    return {{"__default__": made, "later": later}}
"""


@pytest.fixture
def with_data(project: Path) -> Path:
    """Return a project whose pipelines write to all kinds of places."""
    registry = project / "src" / "plain" / "pipeline_registry.py"
    registry.write_text(PLACES.format(count=len(OUTPUTS), outputs=list(OUTPUTS)))
    (project / "conf" / "base" / "catalog.yml").write_text(CATALOG)
    return project


def entries(project: Path, bucket: str = "mine") -> dict[str, Any]:
    """Return the catalog of the cluster as Kedro reads it."""
    (project / "conf" / "cluster" / "globals.yml").write_text(f"bucket: {bucket}\n")
    return dict(loader_of(project)["catalog"])


def loader_of(project: Path) -> OmegaConfigLoader:
    conf = str(project / "conf")
    return OmegaConfigLoader(conf_source=conf, base_env="base", env="cluster")


def test_a_cluster_gets_all_its_files_and_one_to_fill_in(with_data: Path) -> None:
    before = files_of(with_data)

    done = kedro("rats", "init", "--argo", cwd=with_data)

    assert done.returncode == 0, done.stdout + done.stderr
    after = files_of(with_data)
    assert after.keys() - before.keys() == ARGO
    assert {name: after[name] for name in before} == before
    text = "".join(after[name].decode() for name in ARGO)
    assert "@@" not in text
    assert "  1. Fill in conf/cluster/globals.yml." in done.stdout
    assert "  2. kedro rats build --env=cluster" in done.stdout
    # What is to be filled in stands in no other file.
    assert "my-bucket" not in text.replace(
        after["conf/cluster/globals.yml"].decode(), ""
    )


@pytest.mark.filterwarnings("ignore:register_new_resolver")
def test_what_is_made_is_a_good_file_for_a_cluster(project: Path) -> None:
    done = kedro(
        *("rats", "init", "--argo", "--bucket=mine", "--registry=localhost"),
        *("--images=kind", "--namespace=ml"),
        cwd=project,
    )
    assert done.returncode == 0, done.stdout + done.stderr

    settings = load_settings(loader_of(project))
    argo = argo_settings(settings)

    assert settings.store.uri == "s3://mine/plain/rats"
    assert settings.builds["default"].name == "localhost/plain"
    assert settings.building.to == "kind"
    assert settings.profiles["bind"]["bucket"] == {"env_from": [{"secret": "rats-s3"}]}
    assert (argo.service_account, argo.namespace) == ("rats-workflow", "ml")
    objects = list(yaml.safe_load_all((project / "argo" / "rbac.yml").read_text()))
    assert objects[0]["metadata"]["name"] == argo.service_account
    (project / "conf" / "cluster" / "globals.yml").write_text(
        "bucket: mine\nregistry: localhost\nimages: [load, '{archive}']\n"
    )
    settings = load_settings(loader_of(project))
    assert argo_settings(settings).namespace is None
    assert settings.building.to == ("load", "{archive}")


@pytest.mark.filterwarnings("ignore:register_new_resolver")
def test_local_outputs_get_places_on_s3_and_nothing_else_does(with_data: Path) -> None:
    base = read_yaml(CATALOG)
    kedro("rats", "init", "--argo", cwd=with_data)

    moved = entries(with_data)

    root = "s3://mine/plain/data"
    assert moved["y"] == {
        "type": "kedro_datasets.json.JSONDataset",
        "filepath": f"{root}/y.json",
        "metadata": {"kedro-viz": {"layer": "reporting"}, "text": "costs ${5}"},
    }
    assert moved["parts"]["path"] == f"{root}/parts/"
    assert moved["cached"]["dataset"]["filepath"] == f"{root}/c.csv"
    assert moved["cached"]["versioned"] is True
    assert moved["absolute"]["filepath"] == "s3://mine/plain/x/a.csv"
    assert moved["{name}_model"]["filepath"] == f"{root}/models/{{name}}.pkl"
    # An input has this pattern too: only the outputs are moved, each by its name.
    assert moved["in.shared"]["filepath"] == f"{root}/in.csv"
    assert moved["late.shared"]["filepath"] == f"{root}/late.csv"
    for name in ("table", "there", "held", "sql", "{name}.shared"):
        assert moved[name] == base[name], name
    assert "plain_memory" not in moved


@pytest.mark.filterwarnings("ignore:register_new_resolver")
def test_a_new_output_gets_its_place_the_next_time(with_data: Path) -> None:
    first = kedro("rats", "init", "--argo", cwd=with_data)
    path = with_data / "conf" / "cluster" / "catalog_rats.yml"
    mine = path.read_text().replace("data/y.json", "elsewhere/y.json") + "# mine\n"
    path.write_text(mine)
    same = kedro("rats", "init", "--argo", cwd=with_data)
    unchanged = path.read_text()
    catalog = with_data / "conf" / "base" / "catalog.yml"
    catalog.write_text(
        CATALOG + "plain_memory: {type: json.JSONDataset, filepath: data/new.json}\n"
    )

    done = kedro("rats", "init", "--argo", cwd=with_data)

    assert "made  conf/cluster/catalog_rats.yml: 7 places on S3" in first.stdout
    assert "no local output lacks a place" in same.stdout
    assert unchanged == mine
    assert "added conf/cluster/catalog_rats.yml: 1 places" in done.stdout
    assert path.read_text().startswith(mine)
    found = entries(with_data)
    assert found["plain_memory"]["filepath"] == "s3://mine/plain/data/new.json"
    assert found["y"]["filepath"] == "s3://mine/plain/elsewhere/y.json"


def test_a_project_that_cannot_be_imported_is_one_clear_line(project: Path) -> None:
    registry = project / "src" / "plain" / "pipeline_registry.py"
    registry.write_text("import not_installed\n")

    done = kedro("rats", "init", "--argo", cwd=project)

    assert done.returncode == 1
    assert "ModuleNotFoundError: No module named 'not_installed'" in done.stderr
    assert "run the command again" in done.stderr
    # The files are made all the same.
    assert (project / "argo" / "rbac.yml").is_file()


WRONG = {
    "a path": (
        ["--env=../x"],
        "--env: expected letters, digits, _ and -, got '../x'. It is the name of a folder",
    ),
    "a bucket that is none": (
        ["--argo", "--bucket=My_Bucket"],
        "--bucket: expected the name of a bucket of S3, got 'My_Bucket'.",
    ),
    "a template in a registry": (
        ["--argo", "--registry=${oc.env:HOME}"],
        "--registry: expected a registry such as ghcr.io/me",
    ),
    "an answer to what was not asked": (
        ["--bucket=mine"],
        "--bucket: expected --argo beside it, got none.",
    ),
    "nothing": (["--env="], "--env: expected letters, digits, _ and -, got ''."),
}


@pytest.mark.parametrize(("arguments", "said"), WRONG.values(), ids=WRONG)
def test_an_environment_that_cannot_be_is_refused(
    project: Path, arguments: list[str], said: str
) -> None:
    before = files_of(project)

    done = invoke(project, *arguments)

    assert done.exit_code == 2
    assert said in done.output
    assert files_of(project) == before


def test_a_configuration_in_an_archive_is_refused(project: Path) -> None:
    settings = project / "src" / "plain" / "settings.py"
    settings.write_text('CONF_SOURCE = "conf.tar.gz"\n')

    done = kedro("rats", "init", cwd=project)

    assert done.returncode == 2
    assert "CONF_SOURCE: expected a folder, got 'conf.tar.gz'." in done.stderr


def test_a_folder_in_the_way_is_one_clear_line(project: Path) -> None:
    (project / "conf" / "cluster").write_text("a file\n")

    done = invoke(project, "--env=cluster")

    assert done.exit_code == 1
    (line,) = done.output.splitlines()
    assert "conf/cluster: expected a file to be made, got File exists." in line


def test_outside_a_project_one_clear_line_is_said(tmp_path: Path) -> None:
    done = kedro("rats", "init", cwd=tmp_path)

    assert done.returncode == 2
    assert (
        "expected to be run in a Kedro project, got a folder outside one."
        in done.stderr
    )
    assert not list(tmp_path.iterdir())
