"""``kedro rats init`` in projects that know nothing of kedro-rats."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from kedro_rats.cli.init import init as init_command

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

    assert "COPY requirements.txt ./" in by_requirements
    assert "COPY pyproject.toml ./" in by_project
    assert "Add what the project needs" in by_nothing
    for text in (by_requirements, by_project, by_nothing):
        lines = text.splitlines()
        users = [line for line in lines if line.startswith("USER ")]
        assert users == ["USER root", "USER ${USER_ID}"]
        assert "kedro-rats[s3]" in text
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
        if line.startswith("RUN python -c ")
    )
    # The shell of the image reads it as the one here does.
    command = line.removeprefix("RUN python").partition(" > ")[0]
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


WRONG = {
    "a path": (
        ["--env=../x"],
        "--env: expected letters, digits, _ and -, got '../x'. It is the name of a folder",
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
