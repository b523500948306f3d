from __future__ import annotations

import pytest

from kedro_rats import names


@pytest.mark.parametrize(
    ("written", "snake"),
    [
        ("StandardScaler", "standard_scaler"),
        ("PCA", "pca"),
        ("KNeighborsClassifier", "k_neighbors_classifier"),
        ("SVC", "svc"),
        ("PLSRegression", "pls_regression"),
        ("HistGradientBoostingClassifier", "hist_gradient_boosting_classifier"),
        ("log1p", "log1p"),
        ("my_function", "my_function"),
        ("TfidfVectorizer", "tfidf_vectorizer"),
        ("ARDRegression", "ard_regression"),
    ],
)
def test_default_names_are_written_as_functions_are(written: str, snake: str) -> None:
    assert names.snake_case(written) == snake


@pytest.mark.parametrize("kind", names.NODE_TYPES)
def test_the_type_of_a_node_is_the_type_among_its_tags(kind: str) -> None:
    assert names.node_type(["image.big", kind, "rats"]) == kind


def test_a_node_that_is_not_ours_has_no_type() -> None:
    assert names.node_type({"rats", "rats.unknown", "fit"}) is None


@pytest.mark.parametrize("kind", names.PLACEMENT_KINDS)
def test_a_placement_tag_has_a_kind(kind: str) -> None:
    assert names.tag_kind(f"{kind}.a.b") == kind


@pytest.mark.parametrize("tag", ["image", "images.a", "nightly", "rats.fit", ".image"])
def test_any_other_tag_has_no_kind(tag: str) -> None:
    assert names.tag_kind(tag) is None


@pytest.mark.parametrize(
    ("dataset", "base"),
    [
        ("X", "X"),
        ("X@pandas", "X"),
        ("a.X@spark", "a.X"),
        ("params:a", "params:a"),
        ("parameters", "parameters"),
    ],
)
def test_the_base_of_a_dataset_is_without_transcoding(dataset: str, base: str) -> None:
    assert names.base_name(dataset) == base


@pytest.mark.parametrize("dataset", ["params:", "params:a b", "params:a..b", "params"])
def test_parameters_have_a_name(dataset: str) -> None:
    breaches = names.check_dataset("it", dataset)

    assert bool(breaches) == (dataset != "params")


def test_a_tag_may_be_twice_but_not_two_of_a_kind() -> None:
    assert not names.check_one_of_a_kind("it", ["image.a", "image.a", "nightly", "x"])
    assert names.check_one_of_a_kind("it", ["image.a", "image.b"])


def test_breaches_of_tags_do_not_depend_on_their_order() -> None:
    tags = ["image.b", "cache.off", "image.a", "cache.on"]

    breaches = names.check_one_of_a_kind("it", tags)

    assert sorted(map(str, breaches)) == sorted(
        map(str, names.check_one_of_a_kind("it", tags[::-1]))
    )
