"""What a picture says of a layer, or of several: sizes, other arguments, shapes, counts, names."""

import itertools
import re

from lamina.common.arguments import without_defaults
from lamina.layers.base import Layer

# What a layer takes in and gives, in the words of the arguments of its constructor.
_TAKEN, _GIVEN = ("n_in", "c_in", "n_words"), ("n_out", "c_out", "n_hidden", "n_dims")
# How it computes and begins, not what it is; a picture has no room for these.
_LEFT_OUT = {
    *("dtype", "init", "bias", "bias_value", "eps", "momentum", "sparse", "tied", "transposed"),
    *("forget_bias", "sync", "reduction", "n_channels", "n_features", "n_dims"),
}
_LONGEST = 40  # characters of all the arguments together
# Numbers for each axis; other lists are no sizes, and a × between theirs would be a product.
_BY_AXIS = ("kernel", "stride", "padding", "dilation", "output_padding", "shape")


def sizes_of(layer: Layer) -> str:
    """How many numbers, channels, words go in and come out: "784 → 50", "" if it does not say."""
    given = layer.arguments()
    taken = [given[name] for name in _TAKEN if isinstance(given.get(name), int)]
    out = [given[name] for name in _GIVEN if isinstance(given.get(name), int)]
    return f"{taken[0]} → {out[0]}" if taken and out else ""


def more_of(layer: Layer, input_shape: tuple | None = None) -> str:
    """The other arguments that are no defaults: "5 × 5, stride 2", "4 heads, causal"; "…" stands
    for those that have no room, or take more words."""
    inner = getattr(layer, "layers", None)
    if isinstance(inner, dict):  # a net that stands for its layers
        return f"{len(inner)} layers"
    sized = bool(sizes_of(layer))
    given = without_defaults(type(layer), layer.arguments())
    known = [
        _said(name, value, input_shape)
        for name, value in given.items()
        if name not in _LEFT_OUT and not (sized and name in _TAKEN + _GIVEN)
    ]
    kept: list[str] = []
    for text in filter(None, known):
        if len(", ".join([*kept, text])) <= _LONGEST:
            kept.append(text)
    return ", ".join([*kept, "…"] if len(kept) < len(known) else kept)


def _said(name: str, value, input_shape: tuple | None) -> str:
    if value is True:
        return name.replace("_", " ")
    if value is False:
        return f"no {name.replace('_', ' ')}"
    text = _number_or_list(value, " × " if name in _BY_AXIS else ", ")
    if name == "kernel" and text:
        spatial = len(input_shape) - 1 if input_shape and isinstance(value, int) else 1
        text = " × ".join([text] * spatial)
        return text if "×" in text else f"kernel {text}"
    if name.startswith("n_") and text:
        return f"{text} {name[2:].replace('_', ' ')}"
    return f"{name.replace('_', ' ')} {text}" if text else ""


def _number_or_list(value, between: str = ", ") -> str:
    """Numbers and short texts; "" for what takes more words."""
    if isinstance(value, (list, tuple)):
        parts = [_number_or_list(part) for part in value]
        if len(parts) > 4 or not all(parts):
            return ""
        return between.join(parts) if between != ", " else f"({between.join(parts)})"
    if isinstance(value, (int, float)):
        return f"{value:.4g}" if isinstance(value, float) else str(value)
    return value if isinstance(value, str) else ""


def shape_of(shape: tuple | None) -> str:
    """A shape as text: "20 × 24 × 24"; "1" for a single number, "" if it is not known."""
    return "" if shape is None else " × ".join(map(str, shape)) or "1"


def count(learned: int, frozen: int) -> str:
    """How many parameters: "39,250", "500 + 20 frozen"; "" for none."""
    parts = [f"{learned:,}"] if learned else []
    parts += [f"{frozen:,} frozen"] if frozen else []
    return " + ".join(parts)


def of_parameters(counted: str) -> str:
    """That with its noun, "" for none."""
    noun = "parameter" if counted in ("1", "1 frozen") else "parameters"
    return f"{counted} {noun}" if counted else ""


def series(texts: list[str]) -> str:
    """Texts of the repeats of a block: once if they are alike, else at most three, or the first and
    the last; if these two are alike, with another one between, so that they do not seem to be."""
    different = [text or "–" for text, _ in itertools.groupby(texts)]
    if len(different) == 1:
        return texts[0]
    if len(texts) <= 3:
        return " | ".join(text or "–" for text in texts)
    ends = [different[0], different[-1]]
    return " … ".join(ends if ends[0] != ends[1] else [ends[0], different[1], ends[1]])


def names(given: list[str]) -> str:
    """block{2,3}_conv for block2_conv and block3_conv; of many the first and the last. Words stay
    whole: left and right have a t in common, but no ending."""
    different = list(dict.fromkeys(given))
    if len(different) == 1:
        return different[0]
    start = _common_start(different).rstrip("0123456789")
    if not all(name[len(start) : len(start) + 1].isdigit() for name in different):
        start = re.sub(r"[^\W_]+$", "", start)
    rest = [name[len(start) :] for name in different]
    end = _common_start([name[::-1] for name in rest])[::-1].lstrip("0123456789")
    if not all(name[: len(name) - len(end)][-1:].isdigit() for name in rest):
        end = re.sub(r"^[^\W_]+", "", end)
    inner = [name[: len(name) - len(end)] for name in rest]
    listed = ",".join(inner) if len(inner) <= 4 else f"{inner[0]}…{inner[-1]}"
    if all(inner) and (start or end):
        return f"{start}{{{listed}}}{end}"
    return ", ".join(different) if len(different) <= 2 else f"{different[0]} … {different[-1]}"


def _common_start(texts: list[str]) -> str:
    same = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*texts, strict=False))
    return "".join(letters[0] for letters in same)
