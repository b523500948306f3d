"""The volumes of a pod, and where they are mounted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hera.workflows import models


@dataclass(frozen=True, slots=True)
class Volumes:
    """Volumes and mounts, in the order in which they were added.

    Attributes:
        volumes: By what they hold; one volume may be mounted twice.
        mounts: By folder.
    """

    volumes: list[models.Volume] = field(default_factory=list)
    mounts: list[models.VolumeMount] = field(default_factory=list)

    def holds(self, folder: str) -> bool:
        """Say whether something is mounted at a folder, or above it."""
        return any(
            folder == mount.mount_path or folder.startswith(f"{mount.mount_path}/")
            for mount in self.mounts
        )

    def add(self, folder: str, said: Mapping[str, Any]) -> None:
        """Add what a binding says of a folder.

        Args:
            folder: Where it is mounted.
            said: As a plan says it: a secret, a config map, a claim or scratch.
        """
        from hera.workflows import models

        if "secret" in said:
            source = models.SecretVolumeSource(
                secret_name=said["secret"],
                items=_items(said),
                default_mode=_mode(said),
                optional=said.get("optional"),
            )
            self._mount(folder, {"secret": source}, read_only=True)
        elif "config_map" in said:
            held = models.ConfigMapVolumeSource(
                name=said["config_map"],
                items=_items(said),
                default_mode=_mode(said),
                optional=said.get("optional"),
            )
            self._mount(folder, {"config_map": held}, read_only=True)
        elif "claim" in said:
            read_only = said.get("read_only")
            claim = models.PersistentVolumeClaimVolumeSource(
                claim_name=said["claim"], read_only=read_only
            )
            self._mount(
                folder,
                {"persistent_volume_claim": claim},
                read_only=read_only,
                sub_path=said.get("sub_path"),
            )
        else:
            self.add_empty(folder, size=said["scratch"], medium=said.get("medium"))

    def add_empty(
        self,
        folder: str,
        *,
        size: str | None = None,
        medium: str | None = None,
        read_only: bool | None = None,
    ) -> None:
        """Add a folder that is empty at the start and gone at the end."""
        from hera.workflows import models

        source = models.EmptyDirVolumeSource(
            size_limit=models.Quantity(root=size) if size else None,
            medium="Memory" if medium == "memory" else None,
        )
        self._mount(folder, {"empty_dir": source}, read_only=read_only)

    def _mount(
        self,
        folder: str,
        source: Mapping[str, Any],
        *,
        read_only: bool | None = None,
        sub_path: str | None = None,
    ) -> None:
        from hera.workflows import models

        name = f"v{len(self.volumes)}"
        self.volumes.append(models.Volume(name=name, **source))
        self.mounts.append(
            models.VolumeMount(
                name=name,
                mount_path=folder,
                read_only=read_only or None,
                sub_path=sub_path,
            )
        )


def _items(said: Mapping[str, Any]) -> list[models.KeyToPath] | None:
    from hera.workflows import models

    items = said.get("items", {})
    return [models.KeyToPath(key=k, path=p) for p, k in sorted(items.items())] or None


def _mode(said: Mapping[str, Any]) -> int | None:
    mode = said.get("mode")
    return int(mode, 8) if mode else None
