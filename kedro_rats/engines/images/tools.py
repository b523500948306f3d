"""What builds images: docker, podman or buildah, each asked in its own words.

Nothing goes through a shell: a tool gets a list of arguments, and this process's own
environment, in which people keep what a build needs and nobody else is to see.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from kedro_rats.errors import Breach, DefinitionError, RatsError, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kedro_rats.placement.settings import ImageBuild

TOOLS: Final = ("docker", "podman", "buildah")
"""In the order in which they are tried."""

Show: TypeAlias = "Callable[[str], object]"

_ANSWERS: Final = {
    "docker": ("version", "--format", "{{.Server.Version}}"),
    "podman": ("version",),
    "buildah": ("version",),
}
_PATIENCE: Final = 30.0
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
# As docker has it: a registry on this machine needs no certificate.
_HERE: Final = re.compile(r"(localhost|127(\.\d+){3}|\[::1\])(:\d+)?")
_LAST_LINES: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A program that builds images.

    Attributes:
        name: Which of ``TOOLS``.
        program: Where it is.
        show: Gets each line that it prints; None for nobody.
    """

    name: str
    program: str
    show: Show | None = None

    def build(
        self,
        image: str,
        build: ImageBuild,
        *,
        project: Path,
        args: Mapping[str, str],
        ignorefile: Path | None,
        more: Sequence[str] = (),
    ) -> None:
        """Build an image.

        Args:
            image: Its name and tag.
            build: Which Dockerfile, context and stage.
            project: The project's folder.
            args: All arguments of the build.
            ignorefile: What is kept out of the context.
            more: Further arguments for the tool.

        Raises:
            RatsError: If it cannot be built, with the tool's last lines.
        """
        words = ["build"] if self.name == "docker" else ["build", "--layers"]
        words += ["--file", str(project / build.dockerfile), "--tag", qualified(image)]
        if self.name != "docker" and ignorefile is not None:
            words += ["--ignorefile", str(ignorefile)]
        for option in ("target", "platform"):
            if said := getattr(build, option):
                words += [f"--{option}", said]
        for name, value in sorted(args.items()):
            words += ["--build-arg", f"{name}={value}"]
        words += [*more, str(project / build.context)]
        remedy = (
            f"Mend what it says in {build.dockerfile}, or in what that installs, and run "
            "the command again."
        )
        self._run(words, f"image {image}", "that it can be built", remedy)

    def push(self, image: str) -> str:
        """Push an image; return its digest as the registry has it.

        Raises:
            RatsError: If the registry does not take it.
        """
        subject, expected = f"image {image}", "that its registry takes it"
        remedy = (
            f"Log in with `{self.name} login {registry_of(image)}`, or correct the name "
            "of the image in rats.yml."
        )
        name = qualified(image)
        if self.name == "docker":
            self._run(["push", name], subject, expected, remedy)
            told = self._run(
                ["image", "inspect", "--format", "{{json .RepoDigests}}", name],
                *(subject, expected, remedy),
                quiet=True,
            )
            return _digest_in(json.loads(told[-1]) if told else [], image)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "digest"
            words = ["push", "--digestfile", str(file)]
            if _HERE.fullmatch(registry_of(image)):
                words += ["--tls-verify=false"]
            self._run([*words, name], subject, expected, remedy)
            return _digest_in([file.read_text("utf-8")], image)

    def save(self, image: str, archive: Path) -> None:
        """Write an image to a file, as ``docker save`` does.

        Raises:
            RatsError: If it cannot be written.
        """
        name = qualified(image)
        words = {
            "docker": ["save", "--output", str(archive), name],
            "podman": ["save", "--format=docker-archive", f"--output={archive}", name],
            "buildah": ["push", name, f"docker-archive:{archive}:{name}"],
        }[self.name]
        remedy = "Free space where TMPDIR is, and run the command again."
        self._run(words, f"image {image}", "a file of it", remedy, quiet=True)

    def _run(
        self,
        words: Sequence[str],
        subject: str,
        expected: str,
        remedy: str,
        *,
        quiet: bool = False,
    ) -> list[str]:
        return run(
            [self.program, *words],
            Breach(subject, expected, "", remedy),
            show=None if quiet else self.show,
        )


def find_tool(asked: str | None, *, show: Show | None = None) -> Tool:
    """Return the tool that was asked for, or the first that is there and works.

    Raises:
        DefinitionError: If there is none.
    """
    wrong = {}
    for name in (asked,) if asked else TOOLS:
        program = shutil.which(name)
        wrong[name] = _unusable(name, program)
        if program is not None and not wrong[name]:
            return Tool(name=name, program=program, show=show)
    got = "; ".join(f"{name}: {why}" for name, why in wrong.items())
    remedy = "Install it or start it." if asked else "Install or start one of them."
    expected = f"{asked or listed(TOOLS[:-1]) + ' or ' + TOOLS[-1]} that works"
    raise DefinitionError(Breach("images", expected, got, remedy))


def run(words: Sequence[str], wrong: Breach, *, show: Show | None) -> list[str]:
    """Run a program; return the lines that it printed.

    Args:
        words: The program and its arguments.
        wrong: What to say if it fails; what it got is the end of what it printed.
        show: Gets each line as it comes; without it the last ones are in the error.

    Raises:
        RatsError: If it fails.
    """
    lines: list[str] = []
    try:
        with subprocess.Popen(  # noqa: S603 - a list of arguments, no shell
            list(words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process:
            for line in process.stdout or ():
                lines.append(line.rstrip("\n"))
                if show is not None:
                    show(lines[-1])
    except OSError as error:
        got = f"{words[0]}: {error.strerror}"
        raise RatsError(str(_with(wrong, got))) from error
    if process.returncode:
        program = Path(words[0]).name
        unshown = lines[-_LAST_LINES:] if show is None else []
        said = _with(wrong, f"{program} ended with {process.returncode}")
        raise RatsError("\n".join([*unshown, str(said)]))
    return lines


def registry_of(image: str) -> str:
    """Return the registry of an image, as docker reads its name.

    Example:
        >>> registry_of("ghcr.io/me/app:1"), registry_of("me/app"), registry_of("localhost/a")
        ('ghcr.io', 'docker.io', 'localhost')
    """
    first, slash, _ = image.partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost")
    return first if named else "docker.io"


def qualified(image: str) -> str:
    """Return the name that a short one stands for, in docker and in Kubernetes.

    podman and buildah would put another registry in front.

    Example:
        >>> qualified("app:1"), qualified("me/app:1"), qualified("localhost/app:1")
        ('docker.io/library/app:1', 'docker.io/me/app:1', 'localhost/app:1')
    """
    registry = registry_of(image)
    if image.startswith(f"{registry}/"):
        return image
    return f"{registry}/{image}" if "/" in image else f"{registry}/library/{image}"


def _with(breach: Breach, got: str) -> Breach:
    return Breach(breach.subject, breach.expected, got, breach.remedy)


def _unusable(name: str, program: str | None) -> str:
    """Return why a tool cannot be used; nothing if it can."""
    if program is None:
        return "not found"
    try:
        done = subprocess.run(  # noqa: S603 - a program that we name
            [program, *_ANSWERS[name]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return " ".join(str(error).split())
    if not done.returncode:
        return ""
    said = done.stderr.strip().splitlines()
    return said[-1].rstrip(".") if said else f"ended with {done.returncode}"


def _digest_in(texts: Sequence[str], image: str) -> str:
    """Return the digest in what a tool says of a pushed image.

    An image may have been pushed to other registries before.
    """
    repository = qualified(image).rpartition(":")[0]
    ours = [t for t in texts if "@" not in t or qualified(t).startswith(repository)]
    found = [match[0] for match in map(_DIGEST.search, ours) if match]
    if not found:
        msg = f"Image {image}: expected its digest from the registry, got none. Push it again."
        raise RatsError(msg)
    return found[0]
