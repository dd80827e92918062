"""Caffe's losses: a function per type gives the loss, what it reads, and a factor.

Source: Caffe, src/caffe/layers, and LossParameter in caffe.proto.
"""

import math
from collections.abc import Callable
from typing import Any

from lamina.exchange.caffe_dense import classes_last
from lamina.exchange.caffe_message import CaffeError
from lamina.exchange.caffe_net import Blob, CaffeLayer, CaffeNet
from lamina.layers import (
    Concatenation,
    ContrastiveLoss,
    CrossEntropyError,
    SigmoidWithLoss,
    SoftmaxWithLoss,
    SquaredErrorLoss,
)


def _reduction(layer: CaffeLayer, usual: str) -> str:
    given = layer("loss_param")
    if "normalization" not in given and "normalize" in given:
        return "VALID" if given["normalize"] else "BATCH_SIZE"
    return given.get("normalization", usual)


def _ignored(layer: CaffeLayer) -> dict:
    given = layer("loss_param")
    return {"ignore_index": given["ignore_label"]} if "ignore_label" in given else {}


def softmax(layer: CaffeLayer, net: CaffeNet, X: Blob) -> tuple:
    axis = X.axis(layer("softmax_param")["axis"])
    if axis != 1:
        raise CaffeError("along another axis than 1 is no loss")
    places, kind = math.prod(X.shape[1:]), _reduction(layer, "VALID")
    X = classes_last(layer, net, X, 1)
    if kind == "NONE":
        return SoftmaxWithLoss("sum", **_ignored(layer)), X, 1.0
    if kind != "VALID" and _ignored(layer):
        raise CaffeError(f"normalization {kind} with ignore_label is no loss; VALID is")
    return SoftmaxWithLoss(**_ignored(layer)), X, places if kind == "BATCH_SIZE" else 1.0


def multinomial(layer: CaffeLayer, net: CaffeNet, X: Blob) -> tuple:
    return CrossEntropyError(), X, 1.0


def sigmoid(layer: CaffeLayer, net: CaffeNet, X: Blob) -> tuple:
    """Caffe divides by the samples, unless told, and we by samples and labels."""
    kind, labels = _reduction(layer, "BATCH_SIZE"), math.prod(X.shape)
    if kind == "NONE":
        return SigmoidWithLoss("sum", **_ignored(layer)), X, 1.0
    if kind != "VALID" and _ignored(layer):
        raise CaffeError(f"normalization {kind} with ignore_label is no loss; VALID is")
    return SigmoidWithLoss(**_ignored(layer)), X, labels if kind == "BATCH_SIZE" else 1.0


def euclidean(layer: CaffeLayer, net: CaffeNet, X: Blob) -> tuple:
    rows = math.prod(X.shape[:-1])  # by which our mean divides as well
    return SquaredErrorLoss(), X, rows


def contrastive(layer: CaffeLayer, net: CaffeNet, X: Blob, other: Blob) -> tuple:
    given = layer("contrastive_loss_param")
    legacy: dict[str, Any] = {"legacy": True} if given["legacy_version"] else {}
    loss = ContrastiveLoss(margin=given["margin"], **legacy)
    return loss, net.add(layer, Concatenation(), X, other, suffix="_pair"), 1.0


# {type: (function, how many of its bottoms are scores; the one behind them has the targets)}
LOSSES: dict[str, tuple[Callable[..., tuple], int]] = {
    "SoftmaxWithLoss": (softmax, 1),
    "SoftmaxLoss": (softmax, 1),
    "MultinomialLogisticLoss": (multinomial, 1),
    "SigmoidCrossEntropyLoss": (sigmoid, 1),
    "EuclideanLoss": (euclidean, 1),
    "ContrastiveLoss": (contrastive, 2),
    "pyloss.EuclideanLossLayer": (euclidean, 1),  # Caffe's example of a loss in Python
}
