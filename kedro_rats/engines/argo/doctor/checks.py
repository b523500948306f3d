"""Looks at all that a run on a cluster needs, before one fails for want of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from kedro_rats.engines.argo.cluster.client import Cluster, ClusterError
from kedro_rats.engines.argo.doctor import cluster as doctor_cluster
from kedro_rats.engines.argo.doctor import rights as doctor_rights
from kedro_rats.engines.argo.doctor.findings import Finding
from kedro_rats.engines.argo.doctor.pods import Asked, Pace, pods, remove_object
from kedro_rats.engines.argo.doctor.workflow import looked_at
from kedro_rats.errors import RatsError, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kedro_rats.engines.argo.settings import ArgoSettings
    from kedro_rats.placement.settings import Settings
    from kedro_rats.store.base import Store


EXAMPLE_STORE: Final = "s3://my-bucket/"
"""Where the files that `kedro rats init` makes have their data until they are filled in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What is looked at.

    Attributes:
        settings: What ``rats.yml`` says.
        argo: What it says of this engine.
        store: The store.
        version: Of kedro-rats here.
        env: Kedro's environment, for the commands that remedies name.
        pod: Whether pods are run.
        seconds: How long they may take.
        pace: How often they are looked at.
        forget: Removes an object of S3 that Argo has made; says if it is gone.
    """

    settings: Settings
    argo: ArgoSettings
    store: Store
    version: str
    env: str | None = None
    pod: bool = True
    seconds: int = 120
    pace: Pace = field(default_factory=Pace)
    forget: Callable[[str], bool] = remove_object


def examine(patient: Patient) -> Iterator[Finding]:
    """Yield what is found, as it is found.

    Nothing is left behind, whatever happens.
    """
    yield _store(patient.store)
    yield _images(patient)
    try:
        cluster = Cluster.connect(
            namespace=patient.argo.namespace, context=patient.argo.context
        )
        greeting = doctor_cluster.greeted(cluster)
    except RatsError as error:
        yield Finding("kubernetes", "fail", str(error))
        return
    version = greeting.version.removeprefix("v")
    yield Finding("kubernetes", "ok", f"version {version} at {cluster.host}")
    yield doctor_cluster.clock(greeting.apart)
    try:
        yield from _in_cluster(cluster, patient)
    except ClusterError as error:
        yield Finding("kubernetes", "fail", str(error))


def _in_cluster(cluster: Cluster, patient: Patient) -> Iterator[Finding]:
    hindered = False
    place = doctor_cluster.namespace(cluster)
    yield place
    for finding in doctor_cluster.argo(cluster):
        hindered |= finding.state == "fail"
        yield finding
    rights = doctor_rights.user_rights(cluster)
    yield rights
    if place.state == "fail":
        return
    for finding in doctor_rights.account(cluster, patient.argo.service_account):
        # Without them a workflow would only hang.
        hindered |= finding.state == "fail"
        yield finding
    images = looked_at(patient.settings)
    if not patient.pod or not images:
        return
    if hindered or rights.state == "fail":
        said = "no pod was run: what is wrong above would make it fail"
        yield Finding("pods", "warn", said, "Mend that, and run the command again.")
        return
    asked = Asked(
        images=images,
        settings=patient.argo,
        store=patient.store.uri,
        version=patient.version,
        seconds=patient.seconds,
        pace=patient.pace,
        forget=patient.forget,
    )
    yield from pods(cluster, asked)


def _store(store: Store) -> Finding:
    check = "store from here"
    if store.uri.startswith(EXAMPLE_STORE):
        said = f"{store.uri} is still the example, and may be somebody's"
        remedy = "Fill in globals.yml of this environment: a bucket of your own."
        return Finding(check, "fail", said, remedy)
    try:
        store.probe()
    except RatsError as error:
        return Finding(check, "fail", str(error))
    if not store.uri.startswith("s3://"):
        said = f"{store.uri!r} is a folder, which pods do not reach"
        remedy = "Set store to s3://BUCKET/PREFIX in the rats.yml of this environment."
        return Finding(check, "fail", said, remedy)
    return Finding(check, "ok", f"{store.uri}: only the first to create wins")


def _images(patient: Patient) -> Finding:
    images = patient.settings.profiles.get("image", {})
    unbuilt = [name for name, image in images.items() if not image.get("ref")]
    env = f" --env={patient.env}" if patient.env else ""
    remedy = f"`kedro rats build{env}` builds and names them."
    if unbuilt:
        said = f"not built yet: {listed(unbuilt)}"
        return Finding("images", "fail", said, remedy)
    if not images:
        said = "rats.yml names none, and every node of a cluster needs one"
        return Finding(
            "images", "fail", said, f"`kedro rats init --argo`, then {remedy}"
        )
    return Finding(
        "images", "ok", listed(dict.fromkeys(i["ref"] for i in images.values()))
    )
