"""``rats.yml`` through Kedro's own loader: environments, patterns, files that are wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from kedro.config import AbstractConfigLoader, OmegaConfigLoader

from kedro_rats.errors import DefinitionError
from kedro_rats.placement import Settings, load_settings
from kedro_rats.placement.schema import parse

if TYPE_CHECKING:
    from pathlib import Path

# Kedro 1 warns about its own use of OmegaConf.
pytestmark = pytest.mark.filterwarnings("ignore:register_new_resolver")


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    for env in ("base", "local", "cluster"):
        (tmp_path / "conf" / env).mkdir(parents=True)
    return tmp_path / "conf"


def loader(conf: Path, env: str | None = None, **more: Any) -> OmegaConfigLoader:
    return OmegaConfigLoader(
        str(conf), env=env, base_env="base", default_run_env="local", **more
    )


def write(conf: Path, **files: str) -> None:
    for name, text in files.items():
        (conf / name / "rats.yml").write_text(text, "utf-8")


BASE = """
store: .rats
image: {a: {ref: "a:1", pull: Always}, b: b:1}
resources:
  big: {cpu: 1, limits: {cpu: 2, memory: 4Gi}, node_selector: {pool: x, zone: y}}
default: {image: a, bind: [one]}
bind: {one: {env: {A: "1", B: "2"}}}
assign: [{nodes: x, image: a}, {nodes: y, image: b}]
ext: {argo: {namespace: ml, pod: {gc: never}}}
"""
CLUSTER = """
store: {uri: "s3://bucket/p"}
image: {a: {ref: "a:2"}, c: c:1}
resources:
  big: {memory: 3Gi, limits: {cpu: null}, node_selector: {pool: z}}
default: {resources: big}
bind: {one: {env: {B: "3"}}, two: {env: {C: "4"}}}
assign: [{nodes: z, image: c}]
ext: {argo: {pod: {gc: always}}}
"""
MERGED = {
    "store": {"uri": "s3://bucket/p"},
    "image": {"a": {"ref": "a:2", "pull": "Always"}, "b": "b:1", "c": "c:1"},
    "resources": {
        "big": {
            "cpu": 1,
            "memory": "3Gi",
            "limits": {"memory": "4Gi"},
            "node_selector": {"pool": "z", "zone": "y"},
        }
    },
    "default": {"image": "a", "resources": "big", "bind": ["one"]},
    "bind": {"one": {"env": {"A": "1", "B": "3"}}, "two": {"env": {"C": "4"}}},
    "assign": [{"nodes": "z", "image": "c"}],
    "ext": {"argo": {"namespace": "ml", "pod": {"gc": "always"}}},
}


def test_environments_are_merged_key_by_key(conf: Path) -> None:
    write(conf, base=BASE, cluster=CLUSTER, local="store: elsewhere")

    assert load_settings(loader(conf, "cluster")) == parse(MERGED)
    assert load_settings(loader(conf)).store.uri == "elsewhere"
    assert (
        load_settings(loader(conf)).profiles
        == load_settings(loader(conf, "base")).profiles
    )


@pytest.mark.parametrize("text", [None, "", "# nothing yet\n", "_mine: 1\n"])
def test_without_settings_the_defaults_hold(conf: Path, text: str | None) -> None:
    if text is not None:
        write(conf, base=text)

    settings = load_settings(loader(conf))

    assert settings == Settings() == parse({})
    assert (settings.store.uri, settings.import_limit) == (".rats", 1024**3)


def test_the_loader_stays_as_the_project_made_it(conf: Path) -> None:
    write(conf, base=BASE, cluster=CLUSTER)
    theirs = loader(
        conf,
        "cluster",
        config_patterns={"mine": ["mine*"]},
        merge_strategy={"parameters": "soft"},
    )
    before = {**vars(theirs), "config_patterns": dict(theirs.config_patterns)}

    load_settings(theirs)

    after = vars(theirs)
    assert {**after} == before
    assert (theirs.merge_strategy, theirs.env) == ({"parameters": "soft"}, "cluster")
    with pytest.raises(KeyError):
        theirs["rats"]


def test_a_pattern_and_a_strategy_of_the_project_are_kept(conf: Path) -> None:
    for env, ref in (("base", "a: x"), ("cluster", "b: y")):
        (conf / env / "machines.yml").write_text(f"image: {{{ref}}}\n")
    write(conf, base="image: {other: z}")

    theirs = loader(
        conf,
        "cluster",
        config_patterns={"rats": ["machines*"]},
        merge_strategy={"rats": "destructive"},
    )

    assert load_settings(theirs).profiles["image"] == {"b": {"ref": "y"}}


def test_several_files_and_folders_are_read(conf: Path) -> None:
    (conf / "base" / "rats").mkdir()
    (conf / "base" / "rats" / "images.yml").write_text("image: {a: x}\n")
    (conf / "base" / "rats_more.yaml").write_text("import_limit: 1Mi\n")
    (conf / "base" / "rats.json").write_text('{"store": "elsewhere"}')

    settings = load_settings(loader(conf))

    assert settings.profiles["image"] == {"a": {"ref": "x"}}
    assert (settings.import_limit, settings.store.uri) == (1024**2, "elsewhere")


def test_globals_and_runtime_parameters_are_filled_in(conf: Path) -> None:
    (conf / "cluster" / "globals.yml").write_text("bucket: mine\n")
    write(conf, base='store: "s3://${globals:bucket}/${runtime_params:who,all}"')

    def uri(**params: str) -> str:
        made = loader(conf, "cluster", runtime_params=params)
        return load_settings(made).store.uri

    assert (uri(), uri(who="me")) == ("s3://mine/all", "s3://mine/me")


def test_a_clone_without_conf_local_reads_the_base(conf: Path) -> None:
    (conf / "local").rmdir()
    write(conf, base=BASE)

    assert load_settings(loader(conf)) == load_settings(loader(conf, "base"))
    assert load_settings(loader(conf)).default.image == "a"


def test_a_loader_of_another_kind_gives_the_defaults() -> None:
    class Theirs(AbstractConfigLoader):
        """Knows nothing of ours, as any loader of a project."""

    assert load_settings(Theirs(conf_source="conf")) == Settings()


FILES = {
    "no YAML": (
        "image:\n  a: [x\nb: c",
        "conf/local/rats.yml, line 3, column 2: expected YAML, got ",
    ),
    "a tab": (
        "image:\n\ta: x\n",
        "conf/local/rats.yml, line 2, column 1: expected YAML, got found character",
    ),
    "a key twice": (
        "image: {a: x}\nimage: {b: x}\n",
        (
            "conf/local/rats.yml, line 2, column 1: expected each key once, got found"
            " duplicate key image. Put both values under one of them."
        ),
    ),
    "a character": (
        "image: \x01\n",
        "conf/local/rats.yml: expected YAML, got a character that YAML forbids.",
    ),
    "a list": ("- image\n", "conf/local/rats.yml: expected a mapping, got a list."),
    "no text": (
        b"image: \xff",
        "conf/local/rats.yml: expected UTF-8, got other bytes.",
    ),
    "a broken reference": (
        "store: ${globals:nothing}\n",
        (
            "rats.yml: expected files that Kedro can read, got Globals key 'nothing' not"
            " found"
        ),
    ),
    "a reference to nothing": (
        "store: ${.nothing}\n",
        "rats.yml: expected files that Kedro can read, got",
    ),
}


@pytest.mark.parametrize(("text", "said"), FILES.values(), ids=FILES)
def test_a_file_that_cannot_be_read_is_named(
    conf: Path, text: str | bytes, said: str
) -> None:
    write(conf, base=BASE)
    data = text if isinstance(text, bytes) else text.encode()
    (conf / "local" / "rats.yml").write_bytes(data)

    with pytest.raises(DefinitionError) as raised:
        load_settings(loader(conf))

    (breach,) = raised.value.breaches
    assert str(breach).startswith(said)
    assert "\n" not in str(breach)


def test_a_key_in_two_files_of_an_environment_is_refused(conf: Path) -> None:
    write(conf, base=BASE)
    (conf / "base" / "rats_2.yml").write_text("image: {x: y}\n")

    with pytest.raises(
        DefinitionError, match=r"Duplicate keys .*: image\. Let each key"
    ):
        load_settings(loader(conf))


def test_an_environment_that_does_not_exist_is_refused(conf: Path) -> None:
    write(conf, base=BASE)

    with pytest.raises(
        DefinitionError, match=r"no folder for 'clster'\. Make the folder"
    ):
        load_settings(loader(conf, "clster"))


def test_what_is_wrong_in_the_merged_file_is_refused(conf: Path) -> None:
    write(conf, base=BASE, local="default: {image: nothing}")

    with pytest.raises(DefinitionError, match=r"default\.image: .* Known: a, b\."):
        load_settings(loader(conf))


def test_pydantic_is_imported_for_a_file_only(conf: Path) -> None:
    program = (
        "import sys, warnings; warnings.simplefilter('ignore')\n"
        "from kedro.config import OmegaConfigLoader\n"
        "from kedro_rats.placement import Placement, load_settings\n"
        "from kedro_rats.cli import init\n"
        f"loader = OmegaConfigLoader({str(conf)!r}, base_env='base', env='local')\n"
        "load_settings(loader); Placement.from_json({'group': 'a'})\n"
        "assert 'pydantic' not in sys.modules, 'too early'\n"
        f"open({str(conf / 'base' / 'rats.yml')!r}, 'w').write('image: {{a: b}}')\n"
        "load_settings(loader)\n"
        "assert 'pydantic' in sys.modules, 'too late'\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=dict(os.environ),
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_reading_a_plan_needs_no_kedro() -> None:
    program = "import sys, kedro_rats.placement; print(*sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert not {"kedro", "omegaconf", "pydantic", "yaml"} & set(done.stdout.split())
