"""The name of an image is written into a file of people, and nothing else changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kedro_rats.engines.images.editing import with_ref, write_ref
from kedro_rats.errors import RatsError

if TYPE_CHECKING:
    from pathlib import Path

REF = "localhost:5000/app:0a1b@sha256:" + "f" * 64

CASES = {
    "no file yet": ("", f"image:\n  slim:\n    ref: {REF}\n"),
    "only comments": ("# ours\n", f"# ours\n\nimage:\n  slim:\n    ref: {REF}\n"),
    "no image": (
        "store: .rats  # here",
        f"store: .rats  # here\n\nimage:\n  slim:\n    ref: {REF}\n",
    ),
    "a text": (
        "image:\n  # the small one\n  slim: app:1   # old\n  big: app:2\n",
        f"image:\n  # the small one\n  slim: {REF}   # old\n  big: app:2\n",
    ),
    "a text in quotes": ('image: {slim: "app:1"}\n', f"image: {{slim: {REF}}}\n"),
    "a mapping": (
        "image:\n  slim:\n    pull: Never  # x\n    ref: app:1 # y\nstore: a\n",
        f"image:\n  slim:\n    pull: Never  # x\n    ref: {REF} # y\nstore: a\n",
    ),
    "a mapping without a ref": (
        "image:\n    slim:\n        # how\n        build: {name: app}\n",
        f"image:\n    slim:\n        # how\n        ref: {REF}\n        build: {{name: app}}\n",
    ),
    "a mapping in one line": (
        "image: {slim: {pull: Never}, big: x}\n",
        f"image: {{slim: {{ref: {REF}, pull: Never}}, big: x}}\n",
    ),
    "an empty mapping": ("image: {slim: {}}\n", f"image: {{slim: {{ref: {REF}}}}}\n"),
    "an interpolation": (
        "image:\n  slim:\n    ref: ${globals:registry}/app:1\n",
        f"image:\n  slim:\n    ref: {REF}\n",
    ),
    "nothing after the name": (
        "image:\n  slim:\n  big: x\n",
        f"image:\n  slim: {{ref: {REF}}}\n  big: x\n",
    ),
    "null": ("image: {slim: null}\n", f"image: {{slim: {{ref: {REF}}}}}\n"),
    "another image": (
        "image:\n  # big\n  big: x\nstore: a\n",
        f"image:\n  # big\n  slim:\n    ref: {REF}\n  big: x\nstore: a\n",
    ),
    "another image in one line": (
        "image: {big: x}\n",
        f"image: {{slim: {{ref: {REF}}}, big: x}}\n",
    ),
    "no images": ("image: {}\n", f"image: {{slim: {{ref: {REF}}}}}\n"),
    "nothing after image": (
        "image:\nstore: a\n",
        f"image: {{slim: {{ref: {REF}}}}}\nstore: a\n",
    ),
    "all in one line": (
        "{store: a}\n",
        f"{{image: {{slim: {{ref: {REF}}}}}, store: a}}\n",
    ),
    "lines of Windows": (
        "image:\r\n  big: x\r\n",
        f"image:\r\n  slim:\r\n    ref: {REF}\r\n  big: x\r\n",
    ),
    "an anchor beside it": (
        "_a: &a {pull: Never}\nimage:\n  slim: {<<: *a, ref: x}\n",
        f"_a: &a {{pull: Never}}\nimage:\n  slim: {{<<: *a, ref: {REF}}}\n",
    ),
    "it is there": (f"image: {{slim: {REF}}}\n", f"image: {{slim: {REF}}}\n"),
    "other letters": (
        "# für jeden: é\nimage: {slim: 'x'} # ü\n",
        f"# für jeden: é\nimage: {{slim: {REF}}} # ü\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES)
def test_the_ref_is_put_in_and_nothing_else_changes(before: str, after: str) -> None:
    assert with_ref(before, "slim", REF) == after


CANNOT = {
    "an alias that others use": "_a: &a {ref: x}\nimage:\n  slim: *a\n  big: *a\n",
    "a merged ref": "_a: &a {ref: x}\nimage:\n  slim:\n    <<: *a\n  big: *a\n",
    "a list": "[1]\n",
    "images in a list": "image: [slim]\n",
    "no YAML": "image: {\n",
    "two documents": "image: {}\n---\nimage: {}\n",
}


@pytest.mark.parametrize("text", CANNOT.values(), ids=CANNOT)
def test_what_would_change_more_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "rats.yml"
    file.write_text(text)

    if text == CANNOT["a merged ref"]:
        # A ref of its own stands before what is merged: that changes nobody else.
        assert write_ref(file, "slim", REF)
        assert yaml.safe_load(file.read_text())["image"]["slim"] == {"ref": REF}
        return
    with pytest.raises(RatsError) as raised:
        write_ref(file, "slim", REF)

    assert file.read_text() == text
    assert str(raised.value).endswith(
        f"Write it there: image: {{slim: {{ref: {REF}}}}}"
    )


def test_a_file_is_made_where_there_is_none(tmp_path: Path) -> None:
    file = tmp_path / "conf" / "cluster" / "rats.yml"

    assert write_ref(file, "slim", "app:1")
    assert not write_ref(file, "slim", "app:1")
    assert write_ref(file, "slim", "app:2")

    assert file.read_text() == "image:\n  slim:\n    ref: app:2\n"


NAMES = st.sampled_from(["default", "slim", "a.b", "x-1", "big"])
IMAGES = st.one_of(
    st.none(),
    st.just("app:1"),
    st.fixed_dictionaries(
        {},
        optional={
            "ref": st.just("app:1"),
            "pull": st.sampled_from(["Always", "Never"]),
            "build": st.fixed_dictionaries({}, optional={"name": st.just("app")}),
        },
    ),
)


@given(
    data=st.fixed_dictionaries(
        {},
        optional={
            "store": st.just(".rats"),
            "image": st.one_of(st.none(), st.dictionaries(NAMES, IMAGES)),
            "default": st.fixed_dictionaries({"image": NAMES}),
        },
    ),
    name=NAMES,
    flow=st.sampled_from([None, True, False]),
    indent=st.sampled_from([2, 4, 7]),
)
def test_whatever_yaml_looks_like_only_the_ref_changes(
    data: dict[str, object], name: str, flow: bool | None, indent: int
) -> None:
    text = yaml.safe_dump(data, default_flow_style=flow, indent=indent)

    after = with_ref(text, name, REF)

    assert after is not None
    images = (yaml.safe_load(after) or {})["image"]
    assert images[name] == REF or images[name]["ref"] == REF
    assert with_ref(after, name, REF) == after
