"""A project on the real cluster: made in a folder, submitted, looked at, cleaned up.

Commands run in the environment of the installed wheel (``RATS_TEST_KEDRO``), as a user
would type them. What a project makes on the cluster lies under one prefix of the bucket,
and its workflows carry that prefix: both are removed when the test is over, unless
``RATS_TEST_KEEP=1``.

The project's code reaches pods without an image of its own: its modules are zipped into
a config map, which is mounted and put on the module path. So one image serves all
projects that need the same packages. (Tests of images build real ones.)
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import subprocess
import time
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubernetes import client, config
from s3fs import S3FileSystem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Json = dict[str, Any]

ENV = "cluster"
STORE = "rats.kedro/store"
TASK = "rats.kedro/task"
MOUNT = "/opt/rats-test"
# One thread on all sides: a sum in another order would be another float.
VARIABLES = {
    "DO_NOT_TRACK": "1",
    "MPLBACKEND": "agg",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
ENDED = ("Succeeded", "Failed", "Error")


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass
class Project:
    """A Kedro project in a folder of this machine, and all that it has on the cluster.

    Attributes:
        path: Its folder.
        uid: Names what is its own on the cluster.
        images: The image of each profile; ``default`` is what nodes get without a tag.
        extra: Put on top of the settings that every test needs, key by key.
        ship: Whether pods get the project's modules from a config map.
        folder: Where its store is, below its prefix.
    """

    path: Path
    uid: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    images: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    ship: bool = True
    folder: str = "store"
    _maps: dict[bytes, str] = field(default_factory=dict)

    # ---------------------------------------------------------------- on this machine

    @property
    def prefix(self) -> str:
        """The bucket and the prefix in it that are this project's alone."""
        return f"{os.environ['RATS_TEST_BUCKET']}/tests/{self.uid}"

    @property
    def store(self) -> str:
        return f"s3://{self.prefix}/{self.folder}"

    def kedro(
        self,
        *arguments: str,
        code: int | None = 0,
        seconds: float = 600,
        **variables: str,
    ) -> Done:
        """Run ``kedro ARGUMENTS`` in the project's folder; it must end with ``code``."""
        done = run_kedro(
            *arguments, folder=self.path, seconds=seconds, variables=variables
        )
        assert code is None or done.code == code, (
            f"kedro {' '.join(arguments)} ended with {done.code}:\n{done.text}"
        )
        return done

    def rats(self, command: str, *arguments: str, **options: Any) -> Done:
        """Run ``kedro rats COMMAND --env=cluster ARGUMENTS``."""
        return self.kedro("rats", command, f"--env={ENV}", *arguments, **options)

    def asked(self, command: str, *arguments: str, **options: Any) -> Any:
        """Return what a command says with ``--output json``."""
        return document(self.rats(command, *arguments, "--output=json", **options).out)

    def configure(self, **extra: Any) -> None:
        """Write ``rats.yml`` and ``globals.yml`` of ``conf/cluster``: JSON is YAML too."""
        folder = self.path / "conf" / ENV
        folder.mkdir(parents=True, exist_ok=True)
        settings = merged(self.settings(), dict(self.extra))
        text = json.dumps(merged(settings, extra), indent=2)
        (folder / "rats.yml").write_text(text)
        (folder / "globals.yml").write_text(f"bucket: {self.prefix}\n")

    def settings(self) -> Json:
        """Return what a project has to say to run on this cluster."""
        bound: Json = {
            "env": dict(VARIABLES),
            "secrets": {os.environ["RATS_TEST_S3_SECRET"]: {"env": "all"}},
        }
        if self.ship:
            bound["env"]["PYTHONPATH"] = f"{MOUNT}/code.zip"
            bound["config_maps"] = {self.shipped(): {"files": MOUNT}}
        images = {"default": os.environ["RATS_TEST_IMAGE"], **self.images}
        return {
            "store": self.store,
            "image": {
                name: {"ref": ref, "pull": "IfNotPresent"}
                for name, ref in images.items()
            },
            "resources": {"tiny": {"cpu": "100m", "memory": "512Mi"}},
            "bind": {"cluster": bound},
            "default": {"image": "default", "resources": "tiny", "bind": "cluster"},
            "ext": {
                "argo": {
                    "namespace": namespace(),
                    "service_account": os.environ.get(
                        "ARGO_SERVICE_ACCOUNT", "default"
                    ),
                }
            },
        }

    # ---------------------------------------------------------------- on the cluster

    def shipped(self) -> str:
        """Put the project's modules into a config map, once; return its name."""
        code = zipped(self.path / "src")
        if code in self._maps:
            return self._maps[code]
        name = f"rats-test-{self.uid}-{len(self._maps)}"
        body = client.V1ConfigMap(
            metadata=client.V1ObjectMeta(name=name),
            binary_data={"code.zip": base64.b64encode(code).decode()},
        )
        core().create_namespaced_config_map(namespace(), body)
        self._maps[code] = name
        return name

    def submit(self, *arguments: str, **options: Any) -> Json:
        """Submit a run; return what the command says: workflow, run, namespace."""
        return dict(self.asked("submit", *arguments, **options))

    def workflows(self) -> list[Json]:
        """Return the workflows that this project has on the cluster."""
        found = objects().list_namespaced_custom_object(
            "argoproj.io", "v1alpha1", namespace(), "workflows"
        )["items"]
        return [
            each
            for each in found
            if each["metadata"].get("annotations", {}).get(STORE) == self.store
        ]

    def found(self) -> dict[str, str]:
        """Return all that lies under the project's prefix, with its content's tag."""
        fs = bucket()
        found = fs.find(self.prefix, detail=True)
        return {str(key): str(info["ETag"]) for key, info in found.items()}

    def get(self, dataset: str, *, run: str | None = None) -> Path:
        """Fetch a dataset with ``kedro rats get``; return the folder with its files."""
        folder = self.path / "got" / uuid.uuid4().hex[:8]
        which = () if run is None else (f"--run={run}",)
        self.rats("get", dataset, f"--to={folder}", *which)
        return folder

    def remove(self) -> None:
        """Remove all that is on the cluster."""
        if os.environ.get("RATS_TEST_KEEP") == "1":
            return
        for workflow in self.workflows():
            delete_workflow(workflow["metadata"]["name"])
        for name in self._maps.values():
            core().delete_namespaced_config_map(name, namespace())
        fs = bucket()
        if fs.exists(self.prefix):
            fs.rm(self.prefix, recursive=True)


def document(out: str) -> Any:
    """Return the JSON that a command has written.

    A project without a logging configuration of its own has Kedro say on standard output
    which one it takes, before any command begins.
    """
    found = re.search(r"^(?:[{[]|null$)(?![0-9])", out, flags=re.MULTILINE)
    assert found, f"expected JSON, got {out!r}"
    return json.loads(out[found.start() :])


# -------------------------------------------------------------------- making projects


def new_starter(where: Path, **fields: Any) -> Project:
    """Make the package's starter, as the README says."""
    return _new(where, "penguins", ("--starter=rats",), fields)


def new_plain(where: Path, name: str, overlay: Path, **fields: Any) -> Project:
    """Make a project of Kedro's own template, and put files on top of it."""
    plain = ("--tools=none", "--example=no")
    project = _new(where, name, plain, fields)
    for source in sorted(overlay.rglob("*")):
        target = project.path / source.relative_to(overlay)
        if source.is_file() and "__pycache__" not in source.parts:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    return project


def _new(
    folder: Path, name: str, how: tuple[str, ...], fields: Mapping[str, Any]
) -> Project:
    folder.mkdir(parents=True, exist_ok=True)
    done = run_kedro("new", *how, f"--name={name}", "--telemetry=no", folder=folder)
    assert done.code == 0, done.text
    return Project(folder / name, **fields)


def run_kedro(
    *arguments: str,
    folder: Path,
    seconds: float = 600,
    variables: Mapping[str, str] | None = None,
) -> Done:
    """Run ``kedro`` of the installed wheel."""
    done = subprocess.run(
        [os.environ["RATS_TEST_KEDRO"], *arguments],
        cwd=folder,
        env={**os.environ, **VARIABLES, **(variables or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def zipped(folder: Path) -> bytes:
    """Return all modules under a folder as one archive, the same bytes each time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*.py")):
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix())
            archive.writestr(info, path.read_bytes())
    return buffer.getvalue()


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> Json:
    both = dict(one)
    for key, value in other.items():
        old = both.get(key)
        nested = isinstance(old, dict) and isinstance(value, dict)
        both[key] = merged(old, value) if nested else value  # type: ignore[arg-type]
    return both


# -------------------------------------------------------------------- the cluster


def make_data(project: Project) -> None:
    """Make the raw tables of a project of ``projects/``."""
    python = Path(os.environ["RATS_TEST_KEDRO"]).with_name("python")
    subprocess.run([python, "make_data.py"], cwd=project.path, check=True)


def spark_image() -> str:
    return os.environ["RATS_TEST_SPARK_IMAGE"]


def image(number: int) -> str:
    """Return the first image of the tests, or the second."""
    return os.environ["RATS_TEST_IMAGE" if number == 1 else f"RATS_TEST_IMAGE_{number}"]


def namespace() -> str:
    return os.environ["ARGO_NAMESPACE"]


@cache
def _connected() -> None:
    config.load_kube_config()


def core() -> client.CoreV1Api:
    """The cluster's own objects: pods, config maps, secrets, events."""
    _connected()
    return client.CoreV1Api()


def objects() -> client.CustomObjectsApi:
    """Objects of other kinds: workflows."""
    _connected()
    return client.CustomObjectsApi()


def published(project: Project, path: str) -> bytes:
    """Return a file that a run has left for people, below the project's prefix."""
    return bytes(bucket().cat_file(f"{project.prefix}/{path}"))


def bucket() -> S3FileSystem:
    """The S3 server, with no memory of what was there."""
    return S3FileSystem(use_listings_cache=False, skip_instance_cache=True)


def workflow(name: str) -> Json:
    return dict(
        objects().get_namespaced_custom_object(
            "argoproj.io", "v1alpha1", namespace(), "workflows", name
        )
    )


def delete_workflow(name: str) -> None:
    objects().delete_namespaced_custom_object(
        "argoproj.io",
        "v1alpha1",
        namespace(),
        "workflows",
        name,
        propagation_policy="Background",
    )


# As long as a busy machine may take; an idle one takes a tenth of it.
def wait_for(name: str, *, seconds: float = 900) -> Json:
    """Return a workflow once it has ended, whatever came of it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = workflow(name)
        if found.get("status", {}).get("phase") in ENDED:
            return found
        time.sleep(1)
    status = workflow(name).get("status", {})
    nodes = [
        (n.get("displayName"), n.get("phase"), n.get("message"))
        for n in status.get("nodes", {}).values()
    ]
    msg = f"workflow {name!r}: expected an end within {seconds} s, got {nodes}"
    raise TimeoutError(msg)


def succeeded(name: str, *, seconds: float = 900) -> Json:
    """Return a workflow that has ended well; show what has not."""
    found = wait_for(name, seconds=seconds)
    status = found["status"]
    assert status["phase"] == "Succeeded", [
        (n.get("displayName"), n["phase"], n.get("message"))
        for n in status.get("nodes", {}).values()
        if n["phase"] not in ("Succeeded", "Omitted")
    ] or status.get("message")
    return found


def until(holds: Callable[[], bool], *, seconds: float = 60) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(0.5)


def pods(name: str) -> list[Any]:
    """Return the pods of a workflow that are still there."""
    label = f"workflows.argoproj.io/workflow={name}"
    return list(core().list_namespaced_pod(namespace(), label_selector=label).items)


def task_of(pod: Any) -> str:
    """Return the task of the plan that a pod does or did."""
    return str(pod.metadata.labels[TASK])


def main_of(pod: Any) -> Any:
    """Return the container in which the task's process is."""
    return next(c for c in pod.spec.containers if c.name == "main")


def all_at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Call functions side by side; return what they return, or raise what they raise."""
    with ThreadPoolExecutor(len(calls)) as workers:
        return [each.result() for each in [workers.submit(call) for call in calls]]
