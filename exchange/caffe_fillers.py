"""Caffe's fillers as initializers. Source: Caffe, include/caffe/filler.hpp."""

from lamina.exchange.caffe_message import CaffeError, Message
from lamina.layers.initializers import make_initializer

_FANS = {"FAN_IN": "in", "FAN_OUT": "out", "AVERAGE": "average"}
_TURNED = {"in": "out", "out": "in", "average": "average"}


def initializer(filler: Message, turned: bool = False):
    """That of weights. A Deconvolution calls our fan-in its fan-out: `turned`. Raises CaffeError
    for a filler that has no counterpart."""
    kind = filler["type"]
    if kind == "constant":
        return make_initializer("constant", value=filler["value"])
    if kind in ("xavier", "msra"):
        fan = _FANS[filler["variance_norm"]]
        fan = _TURNED[fan] if turned else fan
        name = "caffe_xavier" if kind == "xavier" else "he_normal"
        return make_initializer(name, **({} if fan == "in" else {"fan": fan}))
    if kind == "gaussian":
        if filler["mean"]:
            raise CaffeError("a gaussian filler with a mean other than 0 has no counterpart")
        sparse = {"sparse": filler["sparse"]} if filler["sparse"] >= 0 else {}
        return make_initializer("normal", std=filler["std"], **sparse)
    if kind == "uniform":
        low, high = filler["min"], filler["max"]
        if low != -high:
            raise CaffeError(f"a uniform filler from {low:g} to {high:g}, which is not about 0")
        return make_initializer("uniform", limit=high)
    if kind == "bilinear":
        return make_initializer("bilinear")
    raise CaffeError(
        f"the filler {kind} has no counterpart; write constant, gaussian, uniform, xavier, msra or "
        "bilinear"
    )


def constant(filler: Message, default: float = 0.0) -> float:
    """That of biases and factors: a number. Raises CaffeError for another filler."""
    if not filler.values:
        return default
    if filler["type"] == "gaussian" and not filler["std"]:
        return filler["mean"]
    if filler["type"] != "constant":
        raise CaffeError(f"a filler {filler['type']} of biases; here they begin at one number")
    return filler["value"]
