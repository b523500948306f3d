"""`kedro rats doctor` against what a real cluster answered."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from engines.argo.replaying import Replay, recorded

from kedro_rats.cli.templates import ClusterAnswers, templates_path
from kedro_rats.engines.argo.doctor.checks import Patient, examine
from kedro_rats.engines.argo.doctor.cluster import argo_version, clock
from kedro_rats.engines.argo.doctor.findings import Finding, is_well
from kedro_rats.engines.argo.doctor.pods import Pace
from kedro_rats.engines.argo.doctor.probe import found as found_here
from kedro_rats.engines.argo.doctor.probe import main, read
from kedro_rats.engines.argo.doctor.rights import (
    DOCTOR_RIGHTS,
    POD_RIGHTS,
    USER_RIGHTS,
    as_rules,
)
from kedro_rats.engines.argo.doctor.workflow import looked_at, workflow
from kedro_rats.engines.argo.reading import argo_settings
from kedro_rats.engines.argo.settings import ArgoSettings
from kedro_rats.placement.schema import parse
from kedro_rats.store.local import LocalStore

pytest.importorskip("kubernetes", reason="needs the extra kedro-rats[argo]")
pytest.importorskip("hera", reason="needs the extra kedro-rats[argo]")

Json = dict[str, Any]

QUICK = Pace(pause=0.01, stable=0.05, unseen=0.2)


class NamedStore(LocalStore):
    """A folder that says it is a bucket: what a cluster gets is its address."""

    root_uri = "s3://rats/d-rec"

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.uri = self.root_uri


def settings(**more: Any) -> Json:
    return {
        "image": {"default": {"ref": "localhost/d-dev:1", "pull": "IfNotPresent"}},
        "bind": {"b": {"secrets": {"rats-s3": {"env": "all"}}}},
        "default": {"image": "default", "bind": "b"},
        "ext": {"argo": {"service_account": "rats-workflow"}},
        **more,
    }


def with_python(exchanges: list[Json]) -> list[Json]:
    """Have the pod's Python be the one of this test."""
    here = ".".join(map(str, sys.version_info[:2]))
    text = json.dumps(exchanges).replace(
        r"\\\"python\\\": \\\"3.11\\\"", rf"\\\"python\\\": \\\"{here}\\\""
    )
    text = text.replace(r"\"python\": \"3.11\"", rf"\"python\": \"{here}\"")
    found: list[Json] = json.loads(text)
    return found


Doctor = "Callable[..., tuple[dict[str, Finding], Replay]]"


@pytest.fixture
def forgotten() -> list[str]:
    """Return the objects of S3 that were removed."""
    return []


@pytest.fixture
def doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forgotten: list[str]
) -> Doctor:
    """Examine what was recorded under a name; return findings by check."""

    def examined(
        name: str | list[Json],
        said: Json | None = None,
        *,
        ahead: float = 0.0,
        can_forget: bool = True,
        **options: Any,
    ) -> tuple[dict[str, Finding], Replay]:
        exchanges = recorded(name) if isinstance(name, str) else name
        replay = Replay(with_python(exchanges), ahead=ahead)
        parsed = parse(said or settings())
        with replay.served(tmp_path) as kubeconfig:
            monkeypatch.setenv("KUBECONFIG", kubeconfig)
            patient = Patient(
                settings=parsed,
                argo=argo_settings(parsed),
                store=NamedStore(tmp_path / "store"),
                pace=QUICK,
                forget=lambda place: forgotten.append(place) or can_forget,
                **{"version": "0.1.0", "env": "cluster", "seconds": 20, **options},
            )
            findings = list(examine(patient))
        found: dict[str, Finding] = {}
        for finding in findings:
            # Of two lines about one thing the one that is worse counts.
            if finding.check not in found or finding.state != "ok":
                found[finding.check] = finding
        return found, replay

    return examined


def posted(replay: Replay) -> list[Json]:
    """Return the workflows that were made."""
    return [
        body
        for method, path, body in replay.asked
        if method == "POST" and path.endswith("/workflows") and body
    ]


def test_a_cluster_that_lacks_nothing_is_well(
    doctor: Any, forgotten: list[str]
) -> None:
    found, replay = doctor("good")

    assert {check: finding.state for check, finding in found.items()} == dict.fromkeys(
        [
            *("store from here", "images", "kubernetes", "clock", "namespace", "argo"),
            *("your rights", "service account", "rights of pods", "image default"),
            *("store from pods", "artifacts"),
        ],
        "ok",
    )
    assert is_well(found.values())
    assert found["argo"].said == "its resource types are there (full)"
    assert found["image default"].said.startswith("localhost/d-dev:1: Python ")
    (made,) = posted(replay)
    # This cluster archives the logs of all pods.
    (log,) = forgotten
    assert log.startswith("argo-artifacts/rats-doctor")
    deleted = [path for method, path, _ in replay.asked if method == "DELETE"]
    assert deleted == [
        f"/apis/argoproj.io/v1alpha1/namespaces/argo/workflows/{made['metadata']['name']}"
    ]


def test_a_log_that_cannot_be_removed_is_said(doctor: Any) -> None:
    found, _ = doctor("good", can_forget=False)

    assert found["left behind"].state == "warn"
    assert "argo-artifacts/rats-doctor" in found["left behind"].said


# What was recorded, under which line it shows, and what that says.
WRONG = {
    "an image that is missing": (
        "image",
        "image default",
        "its image is not on the machine",
        "kedro rats build",
    ),
    "a secret that is missing": (
        "secret",
        "image default",
        'secret "d-none" not found',
        "bind in rats.yml",
    ),
    "an image without kedro-rats": (
        "python",
        "image default",
        "No module named",
        "It needs kedro-rats 0.1.0",
    ),
}


@pytest.mark.parametrize(("name", "check", "said", "remedy"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_in_a_pod_is_said_with_the_cure(
    doctor: Any, name: str, check: str, said: str, remedy: str
) -> None:
    found, replay = doctor(name)

    wrong = {c: f for c, f in found.items() if f.state == "fail"}
    assert list(wrong) == [check]
    assert said in wrong[check].said
    assert remedy in wrong[check].remedy
    assert [method for method, _, _ in replay.asked].count("DELETE") == 1


def test_a_missing_service_account_is_said_and_no_pod_is_run(doctor: Any) -> None:
    said = settings(ext={"argo": {"service_account": "d-none"}})

    found, replay = doctor("account", said)

    assert found["service account"].state == "fail"
    assert found["service account"].said == "there is no 'd-none' in namespace 'argo'"
    assert "kubectl apply --namespace argo" in found["service account"].remedy
    assert found["pods"].state == "warn"
    assert not posted(replay)


def test_a_service_account_with_too_few_rights_is_named(doctor: Any) -> None:
    said = settings(ext={"argo": {"service_account": "default"}})

    found, replay = doctor("poor", said)

    assert found["rights of pods"].state == "fail"
    assert "create workflowtaskresults.argoproj.io" in found["rights of pods"].said
    assert not posted(replay)


# --- what a cluster may answer otherwise ----------------------------------------------


def changed(
    exchanges: list[Json], part: str, *, status: int = 200, body: Any = None
) -> list[Json]:
    """Have the answers to one path be others."""
    assert any(part in each["path"] for each in exchanges)
    return [
        {**each, "status": status, "body": body} if part in each["path"] else each
        for each in exchanges
    ]


def refused(code: int, message: str = "no") -> Json:
    return {"kind": "Status", "status": "Failure", "code": code, "message": message}


def test_a_namespace_that_is_missing_is_said(doctor: Any) -> None:
    path = "/api/v1/namespaces/argo"
    exchanges = [
        {**e, "status": 404, "body": refused(404)} if e["path"] == path else e
        for e in recorded("good")
    ]

    found, replay = doctor(exchanges)

    assert found["namespace"].state == "fail"
    assert "ext.argo.namespace" in found["namespace"].remedy
    assert not posted(replay)


def test_who_may_not_look_is_told_so_and_the_pod_is_run(doctor: Any) -> None:
    exchanges = recorded("good")
    for part in ("customresourcedefinitions", "serviceaccounts/", "localsubject"):
        exchanges = changed(exchanges, part, status=403, body=refused(403))
    exchanges = [
        {**e, "status": 403, "body": refused(403)}
        if e["path"] == "/api/v1/namespaces/argo"
        else e
        for e in exchanges
    ]

    found, replay = doctor(exchanges)

    assert found["namespace"].said == "'argo' (you may not look at it)"
    assert found["argo"].said == "its resource types are there"
    assert found["service account"].state == "warn"
    assert found["rights of pods"].state == "warn"
    assert found["store from pods"].state == "ok"
    assert is_well(found.values())
    assert len(posted(replay)) == 1


def test_a_cluster_without_argo_is_told_from_one_with_half_of_it(doctor: Any) -> None:
    types = "/apis/argoproj.io/v1alpha1"
    none = [
        {**e, "status": 404, "body": refused(404)}
        if e["path"].rstrip("/") == types
        else e
        for e in recorded("good")
    ]
    half = [
        {**e, "body": {"resources": [{"name": "workflows"}]}}
        if e["path"].rstrip("/") == types
        else e
        for e in recorded("good")
    ]

    assert (
        doctor(none)[0]["argo"].said == "Argo's resource types are not in this cluster"
    )
    assert (
        doctor(half)[0]["argo"].said
        == "Argo's types are incomplete: no workflowtaskresults"
    )


def test_minimal_resource_types_are_told_from_full_ones(doctor: Any) -> None:
    schema = {"x-kubernetes-preserve-unknown-fields": True}
    version = {"schema": {"openAPIV3Schema": {"properties": {"spec": schema}}}}
    minimal = {"spec": {"versions": [version]}}

    found, _ = doctor(
        changed(recorded("good"), "customresourcedefinitions", body=minimal)
    )

    assert found["argo"].said == "its resource types are there (minimal)"


def test_rights_that_are_missing_are_named_one_by_one(doctor: Any) -> None:
    denied = {("patch", "workflows"), ("get", "pods")}

    def answered(each: Json) -> Json:
        asked = (each["request"] or {}).get("resourceAttributes", {})
        if "selfsubject" in each["path"] and not asked.get("subresource"):
            allowed = (asked["verb"], asked["resource"]) not in denied
            return {**each, "body": {"status": {"allowed": allowed}}}
        return each

    found, replay = doctor([answered(each) for each in recorded("good")])

    assert found["your rights"].state == "fail"
    assert found["your rights"].said == (
        "you may not patch workflows.argoproj.io, get pods in namespace 'argo'"
    )
    assert not posted(replay)


def test_a_service_account_that_may_do_more_is_doubtful(doctor: Any) -> None:
    allowed = {"status": {"allowed": True}}

    found, _ = doctor(changed(recorded("good"), "localsubjectaccess", body=allowed))

    assert found["rights of pods"].state == "warn"
    assert "get secrets, create pods" in found["rights of pods"].said


@pytest.mark.parametrize(
    ("ahead", "state", "said"),
    [
        (0.0, "ok", "the cluster's clock is ours"),
        (-30.0, "warn", "30 s behind ours"),
        (600.0, "fail", "s ahead of ours"),
    ],
)
def test_a_clock_that_is_off_is_said(
    doctor: Any, ahead: float, state: str, said: str
) -> None:
    found, _ = doctor("good", ahead=ahead, pod=False)

    assert found["clock"].state == state
    assert said in found["clock"].said
    assert clock(None).state == "warn"


def test_a_controller_that_does_not_look_is_said(doctor: Any) -> None:
    unseen = {"metadata": {"name": "rats-doctor"}}

    found, replay = doctor(changed(recorded("good"), "/workflows/", body=unseen))

    assert found["argo"].state == "fail"
    assert "has not seen a workflow" in found["argo"].said
    assert [method for method, _, _ in replay.asked].count("DELETE") == 1


def ended(message: str, phase: str = "Error") -> Json:
    """Return a workflow whose pod the cluster did not take, as Argo writes it."""
    node = {
        "id": "x",
        "type": "Pod",
        "templateName": "image-0",
        "phase": phase,
        "message": message,
    }
    return {
        "metadata": {"name": "rats-doctor"},
        "status": {"phase": phase, "nodes": {"x": node}},
    }


# As Kubernetes 1.33 says it where the standard is enforced.
UNCONFINED = (
    'pods "rats-doctor-image-0-1" is forbidden: violates PodSecurity "restricted:latest":'
    ' allowPrivilegeEscalation != false (containers "init", "wait" must set'
    " securityContext.allowPrivilegeEscalation=false)"
)


def test_argos_own_containers_that_the_namespace_does_not_take(doctor: Any) -> None:
    exchanges = changed(recorded("good"), "/workflows/", body=ended(UNCONFINED))

    found, _ = doctor(exchanges)

    assert found["image default"].state == "fail"
    assert "workflow-controller-configmap" in found["image default"].remedy


def test_a_pod_that_has_ended_and_argo_does_not_know(doctor: Any) -> None:
    running = ended("", "Running")
    pods = next(e["body"] for e in recorded("good") if "/pods?" in e["path"])
    pod = json.loads(json.dumps(pods["items"][0]))
    pod["status"] = {
        "phase": "Running",
        "containerStatuses": [
            {"name": "main", "state": {"terminated": {"exitCode": 0}}},
            {"name": "wait", "state": {"running": {}}},
        ],
    }
    exchanges = changed(recorded("good"), "/workflows/", body=running)
    exchanges = changed(exchanges, "/pods?", body={"items": [pod]})

    found, _ = doctor(exchanges, seconds=1)

    assert found["image default"].said.endswith(
        "its pod has ended, and Argo does not know"
    )


def test_a_pod_that_is_not_ready_in_time_is_said(doctor: Any) -> None:
    exchanges = changed(
        recorded("good"), "/workflows/", body=ended("", phase="Pending")
    )
    exchanges = changed(exchanges, "/pods?", body={"items": []})
    exchanges = changed(exchanges, "/events?", body={"items": []})

    found, _ = doctor(exchanges, seconds=1)

    assert found["image default"].said == "localhost/d-dev:1: not ready after 1 s"
    assert "--timeout" in found["image default"].remedy


def log_of(**said: Any) -> str:
    probe = {"kedro_rats": "0.1.0", "python": "3.11", "store": "", "time": 0, **said}
    return f'noise {{"x"\n{json.dumps({"kedro-rats-doctor": probe})}\n'


def test_another_version_in_the_image_is_wrong(doctor: Any) -> None:
    exchanges = changed(recorded("good"), "/log?", body=log_of(kedro_rats="0.0.9"))

    found, _ = doctor(exchanges)

    assert found["image default"].state == "fail"
    assert "kedro-rats 0.0.9" in found["image default"].said
    assert "Here is kedro-rats 0.1.0" in found["image default"].remedy


def test_another_python_in_the_image_is_doubtful(doctor: Any) -> None:
    exchanges = changed(recorded("good"), "/log?", body=log_of(python="3.9"))

    found, _ = doctor(exchanges)

    assert found["image default"].state == "warn"
    assert "Python 3.9" in found["image default"].said


def test_a_store_that_pods_cannot_use_is_wrong(doctor: Any) -> None:
    why = "store 's3://rats/d-rec': expected a bucket that exists, got NoSuchBucket."
    exchanges = changed(recorded("good"), "/log?", body=log_of(store=why))

    found, _ = doctor(exchanges)

    assert found["store from pods"].state == "fail"
    assert "NoSuchBucket" in found["store from pods"].said


def test_where_no_log_is_kept_that_is_said_and_wrong_if_it_was_asked_for(
    doctor: Any,
) -> None:
    bare = next(
        e["body"]
        for e in reversed(recorded("good"))
        if e["method"] == "GET" and "/workflows/" in e["path"]
    )
    for node in bare["status"]["nodes"].values():
        node.get("outputs", {}).pop("artifacts", None)
    exchanges = changed(recorded("good"), "/workflows/", body=bare)

    def asking(**more: object) -> Json:
        return settings(ext={"argo": {"service_account": "rats-workflow", **more}})

    warned = doctor(exchanges)[0]["artifacts"]
    assert (warned.state, "ext.argo.pods to keep" in warned.remedy) == ("warn", True)
    assert "artifacts" not in doctor(exchanges, asking(pods="keep"))[0]
    found, replay = doctor(exchanges, asking(artifacts=True))

    assert found["artifacts"].state == "fail"
    assert posted(replay)[0]["spec"]["archiveLogs"] is True


def test_a_bucket_that_was_not_filled_in_is_not_tried(
    doctor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = ClusterAnswers().bucket
    monkeypatch.setattr(NamedStore, "probe", lambda _: pytest.fail("it was tried"))
    monkeypatch.setattr(NamedStore, "root_uri", f"s3://{example}/rats")

    found, _ = doctor("good", pod=False)

    assert found["store from here"].state == "fail"
    assert "globals.yml" in found["store from here"].remedy


def test_without_pods_nothing_is_made(doctor: Any) -> None:
    found, replay = doctor("good", pod=False)

    assert is_well(found.values())
    assert "image default" not in found
    assert not posted(replay)


def test_images_that_are_not_built_yet_are_named(doctor: Any) -> None:
    said = settings(image={"default": {"build": {"name": "localhost/app"}}})

    found, replay = doctor("good", said)

    assert found["images"].state == "fail"
    assert found["images"].said == "not built yet: default"
    assert "kedro rats build --env=cluster" in found["images"].remedy
    assert not posted(replay)


def test_a_cluster_that_does_not_answer_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Replay([]).served(tmp_path) as kubeconfig:
        gone = Path(kubeconfig).read_text()
    Path(kubeconfig).write_text(gone)
    monkeypatch.setenv("KUBECONFIG", kubeconfig)
    parsed = parse(settings())

    findings = list(
        examine(
            Patient(
                settings=parsed,
                argo=ArgoSettings(),
                store=LocalStore(tmp_path / "store"),
                version="0.1.0",
            )
        )
    )

    assert [f.check for f in findings] == ["store from here", "images", "kubernetes"]
    assert findings[0].state == "fail"
    assert "a folder, which pods do not reach" in findings[0].said
    assert findings[2].state == "fail"
    assert "\n" not in str(findings[2])


def test_a_look_that_is_broken_off_leaves_nothing_behind(doctor: Any) -> None:
    exchanges = changed(recorded("good"), "/pods", status=403, body=refused(403, "no"))

    found, replay = doctor(exchanges)

    # Pods that may not be looked at end the look; the workflow is deleted all the same.
    assert found["kubernetes"].state == "fail"
    assert [method for method, _, _ in replay.asked].count("DELETE") == 1


def test_an_interrupted_look_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Ctrl-C, in the middle of what takes longest.
    pause, sleep = 600.0, time.sleep

    def interrupted(seconds: float) -> None:
        if seconds == pause:
            raise KeyboardInterrupt
        sleep(seconds)

    monkeypatch.setattr(time, "sleep", interrupted)
    replay = Replay(with_python(recorded("good")))
    parsed = parse(settings())
    with replay.served(tmp_path) as kubeconfig:
        monkeypatch.setenv("KUBECONFIG", kubeconfig)
        findings = examine(
            Patient(
                settings=parsed,
                argo=argo_settings(parsed),
                store=NamedStore(tmp_path / "store"),
                version="0.1.0",
                pace=Pace(pause=pause),
            )
        )
        with pytest.raises(KeyboardInterrupt):
            list(findings)

    assert posted(replay)
    assert [method for method, _, _ in replay.asked].count("DELETE") == 1


# --- what is made, and what is asked for ----------------------------------------------


def test_one_pod_for_each_image_with_what_the_default_binds() -> None:
    parsed = parse(
        settings(
            image={"a": "x:1", "b": "y:1", "c": {"ref": "x:1", "pull_secrets": ["s"]}},
            default={"image": "a", "bind": "b"},
            assign=[{"nodes": "*", "image": "b"}],
        )
    )

    images = looked_at(parsed)
    made = workflow(images, argo_settings(parsed), store="s3://b/p", seconds=60)

    assert [(image.ref, image.profiles) for image in images] == [
        ("x:1", ("a", "c")),
        ("y:1", ("b",)),
    ]
    entry, *pods = made["spec"]["templates"]
    assert [task["template"] for task in entry["dag"]["tasks"]] == [
        "image-0",
        "image-1",
    ]
    assert [pod["container"]["image"] for pod in pods] == ["x:1", "y:1"]
    for pod in pods:
        assert pod["container"]["command"][:2] == ["python", "-m"]
        (source,) = pod["container"]["envFrom"]
        assert source["secretRef"]["name"] == "rats-s3"
        assert "retryStrategy" not in pod
        assert pod["container"]["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert made["spec"]["securityContext"]["runAsNonRoot"] is True
    assert made["spec"]["activeDeadlineSeconds"] == 60
    assert made["spec"]["ttlStrategy"] == {"secondsAfterCompletion": 300}


def test_the_template_has_exactly_the_rights_that_are_asked_for() -> None:
    text = (templates_path() / "rbac.yml").read_text("utf-8")
    objects = list(yaml.safe_load_all(text))
    roles = {o["metadata"]["name"]: o["rules"] for o in objects if o["kind"] == "Role"}

    assert roles["rats-workflow"] == as_rules(POD_RIGHTS)
    assert roles["rats-user"] == as_rules([*USER_RIGHTS, *DOCTOR_RIGHTS])
    assert [o["kind"] for o in objects] == [
        *("ServiceAccount", "Role", "RoleBinding", "Role", "RoleBinding")
    ]
    assert not any("namespace" in o["metadata"] for o in objects)


def test_the_version_of_argo_is_read_off_its_image() -> None:
    said = {
        "quay.io/argoproj/argoexec:v4.1.2": ("ok", "version 4.1.2"),
        "registry:5000/argoexec:v3.6.0-nonroot@sha256:00": ("ok", "version 3.6.0"),
        "argoexec:v3.5.14": ("fail", "version 3.5.14"),
        "registry:5000/argoexec": ("warn", "its version is not known"),
        "argoexec:latest": ("warn", "its version is not known"),
    }

    for image, (state, text) in said.items():
        found = argo_version(image)
        assert (found.state, found.said[: len(text)]) == (state, text), image


def test_a_pod_says_what_it_finds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--store", str(tmp_path / "store")]) == 0

    said = read(capsys.readouterr().out.splitlines())

    assert said is not None
    assert said["store"] == ""
    assert said["python"] == ".".join(map(str, sys.version_info[:2]))
    assert not list((tmp_path / "store").rglob("probe/*"))
    (tmp_path / "file").write_text("")
    assert (
        "a folder" in found_here(str(tmp_path / "file"))["store"]
        or found_here(str(tmp_path / "file"))["store"]
    )
    assert read(["kedro-rats-doctor", '{"kedro-rats-doctor": 1}']) is None


def test_a_line_says_what_to_do() -> None:
    finding = Finding("clock", "warn", "5 s behind ours", "Set it.")

    assert str(finding) == "warn  clock            5 s behind ours. Set it."
    assert finding.to_json() == {
        "check": "clock",
        "state": "warn",
        "said": "5 s behind ours",
        "remedy": "Set it.",
    }
