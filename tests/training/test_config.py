"""Strict YAML: every mistake is named with its file, line and key."""

import pytest

from training.config import ConfigError, load_config


@pytest.fixture
def config(tmp_path):
    def write(text):
        path = tmp_path / "c.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_config(path)

    return write


def test_data_and_lines(config):
    c = config("a:\n  b: 1\n  c: [x, y]\nd: {e: 2}\n")
    assert c.data == {"a": {"b": 1, "c": ["x", "y"]}, "d": {"e": 2}}
    assert str(c.error(("a", "b"), "oops")).endswith("c.yaml, line 2: a.b: oops")
    assert str(c.error(("d", "e"), "oops")).endswith("line 4: d.e: oops")
    assert "line 1: a.zz: oops" in str(c.error(("a", "zz"), "oops"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "c.yaml: is empty"),
        ("# only a comment\n", "c.yaml: is empty"),
        ("- a\n- b\n", "expects a mapping .* got a list"),
        ("just words", "expects a mapping .* got the text 'just words'"),
        ("a: [1, 2\nb: 3\n", "line 2: no valid YAML"),
        ("a: 1\n\tb: 2\n", "no valid YAML"),
        ("a: 1\nb: 2\na: 3\n", r"line 3: a: stands a second time \(first in line 1\)"),
        ("t:\n  x: 1\n  x: 2\n", "line 3: t.x: stands a second time"),
        (b"\xff\xfe\x00binary\x00", "is not a text file"),
        (b"a: \x00\x01", "no valid YAML"),
        ("a: !!python/object/apply:os.system ['true']", "no valid YAML"),
        ("a: &x [*x", "no valid YAML"),
        ("a: &x [*x]", "refers to itself"),
    ],
)
def test_what_cannot_be_read(config, text, words):
    with pytest.raises(ConfigError, match=words):
        config(text)


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot be read \(No such file or directory\)"):
        load_config(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)


def test_unknown_keys_suggest_the_nearest(config):
    c = config("training:\n  batch_sise: 3\n  zzz: 1\n")
    with pytest.raises(ConfigError, match=r"line 2: training\.batch_sise: .*mean batch_size\?"):
        c.check_keys(("training",), ["batch_size", "seed"])
    c = config("training:\n  zzz: 1\n")
    with pytest.raises(ConfigError, match="unknown key; known: batch_size, seed"):
        c.check_keys(("training",), ["seed", "batch_size"])


def test_values_of_the_command_line(config):
    c = config("a:\n  b: 1\n")
    c.set("a.b=2.5")
    c.set("a.c={d: [1, 2]}")
    c.set("training.seed=3")
    c.set("name=text = with equals")
    assert c.data == {"a": {"b": 2.5, "c": {"d": [1, 2]}}, "name": "text = with equals"} | {
        "training": {"seed": 3}
    }
    assert str(c.error(("a", "b"), "oops")) == "--set: a.b: oops"


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("a", "expects key.key=value"),
        ("=3", "expects key.key=value"),
        ("a..b=3", "expects key.key=value"),
        ("a.b.c=3", "a.b is a whole number 1, not a mapping"),
        ("a.b=[1", "--set a.b=\\[1: "),
        ("a.bb.c=1", r"there is no a\.bb; did you mean b\?.* --set 'a\.bb="),
    ],
)
def test_wrong_values_of_the_command_line(config, assignment, words):
    with pytest.raises(ConfigError, match=words):
        config("a:\n  b: 1\n").set(assignment)
