"""Why a task does not start or has failed: read off what a real cluster has said."""

from __future__ import annotations

import pytest
from pipelines.recordings import FOLDER, plan_of_one, recorded, seen, seen_task

from kedro_rats.engines.argo.progress.causes import of_exit_code, why_ended
from kedro_rats.engines.argo.progress.not_started import why_pending

# Situation: state of the task, kind and exit code of its cause, words of it.
EXPECTED = {
    "succeeded": ("done", None, None, ""),
    "exit-1": ("failed", "exit", 1, "a node, a hook or a dataset raised"),
    "exit-2": ("failed", "lost", 75, "before the task began"),
    "exit-75-retried": ("failed", "exit", 75, "could not be reached or written"),
    "exit-75-retrying": ("retrying", "exit", 75, "could not be reached or written"),
    "exit-1-in-backoff": ("failed", "exit", 1, "a node, a hook or a dataset raised"),
    "exit-143": ("failed", "exit", 143, "killed by SIGTERM"),
    "killed": ("failed", "exit", 137, "killed by SIGKILL"),
    "segfault": ("failed", "exit", 139, "killed by SIGSEGV"),
    "out-of-memory": ("failed", "memory", 137, "out of memory: it was killed at its"),
    "ladder": ("done", None, None, ""),
    "ladder-too-low": ("failed", "memory", 137, "out of memory"),
    "ladder-not-needed": ("done", None, None, ""),
    "no-such-command": ("failed", "image", None, "its image cannot run tasks: main: "),
    "timeout": ("failed", "time", None, "its time was over"),
    "deleted": ("failed", "lost", 75, "its pod was deleted"),
    "deleted-retried": ("done", None, None, ""),
    "stopped": ("stopped", "stopped", None, "the workflow was stopped"),
    "evicted": ("failed", "lost", 75, "evicted: Pod ephemeral local storage usage"),
    "no-service-account": ("failed", "refused", None, 'serviceaccount "watching-nope"'),
    "no-rights": ("failed", "refused", None, 'cannot create resource "workflowtaskr'),
    "image-missing": (
        "pending",
        "image",
        None,
        "its image cannot be pulled: failed to",
    ),
    "image-never": ("pending", "image", None, "its image is not on the machine: Cont"),
    "image-invalid": ("pending", "image", None, "its image has no valid name: Failed"),
    "unschedulable": (
        "pending",
        "unschedulable",
        None,
        "didn't match Pod's node affin",
    ),
    "too-much-cpu": ("pending", "unschedulable", None, "1 Insufficient cpu."),
    "quota": ("pending", "unschedulable", None, "quota: watching-quota, requested"),
    "volume-not-ready": ("pending", "delayed", None, "/watching is not a directory"),
    "gated": ("pending", "queued", None, "it waits in a queue: Scheduling is blocked"),
    "secret-missing": ("pending", "config", None, 'secret "watching-nope" not found'),
    "config-map-missing": (
        "pending",
        "config",
        None,
        'configmap "watching-nope" not fo',
    ),
    "secret-file-missing": (
        "pending",
        "config",
        None,
        'secret "watching-nope" not foun',
    ),
}


def test_bad_input_is_what_our_process_calls_so() -> None:
    ours = why_ended("main: Error (exit code 2): bad-input", code="2")
    early = why_ended("main: Error (exit code 2)", code="2")

    assert (ours.code, ours.is_final) == (2, True)
    assert (early.kind, early.is_final) == ("lost", False)


def test_every_recorded_situation_is_expected_to_mean_something() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == EXPECTED.keys()


@pytest.mark.parametrize("situation", EXPECTED)
def test_a_situation_is_said_in_words(situation: str) -> None:
    state, kind, code, words = EXPECTED[situation]

    task = seen_task(situation)

    assert (task.state, task.kind, task.code) == (state, kind, code)
    assert words in (task.cause or "")
    assert "\n" not in (task.cause or "")


@pytest.mark.parametrize(
    "situation",
    sorted(EXPECTED.keys() - {"secret-file-missing", "volume-not-ready", "gated"}),
)
def test_a_workflow_alone_says_as_much_once_its_pods_are_gone(situation: str) -> None:
    task = seen_task(situation, pods=False)

    # Argo's words need not be the pod's: "ErrImagePull" comes and goes.
    assert (task.state, task.kind, task.code) == EXPECTED[situation][:3]


def test_a_missing_secret_that_is_mounted_is_known_from_events_alone() -> None:
    assert seen_task("secret-file-missing", events=False).kind is None
    assert seen_task("secret-file-missing").kind == "config"


def test_out_of_memory_names_the_limit() -> None:
    plan = plan_of_one(resources={"memory": "48Mi"})
    cause = seen_task("out-of-memory", plan).cause or ""

    assert "at its limit of 48Mi" in cause
    assert "memory_ladder" in cause


def test_on_a_ladder_the_limit_is_that_of_the_last_step() -> None:
    policy = {"memory_ladder": ["32Mi", "64Mi"]}
    plan = plan_of_one(resources={"memory": "48Mi"}, policy=policy)

    assert "at its limit of 64Mi" in (seen_task("ladder-too-low", plan).cause or "")


def test_a_pod_that_is_killed_for_its_time_is_not_one_that_was_killed() -> None:
    # Kubernetes kills it with SIGKILL: what it says counts, not the exit code.
    message = "Pod was active on the node longer than the specified deadline"

    assert why_ended(message, code="137").kind == "time"


def test_an_eviction_in_unknown_words_is_known_by_the_pods_reason() -> None:
    pod = {"status": {"reason": "Evicted"}}

    assert why_ended("The kubelet had enough", pod=pod).kind == "lost"
    assert why_ended("The kubelet had enough").kind == "exit"


def test_a_container_that_is_being_made_is_nothing_to_worry_about() -> None:
    found = why_pending("PodInitializing")

    assert found is not None
    assert found.kind == "starting"
    assert seen("secret-file-missing", events=False).stuck == ()


_MOUNT = 'MountVolume.SetUp failed for volume "data" : '


def event(reason: str, message: str = "") -> dict[str, str]:
    return {"reason": reason, "message": message}


@pytest.mark.parametrize(
    "message",
    [
        'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) b',
        _MOUNT + "failed to sync secret cache: timed out waiting for the condition",
        _MOUNT + "driver name ebs.csi.aws.com not found in the list of registered "
        "CSI drivers",
    ],
)
def test_a_volume_that_is_not_ready_may_still_come(message: str) -> None:
    for reason in ("FailedMount", "FailedAttachVolume"):
        found = why_pending("PodInitializing", events=[event(reason, message)])

        assert found is not None
        assert found.kind == "delayed"
        assert message[:40] in found.text


@pytest.mark.parametrize("what", ["secret", "configmap", "persistentvolumeclaim"])
def test_a_volume_of_something_that_is_not_there_will_not_come(what: str) -> None:
    said = event("FailedMount", f'{_MOUNT}{what} "nope" not found')

    found = why_pending("PodInitializing", events=[said])

    assert found is not None
    assert found.kind == "config"


def test_a_volume_that_came_after_all_is_no_reason_any_more() -> None:
    failed = event("FailedMount", f'{_MOUNT}secret "late" not found')
    pulling = event("Pulling", 'Pulling image "large:1"')

    found = why_pending("PodInitializing", events=[pulling, failed])

    assert found is not None
    assert found.kind == "starting"
    assert why_pending("PodInitializing", events=[failed, pulling]).kind == "config"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "message",
    [
        "dial tcp 10.0.0.1:443: i/o timeout",
        "toomanyrequests: You have reached your pull rate limit",
        "unexpected status from HEAD request: 503 Service Unavailable",
        "net/http: TLS handshake timeout",
        "read tcp: connection reset by peer",
        "pull QPS exceeded",
    ],
)
def test_a_registry_that_is_too_busy_may_answer_later(message: str) -> None:
    full = f'Back-off pulling image "x:1": ErrImagePull: {message}'
    found = why_pending(f"ImagePullBackOff: {full}")

    assert found is not None
    assert found.kind == "delayed"
    assert found.text == f"its image cannot be pulled: {message}"


@pytest.mark.parametrize(
    "message",
    [
        "x:500: not found",
        "pull access denied, repository does not exist or may require authorization",
        "dial tcp: lookup registry.nope: no such host",
        "401 Unauthorized",
    ],
)
def test_an_image_that_is_not_there_will_not_come(message: str) -> None:
    found = why_pending(f"ErrImagePull: {message}")

    assert found is not None
    assert found.kind == "image"


def test_before_kubernetes_1_31_events_alone_say_why_an_image_is_not_pulled() -> None:
    short = 'Back-off pulling image "x:1"'
    waiting = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": short}}}
    pod = {"status": {"containerStatuses": [waiting]}}
    failed = event("Failed", 'Failed to pull image "x:1": dial tcp: i/o timeout')
    noise = event("BackOff", short), event("Failed", "Error: ImagePullBackOff")

    found = why_pending("", pod, [*noise, failed])

    assert found is not None
    assert (found.kind, found.text) == (
        "delayed",
        "its image cannot be pulled: dial tcp: i/o timeout",
    )
    assert why_pending("", pod).kind == "image"  # type: ignore[union-attr]


def test_a_used_up_quota_is_said_and_may_get_free() -> None:
    message = (
        'pods "w-c0-1" is forbidden: exceeded quota: team, requested: memory=64Gi, '
        "used: memory=0, limited: memory=32Gi"
    )

    found = why_pending(message)

    assert found is not None
    assert found.kind == "unschedulable"
    assert "limited: memory=32Gi. Ask for less" in str(found)


def test_a_process_that_found_no_memory_itself_was_not_killed() -> None:
    # 137 is also what a process ends with that raised a MemoryError: its last words.
    found = why_ended("main: Error (exit code 137): out-of-memory", code="137")

    assert (found.kind, found.code) == ("memory", 137)
    assert why_ended("main: Error (exit code 137)", code="137").kind == "exit"


def test_fixed_last_words_are_not_shown() -> None:
    found = why_ended("main: Error (exit code 1): user-error", code="1")

    assert found.text == "a node, a hook or a dataset raised (exit code 1)"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("Error (exit code 1): user-error", "1"),
        ("Error (exit code 2)", "2"),
        ("Error (exit code 2): bad-input", "2"),
        ("Error (exit code 137): out-of-memory", "137"),
        ("OOMKilled (exit code 137)", "137"),
        ("Error (exit code 42)", "42"),
    ],
)
def test_argo_3_6_names_no_container(message: str, code: str) -> None:
    assert why_ended(message, code=code) == why_ended(f"main: {message}", code=code)
    # One of Argo's own: what it says is shown.
    if "OOM" not in message and "out-of-memory" not in message:
        assert why_ended(message, code=code, phase="Error").text == message


def test_an_unknown_exit_code_is_said_as_it_is() -> None:
    assert of_exit_code(42, "main: Error (exit code 42)").text == "Error (exit code 42)"
    assert of_exit_code(42).code == 42


@pytest.mark.parametrize("words", ["x" * 5000, "a\nb\n" * 900])
def test_what_a_cluster_says_stays_one_short_line(words: str) -> None:
    for cause in (why_ended(words), why_pending(f"ErrImagePull: {words}")):
        assert cause is not None
        assert len(str(cause)) < 500
        assert "\n" not in str(cause)


def test_recordings_have_no_secrets() -> None:
    for path in FOLDER.glob("*.json"):
        text = path.read_text()
        assert "rats-test-secret" not in text
        assert "Bearer" not in text
    assert recorded("succeeded")["workflow"]["status"]["phase"] == "Succeeded"
