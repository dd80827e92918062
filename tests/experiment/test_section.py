"""Parts of a configuration that know their place."""

from pathlib import Path

import pytest

from lamina.experiment import rooms
from lamina.experiment.config import ConfigError
from lamina.experiment.section import Section

TEXT = """
numbers:
  rate: 1e-3
  count: 3
  word: fast
  huge: 1e400
  whole: 1e3
  under: 1_0
  flag: true
  none: null
  list: [1e5, .5, -1E-3]
optimizer: {type: SGD, lr: 2, weight_decay: 1e-4}
base: &base {lr: 1}
again: *base
"""


@pytest.fixture
def root(config_of):
    return Section(config_of(TEXT))


@pytest.mark.parametrize(
    ("key", "kind", "value"),
    [
        ("rate", float, 0.001),
        ("count", float, 3),
        ("count", int, 3),
        ("word", str, "fast"),
        ("under", str, "1_0"),
        ("flag", bool, True),
        ("none", int | None, None),
        ("list", tuple, (1e5, 0.5, -1e-3)),
        ("count", int | tuple, 3),
        ("missing", int, 7),
    ],
)
def test_values(root, key, kind, value):
    found = root["numbers"].value(key, kind, 7)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("key", "kind", "words"),
    [
        ("word", float, "line 5: numbers.word: expects a number, got the text 'fast'$"),
        ("huge", float, "line 6: numbers.huge: expects a finite number, got inf"),
        ("whole", int, "whole: expects a whole number, got a number 1000.0; write it as 1000$"),
        ("whole", str, "whole: expects a text, got a number 1000.0; quotes make it a text$"),
        ("count", str, "expects a text, got a whole number 3; quotes make it a text$"),
        ("under", int, "expects a whole number, got the text '1_0'; write it as 10$"),
        ("under", float, "expects a number, got the text '1_0'; write it as 10$"),
        ("flag", int, "expects a whole number, got true/false True$"),
        ("none", int, "expects a whole number, got nothing$"),
        ("list", float, "expects a number, got a list"),
        ("missing", int, "line 2: numbers: needs missing"),
    ],
)
def test_what_is_of_another_kind(root, key, kind, words):
    with pytest.raises(ConfigError, match=words):
        root["numbers"].value(key, kind)


def test_a_lowest_value(root):
    assert root["numbers"].value("count", int, at_least=3) == 3
    with pytest.raises(ConfigError, match=r"line 4: numbers.count: expects at least 4, got 3"):
        root["numbers"].value("count", int, at_least=4)


def test_sections(root):
    assert root.section("nothing").data == {}
    assert list(root.sections("nothing")) == []
    with pytest.raises(ConfigError, match=r"c.yaml: the section nothing: is missing"):
        root["nothing"]
    with pytest.raises(ConfigError, match=r"line 4: numbers.count: expects a mapping"):
        root["numbers"]["count"]
    with pytest.raises(ConfigError, match=r"numbers.rate: expects a mapping"):
        root.sections("numbers")
    with pytest.raises(ConfigError, match="the section net: is missing"):
        root.check_keys(root.data, needed=("base", "net"))


def test_at_names_the_place_of_an_error(root):
    with (
        pytest.raises(ConfigError, match=r"line 12: optimizer: must not be$"),
        root.at("optimizer"),
    ):
        raise ValueError("must not be")
    with (
        pytest.raises(ConfigError, match=r"line 12: optimizer.lr: expects less"),
        root.at("optimizer"),
    ):
        raise TypeError("lr: expects less")
    with pytest.raises(ConfigError, match=r"line 2: numbers: speed: expects"), root.at("numbers"):
        raise ValueError("speed: expects less")
    with (
        pytest.raises(ConfigError, match=r"c.yaml, line 4: numbers.count: first$"),
        root.at("optimizer"),
    ):
        raise root["numbers"].error("first", "count")  # a place that is known already stays
    with pytest.raises(KeyError), root.at("optimizer"):  # a bug shows its traceback
        raise KeyError("lr")


def test_reading_changes_nothing_and_what_is_noted_is_a_result(config_of, tmp_path):
    (tmp_path / "x.csv").write_text("")
    config = config_of(f"{TEXT}file: x.csv\n")
    before = repr(config.data)
    root = Section(config)
    assert root.file("file") == tmp_path / "x.csv"
    assert root.section("training").value("seed", int, 0, noted=True) == 0
    assert root["numbers"].value("count", int, 9, noted=True) == 3
    root["numbers"].value("list", tuple)
    root["optimizer"].build(rooms.OPTIMIZERS, {"parameters": {}})
    assert repr(config.data) == before
    effective = root.effective()
    assert effective.data == {
        **config.data,
        "file": str(tmp_path / "x.csv"),
        "training": {"seed": 0},
    }
    assert str(effective.error(("numbers", "rate"), "oops")) == str(
        config.error(("numbers", "rate"), "oops")
    )
    effective.data["numbers"]["list"].append(3)
    assert repr(config.data) == before


def test_what_an_alias_stands_for_is_changed_alone(config_of):
    config = config_of(TEXT)
    config.set("again.lr=5")
    assert (config.data["base"], config.data["again"]) == ({"lr": 1}, {"lr": 5})


def test_files(config_of, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    Path("here.txt").write_text("")
    root = Section(config_of("a: here.txt\nb: nowhere.txt\nc: 3\n"))
    assert root.file("a") == tmp_path / "elsewhere" / "here.txt"
    with pytest.raises(ConfigError, match=r"line 2: b: no such file: .*nowhere.txt or .*elsewhere"):
        root.file("b")
    with pytest.raises(ConfigError, match="line 3: c: expects the path of a file, got a whole"):
        root.file("c")


def test_folders(config_of, tmp_path):
    """Only where a folder is asked for."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "file.txt").write_text("")
    root = Section(config_of("a: photos\nb: file.txt\n"))
    assert root.folder("a") == tmp_path / "photos"
    assert root.effective().data["a"] == str(tmp_path / "photos")
    with pytest.raises(ConfigError, match=r"b: no such folder: .*file\.txt"):
        root.folder("b")
    with pytest.raises(ConfigError, match="a: no such file"):
        root.file("a")


def test_names_in_a_list(config_of):
    root = Section(config_of("a: x\nb: [x, y]\nc: []\nd: [1]\n"))
    assert (root.names("a"), root.names("b"), root.names("e")) == (["x"], ["x", "y"], None)
    for key in ("c", "d"):
        with pytest.raises(ConfigError, match=f"{key}: expects a list of names, got"):
            root.names(key)


def test_annotations_may_be_texts(config_of, tmp_path):
    """As `from __future__ import annotations` makes them."""
    (tmp_path / "later.py").write_text(
        "from __future__ import annotations\nfrom lamina.optimizers import SGD\n"
        "class Own(SGD):\n    def __init__(self, parameters, lr: float, factor: int = 1):\n"
        "        super().__init__(parameters, factor * lr)\n"
    )
    text = "optimizer: {type: later.py:Own, lr: 1e-1, factor: 2}"
    given = {"parameters": {}}
    assert Section(config_of(text))["optimizer"].build(rooms.OPTIMIZERS, given).lr == 0.2
    wrong = Section(config_of(text.replace("factor: 2", "factor: 0.5")))["optimizer"]
    with pytest.raises(ConfigError, match=r"optimizer.factor: expects a whole number, got a numb"):
        wrong.build(rooms.OPTIMIZERS, given)
