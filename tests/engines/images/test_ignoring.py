"""What a .dockerignore keeps out, against what buildah copies."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest
from engines.images.builders import SCRATCH, buildah, files_in, require_buildah

from kedro_rats.engines.images.ignoring import ignored_in, parsed
from kedro_rats.errors import DefinitionError

if TYPE_CHECKING:
    from pathlib import Path

FILES = (
    "a.py",
    "a.pyc",
    "a+b.txt",
    "src/a.py",
    "src/a.pyc",
    "src/deep/a.pyc",
    "src/deep/er/x.md",
    "data/x.csv",
    "data/keep.csv",
    "conf/local/credentials.yml",
    "conf/base/catalog.yml",
    "conf/base/my_credentials_2.yml",
    ".env",
    "src/.env",
    "[odd].txt",
    "été.txt",
)

CASES = {
    "nothing": ("", set()),
    "a comment and blank lines": ("# a.py\n\n   \n", set()),
    "a file": ("a.py\n", {"a.py"}),
    "from the root": ("/a.py\n./src/a.py\n", {"a.py", "src/a.py"}),
    "a folder": ("data\n", {"data/x.csv", "data/keep.csv"}),
    "a folder with a slash": ("data/\n", {"data/x.csv", "data/keep.csv"}),
    "a star stays in its folder": ("*.pyc\n", {"a.pyc"}),
    "two stars do not": ("**/*.pyc\n", {"a.pyc", "src/a.pyc", "src/deep/a.pyc"}),
    "two stars at the end": ("src/**\n", {f for f in FILES if f.startswith("src/")}),
    "in the middle": (
        "conf/**/*credentials*\n",
        {"conf/local/credentials.yml", "conf/base/my_credentials_2.yml"},
    ),
    "one character": ("src/?.py\n", {"src/a.py"}),
    "a class": ("[a-b].py*\n", {"a.py", "a.pyc"}),
    "what is special elsewhere": ("a+b.txt\n", {"a+b.txt"}),
    "a backslash": ("\\[odd].txt\n", {"[odd].txt"}),
    "an exception": ("data\n!data/keep.csv\n", {"data/x.csv"}),
    "an exception that comes too early": (
        "!data/keep.csv\ndata\n",
        {"data/x.csv", "data/keep.csv"},
    ),
    "hidden files": ("**/.env\n", {".env", "src/.env"}),
    "other letters": ("é*\n", {"été.txt"}),
    "all but one": ("**\n!src/a.py\n", set(FILES) - {"src/a.py"}),
}


@pytest.mark.parametrize(("text", "out"), CASES.values(), ids=CASES)
def test_a_pattern_keeps_out_what_docker_keeps_out(text: str, out: set[str]) -> None:
    ignored = parsed(text)

    assert {file for file in FILES if ignored(file)} == out


def test_a_folder_is_not_looked_into_where_nothing_is_let_in() -> None:
    assert parsed("data").prunes("data")
    assert not parsed("data\n!data/keep.csv").prunes("data")
    assert not parsed("data").prunes("src")


def test_the_dockerfile_may_have_patterns_of_its_own(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("a\n")
    (tmp_path / "Dockerfile").write_text(SCRATCH)
    assert ignored_in(tmp_path, tmp_path / "Dockerfile")("a")

    (tmp_path / "Dockerfile.dockerignore").write_bytes(b"\xef\xbb\xbfb\r\n")

    ignored = ignored_in(tmp_path, tmp_path / "Dockerfile")
    assert (ignored("a"), ignored("b")) == (False, True)
    assert ignored.file == tmp_path / "Dockerfile.dockerignore"


def test_a_pattern_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("ok\na[\n")

    with pytest.raises(DefinitionError) as raised:
        ignored_in(tmp_path, tmp_path / "Dockerfile")

    assert str(raised.value) == (
        ".dockerignore: expected patterns, got 'a['. Mend it: *, ** and ? are patterns, a "
        "backslash makes them ordinary."
    )


# Old versions of buildah read some others not as docker does.
SAME = (
    *("nothing", "a folder", "two stars do not", "in the middle", "a class"),
    *("an exception", "an exception that comes too early", "other letters"),
)


def test_buildah_copies_what_is_not_kept_out(tmp_path: Path) -> None:
    require_buildah()
    context = tmp_path / "context"
    for file in FILES:
        (context / file).parent.mkdir(parents=True, exist_ok=True)
        (context / file).write_text(file)
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(SCRATCH)
    for name in SAME:
        text, out = CASES[name]
        ignore = tmp_path / "ignore"
        ignore.write_text(text)
        image = f"localhost/rats-ignore-{uuid.uuid4().hex[:8]}:1"
        buildah(
            *("bud", "--quiet", "--file", str(dockerfile), "--ignorefile", str(ignore)),
            *("--tag", image, str(context)),
        )
        try:
            assert files_in(image, tmp_path) == set(FILES) - out, name
        finally:
            buildah("rmi", image)
