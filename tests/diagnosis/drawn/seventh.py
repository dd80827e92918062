"""The seventh drawn set: kinds of runs of which somebody who looked for wrong verdicts had found
one. Before the rules were changed for them nearly all were judged wrongly."""

from functools import partial

import numpy as np

from drawn import data
from drawn.first import HEALTHY
from drawn.kinds import Kind, mlp
from drawn.third import LABELS, NORM, NUMBERS, affine, dropout, rated

FLIPPED = partial(data.side, share=0.3)
SCALE = {"type": "Scale", "shape": [1]}
BIAS = {"type": "Bias", "shape": [1]}
KEEPING = {"keep_best": True, "patience": 6, "evaluate_every": 50}
RNN = {"type": "Rnn", "n_hidden": 20, "last_only": True}
TABLE = {"type": "Embedding", "n_words": 1000, "n_dims": 16}
SMALL = np.array([1.0, *[1e-3] * 11])

KINDS = [
    # --- healthy
    Kind("large_before_a_norm", HEALTHY, partial(data.side, d=20),
         [affine(50, 3.0), NORM, "Relu", 2], rated("Adam", 0.01), 1200),
    Kind("scaled_at_the_end", HEALTHY, partial(data.function, scale=5e4, offset=2e5),
         [*mlp(20, 20, 20, 1), {**SCALE, "value": 5e4}, {**BIAS, "value": 2e5}],
         rated("Adam", 0.003), 1200, loss=NUMBERS),
    Kind("one_answer_is_likelier", HEALTHY, data.odds, mlp(20, 2), rated("Adam", 0.003), 1500, 100),
    Kind("a_weak_signal", HEALTHY, partial(data.side, n=40000, n_test=20000, share=0.47),
         mlp(20, 2), rated("Adam", 0.003), 1500, 200),
    Kind("frequent_labels", HEALTHY, data.frequent_labels, mlp(30, 4), rated("Adam", 0.003), 1500,
         **LABELS),
    Kind("small_weights_in_noise", HEALTHY, FLIPPED, [affine(30, 0.01), "Relu", affine(2, 0.01)],
         rated("Adam", 0.01), 1000),
    Kind("a_leap_at_first_in_noise", HEALTHY, FLIPPED, [affine(30, 0.03), "Relu", affine(2, 0.03)],
         rated("Adam", 0.01), 400),
    Kind("rows_that_stand_twice", HEALTHY,
         lambda r: data.twice(r, data.side(r, 250, 1000, d=4, share=0.25)), [2],
         rated("Adam", 0.01), 1000),
    Kind("six_times_as_large", HEALTHY, lambda r: data.stretched(r, data.side(r, d=20), 6.0),
         mlp(30, 2), rated("Adam", 0.01), 1000),
    Kind("relu_at_the_end", HEALTHY, data.sides, [*mlp(60, 4), "Relu"], rated("Adam", 0.003), 1500),
    Kind("kept_before", HEALTHY, partial(data.function, n=500, d=8, noise=1.0),
         [60, NORM, "Relu", 1], rated("Adam", 0.01), 800, loss=NUMBERS,
         dataset={"validation_share": 0.2}, training=KEEPING),
    Kind("small_head_and_scale", HEALTHY, partial(data.function, noise=1.0, offset=-1.0, n=4000),
         [30, "Relu", affine(1, 0.001), {**SCALE, "value": 1.0}, {**BIAS, "value": -1.0}],
         rated("Adam", 0.01), 1000, loss=NUMBERS),
    Kind("decay_in_noise", HEALTHY, FLIPPED, mlp(30, 2), rated("SGD", 0.1, weight_decay=0.06),
         1500),
    Kind("dropout_in_noise", HEALTHY, FLIPPED, [300, "Relu", dropout(0.8), 2], rated("Adam", 0.003),
         1500),
    # --- sick
    Kind("forty_test_samples", {"over-fitting"},
         partial(data.shifted, share=0.5, shift=1.7, d=8, n=400, n_test=40), mlp(100, 100, 2),
         rated("Adam", 0.003), 1500),
    Kind("many_columns", {"over-fitting"}, partial(data.side, d=300, n=300, share=0.05),
         mlp(50, 50, 2), rated("Adam", 0.003), 800),
    Kind("summed_words_by_heart", {"over-fitting"}, data.sums_of_words,
         [TABLE, "MeanStep", 32, "Relu", 2], rated("Adam", 0.005), 1200, indices=True),
    Kind("labels_said_by_all", {"over-fitting"},
         partial(data.frequent_labels, n=400, d=10, offset=0.6, slope=1.2), mlp(100, 100, 4),
         rated("Adam", 0.003), 1200, **LABELS),
    Kind("adam_decays", {"weight decay too strong"}, data.sides, mlp(40, 4),
         rated("Adam", 0.003, weight_decay=0.5), 600),
    Kind("l1_decays", {"weight decay too strong"}, data.sides, mlp(40, 4),
         rated("SGD", 0.01, weight_decay=0.05, decay="l1"), 3000),
    Kind("l1_decays_fast", {"weight decay too strong"}, data.sides, mlp(40, 4),
         rated("SGD", 0.1, weight_decay=0.05, decay="l1"), 600),
    Kind("over_after_a_tenth", {"learning rate too low"}, data.sides, mlp(40, 4),
         rated("SGD", 0.1, schedule={"type": "exp", "gamma": 0.9}), 600),
    Kind("three_dropouts", {"dropout too strong", "training too short"},
         partial(data.function, noise=1.0),
         [*[16, NORM, "Sigmoid", dropout(0.5)] * 3, 1], rated("SGD", 0.1), 1500, 100, loss=NUMBERS),
    Kind("whole_batches_slow", {"training too short", "learning rate too low"}, data.sides,
         mlp(40, 40, 4), rated("SGD", 0.001), 1000, 2000),
    Kind("a_penalty_of_five", {"gradient penalty too strong"}, data.sides, mlp(40, 40, 4),
         rated("SGD", 0.05), 800, training={"gradient_penalty": 5.0}),
    Kind("ada_grad_of_three", {"learning rate too high"}, data.sides, mlp(40, 40, 4),
         rated("AdaGrad", 3.0), 1000),
    Kind("millimetres", {"inputs not normalised"},
         lambda r: {k: v * SMALL.astype(v.dtype) if k[0] == "x" else v
                    for k, v in data.sides(r).items()},
         mlp(40, 40, 4), rated("SGD", 0.1), 1000),
    Kind("first_of_sixty", {"over-fitting", "vanishing gradients over time", "nothing learned"},
         data.first_steps, [RNN, 2], rated("Adam", 0.005), 500),
    Kind("tanh_below_the_targets", {"squashed scores"}, data.growth, [*mlp(30, 1), "Tanh"],
         rated("Adam", 0.01), 1000, loss=NUMBERS),
]  # fmt: skip
