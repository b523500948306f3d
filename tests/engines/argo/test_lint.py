"""Argo's own check of workflows, where its program is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from pipelines.manifests import MANIFESTS

if TYPE_CHECKING:
    from pathlib import Path

ARGO = shutil.which("argo")

pytestmark = pytest.mark.skipif(
    ARGO is None and os.environ.get("RATS_TEST_CLUSTER") != "1",
    reason="needs the program argo",
)


def test_argo_finds_nothing_wrong_with_any_workflow(tmp_path: Path) -> None:
    assert ARGO is not None, "expected argo on the path where there is a cluster"
    for number, make in enumerate(MANIFESTS.values()):
        (tmp_path / f"{number}.json").write_text(json.dumps(make()))
    lint = (ARGO, "lint", "--offline", "--kinds=workflows", "--output=simple")
    done = subprocess.run(
        [*lint, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_argo_would_find_something(tmp_path: Path) -> None:
    assert ARGO is not None
    manifest = MANIFESTS["ladders"]()
    manifest["spec"]["templates"][0]["dag"]["tasks"][0]["template"] = "ghost"
    (tmp_path / "wrong.json").write_text(json.dumps(manifest))
    done = subprocess.run(
        [ARGO, "lint", "--offline", "--kinds=workflows", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "ghost" in done.stdout + done.stderr
