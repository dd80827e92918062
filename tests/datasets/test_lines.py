"""Lines of a text file as sequences of unequal lengths."""

import numpy as np
import pytest

from lamina.datasets import Lines

NAMES = ["Ada", "Barbara", "김", "Emmy", "Grace", "Hedy", "이순신", "Joan", "Katherine", "Lise"] * 3


@pytest.fixture
def write(tmp_path):
    def written(lines, name="names.txt"):
        data = lines if isinstance(lines, bytes) else "\n".join(lines).encode()
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return written


def read(data, part):
    """(input, target) of each line, as texts without the padding."""
    X, t = data.sets()[part][:]
    return [
        tuple(data.task.decode(row[row != 0]) for row in pair) for pair in zip(X, t, strict=True)
    ]


def test_each_unit_is_predicted_from_those_before_it(write):
    data = Lines(write([*NAMES, "", "  "]), n_validation=4)
    lines = {part: read(data, part) for part in data.sets()}
    assert {part: len(pairs) for part, pairs in lines.items()} == {
        "train": 24,
        "validation": 4,
        "test": 3,
    }
    there = []
    for pairs in lines.values():
        for given, target in pairs:
            assert given.startswith("<start>")
            assert target.endswith("<end>")
            assert given.removeprefix("<start>") == target.removesuffix("<end>")
            there.append(target.removesuffix("<end>"))
    assert sorted(line for line in there if "<unk>" not in line) == sorted([*NAMES, "  "])
    assert data.input_shape == data.target_shape == (len("Katherine") + 1,)
    X, t = data.train[:]
    np.testing.assert_array_equal(X == 0, t == 0)
    assert data.task.ignore_index == 0
    assert data.task.vocabulary[:4] == ("<pad>", "<start>", "<end>", "<unk>")


def test_words_and_files_for_each_set(write):
    files = {
        "test": write(["the cat", "a dog sat there"], "test.txt"),
        "validation": write(["the dog"], "validation.txt"),
    }
    data = Lines(write(["the cat  sat", "the dog"] * 3), tokens="words", **files)
    assert data.task.vocabulary[4:] == ("the", "cat", "dog", "sat")
    assert read(data, "test")[1][1] == "<unk> dog sat <unk> <end>"
    assert data.input_shape == (5,)
    rare = Lines(write(["the cat  sat", "the dog"] * 3), tokens="words", min_count=4, **files)
    assert rare.task.vocabulary[4:] == ("the",)


def test_the_split_is_decided_by_its_seed(write):
    one, same, other = (Lines(write(NAMES), split_seed=seed) for seed in (0, 0, 1))
    assert one.test.fingerprint() == same.test.fingerprint()
    assert read(one, "test") != read(other, "test")


@pytest.mark.parametrize(
    ("lines", "settings", "said"),
    [
        ([], {}, "names.txt: is empty; expects a text"),
        (["", " "], {"tokens": "words"}, "all its lines are empty; expects a sequence in each"),
        (NAMES, {"length": 8}, "line 9 has 9 characters, and the length is 8; a larger length"),
        (
            ["a b c"] * 9,
            {"length": 2, "tokens": "words"},
            "line 1 has 3 words, and the len",
        ),
        (["a <pad> c"] * 9, {"tokens": "words"}, "line 1 has the word <pad>, which is ours"),
        (b"ab\n\xff" * 9, {}, r"byte 3, in line 2, is no UTF-8 \(0xff\)"),
        (["aa", "a"] * 9, {}, "one of its characters over and over, 'a': nothing to learn"),
        (["ab"], {}, "a test_share of 0.1 leaves 1 of 1 lines to train on and 0 to test on"),
        (["ab"] * 20, {"n_validation": 18}, "n_validation: 18 leaves 0 of 18 samples"),
        (NAMES, {"tokens": "bytes"}, "tokens: bytes have no lines; take characters or words"),
        (NAMES, {"tokens": "names"}, "tokens: expects characters, words, bytes; got 'names'"),
        (NAMES, {"length": 0}, "length: expects at least 1, got 0"),
        (NAMES, {"min_count": 0}, "min_count: expects at least 1, got 0"),
        (NAMES, {"split_seed": -1}, "split_seed: expects a whole number"),
    ],
)
def test_what_cannot_be_used(write, lines, settings, said):
    with pytest.raises(ValueError, match=said):
        Lines(write(lines), **settings)


def test_a_validation_file_beside_a_share(write):
    with pytest.raises(ValueError, match=r"with a validation file .* leave them out"):
        Lines(write(NAMES), validation=write(NAMES, "v.txt"), n_validation=2)
