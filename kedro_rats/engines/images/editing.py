"""Writes the name of an image into a ``rats.yml``, and leaves every other byte alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml  # type: ignore[import-untyped]

from kedro_rats.errors import Breach, RatsError

if TYPE_CHECKING:
    from pathlib import Path

_STEP: Final = 2


def write_ref(file: Path, profile: str, ref: str) -> bool:
    """Write the ``ref`` of an image into a file, which is made if there is none.

    Args:
        file: A ``rats.yml``.
        profile: Name of the image in it.
        ref: What it refers to.

    Returns:
        Whether the file has changed.

    Raises:
        RatsError: If that cannot be done without changing something else.
    """
    before = ""
    if file.exists():
        with file.open(encoding="utf-8", newline="") as opened:
            before = opened.read()
    after = with_ref(before, profile, ref)
    if after is None:
        breach = Breach(
            str(file),
            f"a place for the ref of image {profile!r}",
            "YAML that this command cannot change without changing more",
            f"Write it there: image: {{{profile}: {{ref: {ref}}}}}",
        )
        raise RatsError(str(breach))
    if after == before:
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as opened:
        opened.write(after)
    return True


def has_images(file: Path) -> bool:
    """Say whether a file says something of images."""
    try:
        found = _loaded(file.read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return False
    return isinstance(found, dict) and "image" in found


def with_ref(text: str, profile: str, ref: str) -> str | None:
    r"""Return a text of YAML in which an image has this ref; None if it cannot be put in.

    Example:
        >>> print(with_ref("image:\n  # ours\n  slim: app:1  # old\n", "slim", "app:2"))
        image:
          # ours
          slim: app:2  # old
        <BLANKLINE>
    """
    try:
        was, root = _loaded(text), yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    images = was.get("image") if isinstance(was, dict) else was
    if images is not None and not isinstance(images, dict):
        return None
    after = _edited(text, root, profile, ref)
    # Anchors, duplicate keys and the like: only what does no more than it should.
    try:
        now = _loaded(after)
    except yaml.YAMLError:
        return None
    return after if now == _expected(was or {}, profile, ref) else None


def _loaded(text: str) -> Any:
    return yaml.safe_load(text)


def _expected(was: dict[str, Any], profile: str, ref: str) -> dict[str, Any]:
    images = was.get("image") or {}
    image = images.get(profile)
    kept = image if isinstance(image, dict) else None
    new = {**kept, "ref": ref} if kept is not None else ref
    if image is None:
        new = {"ref": ref}
    return {**was, "image": {**images, profile: new}}


def _edited(text: str, root: Any, profile: str, ref: str) -> str:
    """Return the text with the ref, at the innermost place that is there."""
    image = _value(root, "image")
    known = _value(image, profile)
    line = "\r\n" if "\r\n" in text else "\n"
    if _is_mapping(known):
        old = _value(known, "ref")
        if old is not None:
            return _replaced(text, old, ref)
        return _inserted(text, known, f"ref: {ref}", line)
    if known is not None and not _is_null(known):
        return _replaced(text, known, ref)
    if known is not None:
        return _replaced(text, known, f"{{ref: {ref}}}")
    if image is not None:
        return _added(text, image, profile, ref, line)
    if root is not None and root.flow_style:
        return _inserted(text, root, f"image: {{{profile}: {{ref: {ref}}}}}", line)
    gap = "" if not text or text.endswith(("\n", "\r")) else line
    more = line if text else ""
    return f"{text}{gap}{more}image:{line}  {profile}:{line}    ref: {ref}{line}"


def _added(text: str, image: Any, profile: str, ref: str, line: str) -> str:
    """Return the text with another image, with its ref."""
    if _is_null(image):
        return _replaced(text, image, f"{{{profile}: {{ref: {ref}}}}}")
    said = f"{profile}: {{ref: {ref}}}"
    if not image.flow_style:
        said = f"{profile}:{line}{' ' * (_column(image) + _STEP)}ref: {ref}"
    return _inserted(text, image, said, line)


def _value(mapping: Any, key: str) -> Any:
    if not _is_mapping(mapping):
        return None
    found = [value for name, value in mapping.value if name.value == key]
    return found[-1] if found else None


def _is_mapping(node: Any) -> bool:
    return isinstance(node, yaml.MappingNode)


def _is_null(node: Any) -> bool:
    return bool(node.tag == "tag:yaml.org,2002:null")


def _column(mapping: Any) -> int:
    return int(mapping.value[0][0].start_mark.column)


def _replaced(text: str, node: Any, new: str) -> str:
    start, end = node.start_mark.index, node.end_mark.index
    # A key without a value ends right after its colon.
    blank = "" if start == 0 or text[start - 1] in " \t" else " "
    return f"{text[:start]}{blank}{new}{text[end:]}"


def _inserted(text: str, mapping: Any, new: str, line: str) -> str:
    """Return the text with a new first entry of a mapping."""
    if mapping.flow_style:
        at = mapping.start_mark.index + 1
        comma = ", " if mapping.value else ""
        return f"{text[:at]}{new}{comma}{text[at:]}"
    at = mapping.value[0][0].start_mark.index
    return f"{text[:at]}{new}{line}{' ' * _column(mapping)}{text[at:]}"
