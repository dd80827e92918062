"""A text file of one's own: each token is predicted from those before it."""

from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from lamina.common.counts import check_count
from lamina.common.names import suggest
from lamina.datasets.dataset import Dataset, Samples
from lamina.datasets.split import check_validation, n_test_out_of
from lamina.datasets.streams import Streams, StreamSamples
from lamina.datasets.tasks import LanguageModel
from lamina.datasets.text_file import check_different, read_text, vocabulary_of
from lamina.datasets.tokens import BYTES, check_tokens, split

_PREDICT = ("each", "last", "middle")
IGNORED = -1  # the target of a token that counts in another window


class Text(Dataset):
    """A text in windows of `length` tokens, which are to predict the token that follows.

    tokens: "characters", "words" (what stands between white space; the end of a line is one, <eos>)
    or "bytes". predict: "each", the next token at every place of a window, X and t (N, length), the
    windows side by side; "last", only the one after a window, t (N,), with a window at every place;
    or "middle", the one between the two halves of a window, so from both sides, as CBOW does
    (Mikolov et al. 2013). stride: how far the next window to train on is from the last one; with a
    small one a token is met behind more and less of what is before it, and an epoch is longer.
    context: in the sets to validate and to test on a prediction counts from behind so many tokens
    on, but for the first window; so windows there begin length - context apart, each token counts
    once, and the targets that do not are -1: the loss needs ignore_index: -1. Without it the first
    tokens of each window are predicted from next to nothing. The set to train on counts them all.
    streams: batches go on where the last one ended (see Streams), instead of in shuffled order.
    What is left at the end, less than a window, is not used.

    test, validation: other files. Without them they are taken by their place: the last
    `test_share` of the file to test; before it `validation_share` of the rest, or `n_validation`
    windows, to validate; no token is in two sets. The vocabulary is that of the training part:
    <unk> first, then the tokens that stand there `min_count` times or more, the most frequent
    first. All others, in whatever set, are <unk>. Bytes have all 256, and no <unk>.

    Files are UTF-8; a mark of order at the beginning goes, and "\\r\\n" becomes "\\n", except of
    bytes. Raises ValueError naming the file for what cannot be read or decoded, with its place, for
    a set that is shorter than a window, and for a text of one token over and over.
    """

    task: LanguageModel

    def __init__(
        self,
        path: Path,
        *,
        tokens: str = "characters",
        length: int = 64,
        predict: str = "each",
        stride: int | None = None,
        context: int | None = None,
        streams: bool = False,
        min_count: int = 1,
        test: Path | None = None,
        test_share: float = 0.1,
        validation: Path | None = None,
        validation_share: float | None = None,
        n_validation: int | None = None,
    ):
        _check(tokens, length, predict, stride, streams, min_count)
        _check_context(context, length, predict, streams)
        if check_validation(validation_share, n_validation) and validation is not None:
            raise ValueError(
                "validation_share and n_validation take the end of the text to train on; with a "
                f"validation file ({validation}) leave them out"
            )
        self.length, self.predict, self.streams = length, predict, streams
        parts = {"train": split(read_text(path, tokens), tokens)}
        for name, other in (("validation", validation), ("test", test)):
            if other is not None:
                parts[name] = split(read_text(other, tokens), tokens)
        _check_length(path, "train", len(parts["train"]), tokens, length)
        if test is None:
            try:
                n = n_test_out_of(len(parts["train"]), test_share, "tokens", "a file: test: PATH")
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from None
            parts |= _cut(parts["train"], "test", n)
        n = len(parts["train"])
        apart = length if predict == "each" else 1
        step = apart - (context or 0)
        if n_validation is not None:
            n_off = (n_validation - 1) * step + length + 1
            if n_off >= n:
                raise ValueError(
                    f"{path}: n_validation: {n_validation} windows take {n_off} {tokens}, and "
                    f"there are {n} to train and to validate on"
                )
            parts |= _cut(parts["train"], "validation", n_off)
        elif validation_share is not None:
            parts |= _cut(parts["train"], "validation", max(round(n * validation_share), 1))
        for name, part in parts.items():
            where = {"test": test, "validation": validation}.get(name) or path
            _check_length(where, name, len(part), tokens, length)
        vocabulary = BYTES if tokens == "bytes" else vocabulary_of(parts["train"], min_count)
        check_different(path, parts["train"], vocabulary, tokens)
        ignored = None if context is None else IGNORED
        task = LanguageModel(vocabulary, ignore_index=ignored, tokens=tokens)
        small = np.min_scalar_type(len(vocabulary) - 1)
        sets = {}
        for name, part in parts.items():
            each = (stride or apart) if name == "train" else step
            indices = task.indices_of(part).astype(small)
            windows = sliding_window_view(indices, length + 1)[::each]
            X, t = _parted(windows, predict)
            t = t.astype(np.intp)
            if context is not None and name != "train":
                t[1:, :context] = IGNORED
            kind = StreamSamples if streams else Samples
            sets[name] = kind(np.array(X, order="C"), t)
        super().__init__(sets["train"], sets["test"], task, sets.get("validation"))

    @property
    def gap(self) -> int | None:
        """Where in a window the token is asked for, between its halves; None if behind it."""
        return self.length // 2 if self.predict == "middle" else None

    @property
    def n_words(self) -> int:
        """How many rows an Embedding of the inputs needs."""
        return len(self.task.vocabulary)

    def sampler(self, batch_size, rng, shuffle_block=None):
        if not self.streams:
            return super().sampler(batch_size, rng, shuffle_block)
        if shuffle_block is not None:
            raise ValueError(
                "shuffle_block: streams go through the text in its order; leave it out, or take "
                "dataset: {..., streams: false}"
            )
        return Streams(len(self.train), batch_size)


def _check(tokens: str, length: int, predict: str, stride, streams: bool, min_count: int) -> None:
    check_tokens(tokens)
    check_count("length", length)
    if stride is not None:
        check_count("stride", stride)
    check_count("min_count", min_count)
    if predict not in _PREDICT:
        raise ValueError(
            f"predict: expects {', '.join(_PREDICT)}; got {predict!r:.40}"
            f"{suggest(predict, _PREDICT)}"
        )
    if predict == "middle" and length % 2:
        raise ValueError(f"length: expects an even number for predict: middle, got {length}")
    if streams and predict != "each":
        raise ValueError(
            "streams: windows follow one another with predict: each alone; with predict: "
            f"{predict} they overlap"
        )
    if streams and stride not in (None, length):
        raise ValueError(
            f"stride: in streams each window begins where the last one ends, after {length} "
            f"tokens; got {stride}: leave it out"
        )
    if tokens == "bytes" and min_count > 1:
        raise ValueError("min_count: tokens: bytes has all 256 in its vocabulary; leave out")


def _check_context(context: int | None, length: int, predict: str, streams: bool) -> None:
    if context is None:
        return
    if streams or predict != "each":
        there = "streams: true" if streams else f"predict: {predict}"
        raise ValueError(f"context: with {there} no token is predicted from less; leave it out")
    if not 0 < context < length:
        raise ValueError(
            f"context: expects at least 1 and less than the length of a window, {length}; got "
            f"{context}"
        )


def _parted(windows: np.ndarray, predict: str) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets of windows with one token more."""
    if predict == "each":
        return windows[:, :-1], windows[:, 1:]
    place = windows.shape[1] // 2 if predict == "middle" else -1
    return np.delete(windows, place, axis=1), windows[:, place]


def _cut(tokens: list[str], name: str, n: int) -> dict[str, list[str]]:
    """The last n tokens for the set of that name; those before stay to train on."""
    return {"train": tokens[:-n], name: tokens[-n:]}


def _check_length(path: Path, name: str, n: int, tokens: str, length: int) -> None:
    if n <= length:
        raise ValueError(
            f"{path}: the {name} part has {n} {tokens}, and a window of length {length} with the "
            f"one after it needs {length + 1}; a longer text, or a smaller length"
        )
