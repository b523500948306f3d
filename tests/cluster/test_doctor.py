"""`kedro rats doctor` on a real cluster: all is well, or what is wrong is named."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from cluster.harness import document, run_kedro
from s3fs import S3FileSystem

import kedro_rats
from kedro_rats.cli.templates import templates_path
from kedro_rats.engines.argo.doctor.checks import Patient, examine
from kedro_rats.engines.argo.doctor.findings import is_well
from kedro_rats.engines.argo.doctor.pods import Pace
from kedro_rats.engines.argo.reading import argo_settings
from kedro_rats.placement.schema import parse
from kedro_rats.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kedro_rats.engines.argo.doctor.findings import Finding

pytestmark = pytest.mark.cluster

Json = dict[str, Any]
UID = uuid.uuid4().hex[:8]
PREFIX = f"{os.environ.get('RATS_TEST_BUCKET', '')}/tests/doctor-{UID}"


def kubectl(*arguments: str, text: str | None = None) -> str:
    return subprocess.run(
        ["kubectl", *arguments],
        input=text,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


def settings(**more: Any) -> Json:
    secret = os.environ["RATS_TEST_S3_SECRET"]
    said = {
        "store": f"s3://{PREFIX}/store",
        "image": {
            "default": {"ref": os.environ["RATS_TEST_IMAGE"], "pull": "IfNotPresent"}
        },
        "bind": {"bucket": {"secrets": {secret: {"env": "all"}}}},
        "resources": {"tiny": {"cpu": "50m", "memory": "256Mi"}},
        "default": {"image": "default", "resources": "tiny", "bind": "bucket"},
    }
    argo = {
        "namespace": os.environ["ARGO_NAMESPACE"],
        "service_account": os.environ["ARGO_SERVICE_ACCOUNT"],
        "labels": {"rats-test-doctor": UID},
        **more.pop("argo", {}),
    }
    return {**said, **more, "ext": {"argo": argo}}


def examined(said: Json, **options: Any) -> list[Finding]:
    parsed = parse(said)
    patient = Patient(
        settings=parsed,
        argo=argo_settings(parsed),
        store=open_store(parsed.store.uri),
        version=kedro_rats.__version__,
        **{"seconds": 300, **options},
    )
    return list(examine(patient))


def worst(findings: list[Finding]) -> dict[str, Finding]:
    found: dict[str, Finding] = {}
    for finding in findings:
        if finding.check not in found or finding.state == "fail":
            found[finding.check] = finding
    return found


def failed(findings: list[Finding]) -> dict[str, Finding]:
    return {c: f for c, f in worst(findings).items() if f.state == "fail"}


def left() -> tuple[list[str], list[str]]:
    """Return this one's workflows and pods, and the objects of its store."""
    selector = f"rats-test-doctor={UID}"
    found = json.loads(kubectl("get", "workflows,pods", "-l", selector, "-o", "json"))
    alive = [
        item["metadata"]["name"]
        for item in found["items"]
        if "deletionTimestamp" not in item["metadata"]
    ]
    bucket = S3FileSystem(skip_instance_cache=True)
    return alive, bucket.find(PREFIX)


SITUATIONS: dict[str, Json] = {
    "well": {},
    "artifacts": {"argo": {"artifacts": True}},
    "no image": {
        "image": {"default": {"ref": f"localhost/none-{UID}:1", "pull": "Never"}}
    },
    "no secret": {"bind": {"bucket": {"secrets": {f"none-{UID}": {"env": "all"}}}}},
    "no bucket": {"store": f"s3://none-{UID}/store"},
    "no repository": {
        "argo": {
            "artifacts": True,
            "artifact_repository": {"config_map": f"none-{UID}"},
        }
    },
    "no account": {"argo": {"service_account": f"none-{UID}"}},
    "poor account": {"argo": {"service_account": f"poor-{UID}"}},
    "no namespace": {"argo": {"namespace": f"none-{UID}"}},
}


@pytest.fixture(scope="module")
def findings() -> Iterator[dict[str, list[Finding]]]:
    """Look at all situations, some at once: most of the time is waiting for pods."""
    kubectl("create", "serviceaccount", f"poor-{UID}")
    try:
        with ThreadPoolExecutor(5) as pool:
            said = (settings(**more) for more in SITUATIONS.values())
            found = dict(zip(SITUATIONS, pool.map(examined, said), strict=True))
        yield found
    finally:
        kubectl("delete", "serviceaccount", f"poor-{UID}")


def test_a_cluster_that_lacks_nothing_is_well(
    findings: dict[str, list[Finding]],
) -> None:
    for name in ("well", "artifacts"):
        assert is_well(findings[name]), "\n".join(map(str, findings[name]))
    found = worst(findings["well"])
    assert found["store from pods"].state == "ok"
    assert kedro_rats.__version__ in found["image default"].said
    assert [f.check for f in findings["well"]].count("argo") == 2
    assert worst(findings["artifacts"])["artifacts"].state == "ok"


def test_what_is_missing_is_named_with_the_cure(
    findings: dict[str, list[Finding]],
) -> None:
    image = failed(findings["no image"])
    assert list(image) == ["image default"]
    assert "kedro rats build" in image["image default"].remedy

    secret = failed(findings["no secret"])
    assert list(secret) == ["image default"]
    assert f'secret "none-{UID}" not found' in secret["image default"].said

    bucket = failed(findings["no bucket"])
    assert list(bucket) == ["store from here", "store from pods"]
    assert "a bucket that exists" in bucket["store from here"].said
    assert "a bucket that exists" in bucket["store from pods"].said

    assert failed(findings["no repository"])


def test_a_service_account_is_looked_at_before_a_pod_is_run(
    findings: dict[str, list[Finding]],
) -> None:
    account = failed(findings["no account"])
    assert list(account) == ["service account"]
    poor = failed(findings["poor account"])
    assert list(poor) == ["rights of pods"]
    assert "may not create workflowtaskresults" in poor["rights of pods"].said
    assert list(failed(findings["no namespace"])) == ["namespace"]
    for name in ("no account", "poor account", "no namespace"):
        assert "store from pods" not in worst(findings[name])


def test_nothing_is_left_behind(findings: dict[str, list[Finding]]) -> None:
    assert findings
    assert not any(f.check == "left behind" for fs in findings.values() for f in fs)
    alive, objects = left()
    # What makes a prefix a store is there from the first time that it is used.
    assert (alive, objects) == ([], [f"{PREFIX}/store/rats-store.json"])


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield a kubeconfig of somebody whom the project's own ``rbac.yml`` lets in."""
    namespace, name = f"rats-rbac-{UID}", "somebody"
    kubectl("create", "namespace", namespace)
    try:
        objects = list(yaml.safe_load_all((templates_path() / "rbac.yml").read_text()))
        for each in objects:
            if (
                each["kind"] == "RoleBinding"
                and each["metadata"]["name"] == "rats-user"
            ):
                each["subjects"] = [{"kind": "ServiceAccount", "name": name}]
        text = yaml.safe_dump_all(objects)
        kubectl("create", "serviceaccount", name, "--namespace", namespace)
        kubectl("apply", "--namespace", namespace, "-f", "-", text=text)
        token = kubectl("create", "token", name, "--namespace", namespace).strip()
        view = kubectl("config", "view", "--raw", "--minify", "-o", "json")
        config = json.loads(view)
        config["users"] = [{"name": name, "user": {"token": token}}]
        config["contexts"][0]["context"].update(user=name, namespace=namespace)
        file = tmp_path_factory.mktemp("person") / "kubeconfig"
        file.write_text(json.dumps(config))
        yield file
    finally:
        kubectl("delete", "namespace", namespace, "--wait=false")


def test_the_rights_that_init_writes_are_those_that_are_needed(
    person: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(person))
    namespace = f"rats-rbac-{UID}"
    asked = settings(argo={"namespace": namespace, "service_account": "rats-workflow"})

    found = worst(examined(asked, pod=False))

    # Who may do no more than that may not look at the namespace itself.
    assert found["namespace"].said.endswith("(you may not look at it)")
    for check in ("your rights", "service account", "rights of pods", "argo"):
        assert found[check].state == "ok", str(found[check])
    elsewhere = worst(examined(settings(), pod=False))
    assert elsewhere["your rights"].state == "fail"
    assert "create workflows.argoproj.io" in elsewhere["your rights"].said


def test_a_namespace_that_no_controller_watches_is_told(person: Path) -> None:
    asked = settings(
        argo={"namespace": f"rats-rbac-{UID}", "service_account": "rats-workflow"}
    )

    found = failed(examined(asked, pace=Pace(unseen=10)))

    assert list(found) == ["argo"]
    assert "has not seen a workflow" in found["argo"].said


def test_the_command_says_it_in_lines_and_as_json(tmp_path: Path) -> None:
    new = ["new", "--name=doctored", "--tools=none", "--example=no", "--telemetry=no"]
    assert run_kedro(*new, folder=tmp_path).code == 0
    project = tmp_path / "doctored"
    conf = project / "conf" / "cluster"
    conf.mkdir()
    (conf / "rats.yml").write_text(json.dumps(settings()))

    command = ["rats", "doctor", "--env=cluster"]
    lines = run_kedro(*command, "--timeout=300", folder=project)
    described = run_kedro(*command, "--no-pod", "--output=json", folder=project)

    assert lines.code == 0, lines.text
    assert "\nok    store from pods" in lines.out
    assert {each["state"] for each in document(described.out)} <= {"ok", "warn"}
    (conf / "rats.yml").write_text(json.dumps(settings(argo={"namespace": f"x-{UID}"})))
    wrong = run_kedro(*command, "--no-pod", folder=project)
    assert wrong.code == 1
    assert "fail  namespace" in wrong.out
