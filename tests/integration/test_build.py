"""`kedro rats build`: images are built, sent, and named in rats.yml."""

from __future__ import annotations

import inspect
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from engines.images.builders import ISOLATION, buildah, files_in, require_buildah
from kedro.framework.startup import bootstrap_project

from kedro_rats.cli.build import build

# Kedro's own, with the newest OmegaConf.
pytestmark = pytest.mark.filterwarnings("ignore:register_new_resolver")

DIGEST = "sha256:" + "5" * 64

# Stands for docker where its words count; the real programs are in tests/engines/images.
DOCKER = f"""#!/bin/sh
printf '%s\\n' "$*" >> "$TOLD"
case "$*" in
  *RepoDigests*) echo '["localhost:5000/imaged@{DIGEST}"]' ;;
  "build "*) echo "Step 1/1"; [ -z "$FAILS" ] || {{ echo "no matching distribution"; exit 3; }} ;;
esac
"""

CLUSTER = """\
# ours
image:
  # the small one
  default:
    pull: IfNotPresent
    build:
      name: localhost:5000/imaged
      args: {PACKAGES: "a b"}   # more
store: s3://bucket/imaged
"""


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new")
    subprocess.run(
        [
            *(sys.executable, "-m", "kedro", "new", "--name=Imaged", "--tools=none"),
            *("--example=no", "--telemetry=no"),
        ],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=300,
    )
    project = folder / "imaged"
    (project / "Dockerfile").write_text("ARG KEDRO_RATS=x\nFROM scratch\nCOPY . /\n")
    (project / ".dockerignore").write_text("data\nconf/local\nDockerfile\n")
    (project / "conf" / "cluster").mkdir()
    (project / "conf" / "cluster" / "rats.yml").write_text(CLUSTER)
    return project


@pytest.fixture
def project(new: Path, tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    docker = tmp_path / "bin" / "docker"
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    return Path(shutil.copytree(new, tmp_path / "imaged"))


@dataclass
class Done:
    """A command that has ended."""

    returncode: int
    stdout: str
    stderr: str


def rats(
    project: Path, *arguments: str, env: str | None = "cluster", **variables: str
) -> Done:
    """Run the command in this process, as Kedro does for a project."""
    environment = {
        "PATH": f"{project.parent / 'bin'}:/usr/bin:/bin",
        "TOLD": str(project.parent / "told"),
        **variables,
    }
    # Before click 8.2 what goes to stderr has to be asked for.
    mixes = "mix_stderr" in inspect.signature(CliRunner).parameters
    runner = CliRunner(**({"mix_stderr": False} if mixes else {}))
    chosen = [f"--env={env}"] if env else []
    result = runner.invoke(
        build, [*chosen, *arguments], obj=bootstrap_project(project), env=environment
    )
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return Done(result.exit_code, result.stdout, result.stderr)


def built(project: Path, *arguments: str, **options: str) -> list[dict[str, object]]:
    done = rats(project, "--output=json", *arguments, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    found: list[dict[str, object]] = json.loads(done.stdout[done.stdout.index("[\n") :])
    return found


def told(project: Path) -> list[str]:
    """Return what docker was told since the last time."""
    file = project.parent / "told"
    lines = file.read_text().splitlines() if file.exists() else []
    file.unlink(missing_ok=True)
    return [line for line in lines if not line.startswith("version")]


def settings(project: Path, env: str = "cluster") -> str:
    return (project / "conf" / env / "rats.yml").read_text()


def test_an_image_is_built_once_and_named_in_the_file(project: Path) -> None:
    (first,) = built(project)
    calls = told(project)
    text = settings(project)
    (second,) = built(project)

    ref = str(first["ref"])
    assert ref.startswith("localhost:5000/imaged:")
    assert first == {
        "image": "default",
        "ref": ref,
        "built": True,
        "file": "conf/cluster/rats.yml",
    }
    # Every other byte is as it was, comments too.
    assert text == CLUSTER.replace("    pull:", f"    ref: {ref}\n    pull:")
    (call,) = calls
    assert f"--tag {ref}" in call
    assert "--build-arg PACKAGES=a b" in call
    # The image gets the kedro-rats that is used here.
    assert "--build-arg KEDRO_RATS=kedro-rats[s3]==" in call
    assert second == {**first, "built": False, "file": None}
    assert not told(project)


def test_what_has_changed_is_built_again(project: Path) -> None:
    (first,) = built(project)
    (project / "src" / "imaged" / "new.py").write_text("")
    (project / "data").mkdir()
    (project / "data" / "table.csv").write_text("1\n")

    (second,) = built(project)
    told(project)
    (third,) = built(project)
    (forced,) = built(project, "--rebuild")

    assert second["ref"] != first["ref"]
    assert (third["built"], forced["built"]) == (False, True)
    assert forced["ref"] == second["ref"]
    assert len(told(project)) == 1


def test_a_pushed_image_is_named_by_its_digest(project: Path) -> None:
    built(project)
    (pushed,) = built(project, "--push")
    calls = told(project)
    (again,) = built(project, "--push")
    (kept,) = built(project)

    assert str(pushed["ref"]).endswith(f"@{DIGEST}")
    assert f"ref: {pushed['ref']}\n" in settings(project)
    assert [call.split()[0] for call in calls] == ["build", "build", "push", "image"]
    # What was pushed is there, whatever else is asked for.
    assert (again["built"], kept["built"]) == (False, False)
    assert not told(project)


def test_options_for_the_tool_are_passed_on_and_written_nowhere(project: Path) -> None:
    done = rats(
        project, "--", "--secret", "id=c,src=d", KEDRO_RATS_BUILD_OPTIONS="-v '/a b:/c'"
    )

    assert done.returncode == 0, done.stderr
    (call,) = told(project)
    assert "-v /a b:/c --secret id=c,src=d" in call
    assert "secret" not in settings(project)
    assert "Next: kedro rats submit --env=cluster" in done.stdout


def test_options_that_change_the_content_are_refused(project: Path) -> None:
    done = rats(project, "--", "--build-arg=A=b", "--target", "slim", "--pull")

    assert done.returncode == 2
    assert "got --build-arg, --target" in done.stderr
    assert "build.args, build.target of the image in rats.yml" in done.stderr
    assert not told(project)
    assert settings(project) == CLUSTER


def test_a_build_that_fails_changes_nothing_and_says_why(project: Path) -> None:
    done = rats(project, "--quiet", FAILS="1")
    shown = rats(project, FAILS="1")

    assert (done.returncode, shown.returncode) == (1, 1)
    assert "no matching distribution\nimage localhost:5000/imaged:" in done.stderr
    assert shown.stderr.count("no matching distribution") == 1
    assert "docker ended with 3" in shown.stderr
    assert settings(project) == CLUSTER


def test_a_file_of_another_name_that_has_the_images_is_written(project: Path) -> None:
    conf = project / "conf" / "cluster"
    (conf / "rats.yml").rename(conf / "rats_images.yml")
    (conf / "rats.yml").write_text("import_limit: 1GiB\n")

    (first,) = built(project)

    assert first["file"] == "conf/cluster/rats_images.yml"
    assert settings(project) == "import_limit: 1GiB\n"
    assert not built(project)[0]["built"]


def test_the_base_is_written_where_no_environment_is_named(project: Path) -> None:
    (project / "conf" / "base" / "rats.yml").write_text(
        "image: {default: 'localhost:5000/base:1'}  # by hand\n"
    )

    (first,) = built(project, env=None)  # type: ignore[arg-type]

    assert str(first["ref"]).startswith("localhost:5000/base:")
    assert settings(project, "base") == (
        f"image: {{default: {first['ref']}}}  # by hand\n"
    )


def test_a_file_on_top_that_says_something_else_is_named(project: Path) -> None:
    (project / "conf" / "base" / "rats.yml").write_text("image: {default: 'a:1'}\n")
    (project / "conf" / "local" / "rats.yml").write_text("image: {default: 'b:1'}\n")

    done = rats(project, env=None)

    assert done.returncode == 2
    assert "a file that is put on top of it" in done.stderr


WRONG = {
    "an image that is not there": (
        ["default2"],
        "image: expected one of rats.yml, got 'default2'. Did you mean 'default'?",
    ),
    "two ways": (["--push", "--load=kind"], "expected one of them, got both"),
    "a program that is missing": (["--load=k3d"], "expected the program 'k3d'"),
}


@pytest.mark.parametrize(("arguments", "said"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_is_said_before_anything_is_built(
    project: Path, arguments: list[str], said: str
) -> None:
    done = rats(project, *arguments)

    assert done.returncode == 2
    assert said in done.stderr
    assert not told(project)


def test_all_that_is_missing_is_said_at_once(project: Path) -> None:
    (project / "conf" / "cluster" / "rats.yml").write_text(
        "image:\n"
        "  other: app:1\n"
        "  spark: {build: {name: app, dockerfile: spark.Dockerfile, context: spark}}\n"
    )

    done = rats(project, "other", "spark")

    assert done.returncode == 2
    assert "image 'other': expected how it is built, got nothing." in done.stderr
    assert "expected the file 'spark.Dockerfile', got none there." in done.stderr
    assert "expected the folder 'spark', got none there." in done.stderr


def test_several_images_are_built_and_loaded_by_a_command(project: Path) -> None:
    load = project.parent / "bin" / "load"
    load.write_text('#!/bin/sh\nprintf "load %s\\n" "$*" >> "$TOLD"\n')
    load.chmod(0o755)
    (project / "conf" / "cluster" / "rats.yml").write_text(
        "image:\n"
        "  default: {build: {name: localhost/a}}\n"
        "  big: {build: {name: localhost/a, args: {PACKAGES: more}}}\n"
        "  foreign: python:3.11\n"
        "build: {to: [load, '{image}', '{archive}']}\n"
    )

    first, second = built(project)

    calls = told(project)
    kinds = [call.split()[0] for call in calls]
    assert kinds == ["build", "save", "load", "build", "save", "load"]
    assert first["ref"] != second["ref"]
    assert calls[2].startswith(f"load {first['ref']} ")
    images = yaml.safe_load(settings(project))["image"]
    assert images["foreign"] == "python:3.11"
    assert (images["default"]["ref"], images["big"]["ref"]) == (
        first["ref"],
        second["ref"],
    )


def test_a_real_image_has_what_it_should_and_no_more(
    project: Path, tmp_path: Path
) -> None:
    require_buildah()
    (project / "data").mkdir()
    (project / "data" / "secret.csv").write_text("1\n")

    (first,) = built(project, "--tool=buildah", **ISOLATION)

    ref = str(first["ref"])
    try:
        files = files_in(ref, tmp_path)
    finally:
        buildah("rmi", ref)
    assert "src/imaged/settings.py" in files
    assert not any(name.startswith(("data", "conf/local")) for name in files)
