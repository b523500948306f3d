"""The programs that build: which is taken, what each is told, and what it says."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import time
import urllib.request
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from engines.images.builders import ISOLATION, SCRATCH, buildah, require_buildah

from kedro_rats.engines.images.sending import LOADERS, check_way, send
from kedro_rats.engines.images.tools import Tool, find_tool, registry_of
from kedro_rats.errors import DefinitionError, RatsError
from kedro_rats.placement.settings import ImageBuild

if TYPE_CHECKING:
    from collections.abc import Iterator

BUILD = ImageBuild(dockerfile="images/Dockerfile", context="src", args={"A": "1"})
DIGEST = "sha256:" + "5" * 64

# A program that writes down what it is told, and answers as the real one does.
PROGRAM = """#!/bin/sh
printf '%s\\n' "$0" "$@" "--end--" >> '{log}'
case "$*" in
  *digestfile*) for each; do [ "$before" = --digestfile ] && printf {digest} > "$each"; before=$each; done ;;
  *RepoDigests*) echo '["other/app@sha256:{zeros}", "localhost:5000/app@{digest}"]' ;;
esac
exit {code}
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def put(folder: Path, name: str, *, code: int = 0) -> str:
    path = folder / name
    log = folder.parent / "told"
    path.write_text(PROGRAM.format(log=log, digest=DIGEST, zeros="0" * 64, code=code))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def told(folder: Path) -> list[list[str]]:
    """Return what programs were told: each a list of words, the name first."""
    text = (folder.parent / "told").read_text()
    calls = [call.strip("\n").split("\n") for call in text.split("--end--\n") if call]
    return [[Path(call[0]).name, *call[1:]] for call in calls]


def tool(folder: Path, name: str) -> Tool:
    return Tool(name=name, program=put(folder, name))


EXPECTED = {
    "docker": ["build"],
    "podman": ["build", "--layers"],
    "buildah": ["build", "--layers"],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_tool_is_told_in_a_list_of_words(programs: Path, name: str) -> None:
    project = programs.parent
    build = replace(BUILD, target="run", platform="linux/amd64")
    ignored = project / ".dockerignore"

    tool(programs, name).build(
        "localhost/app:1",
        build,
        project=project,
        args={"B": "x; rm -rf $HOME `id`", "A": "1"},
        ignorefile=ignored,
        more=["--secret", "id=a,src=b c"],
    )

    (words,) = told(programs)
    assert words == [
        name,
        *EXPECTED[name],
        *("--file", f"{project}/images/Dockerfile", "--tag", "localhost/app:1"),
        *([] if name == "docker" else ["--ignorefile", str(ignored)]),
        *("--target", "run", "--platform", "linux/amd64"),
        *("--build-arg", "A=1", "--build-arg", "B=x; rm -rf $HOME `id`"),
        *("--secret", "id=a,src=b c"),
        f"{project}/src",
    ]


@pytest.mark.parametrize("name", ["docker", "podman", "buildah"])
def test_a_pushed_image_has_the_digest_of_its_registry(
    programs: Path, name: str
) -> None:
    assert tool(programs, name).push("localhost:5000/app:1") == DIGEST

    first = told(programs)[0]
    # A registry of this machine needs no certificate; docker knows that itself.
    assert ("--tls-verify=false" in first) == (name != "docker")
    assert first[-1] == "localhost:5000/app:1"


def test_a_registry_elsewhere_needs_a_certificate(programs: Path) -> None:
    tool(programs, "podman").push("registry.example/app:1")

    assert "--tls-verify=false" not in told(programs)[0]


ARCHIVES = {
    "docker": ["docker", "save", "--output", "ARCHIVE", "docker.io/library/app:1"],
    "podman": [
        *("podman", "save", "--format=docker-archive", "--output=ARCHIVE"),
        "docker.io/library/app:1",
    ],
    "buildah": [
        *("buildah", "push", "docker.io/library/app:1"),
        "docker-archive:ARCHIVE:docker.io/library/app:1",
    ],
}


@pytest.mark.parametrize("name", ARCHIVES)
@pytest.mark.parametrize("cluster", LOADERS)
def test_an_image_is_loaded_from_an_archive_that_is_gone_afterwards(
    programs: Path, name: str, cluster: str
) -> None:
    put(programs, cluster)

    assert send(tool(programs, name), "app:1", cluster) is None

    saved, loaded = told(programs)
    archive = loaded[-1]
    assert archive.endswith(".tar")
    assert not Path(archive).parent.exists()
    assert [word.replace(archive, "ARCHIVE") for word in saved] == ARCHIVES[name]
    assert loaded[:-1] == list(LOADERS[cluster][:-1])


def test_any_command_can_be_told_of_an_image(programs: Path) -> None:
    put(programs, "mine")

    send(tool(programs, "docker"), "me/app:1", ("mine", "-i={image}", "a b"))

    # Nothing is saved for a command that does not ask for an archive.
    assert told(programs) == [["mine", "-i=docker.io/me/app:1", "a b"]]


def test_a_program_that_is_missing_is_said_before_anything_is_built(
    programs: Path,
) -> None:
    with pytest.raises(DefinitionError) as raised:
        check_way("k3d")

    assert str(raised.value) == (
        "build.to: expected the program 'k3d', got none. Install it, or change build.to "
        "in rats.yml."
    )
    put(programs, "k3d")
    check_way("k3d")
    check_way("push")
    check_way("keep")


def test_the_first_tool_that_works_is_taken(programs: Path) -> None:
    put(programs, "docker", code=1)
    put(programs, "podman")
    put(programs, "buildah")

    assert find_tool(None).name == "podman"
    assert find_tool("buildah").name == "buildah"
    put(programs, "docker")
    assert find_tool(None).name == "docker"


def test_why_no_tool_works_is_said(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(programs))
    (programs / "docker").write_text(
        "#!/bin/sh\necho 'Cannot connect to the Docker daemon.' >&2; exit 1\n"
    )
    (programs / "docker").chmod(0o755)

    with pytest.raises(DefinitionError) as raised:
        find_tool(None)
    with pytest.raises(DefinitionError) as asked:
        find_tool("podman")

    assert str(raised.value) == (
        "images: expected docker, podman or buildah that works, got docker: Cannot "
        "connect to the Docker daemon; podman: not found; buildah: not found. Install or "
        "start one of them."
    )
    assert str(asked.value) == (
        "images: expected podman that works, got podman: not found. Install it or start "
        "it."
    )


def test_a_build_that_fails_ends_with_what_the_tool_said(programs: Path) -> None:
    program = programs / "docker"
    program.write_text(
        "#!/bin/sh\nseq 30; echo 'no matching distribution' >&2; exit 7\n"
    )
    program.chmod(0o755)
    shown: list[str] = []

    for show in (None, shown.append):
        with pytest.raises(RatsError) as raised:
            Tool(name="docker", program=str(program), show=show).build(
                "app:1", BUILD, project=programs, args={}, ignorefile=None
            )
        *lines, last = str(raised.value).split("\n")
        assert last == (
            "image app:1: expected that it can be built, got docker ended with 7. Mend "
            "what it says in images/Dockerfile, or in what that installs, and run the "
            "command again."
        )
        # What was shown is not said again.
        assert lines == (
            [*map(str, range(12, 31)), "no matching distribution"]
            if show is None
            else []
        )
    assert shown[-1] == "no matching distribution"
    assert len(shown) == 31


def test_the_registry_of_an_image_is_read_as_docker_does() -> None:
    names = ["app", "me/app", "ghcr.io/app", "host:80/app", "localhost/app:1"]

    assert [registry_of(name) for name in names] == [
        *("docker.io", "docker.io", "ghcr.io", "host:80", "localhost")
    ]


# --- with the real tool ---------------------------------------------------------------


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> Tool:
    require_buildah()
    for name, value in ISOLATION.items():
        monkeypatch.setenv(name, value)
    return find_tool("buildah")


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"ARG A\n{SCRATCH}LABEL a=$A\n")
    (folder / "x.txt").write_text("x")
    return folder


@pytest.fixture
def image() -> Iterator[str]:
    name = f"localhost/rats-tools-{uuid.uuid4().hex[:8]}:1"
    yield name
    subprocess.run(["buildah", "rmi", name], capture_output=True, check=False)


def test_an_image_is_built_and_saved(
    real: Tool, context: Path, image: str, tmp_path: Path
) -> None:
    archive = tmp_path / "image.tar"
    build = ImageBuild()

    real.build(image, build, project=context, args={}, ignorefile=None)
    real.save(image, archive)

    import tarfile

    with tarfile.open(archive) as opened:
        manifest = opened.extractfile("manifest.json")
        assert manifest is not None
        assert json.load(manifest)[0]["RepoTags"] == [image]


def test_a_real_build_that_fails_says_why(
    real: Tool, context: Path, image: str
) -> None:
    (context / "Dockerfile").write_text("FROM scratch\nCOPY nothing-there /\n")

    with pytest.raises(RatsError) as raised:
        real.build(image, ImageBuild(), project=context, args={}, ignorefile=None)

    assert "nothing-there" in str(raised.value)
    assert str(raised.value).endswith("and run the command again.")


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """Yield the address of a real registry, Debian's docker-registry."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("needs docker-registry")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = tmp_path / "registry.yml"
    config.write_text(
        "version: 0.1\n"
        f"storage: {{filesystem: {{rootdirectory: {tmp_path / 'registry'}}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n"
    )
    process = subprocess.Popen(
        [program, "serve", str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OTEL_TRACES_EXPORTER": "none"},
    )
    address = f"127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://{address}/v2/", timeout=1)
                break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def test_a_real_push_returns_the_digest_that_the_registry_has(
    real: Tool, context: Path, registry: str
) -> None:
    image = f"{registry}/app:1"
    real.build(image, ImageBuild(), project=context, args={}, ignorefile=None)
    try:
        digest = send(real, image, "push")
    finally:
        buildah("rmi", image)

    request = urllib.request.Request(
        f"http://{registry}/v2/app/manifests/1",
        headers={"Accept": "application/vnd.oci.image.manifest.v1+json"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
        assert answer.headers["Docker-Content-Digest"] == digest
