"""What people copy is right: the documentation, the templates and the starter."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from kedro.config import OmegaConfigLoader
from omegaconf import OmegaConf
from placement.documents import read

from kedro_rats.cli.starters import starter_path
from kedro_rats.cli.templates import templates_path
from kedro_rats.placement import load_settings
from kedro_rats.placement.schema import RatsYml, parse
from kedro_rats.placement.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```yaml(?: title=\"([^\"\n]*)\")?\n(.*?)^```$", re.M | re.S)


def blocks_of(page: str) -> list[tuple[str, str]]:
    path = DOCS / page
    if not path.is_file():
        pytest.skip("needs the documentation")
    return BLOCK.findall(path.read_text("utf-8"))


def together(*documents: str) -> Settings:
    """Return the settings of documents that are put on top of each other."""
    merged: Any = OmegaConf.merge(*(OmegaConf.create(read(each)) for each in documents))
    return parse(OmegaConf.to_container(merged))


def test_the_examples_of_the_reference_are_one_good_file() -> None:
    blocks = [text for _, text in blocks_of("reference/rats-yml.md")]

    settings = together(*blocks)

    assert {key for text in blocks for key in read(text)} == {*RatsYml.model_fields}
    assert settings.profiles["resources"]["gpu"]["gpu"] == {"count": 1}
    assert len(settings.assign) == 4


def test_the_reference_names_every_key() -> None:
    page = "".join(text for _, text in blocks_of("reference/rats-yml.md"))
    prose = (DOCS / "reference" / "rats-yml.md").read_text("utf-8")
    schema = RatsYml.model_json_schema()
    keys = {*schema["properties"]}.union(
        *(d["properties"] for d in schema["$defs"].values())
    )

    missing = {key for key in keys if f"`{key}`" not in prose and f"{key}:" not in page}

    assert len(keys) > 40
    # Of the short forms the long one says no more.
    assert missing <= {
        "uri",
        "credentials",
        "count",
        "resource",
        "seconds",
        "effect",
        "key",
        "operator",
    }


def test_the_examples_of_how_to_place_nodes_are_good_files() -> None:
    blocks = blocks_of("how-to/place-nodes.md")
    base, assign, cluster = (text for _, text in blocks)

    settings = together(base, assign, cluster)

    assert [title for title, _ in blocks] == [
        "conf/base/rats.yml",
        "",
        "conf/cluster/rats.yml",
    ]
    assert settings.profiles["resources"]["large"] == {"cpu": "4", "memory": "64Gi"}


def uncommented(text: str) -> str:
    """Return a template with its examples: lines without a blank after the #."""
    return re.sub(r"^#(?! \S|$)", "", text, flags=re.M)


@pytest.mark.parametrize("name", ["rats.yml", "rats_env.yml"])
def test_a_template_is_good_with_and_without_its_examples(name: str) -> None:
    text = (templates_path() / name).read_text("utf-8")
    base = (templates_path() / "rats.yml").read_text("utf-8")

    assert parse(read(text)) == Settings()
    full = together(uncommented(base), uncommented(text))

    assert all(full.profiles.values())
    assert full.assign
    assert full.store.uri == (
        ".rats" if name == "rats.yml" else "s3://my-bucket/my-project"
    )


def test_the_template_of_the_catalog_says_nothing_and_shows_datasets() -> None:
    text = (templates_path() / "catalog_rats.yml").read_text("utf-8")

    assert not read(text)
    assert [entry["type"] for entry in read(uncommented(text)).values()] == [
        "pandas.CSVDataset",
        "pickle.PickleDataset",
    ]


def test_the_starter_is_placed_in_both_environments() -> None:
    conf = starter_path() / "{{ cookiecutter.repo_name }}" / "conf"

    def text(env: str) -> str:
        found = (conf / env / "rats.yml").read_text("utf-8")
        found = found.replace("{{ cookiecutter.repo_name }}", "penguins")
        found = found.replace("${globals:bucket}", "my-bucket")
        found = found.replace("${globals:registry}", "registry.example.com/me")
        found = found.replace("${globals:images}", "push")
        return found.replace("${globals:namespace, null}", "null")

    base, cluster = together(text("base")), together(text("base"), text("cluster"))

    assert base.store.uri == ".rats"
    assert cluster.store.uri == "s3://my-bucket/penguins/rats"
    assert base.profiles["resources"] == cluster.profiles["resources"]
    # Images are a cluster's business: they are built for it.
    assert not base.profiles["image"]
    assert {*cluster.builds} == {"default", "sklearn"}
    assert cluster.default.image == "default"
    assert (base.default.bind, cluster.default.bind) == ((), ("bucket",))


@pytest.mark.filterwarnings("ignore:register_new_resolver")
def test_a_cluster_has_a_place_for_all_that_the_starter_writes(tmp_path: Path) -> None:
    template = starter_path() / "{{ cookiecutter.repo_name }}" / "conf"
    for path in template.rglob("*.yml"):
        copied = tmp_path / path.relative_to(template)
        copied.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text("utf-8")
        copied.write_text(
            text.replace("{{ cookiecutter.repo_name }}", "penguins"), "utf-8"
        )

    def places(env: str) -> dict[str, str]:
        loader = OmegaConfigLoader(str(tmp_path), env=env, base_env="base")
        assert load_settings(loader).default.resources == "small"
        return {name: entry["filepath"] for name, entry in loader["catalog"].items()}

    base, cluster = places("base"), places("cluster")

    read_only = {"penguins", "test.penguins"}
    assert base.keys() == cluster.keys()
    assert {name: cluster[name] for name in read_only} == {
        name: base[name] for name in read_only
    }
    assert {name: path for name, path in cluster.items() if name not in read_only} == {
        name: path.replace("data/", "s3://my-bucket/penguins/")
        for name, path in base.items()
        if name not in read_only
    }
