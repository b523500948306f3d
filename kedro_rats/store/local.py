"""A store in a folder of this machine, or of a disk that several machines share.

Nothing is ever written under the name that others read: a file is written and synced
under a name of its own, then renamed (objects) or linked (documents). Both are one step
for whoever looks, and the folder is synced before the step counts as done.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kedro_rats.encoding import canonical
from kedro_rats.errors import Breach
from kedro_rats.store import layout, staging
from kedro_rats.store.base import Sink, Store, unconditional
from kedro_rats.store.errors import (
    StoreError,
    corrupt_object,
    missing_object,
    not_a_file,
    of_os_error,
    reported,
    wrong_size,
)
from kedro_rats.store.marking import MARKER_BYTES, check_marker
from kedro_rats.store.reading import (
    changed,
    everything,
    hashed,
    is_file,
    opened,
    opened_file,
    version,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_LINKS: Final = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}

# What may be in a folder that becomes a store: ours from a start that was cut short,
# and what disks, Git and file managers put into folders.
_NEUTRAL: Final = {
    layout.STAGING,
    ".gitignore",
    ".gitkeep",
    ".DS_Store",
    "lost+found",
}


class LocalStore(Store):
    """A store in a folder.

    Folders and files in it are readable by this user only. The file system must have
    hard links, which are what makes the first record win.

    Args:
        root: The folder. It is made when something is first written.

    Attributes:
        root: The folder, absolute.

    Example:
        >>> store = LocalStore(getfixture("tmp_path") / ".rats")
        >>> digest = store.put(b"some bytes")
        >>> store.get(digest)
        b'some bytes'
        >>> store.create("runs/r1/request.json", b"1"), store.read("runs/r1/run.json")
        (True, None)
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.abspath(root))  # noqa: PTH100 - no links resolved
        self.uri = str(root)
        self._known = False
        self._prepared = False

    def __repr__(self) -> str:
        return f"LocalStore({self.uri!r})"

    def put(self, data: bytes) -> str:
        """Keep ``data``; return its digest."""
        digest = canonical.digest(data)
        with self._writing():
            target = self._object(digest)
            if not self._is_there(target, len(data)):
                with staging.new_file(self._staging) as file:
                    file.write(data)
                    file.rename(target)
        return digest

    def put_file(self, path: Path, *, move: bool = False) -> tuple[str, int]:
        """Keep a file; return its digest and size. One of the same disk may be moved."""
        with self._writing(), opened_file(path) as source:
            before = os.fstat(source)
            # A file with a second name could be changed by that name.
            if move and before.st_nlink == 1 and before.st_dev == self._device():
                digest, size = hashed(source)
                self._take(path, source, self._object(digest), size)
            else:
                digest, size = self._copy(source)
            if version(os.fstat(source)) != version(before):
                raise changed(path)
        return digest, size

    def get(self, digest: str, *, size: int | None = None) -> bytes:
        """Return an object, verified."""
        with self._reading(), self._opened_object(digest) as source:
            data = everything(source)
            found = canonical.digest(data), len(data)
            self._verify(source, digest, size, found=found)
        return data

    def has(self, digest: str, *, size: int | None = None) -> bool:
        """Say whether an object is there."""
        with self._reading():
            return is_file(self._object(digest), size)

    def create(self, key: str, data: bytes) -> bool:
        """Write a document if there is none; True for the one who did."""
        with self._writing():
            return self._create(self._path(layout.check_document(key)), data)

    def read(self, key: str) -> bytes | None:
        """Return a document, or None."""
        with self._reading():
            return self._read(layout.check_document(key))

    def keys(self, folder: str) -> list[str]:
        """Return the keys in a folder, sorted."""
        with self._reading():
            top = self._path(layout.check_key(folder))
            return sorted(
                (Path(parent) / name).relative_to(self.root).as_posix()
                for parent, _, names in os.walk(top)
                for name in names
            )

    def replace(self, key: str, data: bytes) -> None:
        """Write ``run.json`` of a run anew."""
        with self._writing():
            target = self._path(layout.check_replaceable(key))
            self._make_folder(target.parent)
            with staging.new_file(self._staging) as file:
                file.write(data)
                file.rename(target)

    def probe(self) -> None:
        """Check that the store can be written and has hard links."""
        # In a folder that is locked: others sweep away what seems to be left behind.
        with self._writing(), staging.new_folder(self._staging) as folder:
            path = folder / "probe"
            if not self._create(path, b"1") or self._create(path, b"2"):
                raise unconditional(self.uri)

    @contextlib.contextmanager
    def staged(self) -> Iterator[Path]:
        """Make a private folder on the store's disk, removed at the end."""
        with contextlib.ExitStack() as stack:
            with self._writing():
                folder = stack.enter_context(staging.new_folder(self._staging))
            yield folder

    def _deliver(self, digest: str, target: Sink, *, size: int | None) -> None:
        with self._reading(), self._opened_object(digest) as source:
            found = hashed(source, target)
            self._verify(source, digest, size, found=found)

    @property
    def _staging(self) -> Path:
        return self.root / layout.STAGING

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        with reported(f"store {self.uri!r}"):
            if not self._known:
                self._known = check_marker(self.uri, self._read(layout.MARKER))
            yield

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        with self._reading():
            if not self._prepared:
                self._prepare()
                self._prepared = True
            yield

    def _prepare(self) -> None:
        """Make the folder a store, and sweep what killed processes left in it."""
        if not self._known:
            self._refuse_foreign()
            self.root.parent.mkdir(parents=True, exist_ok=True)
        self._path(f"{layout.STAGING}/any")
        self._make_folder(self._staging)
        if not self._known:
            self._create(self.root / layout.MARKER, MARKER_BYTES)
            self._create(self.root / ".gitignore", b"*\n")
            self._known = check_marker(self.uri, self._read(layout.MARKER))
        staging.sweep(self._staging)

    def _refuse_foreign(self) -> None:
        if not self.root.is_dir():
            return
        with os.scandir(self.root) as entries:
            foreign = sorted(e.name for e in entries if e.name not in _NEUTRAL)
        # Unless somebody else has just made it a store.
        if foreign and self._read(layout.MARKER) is None:
            raise StoreError(
                Breach(
                    f"store {self.uri!r}",
                    "a folder that is new, empty or a store",
                    f"one with other files ({foreign[0]!r})",
                    "Give the store a folder of its own.",
                )
            )

    def _path(self, key: str) -> Path:
        """Return the path of a key, unless a link on the way may lead elsewhere."""
        path = self.root
        for part in key.split("/")[:-1]:
            path /= part
            if path.is_symlink():
                raise of_os_error(
                    OSError(errno.ELOOP, ""), f"store {self.uri!r}, {str(path)!r}"
                )
        return self.root / key

    def _object(self, digest: str) -> Path:
        return self._path(layout.object_key(digest))

    def _make_folder(self, folder: Path) -> None:
        """Make a folder of the store and those above it, private and for good."""
        staging.make_folder(folder, private=True, top=self.root)

    def _create(self, target: Path, data: bytes) -> bool:
        self._make_folder(target.parent)
        with staging.new_file(self._staging) as file:
            file.write(data)
            try:
                return file.link(target)
            except OSError as error:
                if error.errno in _NO_LINKS:
                    raise _no_links(self.uri) from error
                raise

    def _read(self, key: str) -> bytes | None:
        try:
            with opened(self._path(key)) as source:
                return everything(source)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _is_there(self, target: Path, size: int) -> bool:
        """Say whether an object is there, and see to it that its name is for good."""
        if not is_file(target, size):
            self._make_folder(target.parent)
            return False
        # Whoever wrote it may be about to sync the folder; we must not rely on that.
        staging.sync_folder(target.parent)
        return True

    def _copy(self, source: int) -> tuple[str, int]:
        with staging.new_file(self._staging) as file:
            digest, size = hashed(source, file)
            target = self._object(digest)
            if not self._is_there(target, size):
                file.rename(target)
        return digest, size

    def _take(self, path: Path, descriptor: int, target: Path, size: int) -> None:
        if self._is_there(target, size):
            path.unlink()
            return
        staging.make_private(descriptor)
        os.fsync(descriptor)
        path.replace(target)
        staging.sync_folder(target.parent)

    def _device(self) -> int:
        return self._staging.stat().st_dev

    @contextlib.contextmanager
    def _opened_object(self, digest: str) -> Iterator[int]:
        path = self._object(digest)
        try:
            stack = contextlib.ExitStack()
            source = stack.enter_context(opened(path))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise missing_object(self.uri, digest) from error
        with stack:
            if not stat.S_ISREG(os.fstat(source).st_mode):
                raise not_a_file(path)
            yield source

    def _verify(
        self, source: int, digest: str, size: int | None, *, found: tuple[str, int]
    ) -> None:
        if found[0] != digest:
            aside = self._set_aside(source, digest)
            raise corrupt_object(self.uri, digest, found, aside=aside)
        if size not in (None, found[1]):
            raise wrong_size(self.uri, digest, expected=size, got=found[1])

    def _set_aside(self, source: int, digest: str) -> bool:
        """Take a corrupt object away, unless it was repaired since it was read."""
        path, aside = self._object(digest), self._staging / f"corrupt-{digest}"
        try:
            path.replace(aside)
            if not os.path.samestat(aside.stat(), os.fstat(source)):
                aside.replace(path)
            staging.sync_folder(path.parent)
        except OSError:
            # Read-only, or somebody else was faster.
            return not path.exists()
        return True


def _no_links(uri: str) -> StoreError:
    return StoreError(
        Breach(
            f"store {uri!r}",
            "a file system with hard links, which make the first record win",
            "one without",
            "Put the store on another disk, or on S3.",
        )
    )
