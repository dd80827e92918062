"""The weights of a page as bytes: 16 bits each where nobody could see a difference, else 32."""

import base64
import contextlib
from collections.abc import Callable, Iterator

import numpy as np

from lamina.nets import Net

MOST = 5e-5  # by which 16 bits may move an answer that the page shows: half of what is promised
_STEPS = 32767  # from 0 to the largest number of an array


def is_same_in_16_bits(
    net: Net,
    shown: Callable[[Net], np.ndarray],
    predictions: Callable[[Net], np.ndarray],
    predicted,
) -> bool:
    """Whether the net with its weights in 16 bits gives the same: `shown(net)`, the answers of the
    page, to within MOST, and `predictions(net)`, of the whole test set, all as `predicted`."""
    before = shown(net)
    with in_16_bits(net):
        close = np.abs(shown(net) - before).max() <= MOST
        return bool(close) and np.array_equal(predictions(net), predicted)


def written(arrays: list[np.ndarray], short: bool) -> tuple[list[dict], str]:
    """(shape, first byte and step of each array, all of them as base64), little-endian: whole
    numbers of 16 bits times the step, or where step is 0 float32."""
    places, pieces, at = [], [], 0
    for array in arrays:
        whole, step = _whole(array) if short else (array, 0.0)
        piece = np.ascontiguousarray(whole, "<i2" if step else "<f4").tobytes()
        places.append({"shape": array.shape, "at": at, "step": step})
        pieces.append(piece)
        at += len(piece)
    return places, base64.b64encode(b"".join(pieces)).decode()


def _whole(array: np.ndarray) -> tuple[np.ndarray, float]:
    """(whole numbers, step) of an array, or (array, 0.0) of one that stays float32: rows such as
    biases and variances are few, and small ones beside large ones count."""
    step = float(np.abs(array).max()) / _STEPS if array.ndim > 1 and array.size else 0.0
    return (np.rint(array / step), step) if 0 < step < np.inf else (array, 0.0)


@contextlib.contextmanager
def in_16_bits(net: Net) -> Iterator[None]:
    """The net with its weights as the page would have them; afterwards they are what they were."""
    held = [param for _, param in net.parameters().items()]
    before = [param.data for param in held]
    for param in held:
        whole, step = _whole(param.data)
        param.data = (whole * step).astype(param.data.dtype) if step else param.data
    try:
        yield
    finally:
        for param, array in zip(held, before, strict=True):
            param.data = array
