"""The third drawn set, written down after the rules were changed for the first two and before any
of its runs was looked at."""

from functools import partial

from drawn import data
from drawn.first import ADAM, HEALTHY, MORE_DIGITS, SGD, blobs
from drawn.kinds import DIGITS, Kind, mlp

EMBEDDING = ("embedding", {"type": "Embedding", "n_words": 10, "n_dims": 8})
MOMENTUM = {"type": "Momentum", "lr": 0.01, "momentum": 0.9}
NORM = {"type": "BatchNormalization"}
FLAT = {"type": "Flatten"}
CONV = {"type": "Convolution", "c_out": 6, "kernel": 3}
BLOBS = blobs(distance=6)
NUMBERS = "SquaredErrorLoss"
WORDS = {"task": "language_model", "n_words": 10}
LABELS = {"loss": "SigmoidWithLoss", "task": "multilabel"}


def rated(rule, lr, **more):
    return {"type": rule, "lr": lr, **more}


def dropout(p):
    return {"type": "Dropout", "p": p}


def affine(n, std):
    return {"type": "Affine", "n_out": n, "init": {"type": "normal", "std": std}}


RESIDUAL = {
    "type": "Graph",
    "layers": {
        "first": {"type": "Affine", "n_out": 30},
        "relu1": {"type": "Relu"},
        "second": {"type": "Affine", "n_out": 30},
        "sum": {"type": "Addition", "inputs": ["second", "relu1"]},
        "relu2": {"type": "Relu"},
        "last": {"type": "Affine", "n_out": 5},
    },
}
KINDS = [
    # --- healthy
    Kind("residual", HEALTHY, BLOBS, [], ADAM, net=RESIDUAL),
    Kind("two_class_svm", HEALTHY, partial(data.shifted, share=0.5, shift=4), mlp(16, 2), ADAM,
         loss="SVMLoss"),
    Kind("plateau", HEALTHY, BLOBS, mlp(30, 5), {**MOMENTUM, "schedule": {"type": "plateau"}}, 900,
         dataset={"validation_share": 0.15}),
    Kind("convolved_digits", HEALTHY, {**MORE_DIGITS, "flatten": False},
         [CONV, "Relu", {"type": "MaxPooling", "kernel": 4}, FLAT, 10], ADAM, 300),
    Kind("gradient_penalty", HEALTHY, BLOBS, mlp(30, 5), SGD, 400,
         training={"gradient_penalty": 0.01}),
    Kind("mostly_noise", HEALTHY, partial(data.function, noise=2.2, n=8000), mlp(16, 1), ADAM, 600,
         loss=NUMBERS),
    Kind("rare_and_weighted", HEALTHY, partial(data.shifted, share=0.04, shift=3, n=4000),
         mlp(10, 2), ADAM, 600, loss={"type": "SoftmaxWithLoss", "class_weights": [1.0, 24.0]}),
    Kind("a_first_look", HEALTHY, BLOBS, mlp(30, 5), ADAM, 20),
    Kind("all_regularised", HEALTHY, MORE_DIGITS, [80, NORM, "Relu", dropout(0.3), 10], ADAM, 800,
         loss={"type": "SoftmaxWithLoss", "label_smoothing": 0.1}),
    Kind("digits_through_a_code", HEALTHY, {**MORE_DIGITS, "task": "reconstruction"},
         [64, "Relu", 16, "Tanh", 64, "Relu", 784, "Sigmoid"], rated("Adam", 0.003), 900,
         loss=NUMBERS),
    Kind("rmsprop_huber", HEALTHY, data.function, mlp(32, 1, "Gelu"), rated("RMSProp", 0.002), 800,
         loss="HuberLoss"),
    Kind("a_tenth_half_found", HEALTHY, partial(data.shifted, share=0.12, shift=2.5, n=4000),
         mlp(10, 1), ADAM, 600, loss="SigmoidWithLoss"),
    Kind("twenty_labels", HEALTHY, partial(data.labels, n=3000, n_labels=20, d=20), mlp(80, 20),
         ADAM, 1200, **LABELS),
    Kind("ticks", HEALTHY, data.ticks, mlp(12, 4), SGD, 500),
    Kind("tags_and_dropout", HEALTHY, data.tags,
         [("embedding", {"type": "Embedding", "n_words": 12, "n_dims": 12}), dropout(0.2), 3],
         rated("Adam", 0.02), 400, indices=True),
    # --- sick
    Kind("sigmoid_of_four", {"squashed scores"}, blobs(classes=4, distance=6),
         [*mlp(30, 4), "OwnSigmoid"], SGD, 600),
    Kind("images_too_fast", {"learning rate too high"}, data.stripes, [CONV, "Relu", FLAT, 3],
         rated("Momentum", 3.0, momentum=0.9), 200),
    Kind("images_too_slow", {"learning rate too low"}, data.stripes, [CONV, "Relu", FLAT, 3],
         rated("Momentum", 1e-6, momentum=0.9), 300),
    Kind("numbered_otherwise", {"wrong labels", "test set of another kind"},
         lambda r: data.apart(r, data.blobs(r, distance=6)),
         mlp(30, 5), ADAM),
    Kind("stripes_by_heart", {"over-fitting"}, partial(data.stripes, n=60, noise=2.0),
         [CONV, "Relu", FLAT, 60, "Relu", 3], ADAM, 500, 20),
    Kind("log_of_negatives", {"overflow", "undefined result"}, BLOBS, [30, "Log", 5], SGD, 100),
    Kind("frozen_numbers", {"nothing can learn"}, data.function,
         [{"type": "Affine", "n_out": 9, "trainable": False}, "Relu",
          {"type": "Affine", "n_out": 1, "trainable": False}], ADAM, loss=NUMBERS),
    Kind("l1_of_numbers", {"weight decay too strong"}, data.function, mlp(32, 1),
         rated("SGD", 0.05, weight_decay=0.3, decay="l1"), 600, loss=NUMBERS),
    Kind("sunk_words", {"dead ReLUs"}, partial(data.chain, sure=0.9),
         [EMBEDDING, ("sunk", {"type": "Sunk", "n_out": 30}), "Relu", 10], ADAM, 500, **WORDS),
    Kind("rare_for_svm", {"unequal classes"}, partial(data.shifted, share=0.05, shift=1.2, n=4000),
         mlp(10, 2), rated("SGD", 0.05), 600, loss="SVMLoss"),
    Kind("a_million_and_norm", {"targets not scaled"}, partial(data.function, scale=1e6),
         [32, NORM, "Relu", 1], rated("Adam", 0.01), 500, loss=NUMBERS),
    Kind("years", {"inputs not normalised"},
         lambda r: data.stretched(r, data.function(r), 10.0, 2000.0), mlp(32, 1), ADAM, 600,
         loss=NUMBERS),
    Kind("eight_sigmoids", {"vanishing gradients"}, DIGITS, mlp(*[40] * 8, 10, "Sigmoid"), SGD,
         500),
    Kind("ten_loud_elus", {"exploding depth", "initial weights too large"}, BLOBS,
         mlp(*[40] * 10, 5, "Elu", init={"type": "normal", "std": 0.9}), rated("SGD", 0.001), 300),
    Kind("two_units_for_twelve", {"too little capacity"}, blobs(classes=12, d=12, distance=8),
         mlp(2, 12, "Tanh"), rated("SGD", 0.1), 3000),
    Kind("loud_tanhs", {"saturated units", "initial weights too large"}, BLOBS,
         [affine(40, 6.0), "Tanh", affine(40, 6.0), "Tanh", 5], rated("SGD", 0.01), 400),
    Kind("images_stopped", {"training too short", "learning rate too low"}, data.stripes,
         [CONV, "Relu", FLAT, 3], rated("SGD", 0.002), 60),
    Kind("targets_forgotten", {"loss not of this task", "nothing learned"}, BLOBS, mlp(30, 5),
         rated("SGD", 0.05), 400, loss="Small"),
    Kind("a_spike_for_tanhs", {"learning rate too high", "saturated units"}, DIGITS,
         mlp(40, 40, 10, "Tanh"),
         rated("SGD", 0.05, schedule={"type": "spike", "at": 200, "length": 5, "factor": 3000.0}),
         400),
    Kind("detached_at_once", {"gradients are zero"}, BLOBS, [20, "Tanh", "Detached", 5], SGD, 400),
    Kind("zeros_in_the_middle", {"equal weights", "gradients are zero"}, BLOBS,
         [30, "Relu", {"type": "Affine", "n_out": 30, "init": "zeros"}, "Relu", 5], SGD, 400),
    Kind("batch_of_two_too_fast", {"learning rate too high"}, BLOBS, mlp(30, 5), rated("SGD", 1.5),
         1500, 2),
    Kind("words_stopped", {"training too short", "learning rate too low"},
         partial(data.chain, sure=0.95), [EMBEDDING, 10], rated("Adam", 0.002), 120, **WORDS),
]  # fmt: skip
