"""Every page stands in the menu of the site, in its place, and has its other language."""

from pathlib import Path

import pytest
from generator.nav import ENGLISH, KOREAN, is_korean, parts_of

ROOT = Path(__file__).parents[2]
FILES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("notebooks/**/*.ipynb")]
PAGES = sorted(file.relative_to(ROOT).with_suffix("").as_posix() for file in FILES)


def test_every_page_is_in_the_menu_once():
    listed = [page for pages in parts_of(PAGES).values() for page in pages]
    assert sorted([*listed, "README"]) == PAGES


def test_a_part_of_the_menu_is_of_one_language():
    for part, pages in parts_of(PAGES).items():
        assert {is_korean(page) for page in pages} <= {part in KOREAN}


def test_new_files_find_their_place():
    new = ["docs/play", "docs/ko/play", "notebooks/09_more", "notebooks/ko/09_more"]
    parts = parts_of([*PAGES, *new])
    assert parts["How to"][-1] == "docs/play"
    assert parts["Tutorials"][-1] == "notebooks/09_more"
    assert "docs/ko/play" in parts["사용법"]
    assert parts["따라 하기"][-1] == "notebooks/ko/09_more"


def test_the_order_is_that_of_the_list_and_then_of_the_names():
    assert parts_of(PAGES)["How to"][0] == ENGLISH["How to"][0]
    assert parts_of(PAGES)["Tutorials"][0] == "notebooks/01_train_mnist"


def test_a_page_without_a_place_is_refused():
    with pytest.raises(ValueError, match="elsewhere/page"):
        parts_of([*PAGES, "elsewhere/page"])
