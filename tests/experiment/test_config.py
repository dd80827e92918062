"""Strict YAML: every mistake is named with its file, line and key."""

import contextlib
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lamina.common import strict_yaml
from lamina.experiment.config import ConfigError, load_config, save_config
from lamina.experiment.section import Section


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
        (
            "a: !!python/object/apply:os.system ['true']",
            "got a value of type 'tag:yaml.org,",
        ),
        ("a: &x [*x", "line 1: refers to itself"),
        ("a: &x [*x]", "refers to itself"),
    ],
)
def test_what_cannot_be_read(config, text, words):
    with pytest.raises(ConfigError, match=words):
        config(text)


LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)
MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 40)
)
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 500))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (LAUGHS, "line 5: has more than 20000 keys and values, aliases written out"),
        (MERGES, "line 13: has more than 20000 keys and values, aliases written out"),
        (CHAIN, "line 50: is nested deeper than 50 levels, aliases written out"),
        ("a: " + "[" * 100_000, "line 1: is nested deeper than 50 levels"),
        ("- " * 100_000, "line 1: is nested deeper than 50 levels"),
        ("a: [" + "x," * 100_000 + "]", "has more than 20000 keys and values"),
        ("#" * (1 << 20) + "\na: 1", "is longer than 1048576 bytes: no configuration"),
        ("b: 1\na: " + "9" * 5000, "line 2: a number of 5000 characters is too long"),
        ("a: 1" + ":1" * 200_000, "a number of 400001 characters is too long"),
        ("a: 1" + ":1" * 200_000 + ".5", "a number of 400003 characters is too long"),
        ("a: 9223372036854775808", "9223372036854775808 is too large for a whole number"),
        ("a: -0x8000000000000001", "is too large for a whole number"),
        ("a: !!int x", "line 1: 'x' is no int"),
        ("a: !!int ''", "line 1: '' is no int"),
        ("a: !!bool maybe", "'maybe' is no bool"),
        ("a: !!float x", "'x' is no float"),
        ("a: 2026-01-01", "got a value of type 'tag:yaml.org,2002:timestamp'; quotes make"),
        ("a: !!timestamp 2026-99-99", "quotes make it a text"),
        ("a: !!binary aGk=", "got a value of type 'tag:yaml.org,2002:binary'"),
        ("a: !!set {x}", "got a value of type 'tag:yaml.org,2002:set'"),
        ("a: !mine x", "got a value of type '!mine'"),
        ("a: <<", "got a value of type 'tag:yaml.org,2002:merge'"),
        ("a: {<<: 3}", "line 1: no valid YAML: expected a mapping or list of mappings"),
        ('a: "\\uD800"', r"holds a control character, U\+D800"),
        ('a: "\\0"', r"holds a control character, U\+0000"),
        ('a: "\\e[2J"', r"holds a control character, U\+001B"),
        ('b: 1\n"a\\e": 1', r"line 2: holds a control character, U\+001B"),
        ('a: "\\UFFFFFFFF"', "line 1: no valid YAML"),
        ('b: 1\na: "\\U00110000"', "line 2: no valid YAML"),
        ("b: 1\na: \x00", "line 2: no valid YAML: unacceptable character #x0000"),
        ("b: 1\na: \ud800".encode("utf-8", "surrogatepass"), "is not a text file"),
        ("1: x", "line 1: expects a text as a key, got 1; put it into quotes"),
        ("a: {on: x}", "expects a text as a key, got on; put it into quotes"),
        ("~: x", "expects a text as a key, got ~"),
        ("? [a, b]\n: x", "expects a text as a key, got a list or a mapping"),
        ("a: &a {x: 1}\n? *a\n: x", "line 1: expects a text as a key"),
        (f"{'k' * 201}: x", "a key of 201 characters is too long"),
        ('"a\\nb": x', r"expects a key on one line, without tabs, got 'a\\nb'"),
        ("a: 1\n--- \nb: 1", "line 2: no valid YAML: but found another document"),
        ("%YAML 9.9\n--- \na: 1", "no valid YAML: found incompatible YAML document"),
        (f"%YAML 1.{'1' * 5000}\n--- \na: 1", "no valid YAML"),
    ],
)
def test_hostile_yaml_is_one_short_error_that_comes_soon(config, text, words):
    started = time.process_time()
    with pytest.raises(ConfigError, match=words) as raised:
        config(text)
    assert time.process_time() - started < 5
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 1100


def test_aliases_and_merges_within_limits(config):
    c = config("base: &base {lr: 1, decay: 2}\na: *base\nb: {<<: *base, lr: 3}\n")
    assert c.data["a"] == {"lr": 1, "decay": 2}
    assert c.data["b"] == {"lr": 3, "decay": 2}
    assert "line 1: base.lr: oops" in str(c.error(("base", "lr"), "oops"))


def test_long_values_are_cut_in_errors(config):
    c = config(f"a: {'x' * 100_000}")
    assert len(str(c.error(("a",), f"expects a number, got {c.data['a']!r}"))) == 1000


def test_what_is_saved_is_read_again(config, tmp_path):
    c = config("a: &x {b: [1, 2.5, true, null, '1', 'on', '2026-01-01', 'é\tü\n']}\nb: *x\n")
    save_config(tmp_path / "saved.yaml", c)
    assert load_config(tmp_path / "saved.yaml").data == c.data


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | NAMES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=4))
def test_whatever_is_dumped_is_parsed(data):
    found, lines = strict_yaml.parse(strict_yaml.dump(data))
    assert repr(found) == repr(data)  # repr: NaN is not equal to itself
    assert {place[0] for place in lines} == set(data)


MARKS = "[]{},:?-&*!|>%@'\"# \n\t=~\x85\ufeff"
WORDS = ["a", "b: ", "&x ", "*x", "<<: ", "!!int ", "!!str ", "---\n", "0x", "1:2", "- ", "? "]
PIECES = st.sampled_from([*MARKS, *WORDS, "\\U0011", "\\x", "2026-01-01"])


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES | st.text(max_size=3), max_size=30).map("".join))
@example("=: [")
@example("? |\n")
def test_any_text_is_data_or_one_error(text):
    with contextlib.suppress(strict_yaml.YamlError):
        strict_yaml.parse(text)


@pytest.mark.parametrize("name", ["mnist_lenet", "mnist_resnet", "mnist_finetune"])
def test_every_truncation_and_flip_of_a_configuration_is_data_or_one_error(tmp_path, name):
    whole = Path(f"configs/{name}.yaml").read_bytes()[:600]
    path = tmp_path / "c.yaml"
    changed = [whole[:n] for n in range(0, len(whole), 3)]
    changed += [
        whole[:i] + bytes([whole[i] ^ 1 << i % 8]) + whole[i + 1 :] for i in range(len(whole))
    ]
    for content in changed[::3]:
        path.write_bytes(content)
        try:
            load_config(path)
        except ConfigError as error:
            assert str(path) in str(error)  # noqa: PT017  most flips are harmless


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot be read \(No such file or directory\)"):
        load_config(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)


def test_unknown_keys_suggest_the_nearest(config):
    c = config("training:\n  batch_sise: 3\n  zzz: 1\n")
    with pytest.raises(ConfigError, match=r"line 2: training\.batch_sise: .*mean batch_size\?"):
        Section(c)["training"].check_keys(["batch_size", "seed"])
    c = config("training:\n  zzz: 1\n")
    with pytest.raises(ConfigError, match="unknown key; known: batch_size, seed"):
        Section(c)["training"].check_keys(["seed", "batch_size"])


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
        ("a.b=&x [*x]", "--set a.b=&x .*: refers to itself"),
        ("a.b=" + "[" * 1000, "is nested deeper than 50 levels"),
        ("a.b=2026-01-01", "quotes make it a text"),
        ("a.b={c: 1, c: 2}", "c: stands a second time"),
        ("a.b=\udcff", "no valid YAML"),
        ("a.\udcff=1", "holds a control character"),
        (f"a.{'b' * 300}=1", "expects keys of at most 200 characters"),
    ],
)
def test_wrong_values_of_the_command_line(config, assignment, words):
    with pytest.raises(ConfigError, match=words):
        config("a:\n  b: 1\n").set(assignment)
