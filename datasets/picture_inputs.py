"""How a picture file becomes an input: size, colour and scale, as those that were trained on."""

import math
from collections import Counter
from pathlib import Path

import numpy as np

from lamina.common.notice import Bar, note
from lamina.datasets.dataset import Samples
from lamina.datasets.ink import BOXES, inked
from lamina.datasets.pictures import RESIZES, as_array, checked_size, resized, upright


class PictureInputs:
    """Pictures of one size, in colour or grey, scaled.

    `resize` is "crop", "fit" or "stretch" (see `pictures.resized`), or, for data sets of bright
    ink on black, "digit" or "clothes" (see `ink.inked`). `shape` is that of an input: (C, H, W), or
    flat.
    """

    def __init__(
        self,
        size: tuple[int, int],
        colour: bool,
        resize: str,
        shape: tuple[int, ...],
        scaling: tuple[float, float],
    ):
        self.size, self.colour, self.resize = size, colour, resize
        self.shape, self.scaling = tuple(shape), scaling

    def pixels(self, path: Path) -> tuple[np.ndarray, list[str]]:
        """(C, H, W) uint8 of a file, and what was done to it. Raises PictureError."""
        image, said = upright(path, max(self.size))
        if self.resize in BOXES:
            made, more = inked(path, image, self.size, self.resize)
            return made, said + more
        return as_array(resized(image, self.size, self.resize), self.colour), said

    def read(self, paths: list[Path]) -> tuple[np.ndarray, Counter]:
        """(N, *shape) uint8 of these files, and how often what was done."""
        X = np.empty((len(paths), 3 if self.colour else 1, *self.size), np.uint8)
        done: Counter = Counter()
        bar = Bar(total=len(paths), desc="pictures", leave=False, disable=None)  # on a terminal
        for i, path in enumerate(paths):
            X[i], said = self.pixels(path)
            done.update(said)
            bar.to(i + 1)
        bar.close()
        return X.reshape(-1, *self.shape), done

    def of(self, paths: list[Path]) -> np.ndarray:
        """(N, *shape) float32, as a net takes them; says what was done to them."""
        X, done = self.read(paths)
        say_done(str(paths[0]) if len(paths) == 1 else "of the pictures", len(paths), done)
        return Samples(X, np.zeros(len(X)), *self.scaling)[:][0]

    def facts(self) -> dict:
        """All that is needed to make inputs of other files, in JSON's types."""
        return {
            "kind": "picture",
            "input_shape": list(self.shape),
            "size": list(self.size),
            "colour": self.colour,
            "resize": self.resize,
            "scaling": [float(number) for number in self.scaling],
        }

    @classmethod
    def from_facts(cls, facts: dict) -> "PictureInputs":
        """From `facts()`, read from a file. Raises ValueError, TypeError or KeyError for what is
        none."""
        size, colour, resize = checked_size(facts["size"]), facts["colour"], facts["resize"]
        scale, offset = map(float, facts["scaling"])
        shape = (3 if colour else 1, *size)
        given = tuple(facts["input_shape"])
        if type(colour) is not bool or resize not in (*RESIZES, *BOXES):
            raise ValueError("no preparation of pictures")
        if given not in (shape, (math.prod(shape),)) or (colour and resize in BOXES):
            raise ValueError("no shape of pictures")
        if not (math.isfinite(scale) and math.isfinite(offset)):
            raise ValueError("no scale of pictures")
        return cls(size, colour, resize, given, (scale, offset))


def say_done(where: str, n: int, done: Counter) -> None:
    """What was done, and to how many of n pictures."""
    for what, times in sorted(done.items()):
        note(f"{where}: {what}" if n == 1 else f"{where}: {times} of {n}: {what}")
