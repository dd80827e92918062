"""A picture of a digit, or of a piece of clothing, as those of MNIST and Fashion-MNIST are made."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lamina.datasets.pictures import PictureError, as_array, resized

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

# Pixels that the longer side of what is drawn gets: LeCun et al. 1998, Xiao et al. 2017.
BOXES = {"digit": 20, "clothes": 28}
_FAINT = 0.15  # of the strongest contrast: paper, shadow, noise
_LEAST = 16  # of 255: less contrast is no drawing


def inked(
    path: Path, image: "PILImage", size: tuple[int, int], kind: str
) -> tuple[np.ndarray, list[str]]:
    """(1, H, W) uint8, bright on black, and what was done.

    Dark on light is inverted. A picture that has the size already stays as it is otherwise; of any
    other what is drawn is cut out, scaled into the box of its kind, and centred: a digit by its
    mass, clothes by their outline. Raises PictureError if nothing is drawn.
    """
    pixels = as_array(image, colour=False)[0]
    border = np.concatenate([pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]])
    paper, said = float(np.median(border)), []
    if paper > 127:
        pixels, paper, said = 255 - pixels, 255.0 - paper, ["dark on light: inverted"]
    if pixels.shape == size:
        return pixels[np.newaxis], said
    ink = np.clip(pixels - paper, 0.0, None)
    if (strongest := ink.max()) < _LEAST:
        raise PictureError(f"{path}: nothing is drawn on it: all of it is one shade")
    ink[ink < _FAINT * strongest] = 0.0
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] * (255.0 / strongest)
    longest, box = max(cut.shape), BOXES[kind]
    small = tuple(max(round(n * box / longest), 1) for n in cut.shape)
    made = _resized(cut, (small[0], small[1]))
    said.append("what is drawn cut out, scaled and centred")
    return _centred(made, size, by_mass=kind == "digit")[np.newaxis], said


def _resized(ink: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    from PIL import Image

    image = Image.fromarray(np.rint(ink).astype(np.uint8))
    return as_array(resized(image, size, "stretch"), colour=False)[0]


def _centred(ink: np.ndarray, size: tuple[int, int], by_mass: bool) -> np.ndarray:
    """In the middle of an empty picture, as far as it has room there."""
    field, start = np.zeros(size, np.uint8), []
    for axis, (n, room) in enumerate(zip(ink.shape, size, strict=True)):
        weights = ink.sum(axis=1 - axis, dtype=float)
        middle = weights @ np.arange(n) / weights.sum() if by_mass else (n - 1) / 2
        start.append(min(max(round((room - 1) / 2 - middle), 0), room - n))
    field[start[0] : start[0] + ink.shape[0], start[1] : start[1] + ink.shape[1]] = ink
    return field
