"""What is secret is in nothing that a run leaves, however much its nodes talk of it."""

from __future__ import annotations

import base64
import json
import os
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from cluster import harness
from cluster.committed import Run
from kubernetes import client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cluster.harness import Json, Project

pytestmark = pytest.mark.cluster

PIPELINES = ("quiet", "loud", "refused")


def canary(name: str) -> str:
    # Quotes and another line: so a secret looks different in each form of text.
    return f"{name}-'{uuid.uuid4().hex}'\"\\-{uuid.uuid4().hex[:8]}"


@dataclass(frozen=True)
class Canaries:
    """What is secret, by where it is kept."""

    # In secrets of the cluster: a variable, one under another name, a file, and what
    # the project makes its credentials of.
    variable: str
    mapped: str
    file: str
    credential: str
    # In parameters, by their names, and in the environment of whoever submits.
    parameter: str
    token: str
    here: str

    def all(self) -> dict[str, str]:
        return dict(vars(self))


def forms(secret: str) -> set[bytes]:
    """Return how a secret may be written."""
    found = {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(json.dumps(secret)[1:-1])[1:-1],
        repr(secret)[1:-1],
        quote(secret, ""),
        base64.b64encode(secret.encode()).decode(),
        secret.encode().hex(),
    }
    # Its middle alone would be enough for whoever looks for it.
    return {form.encode() for form in found} | {secret.split("'")[1].encode()}


@dataclass(frozen=True)
class Ran:
    """The project, its secrets, and all that is known of its runs."""

    project: Project
    canaries: Canaries
    runs: dict[str, Json]
    said: dict[str, bytes]


@pytest.fixture(scope="module")
def canaries() -> Canaries:
    names = list(Canaries.__annotations__)
    return Canaries(**{name: canary(name) for name in names})


@pytest.fixture(scope="module")
def bound(canaries: Canaries) -> Iterator[str]:
    """Secrets in the cluster; returns what their names begin with."""
    name = f"rats-test-canaries-{uuid.uuid4().hex[:8]}"
    contents = {
        "env": {"VAULT_TOKEN": canaries.variable, "LEDGER": canaries.credential},
        "keys": {"inner": canaries.mapped},
        "file": {"file": canaries.file},
    }
    core, where = harness.core(), harness.namespace()
    for kind, data in contents.items():
        metadata = client.V1ObjectMeta(name=f"{name}-{kind}")
        core.create_namespaced_secret(
            where, client.V1Secret(metadata=metadata, string_data=data)
        )
    yield name
    for kind in contents:
        core.delete_namespaced_secret(f"{name}-{kind}", where)


@pytest.fixture(scope="module")
def ran(
    tmp_path_factory: pytest.TempPathFactory,
    cleaned: Callable[[Project], Project],
    canaries: Canaries,
    bound: str,
) -> Ran:
    from cluster.faulting import FOLDER

    overlay = FOLDER.parent / "canaries"
    project = cleaned(
        harness.new_plain(tmp_path_factory.mktemp("p"), "canaries", overlay)
    )
    write_configuration(project, canaries, bound)
    calls = [lambda name=name: _waited(project, name, canaries) for name in PIPELINES]
    said: dict[str, bytes] = {}
    runs = {}
    for name, (run, out) in zip(PIPELINES, harness.all_at_once(*calls), strict=True):
        runs[name] = run
        said[f"submit of {name}"] = out
    said.update(commands(project, canaries, runs))
    return Ran(project, canaries, runs, said)


def write_configuration(project: Project, canaries: Canaries, bound: str) -> None:
    secrets = {
        f"{bound}-env": {"env": "all"},
        f"{bound}-keys": {"env": {"DATABASE_PASSWORD": "inner"}},
        f"{bound}-file": {"files": "/etc/canaries"},
    }
    project.configure(
        bind={"cluster": {"secrets": secrets}},
        ext={"argo": {"pods": "keep", "artifacts": True}},
    )
    conf = project.path / "conf" / harness.ENV
    given = {"database": {"password": canaries.parameter}, "api_token": canaries.token}
    (conf / "parameters.yml").write_text(json.dumps(given))


def _waited(project: Project, name: str, canaries: Canaries) -> tuple[Json, bytes]:
    key = f"{name}-{project.uid}"
    done = project.rats(
        "submit",
        f"--pipelines={name}",
        f"--key={key}",
        "--wait",
        "--output=json",
        code=None,
        SERVICE_PASSWORD=canaries.here,
        LEDGER=canaries.credential,
    )
    return harness.document(done.out), done.text.encode()


def commands(
    project: Project, canaries: Canaries, runs: dict[str, Json]
) -> dict[str, bytes]:
    """Return what our commands say of these runs."""
    asked = [
        ("plan",),
        ("plan", "--output=json"),
        ("compile", "--pipelines=quiet"),
        ("compile", "--pipelines=quiet", "--target=plan"),
        ("list", "--output=json"),
        ("runs", "--output=json"),
        *(("status", run["run"]) for run in runs.values()),
        *(("status", run["run"], "--output=json") for run in runs.values()),
        ("logs", "speak", "--run", runs["quiet"]["run"]),
        ("logs", "shout", "--run", runs["loud"]["run"]),
        ("logs", "read", "--run", runs["refused"]["run"]),
    ]
    said = {}
    for command in asked:
        done = project.rats(
            *command,
            code=None,
            SERVICE_PASSWORD=canaries.here,
            LEDGER=canaries.credential,
        )
        said[f"kedro rats {' '.join(command)}"] = done.text.encode()
    return said


# -------------------------------------------------------------------- what is there


def in_the_store(ran: Ran) -> dict[str, bytes]:
    fs = harness.bucket()
    return {path: bytes(fs.cat_file(path)) for path in fs.find(ran.project.prefix)}


def on_the_cluster(ran: Ran) -> dict[str, bytes]:
    """Return workflows, pods, their results and events, as the cluster has them."""
    api = client.ApiClient()
    objects, where = harness.objects(), harness.namespace()
    names = [run["workflow"] for run in ran.runs.values()]
    results = objects.list_namespaced_custom_object(
        "argoproj.io", "v1alpha1", where, "workflowtaskresults"
    )["items"]
    events = harness.core().list_namespaced_event(where).items
    found: dict[str, Any] = {
        **{f"workflow {name}": harness.workflow(name) for name in names},
        **{f"result {r['metadata']['name']}": r for r in results},
        **{f"event {e.metadata.name}": e for e in events},
    }
    for name in names:
        for pod in harness.pods(name):
            found[f"pod {pod.metadata.name}"] = pod
    return {
        name: json.dumps(api.sanitize_for_serialization(each)).encode()
        for name, each in found.items()
        if any(workflow in name for workflow in names)
    }


def logs(ran: Ran) -> dict[str, bytes]:
    """Return the logs of all containers, from the cluster and from the archive."""
    core, where = harness.core(), harness.namespace()
    found = {}
    for run in ran.runs.values():
        for pod in harness.pods(run["workflow"]):
            for container in (*pod.spec.init_containers, *pod.spec.containers):
                name = pod.metadata.name
                log = core.read_namespaced_pod_log(
                    name, where, container=container.name
                )
                found[f"log {name} {container.name}"] = log.encode()
    fs = harness.bucket()
    for path in fs.find("argo-artifacts"):
        if any(run["workflow"] in path for run in ran.runs.values()):
            found[f"archive {path}"] = bytes(fs.cat_file(path))
    return found


def hits(found: dict[str, bytes], secrets: dict[str, str]) -> list[tuple[str, str]]:
    return sorted(
        (place, name)
        for place, content in found.items()
        for name, secret in secrets.items()
        if any(form in content for form in forms(secret))
    )


# -------------------------------------------------------------------- the tests


def test_the_nodes_have_seen_and_said_what_is_secret(ran: Ran) -> None:
    """Otherwise there would be nothing to be seen."""
    run = Run.of(ran.project, ran.runs["quiet"]["run"])
    known = ran.canaries
    seen = (known.variable, known.mapped, known.parameter, known.token)

    assert run.value("letters") == sum(map(len, seen))
    found = logs(ran)
    for node in ("I know", "cannot connect with", "refused:", "saving 1 with"):
        (log,) = [
            t for n, t in found.items() if n.startswith("log") and node.encode() in t
        ]
        assert b"[hidden]" in log
    assert any(name.startswith("archive") for name in found)


def test_no_secret_is_in_an_object_of_the_store(ran: Ran) -> None:
    found = in_the_store(ran)

    places = hits(found, ran.canaries.all())

    # What a node is given travels: a parameter is in the parameters' own object, as the
    # documentation says, and nowhere else.
    assert {name for _, name in places} == {"parameter", "token"}
    given = {
        place
        for place in found
        for run in ran.runs.values()
        if place.replace("/", "").endswith(
            Run.of(ran.project, run["run"]).plan.header.parameters
        )
    }
    assert {place for place, _ in places} <= given


def test_no_secret_is_in_a_log(ran: Ran) -> None:
    found = logs(ran)

    assert len(found) >= 3 * 3
    assert hits(found, ran.canaries.all()) == []


def test_no_secret_is_on_the_cluster_but_where_it_is_kept(ran: Ran) -> None:
    found = on_the_cluster(ran)

    kinds = {name.partition(" ")[0] for name in found}
    # Results of tasks are gone when Argo has taken them.
    assert kinds >= {"workflow", "pod", "event"}
    assert hits(found, ran.canaries.all()) == []


def test_no_secret_is_in_what_our_commands_say(ran: Ran) -> None:
    assert all(ran.said.values())
    assert hits(ran.said, ran.canaries.all()) == []


def test_the_keys_of_the_store_are_nowhere(ran: Ran) -> None:
    key = os.environ["AWS_SECRET_ACCESS_KEY"].encode()
    found = {**in_the_store(ran), **on_the_cluster(ran), **logs(ran), **ran.said}

    assert [place for place, content in found.items() if key in content] == []
