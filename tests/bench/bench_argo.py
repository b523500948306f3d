"""From submission to end on a real cluster: kedro-rats, bare pods, and argo-kedro.

    .ci/e2e --collect-only        # makes build/e2e: wheel, environment, images
    python tests/bench/bench_argo.py [FILE]

Three shapes: the starter, ten one-node tasks in sequence, and sixty side by side. Each
runs as kedro-rats makes it, as bare pods (``python3 -c pass`` in the same shape), and as
argo-kedro compiles it. All run in turns on one cluster, nothing else beside them; what
came of it is written to FILE (``docs/reference/figures.md``).

What argo-kedro compiles is not taken by the test cluster: numbers where the resource types
want text, a claim of a volume for each pod, a pull policy, no service account. That is
mended in the manifest, and nothing else; pods get the same resources as ours.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "bench-argo"
E2E = ROOT / "build" / "e2e"
UV = str(Path(sys.executable).parent / "uv")
PEER = "argo-kedro==0.1.41"
SEQUENTIAL, PARALLEL = 10, 60
CPU, MEMORY = "50m", "384Mi"
BARE_IMAGE = os.environ.get("RATS_BENCH_BARE_IMAGE", "localhost/python:3.11")

SHAPES = f"""
from kedro.pipeline import Pipeline, node


def add_one(x):
    return x + 1


def chain():
    return Pipeline(
        [
            node(add_one, "params:start" if i == 0 else f"chain_{{i - 1}}", f"chain_{{i}}",
                 name=f"chain_{{i}}")
            for i in range({SEQUENTIAL})
        ]
    )


def wide():
    return Pipeline(
        [
            node(add_one, "params:start", f"wide_{{i}}", name=f"wide_{{i}}")
            for i in range({PARALLEL})
        ]
    )
"""
REGISTRY = """

_of_the_starter = register_pipelines


def register_pipelines():
    from .shapes import chain, wide

    found = _of_the_starter()
    return {"__default__": found["__default__"], "chain": chain(), "wide": wide()}
"""


@dataclass(frozen=True)
class Took:
    """Seconds of one run.

    Attributes:
        command: Until the command that submits has ended.
        workflow: From the workflow's creation to its end.
        pods: How many it had.
    """

    command: float
    workflow: float
    pods: int


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument(
        "file", nargs="?", type=Path, default=ROOT / "docs/reference/figures.md"
    )
    arguments.add_argument("--repeats", type=int, default=1)
    arguments.add_argument("--shapes", default="starter,sequential,parallel")
    asked = arguments.parse_args()
    if os.environ.get("RATS_TEST_CLUSTER") != "1":
        begin_inside()
    sys.path.insert(0, str(ROOT / "tests"))
    measure(asked)


def begin_inside() -> None:
    """Make what needs a network, then go on inside the network of the test cluster."""
    cluster = Path(os.environ.get("RATS_TEST_CLUSTER_DIR", ROOT / "../shared/cluster"))
    if not (cluster / "exec").exists() or not E2E.exists():
        print("bench_argo: expected the test cluster and build/e2e; left out.")
        sys.exit(0)
    image, uid = first_image(), uuid.uuid4().hex[:12]
    bucket = subprocess.run(
        [cluster / "exec", "printenv", "RATS_TEST_BUCKET"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    make_project(f"{bucket}/tests/{uid}/peer")
    make_peer()
    context = WORK / "context"
    shutil.rmtree(context, ignore_errors=True)
    shutil.copytree(WORK / "penguins", context / "project")
    text = (Path(__file__).with_name("peer.Dockerfile")).read_text()
    (context / "Dockerfile").write_text(text.replace("ARG BASE", f"ARG BASE={image}"))
    peer_image = f"localhost/kedro-rats-bench-peer:{uuid.uuid4().hex[:8]}"
    subprocess.run([cluster / "image", peer_image, context], check=True)
    variables = {
        "RATS_TEST_IMAGE": image,
        "RATS_BENCH_PEER_IMAGE": peer_image,
        "RATS_BENCH_UID": uid,
        "RATS_TEST_KEDRO": os.environ.get(
            "RATS_TEST_KEDRO", str(E2E / "venv/bin/kedro")
        ),
    }
    os.environ.update(variables)
    words = [str(cluster / "exec"), sys.executable, *sys.argv]
    os.execv(words[0], words)  # noqa: S606 - the cluster's own script


def first_image() -> str:
    """Return the first image of the end-to-end tests, as they have noted it."""
    if named := os.environ.get("RATS_TEST_IMAGE"):
        return named
    lines = (E2E / "images").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)["RATS_TEST_IMAGE"]


def make_project(bucket: str) -> None:
    """Make the starter, with two more shapes and a catalog that knows every dataset."""
    kedro = os.environ.get("RATS_TEST_KEDRO", str(E2E / "venv/bin/kedro"))
    shutil.rmtree(WORK / "penguins", ignore_errors=True)
    WORK.mkdir(parents=True, exist_ok=True)
    new = ("new", "--starter=rats", "--name=penguins", "--telemetry=no")
    subprocess.run([kedro, *new], cwd=WORK, check=True, capture_output=True)
    project = WORK / "penguins"
    package = project / "src/penguins"
    (package / "shapes.py").write_text(SHAPES)
    with (package / "pipeline_registry.py").open("a") as registry:
        registry.write(REGISTRY)
    with (project / "conf/base/parameters.yml").open("a") as parameters:
        parameters.write("\nstart: 1\n")
    peers(project, bucket)


def peers(project: Path, bucket: str) -> None:
    """Write what argo-kedro needs: its settings, and an environment of which every
    dataset is on S3, its inputs too.
    """
    conf = project / "conf/peer"
    conf.mkdir()
    base = yaml.safe_load((project / "conf/base/catalog.yml").read_text())
    root = "s3://${globals:bucket}"
    for entry in base.values():
        if "filepath" in entry:
            entry["filepath"] = f"{root}/{entry['filepath']}"
    base["{default}"] = {
        "type": "pickle.PickleDataset",
        "filepath": f"{root}/other/{{default}}.pkl",
    }
    (conf / "catalog.yml").write_text(yaml.safe_dump(base))
    (conf / "globals.yml").write_text(f"bucket: {bucket}\n")
    argo = {
        "namespace": "argo",
        "deployment": {"image": "bench", "tag": "0"},
        "runner": {"use_memory_datasets": True},
        "machine_types": {"default": {"mem": 1, "cpu": 1, "num_gpu": 0}},
        "default_machine_type": "default",
    }
    (project / "conf/base/argo.yml").write_text(yaml.safe_dump(argo))


def make_peer() -> None:
    """Make the environment in which argo-kedro compiles, once."""
    venv = WORK / "venv"
    if (venv / "bin/kedro").exists():
        return
    python = str(venv / "bin/python")
    pinned = E2E / "image/pinned.txt"
    wheel = next((ROOT / "build/dist").glob("*.whl"))
    subprocess.run([UV, "venv", "--quiet", "--python", "3.11", venv], check=True)
    install = (
        UV,
        "pip",
        "install",
        "--quiet",
        "--compile-bytecode",
        "--python",
        python,
    )
    subprocess.run([*install, "-r", pinned, str(wheel), PEER], check=True)


# ------------------------------------------------------------------------ measuring


def measure(asked: argparse.Namespace) -> None:
    from cluster import harness

    pipelines = {"starter": "__default__", "sequential": "chain", "parallel": "wide"}
    shapes = {name: pipelines[name] for name in asked.shapes.split(",")}
    project = harness.Project(
        WORK / "penguins",
        uid=os.environ["RATS_BENCH_UID"],
        images={"sklearn": harness.image(1)},
    )
    tiny = {"cpu": CPU, "memory": MEMORY}
    project.configure(resources={"tiny": tiny, "small": tiny, "medium": tiny})
    found: dict[str, dict[str, list[Took]]] = {name: {} for name in shapes}
    peer = Peer(project)
    try:
        peer.upload()
        for _ in range(asked.repeats):
            for shape, pipeline in shapes.items():
                for who, run in (
                    ("kedro-rats", ours),
                    ("bare pods", bare),
                    ("argo-kedro", peer.run),
                ):
                    took = run(project, pipeline)
                    found[shape].setdefault(who, []).append(took)
                    print(shape, who, took, flush=True)
    finally:
        project.remove()
    text = report(found, asked.repeats)
    asked.file.write_text(text)
    print(text)


def ours(project: Any, pipeline: str) -> Took:
    begun = time.monotonic()
    submitted = project.submit(f"--pipelines={pipeline}")
    command = time.monotonic() - begun
    return finished(submitted["workflow"], command)


def bare(project: Any, pipeline: str) -> Took:
    """Run the same shape of pods that do nothing."""
    from cluster import harness

    plan = project.asked("plan", f"--pipelines={pipeline}")
    tasks = [
        {"name": t["name"], "template": "pod", "dependencies": t.get("after", [])}
        for t in plan["tasks"]
    ]
    manifest = workflow(
        "bare",
        [
            {"name": "main", "dag": {"tasks": tasks}},
            {
                "name": "pod",
                "container": {
                    "image": BARE_IMAGE,
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["python3", "-c", "pass"],
                    "resources": resources(),
                },
            },
        ],
    )
    begun = time.monotonic()
    create(harness, manifest)
    name = manifest["metadata"]["name"]
    took = finished(name, time.monotonic() - begun)
    harness.delete_workflow(name)
    return took


class Peer:
    """argo-kedro: its own command compiles, the manifest is mended and created."""

    def __init__(self, project: Any) -> None:
        self.project = project
        self.bucket = f"{project.prefix}/peer"

    def upload(self) -> None:
        """Put the raw tables where argo-kedro's pods find them."""
        from cluster import harness

        fs = harness.bucket()
        for path in (self.project.path / "data/01_raw").glob("*.csv"):
            fs.put_file(str(path), f"{self.bucket}/data/01_raw/{path.name}")

    def run(self, project: Any, pipeline: str) -> Took:
        from cluster import harness

        begun = time.monotonic()
        words = ("argo", "submit", "--dry_run", "--environment=peer")
        done = subprocess.run(
            [WORK / "venv/bin/kedro", *words, f"--pipeline={pipeline}"],
            cwd=project.path,
            env={**os.environ, **harness.VARIABLES},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        compiled = project.path / "templates/argo-workflow-template.yml"
        manifest = self.mended(yaml.safe_load(compiled.read_text()))
        create(harness, manifest)
        name = manifest["metadata"]["name"]
        took = finished(name, time.monotonic() - begun)
        harness.delete_workflow(name)
        return took

    def mended(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """Return what this cluster takes of what was compiled."""
        (pod,) = (t for t in manifest["spec"]["templates"] if t["name"] == "kedro")
        (dag,) = (t for t in manifest["spec"]["templates"] if "dag" in t)
        pod.pop("podSpecPatch")
        for parameter in [
            *pod["inputs"]["parameters"],
            *(p for t in dag["dag"]["tasks"] for p in t["arguments"]["parameters"]),
        ]:
            if "value" in parameter:
                parameter["value"] = str(parameter["value"])
        for task in dag["dag"]["tasks"]:
            task["dependencies"] = task.get("dependencies") or []
        variables = self.project.settings()["bind"]["cluster"]["env"]
        variables.pop("PYTHONPATH", None)
        container = pod["container"]
        container.update(
            image=os.environ["RATS_BENCH_PEER_IMAGE"],
            imagePullPolicy="IfNotPresent",
            resources=resources(),
            envFrom=[{"secretRef": {"name": os.environ["RATS_TEST_S3_SECRET"]}}],
        )
        container["env"] += [{"name": k, "value": v} for k, v in variables.items()]
        made = workflow("peer", manifest["spec"]["templates"])
        made["spec"]["entrypoint"] = manifest["spec"]["entrypoint"]
        return made


def workflow(kind: str, templates: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": f"bench-{kind}-{uuid.uuid4().hex[:8]}"},
        "spec": {
            "entrypoint": "main",
            "serviceAccountName": os.environ.get("ARGO_SERVICE_ACCOUNT", "default"),
            "securityContext": {"runAsNonRoot": True, "runAsUser": 8737},
            "podGC": {"strategy": "OnWorkflowSuccess"},
            "templates": templates,
        },
    }


def resources() -> dict[str, Any]:
    return {
        "requests": {"cpu": CPU, "memory": MEMORY},
        "limits": {"memory": MEMORY},
    }


def create(harness: Any, manifest: dict[str, Any]) -> None:
    harness.objects().create_namespaced_custom_object(
        "argoproj.io", "v1alpha1", harness.namespace(), "workflows", manifest
    )


def finished(name: str, command: float) -> Took:
    """Return how long a workflow took, once it has succeeded."""
    from cluster import harness

    found = harness.succeeded(name, seconds=1200)
    begun = found["metadata"]["creationTimestamp"]
    seconds = moment(found["status"]["finishedAt"]) - moment(begun)
    nodes = found["status"]["nodes"].values()
    return Took(command, seconds, sum(node["type"] == "Pod" for node in nodes))


def moment(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


# ------------------------------------------------------------------------ telling

TITLES = {
    "starter": "the starter",
    "sequential": f"{SEQUENTIAL} one-node tasks in sequence",
    "parallel": f"{PARALLEL} one-node tasks side by side",
}


def report(found: dict[str, dict[str, list[Took]]], repeats: int) -> str:
    """Return the page with the figures."""
    rows = []
    for shape, runs in found.items():
        least = statistics.median(each.workflow for each in runs["bare pods"])
        for who, each in runs.items():
            whole = statistics.median(took.workflow for took in each)
            command = statistics.median(took.command for took in each)
            rows.append(
                f"| {TITLES[shape]} | {who} | {each[0].pods} | {command:.1f} | {whole:.0f} |"
                f" {command + whole:.0f} | {whole / least:.2f} |"
            )
    day = datetime.now(tz=timezone.utc).strftime("%Y-%m-%d")
    how = "One run each" if repeats == 1 else f"Medians of {repeats} runs"
    return PAGE.format(
        rows="\n".join(rows),
        day=day,
        how=how,
        cpus=os.cpu_count(),
        versions=versions(),
        peer=PEER.replace("==", " "),
        cpu=CPU,
        memory=MEMORY,
    )


def versions() -> str:
    kube = json.loads(output("kubectl", "version", "-o", "json"))["serverVersion"]
    argo = re.search(r"v[\d.]+", output("argo", "version", "--short"))
    return f"Kubernetes {kube['gitVersion']}, Argo {argo.group() if argo else '?'}"


def output(*words: str) -> str:
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    return done.stdout


PAGE = """# Figures

How long runs take on a cluster, from submission to end, beside two others: bare pods of the same
shape that do nothing (`python3 -c pass`), the least that Argo itself takes; and {peer}, another
plugin for Kedro on Argo.

Measured on {day} on the project's test cluster: one machine with {cpus} processors, {versions},
controller's requeue time 1 s. {how}, in turns, nothing else beside them. A pod asks for cpu {cpu}
and memory {memory}. `python tests/bench/bench_argo.py` makes this page.

| what | by | pods | command, s | workflow, s | both, s | workflow / bare |
| --- | --- | --- | --- | --- | --- | --- |
{rows}

`command` is the time until the command that submits has ended: with kedro-rats, parameters, inputs
and the plan are in the store then. `workflow` goes from the workflow's creation to its end.

What argo-kedro compiles is not taken by this cluster as it is: parameters are numbers where the
resource types want text, each pod claims a volume of 10 GiB, and there is no service account. That
was mended by hand in its manifest, every dataset got an entry on S3, and the inputs were uploaded
before; its image was built apart, and building is not counted.
"""


if __name__ == "__main__":
    main()
