"""From a placement to the template of a pod: image, machine, variables, volumes, rights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kedro_rats.engines.argo.translation.retrying import retry_strategy
from kedro_rats.engines.argo.translation.volumes import Volumes
from kedro_rats.engines.execution import containers, results

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hera.workflows import Container, models

    from kedro_rats.engines.argo.settings import ArgoSettings

RESULTS: Final = "/kedro-rats/results"
"""The folder of small results that become artifacts of Argo."""

LAST_WORDS: Final = "/dev/termination-log"
"""Where Kubernetes reads what a container says at its end."""

RESERVED_VARIABLES: Final = ("KEDRO_RATS_", "ARGO_")
RESERVED_FOLDERS: Final = ("/kedro-rats", "/var/run/argo", "/mainctrfs")
"""Folders that kedro-rats and Argo have for themselves."""

_TOKEN: Final = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a folder
_TMP: Final = "/tmp"  # noqa: S108 - the container's own


def pod_template(
    name: str,
    placement: Mapping[str, Any],
    command: Sequence[str],
    settings: ArgoSettings,
) -> dict[str, Any]:
    """Return the template of a pod as JSON.

    Args:
        name: The template's name.
        placement: Where it runs, as a plan says it.
        command: What it runs.
        settings: Of the engine.
    """
    built = container(name, placement, command, settings)._build_template()
    found: dict[str, Any] = built.model_dump(
        mode="json", by_alias=True, exclude_none=True
    )
    return found


def container(
    name: str,
    placement: Mapping[str, Any],
    command: Sequence[str],
    settings: ArgoSettings,
    *,
    memory: str | None = None,
    **more: Any,
) -> Container:
    """Return Hera's container of a placement.

    Args:
        name: The template's name.
        placement: Where it runs, as a plan says it.
        command: What it runs.
        settings: Of the engine.
        memory: In place of the placement's: a step of its ladder.
        more: Further fields of the container.
    """
    from hera.workflows import Container

    image = placement.get("image", {})
    resources = placement.get("resources", {})
    volumes = _volumes(placement.get("bind", {}), settings)
    return Container(
        name=name,
        image=image.get("ref"),
        image_pull_policy=image.get("pull"),
        command=list(command),
        env=_env(placement.get("bind", {}), settings),
        env_from=_env_from(placement.get("bind", {})),
        resources=_machine(resources, memory),
        volumes=volumes.volumes,
        volume_mounts=volumes.mounts,
        node_selector=dict(resources.get("node_selector", {})) or None,
        tolerations=_tolerations(resources),
        affinity=_affinity(resources),
        scheduler_name=resources.get("scheduler"),
        priority_class_name=resources.get("priority"),
        security_context=_confined(),
        active_deadline_seconds=_seconds(placement.get("policy", {})),
        retry_strategy=retry_strategy(placement.get("policy", {}), settings),
        **more,
    )


def pod_security(settings: ArgoSettings) -> models.PodSecurityContext:
    """Return what all containers of a pod are held to, Argo's own included."""
    from hera.workflows import models

    return models.PodSecurityContext(
        run_as_non_root=True,
        run_as_user=settings.run_as_user,
        # Claims and secret files belong to root; of this group the user is a member.
        fs_group=settings.run_as_user,
        fs_group_change_policy="OnRootMismatch" if settings.run_as_user else None,
        seccomp_profile=models.SeccompProfile(type="RuntimeDefault"),
    )


def _confined() -> models.SecurityContext:
    from hera.workflows import models

    return models.SecurityContext(
        allow_privilege_escalation=False,
        capabilities=models.Capabilities(drop=["ALL"]),
    )


def artifacts(settings: ArgoSettings) -> list[models.Artifact] | None:
    """Return the artifacts that a pod leaves: a folder of small results, if there is one."""
    from hera.workflows import models

    if not settings.artifacts:
        return None
    results = models.Artifact(
        name="results",
        path=RESULTS,
        optional=True,
        # As it is, so that Argo's own pages show what is in it.
        archive=models.ArchiveStrategy(none=models.NoneStrategy()),
    )
    return [results]


def queue_labels(
    placement: Mapping[str, Any], settings: ArgoSettings
) -> dict[str, str]:
    """Return the labels of a pod that its placement asks for."""
    queue = placement.get("resources", {}).get("queue")
    return {settings.queue_label: queue} if queue else {}


# --- machine --------------------------------------------------------------------------


def _machine(
    resources: Mapping[str, Any], memory: str | None
) -> models.ResourceRequirements | None:
    """Return what is asked for, and what is the most; cpu has no limit of its own."""
    from hera.workflows import models

    limits = resources.get("limits", {})
    asked = {
        "cpu": resources.get("cpu"),
        "memory": memory or resources.get("memory"),
        "ephemeral-storage": resources.get("disk"),
    }
    most = {
        "cpu": limits.get("cpu"),
        "memory": memory or limits.get("memory") or resources.get("memory"),
        "ephemeral-storage": limits.get("disk") or resources.get("disk"),
        **_devices(resources),
    }
    requests, ends = _quantities(asked), _quantities(most)
    if not requests and not ends:
        return None
    return models.ResourceRequirements(requests=requests, limits=ends)


def _devices(resources: Mapping[str, Any]) -> dict[str, str]:
    devices = {name: str(n) for name, n in resources.get("extended", {}).items()}
    gpu = resources.get("gpu", {})
    if gpu.get("count"):
        devices[gpu.get("resource", "nvidia.com/gpu")] = str(gpu["count"])
    return devices


def _quantities(said: Mapping[str, str | None]) -> dict[str, models.Quantity] | None:
    from hera.workflows import models

    found = {k: models.Quantity(root=v) for k, v in sorted(said.items()) if v}
    return found or None


def _tolerations(resources: Mapping[str, Any]) -> list[models.Toleration] | None:
    from hera.workflows import models

    return [
        models.Toleration(
            key=said.get("key"),
            operator=said.get("operator"),
            value=said.get("value"),
            effect=said.get("effect"),
            toleration_seconds=said.get("seconds"),
        )
        for said in resources.get("tolerations", [])
    ] or None


def _affinity(resources: Mapping[str, Any]) -> models.Affinity | None:
    from hera.workflows import models

    said = resources.get("affinity")
    return models.Affinity.model_validate(said) if said else None


def _seconds(policy: Mapping[str, Any]) -> int | None:
    """Return the seconds of one attempt: no more than all of them together."""
    found = [policy[name] for name in ("timeout", "deadline") if name in policy]
    return min(found, default=None)


# --- variables and volumes ------------------------------------------------------------


def _env(bind: Mapping[str, Any], settings: ArgoSettings) -> list[models.EnvVar]:
    from hera.workflows import models

    found = [_variable(name, said) for name, said in bind.get("env", {}).items()]
    ours = {containers.LAST_WORDS: LAST_WORDS}
    if settings.artifacts:
        ours[results.VARIABLE] = RESULTS
    return [*found, *(models.EnvVar(name=k, value=v) for k, v in ours.items())]


def _variable(name: str, said: Mapping[str, Any]) -> models.EnvVar:
    from hera.workflows import models

    if "value" in said:
        return models.EnvVar(name=name, value=said["value"])
    optional = said.get("optional")
    if "secret" in said:
        source = models.EnvVarSource(
            secret_key_ref=models.SecretKeySelector(
                name=said["secret"], key=said["key"], optional=optional
            )
        )
    else:
        source = models.EnvVarSource(
            config_map_key_ref=models.ConfigMapKeySelector(
                name=said["config_map"], key=said["key"], optional=optional
            )
        )
    return models.EnvVar(name=name, value_from=source)


def _env_from(bind: Mapping[str, Any]) -> list[models.EnvFromSource] | None:
    from hera.workflows import models

    found = []
    for said in bind.get("env_from", []):
        optional, prefix = said.get("optional"), said.get("prefix")
        if "secret" in said:
            secret = models.SecretEnvSource(name=said["secret"], optional=optional)
            found.append(models.EnvFromSource(prefix=prefix, secret_ref=secret))
        else:
            held = models.ConfigMapEnvSource(name=said["config_map"], optional=optional)
            found.append(models.EnvFromSource(prefix=prefix, config_map_ref=held))
    return found or None


def _volumes(bind: Mapping[str, Any], settings: ArgoSettings) -> Volumes:
    volumes = Volumes()
    for folder, said in bind.get("mounts", {}).items():
        volumes.add(folder, said)
    if not volumes.holds(_TMP):
        volumes.add_empty(_TMP)
    if not settings.api_token:
        # A folder that is mounted here is not hidden by the token: only Argo's own
        # containers, which need it, are given it.
        volumes.add_empty(_TOKEN, read_only=True)
    if settings.artifacts:
        volumes.add_empty(RESULTS.rpartition("/")[0])
    return volumes
