"""A text of one's own: tokens, vocabulary, sets by place, windows; files that cannot be used."""

import json

import numpy as np
import pytest

from lamina.datasets import LanguageModel, Streams, Text, task_from_facts
from lamina.datasets.minibatches import Minibatches
from lamina.datasets.tokens import BYTES, join, split

RNG = np.random.default_rng(0)
LETTERS = "".join(RNG.choice(list("abcde \n가나"), 600))


@pytest.fixture
def write(tmp_path):
    def written(content, name="my.txt"):
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return written


def text_of(data, part, rows=slice(None)):
    """The tokens of a set once more: all windows, and the last target."""
    X, t = data.sets()[part][rows]
    return data.task.decode(np.append(X.ravel(), t.ravel()[-1]))


def test_windows_side_by_side_have_the_next_unit_as_targets(write):
    data = Text(write(LETTERS), length=7)
    assert data.input_shape == data.target_shape == (7,)
    assert (len(data.train), len(data.test)) == ((540 - 1) // 7, (60 - 1) // 7)
    for part, place in (("train", 0), ("test", 540)):
        X, t = data.sets()[part][:]
        flat = LETTERS[place : place + X.size + 1]
        assert text_of(data, part) == flat
        assert data.task.decode(t) == flat[1:]
    assert data.train.X.dtype == np.uint8
    assert data.train.t.dtype == np.intp


def test_a_window_at_every_place_with_the_unit_after_it(write):
    data = Text(write(LETTERS), length=7, predict="last")
    assert (data.input_shape, data.target_shape) == ((7,), ())
    assert len(data.train) == 540 - 7
    X, t = data.train[np.array([0, 5, 532])]
    for row, target, place in zip(X, t, (0, 5, 532), strict=True):
        assert data.task.decode(row) == LETTERS[place : place + 7]
        assert data.task.decode(target) == LETTERS[place + 7]


def test_a_token_between_those_before_and_behind_it(write):
    data = Text(write(LETTERS), length=6, predict="middle", n_validation=4)
    assert (data.input_shape, data.target_shape) == ((6,), ())
    assert (len(data.train), len(data.validation)) == (540 - 10 - 6, 4)
    for place, (row, target) in enumerate(zip(*data.train[:], strict=True)):
        assert data.task.decode(row[:3]) == LETTERS[place : place + 3]
        assert data.task.decode(target) == LETTERS[place + 3]
        assert data.task.decode(row[3:]) == LETTERS[place + 4 : place + 7]


@pytest.mark.parametrize("context", [1, 3, 5, 6])
def test_each_token_counts_once_behind_as_many_as_are_asked_for(write, context):
    settings = {"length": 7, "n_validation": 5, "stride": 2}
    plain, data = Text(write(LETTERS), length=7), Text(write(LETTERS), **settings, context=context)
    assert data.task.ignore_index == -1
    assert (data.train.t >= 0).all()
    assert len(data.validation) == 5
    begin = {"test": 540, "validation": 540 - (4 * (7 - context) + 8)}
    for part, place in begin.items():
        X, t = data.sets()[part][:]
        counted = []
        for i, (row, targets) in enumerate(zip(X, t, strict=True)):
            first = place + i * (7 - context)
            assert data.task.decode(row) == LETTERS[first : first + 7]
            skipped = context if i else 0
            assert (targets[:skipped] == -1).all()
            after = LETTERS[first + 1 + skipped : first + 8]
            assert data.task.decode(targets[skipped:]) == after
            counted += range(first + 1 + skipped, first + 8)
        assert counted == list(range(place + 1, counted[-1] + 1))
    assert counted[-1] >= 540 - (7 - context)
    assert plain.task.ignore_index is None


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"context": 0}, "context: expects at least 1 and less than .* 7; got 0"),
        ({"context": 7}, "context: expects at least 1 and less than .* 7; got 7"),
        ({"context": 3, "predict": "last"}, "context: with predict: last no token"),
        ({"context": 3, "streams": True}, "context: with streams: true no token"),
    ],
)
def test_a_context_that_no_window_has_is_refused(write, settings, said):
    with pytest.raises(ValueError, match=said):
        Text(write(LETTERS), length=7, **settings)


@pytest.mark.parametrize("predict", ["each", "last"])
@pytest.mark.parametrize("stride", [1, 3, 7, 20])
def test_windows_to_train_on_may_overlap_or_leave_gaps(write, predict, stride):
    settings = {"length": 7, "predict": predict, "n_validation": 5}
    plain = Text(write(LETTERS), **settings)
    data = Text(write(LETTERS), **settings, stride=stride)
    n_train = 540 - (36 if predict == "each" else 12)
    assert len(data.train) == (n_train - 8) // stride + 1
    for i, (row, target) in enumerate(zip(*data.train[:], strict=True)):
        place = i * stride
        assert data.task.decode(row) == LETTERS[place : place + 7]
        after = LETTERS[place + 1 : place + 8] if predict == "each" else LETTERS[place + 7]
        assert data.task.decode(target) == after
    assert data.test.fingerprint() == plain.test.fingerprint()
    assert data.validation.fingerprint() == plain.validation.fingerprint()


@pytest.mark.parametrize("predict", ["each", "last"])
@pytest.mark.parametrize("validation", [{}, {"validation_share": 0.2}, {"n_validation": 3}])
def test_the_sets_lie_one_behind_the_other_and_share_nothing(write, predict, validation):
    numbers = " ".join(map(str, range(400)))  # every word once
    data = Text(
        write(numbers), tokens="words", length=4, predict=predict, min_count=1, **validation
    )
    # Of words that training never meets only the places are known: count them.
    n_test = round(400 * 0.1)
    n_validation = 0
    if "n_validation" in validation:
        assert len(data.validation) == 3
        n_validation = 13 if predict == "each" else 7
    elif validation:
        n_validation = round(360 * 0.2)
    n_train = 400 - n_test - n_validation
    assert len(data.task.vocabulary) == 1 + n_train
    sizes = {"train": n_train, "validation": n_validation, "test": n_test}
    for name, samples in data.sets().items():
        windows = (sizes[name] - 1) // 4 if predict == "each" else sizes[name] - 4
        assert len(samples) == windows
    assert set(data.task.vocabulary[1:]) == set(map(str, range(n_train)))
    for name in set(data.sets()) - {"train"}:
        X, t = data.sets()[name][:]
        assert not X.any()  # all <unk>
        assert not t.any()


def test_the_vocabulary_is_the_training_parts_most_frequent_first(write):
    text = write("b" * 30 + "a" * 40 + "c" * 20 + "d" * 20 + "<unk>" * 3 + "x" * 14)
    words = {"length": 3, "test_share": 14 / 139}
    data = Text(text, **words)
    assert data.task.vocabulary == ("<unk>", "a", "b", "c", "d", *"<>knu")
    assert text_of(data, "test", slice(1)) == "<unk>" * 4
    rare = Text(text, min_count=21, **words)
    assert rare.task.vocabulary == ("<unk>", "a", "b")
    assert text_of(rare, "train").count("<unk>") == 40 + 3 * 5 - 1  # the last is no whole window's


def test_the_unknown_word_of_a_text_is_ours(write):
    data = Text(write("the <unk> of the <unk>\n" * 9), tokens="words", length=3)
    assert data.task.vocabulary == ("<unk>", "the", "<eos>", "of")
    assert text_of(data, "train", slice(1)) == "the <unk> of the"


def test_files_for_each_set_and_units_that_only_they_have(write):
    files = {
        "test": write("dog and bird\n" * 5, "test.txt"),
        "validation": write("cat and cat\n" * 5, "validation.txt"),
    }
    data = Text(write("cat and dog\n" * 20), tokens="words", length=4, **files)
    assert data.task.vocabulary == ("<unk>", "<eos>", "and", "cat", "dog")
    assert text_of(data, "test", slice(1)) == "dog and <unk>\ndog"
    assert text_of(data, "validation", slice(1)) == "cat and cat\ncat"
    with pytest.raises(ValueError, match=r"with a validation file .* leave them out"):
        Text(write("cat and dog\n" * 20), n_validation=2, **files)


def test_bytes_have_all_their_values_and_no_unknown(write):
    content = bytes(RNG.integers(0, 256, 500, np.uint8))
    data = Text(write(content), tokens="bytes", length=6)
    assert data.task.vocabulary == BYTES
    assert data.task.unknown is None
    X, _ = data.train[:]
    assert X.tobytes() == content[: X.size]
    assert data.task.decode(data.task.encode("가 é\n")) == "가 é\n"
    assert data.task.decode([255, 65]) == "\ufffdA"


@pytest.mark.parametrize(
    ("tokens", "text", "expected"),
    [
        ("characters", "a\n가", ["a", "\n", "가"]),
        ("words", "a  bc\t d\n\n e\n", ["a", "bc", "d", "<eos>", "<eos>", "e", "<eos>"]),
        ("words", "", []),
        ("bytes", "a가\n'\\", ["a", "\\xea", "\\xb0", "\\x80", "\\n", "'", "\\\\"]),
    ],
)
def test_units(tokens, text, expected):
    assert split(text, tokens) == expected
    assert split(join(expected, tokens), tokens) == expected


def test_a_mark_of_order_and_line_ends_of_windows(write):
    data = Text(write(b"\xef\xbb\xbf" + b"ab\r\n" * 50), length=4)
    assert data.task.vocabulary == ("<unk>", "\n", "a", "b")
    assert text_of(data, "train", slice(1)) == "ab\na" + "b"


def test_the_task_is_kept_in_words_and_made_anew(write):
    data = Text(write(LETTERS), length=7)
    facts = json.loads(json.dumps(data.task.facts()))
    assert facts["tokens"] == "characters"
    task = task_from_facts(facts)
    assert task == data.task
    assert task.encode("a가?").tolist() == [*data.task.encode("a가"), 0]
    assert task.decode(task.encode("d\ne?")) == "d\ne<unk>"
    assert task.shown(task.encode("d\ne")) == "d\\ne"


def test_words_without_a_text_say_so():
    task = LanguageModel("abc")
    with pytest.raises(ValueError, match="its words are numbers without a text"):
        task.encode("a")
    with pytest.raises(ValueError, match="words are 0 to 2, got 3"):
        LanguageModel("abc", tokens="characters").decode([0, 3])
    with pytest.raises(ValueError, match="token 1 of the text, 'x', is not among the 3"):
        LanguageModel("abc", tokens="characters").encode("axb")
    with pytest.raises(ValueError, match="tokens: expects characters, words, bytes; got 'letters'"):
        LanguageModel("abc", tokens="letters")


def test_the_order_is_shuffled_or_in_streams(write):
    assert isinstance(Text(write(LETTERS), length=7).sampler(5, 0), Minibatches)
    streams = Text(write(LETTERS), length=7, streams=True)
    assert isinstance(streams.sampler(5, 0), Streams)
    with pytest.raises(ValueError, match="shuffle_block: streams go through the text in its order"):
        streams.sampler(5, 0, 8)


@pytest.mark.parametrize(
    ("content", "settings", "said"),
    [
        (b"", {}, "my.txt: is empty; expects a text"),
        (b"", {"tokens": "bytes"}, "my.txt: is empty"),
        ("abc", {}, "the train part has 3 characters, and a window of length 64 with the one"),
        ("ab" * 40, {"length": 9}, "the test part has 8 characters, .* needs 10"),
        ("ab " * 40, {"tokens": "words", "length": 9}, "the test part has 4 words"),
        (b"ab\nc\xffd" * 90, {}, r"byte 4, in line 2, is no UTF-8 \(0xff\); save the file as"),
        (b"\xef\xbb\xbfab\xff" * 90, {}, r"byte 5, in line 1, is no UTF-8 \(0xff\)"),
        (b"abc" * 90 + "가".encode()[:2], {}, r"byte 270, in line 1, is no UTF-8 \(0xea\)"),
        ("\n" * 99, {"length": 3}, r"one of its characters over and over, '\\n': no"),
        ("a b c d e " * 9, {"length": 3, "tokens": "words", "min_count": 99}, "'<unk>': nothing"),
        (
            "ab" * 90,
            {"tokens": "letters"},
            "tokens: expects characters, words, bytes; got 'letters'",
        ),
        ("ab" * 90, {"length": 0}, "length: expects at least 1, got 0"),
        ("ab" * 90, {"min_count": 0}, "min_count: expects at least 1, got 0"),
        ("ab" * 90, {"tokens": "bytes", "min_count": 2}, "has all 256 in its vocabulary"),
        ("ab" * 90, {"predict": "las"}, "predict: expects each, last, middle; got 'las'; did"),
        ("ab" * 90, {"predict": "last", "streams": True}, "streams: windows follow one another"),
        ("ab" * 90, {"predict": "middle", "length": 5}, "length: expects an even number for"),
        ("ab" * 90, {"streams": True, "stride": 8}, "stride: in streams each window begins where"),
        ("ab" * 90, {"stride": 0}, "stride: expects at least 1, got 0"),
        ("ab" * 90, {"test_share": 0.0}, "test_share: expects a share between 0 and 1, got 0.0"),
        ("ab" * 90, {"n_validation": 3, "length": 60}, "3 windows take 181 characters, "),
        ("ab" * 90, {"validation_share": 0.2, "n_validation": 3}, "give one of them"),
        ("ab" * 90, {"validation_share": 0.2, "length": 40}, "the test part has 18 characters"),
        ("ab" * 400, {"validation_share": 0.05}, "the validation part has 36 characters"),
    ],
    ids=map(str, range(24)),
)
def test_what_cannot_be_used(write, content, settings, said):
    with pytest.raises(ValueError, match=said):
        Text(write(content), **settings)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match=r"none\.txt: cannot be read"):
        Text(tmp_path / "none.txt")
