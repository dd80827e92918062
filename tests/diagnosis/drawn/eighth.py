"""The eighth drawn set: kinds of runs of which people who looked for wrong verdicts had found one,
once more. Before the rules were changed for them nearly all were judged wrongly."""

from functools import partial

from drawn import data
from drawn.first import HEALTHY
from drawn.kinds import DIGITS, Kind, mlp
from drawn.third import NUMBERS, affine, rated

IMAGES = {**DIGITS, "flatten": False}
SLOW_NORM = {"type": "BatchNormalization", "momentum": 0.999}
CONV = {"type": "Convolution", "c_out": 8, "kernel": 3, "padding": 1}
POOL = {"type": "MaxPooling", "kernel": 2, "stride": 2}
FLAT = {"type": "Flatten"}

KINDS = [
    # --- healthy
    Kind("a_whisper_in_numbers", HEALTHY, data.whisper, mlp(16, 1), rated("SGD", 0.03), 1500, 100,
         loss=NUMBERS),
    Kind("categories_told", HEALTHY, data.categories, mlp(64, 20), rated("SGD", 0.1), 2400, 20),
    Kind("few_channels", HEALTHY, IMAGES, [CONV, "Relu", POOL, FLAT, 10], rated("Adam", 0.003),
         400),
    Kind("pressure_of_the_air", HEALTHY, partial(data.function, scale=2.0, offset=30.0),
         mlp(32, 1), rated("Adam", 0.01), 2500, loss=NUMBERS),
    # --- sick
    Kind("over_after_twenty", {"learning rate too low"}, data.sides, mlp(40, 4),
         rated("SGD", 0.1, schedule={"type": "step", "step_size": 20, "gamma": 0.1}), 800),
    Kind("averages_of_thousand", {"running averages behind"}, DIGITS,
         [*[32, SLOW_NORM, "Relu"] * 3, 10], rated("Adam", 0.003), 300),
    Kind("twelve_test_numbers", {"over-fitting"},
         partial(data.function, n=80, n_test=12, d=8, noise=1.5), mlp(64, 1), rated("Adam", 0.01),
         2000, 16, loss=NUMBERS),
    Kind("unlike_test_inputs", {"test set of another kind"},
         lambda r: data.moved(data.sides(r), 1.0), mlp(40, 4), rated("Adam", 0.003), 800),
    Kind("a_slip_of_the_pen", {"targets far out"},
         lambda r: data.slip(data.function(r), 1e4), mlp(32, 1), rated("Adam", 0.003), 800,
         loss=NUMBERS),
    Kind("a_line_by_r2", {"too little capacity"}, partial(data.product, noise=0.0), [1],
         rated("Adam", 0.003), 1500, loss=NUMBERS, training={"metrics": ["r2"]}),
    Kind("five_of_ten_is_guessing", {"learning rate too low"}, DIGITS, mlp(32, 10),
         rated("SGD", 1e-5), 400, training={"metrics": ["top5"]}),
    Kind("thirteen_of_sixteen_dead", {"dead ReLUs", "learning rate too high"}, DIGITS, mlp(16, 10),
         rated("Adam", 0.5), 600),
    Kind("five_small_layers", {"initial weights too small"}, DIGITS,
         [*[affine(32, 0.01), "Tanh"] * 5, 10], rated("SGD", 0.1), 500),
    Kind("small_weights_of_adam", {"initial weights too small", "training too short"}, DIGITS,
         [*[affine(50, 0.01), "Relu"] * 3, affine(10, 0.01)], rated("Adam", 0.0003), 250),
    Kind("all_targets_alike", {"targets not scaled"},
         lambda r: {k: v * 0 + 3 if k[0] == "t" else v for k, v in data.function(r).items()},
         mlp(8, 1), rated("SGD", 0.01), 400, loss=NUMBERS, task="regression"),
    Kind("noise_in_numbers", {"wrong labels", "nothing learned", "over-fitting"},
         lambda r: data.permuted(r, data.function(r, n=1000, d=6)), mlp(30, 1),
         rated("Adam", 0.005), 1000, loss=NUMBERS),
    Kind("weights_turned_round", {"weight decay too strong"}, data.sides, mlp(32, 4),
         rated("SGD", 0.1, weight_decay=30.0), 300),
]  # fmt: skip
