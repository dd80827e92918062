"""The weights of a page as bytes: float16 where nobody could see a difference, else float32."""

import base64
import contextlib
from collections.abc import Iterator

import numpy as np

from lamina.nets import Net

MOST = 5e-5  # by which float16 may move an answer that the page shows: half of what is promised


def is_same_in_float16(net: Net, X, predict, predicted) -> bool:
    """Whether the net with its weights rounded to float16 gives the same answers: X, the samples
    that the page shows, to within MOST, and all that `predict(net)` predicts the same, `predicted`
    being that of the net as it is. `X` has been through `probabilities` on both sides."""
    answers, shown = X
    before = answers(net.predict(shown))
    with _rounded(net):
        after = answers(net.predict(shown))
        close = np.isfinite(after).all() and np.abs(after - before).max() <= MOST
        return bool(close) and np.array_equal(predict(net), predicted)


@contextlib.contextmanager
def _rounded(net: Net) -> Iterator[None]:
    """The net with each of its numbers rounded to float16; afterwards they are what they were."""
    before = net.state()
    with np.errstate(over="ignore"):
        after = {
            name: array.astype(np.float16).astype(array.dtype) if array.dtype.kind == "f" else array
            for name, array in before.items()
        }
    net.load_state(after)
    try:
        yield
    finally:
        net.load_state(before)


def written(arrays: list[np.ndarray], half: bool) -> tuple[list[dict], str]:
    """(shape and first place of each array, all of them in one text of base64), little-endian."""
    kind, places, first = np.dtype("<f2" if half else "<f4"), [], 0
    for array in arrays:
        places.append({"shape": array.shape, "first": first})
        first += array.size
    content = b"".join(np.ascontiguousarray(array, kind).tobytes() for array in arrays)
    return places, base64.b64encode(content).decode()
