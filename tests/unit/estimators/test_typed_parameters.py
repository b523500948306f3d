"""Typed parameters of users' functions, which Kedro itself checks and makes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

REASON = "Kedro makes typed parameters from version 1.3 on"
validation = pytest.importorskip("kedro.validation.parameter_validator", reason=REASON)

from pipelines.typed import Options, own  # noqa: E402 - needs pydantic, as Kedro then does

if TYPE_CHECKING:
    from pathlib import Path

    from kedro.pipeline import Pipeline

PROJECT = {
    "pyproject.toml": (
        "[tool.kedro]\n"
        'package_name = "typed_project"\n'
        'project_name = "typed project"\n'
        'kedro_init_version = "1.3.0"\n'
        'source_dir = "src"\n'
    ),
    "src/typed_project/__init__.py": "",
    "src/typed_project/settings.py": "",
    "src/typed_project/pipeline_registry.py": (
        "from pipelines.typed import own\n\n\n"
        "def register_pipelines():\n"
        "    return {'__default__': own().train}\n"
    ),
    "conf/base/parameters.yml": "options:\n  shift: {shift}\n",
    "conf/base/catalog.yml": (
        "X:\n  type: kedro.io.MemoryDataset\n  data: [1.0, 2.0, 6.0]\n"
    ),
    "conf/local/.gitkeep": "",
}
RUN = """
import json, sys
from pathlib import Path
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
bootstrap_project(Path.cwd())
with KedroSession.create(Path.cwd()) as session:
    made = session.run()
print()
print(json.dumps(made["learned_as"].load()))
"""


def types_of(pipeline: Pipeline) -> dict[str, type]:
    validator = validation.ParameterValidator({"__default__": pipeline})
    return validator.type_extractor.extract_types_from_pipelines()


def run_project(folder: Path, shift: str) -> subprocess.CompletedProcess[str]:
    for name, text in PROJECT.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("{shift}", shift))
    return subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{RUN}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_kedro_finds_the_annotation_of_the_users_function() -> None:
    assert types_of(own().train) == {"options": Options}


def test_kedro_makes_an_instance_before_the_run() -> None:
    validator = validation.ParameterValidator({"__default__": own().train})

    made = validator.validate_raw_params({"options": {"shift": 2}})

    assert made == {"options": Options(shift=2)}


def test_it_is_found_in_a_chain_and_on_other_rows_too() -> None:
    chain = own() + own("again")

    assert types_of(chain.train) == {"options": Options}
    assert types_of(chain.train + chain.eval_on("test")) == {"options": Options}


def test_a_session_gives_the_function_an_instance(tmp_path: Path) -> None:
    done = run_project(tmp_path, shift="2")

    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == ["Options", 3.0 + 2]


def test_a_session_refuses_a_wrong_value_before_any_node_runs(tmp_path: Path) -> None:
    done = run_project(tmp_path, shift="far")

    assert done.returncode != 0
    assert "options" in done.stderr
    assert "Running node" not in done.stdout + done.stderr
