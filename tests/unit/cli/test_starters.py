"""Where the starter is found, and what Kedro lists."""

from __future__ import annotations

from kedro_rats.cli.starters import specs, starter_path


def test_the_starter_has_its_template_and_its_data() -> None:
    (spec,) = specs
    project = starter_path() / "{{ cookiecutter.repo_name }}"

    assert (spec.alias, spec.template_path) == ("rats", str(starter_path()))
    assert (starter_path() / "cookiecutter.json").is_file()
    assert (project / ".gitignore").is_file()
    assert list((project / "data" / "01_raw").glob("*.csv"))
