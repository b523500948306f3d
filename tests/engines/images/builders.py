"""What tests of images share: whether buildah works here, and what it builds from."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

# A machine without user namespaces, such as a container, has no other isolation.
ISOLATION = {"BUILDAH_ISOLATION": os.environ.get("BUILDAH_ISOLATION", "chroot")}

# Nothing of it is pulled: an image of files alone.
SCRATCH = "FROM scratch\nCOPY . /\n"


@cache
def why_not() -> str:
    """Return why nothing can be built here; nothing if it can."""
    program = shutil.which("buildah")
    if program is None:
        return "needs buildah"
    done = subprocess.run(
        [program, "from", "scratch"],
        env={**os.environ, **ISOLATION},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if done.returncode:
        return f"buildah does not work here: {done.stderr.strip()}"
    subprocess.run(
        [program, "rm", done.stdout.strip()], capture_output=True, check=True
    )
    return ""


def require_buildah() -> None:
    if reason := why_not():
        pytest.skip(reason)


def buildah(*arguments: str) -> str:
    return subprocess.run(
        ["buildah", *arguments],
        env={**os.environ, **ISOLATION},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout


def files_in(image: str, into: Path) -> set[str]:
    """Return the files of an image, which is exported into a folder."""
    archive = into / "image.tar"
    buildah("push", "--quiet", image, f"oci-archive:{archive}")
    import json
    import tarfile

    found: set[str] = set()
    with tarfile.open(archive) as opened:

        def blob(digest: str) -> bytes:
            file = opened.extractfile(f"blobs/{digest.replace(':', '/')}")
            assert file is not None
            return file.read()

        index = opened.extractfile("index.json")
        assert index is not None
        described = json.loads(index.read())["manifests"][0]
        manifest = json.loads(blob(described["digest"]))
        for number, layer in enumerate(manifest["layers"]):
            path = into / f"layer-{number}.tar"
            path.write_bytes(blob(layer["digest"]))
            with tarfile.open(path) as inner:
                found |= {m.name for m in inner.getmembers() if not m.isdir()}
    archive.unlink()
    return found
