"""The ninth drawn set: kinds of runs of which one more person who looked for wrong verdicts had
found one. Before the rules were changed for them all were judged wrongly."""

from functools import partial

from drawn import data
from drawn.first import HEALTHY
from drawn.kinds import Kind, mlp
from drawn.third import NUMBERS, rated

NORM = "BatchNormalization"
TABLE = partial(data.function, n=300, n_test=300, d=8, noise=1.0)

KINDS = [
    # --- healthy
    Kind("kept_long_before_its_end", HEALTHY, partial(TABLE, scale=70.0, offset=150.0),
         mlp(128, 128, 1), rated("Adam", 0.01), 1500, loss=NUMBERS,
         dataset={"validation_share": 0.15}, training={"keep_best": True, "evaluate_every": 50}),
    # --- sick
    Kind("a_line_behind_a_norm", {"too little capacity"}, partial(data.arms, kinds=2, turns=1.0),
         [32, NORM, 2], rated("Adam", 0.01), 1000),
    Kind("a_line_behind_norms", {"too little capacity"}, partial(data.arms, turns=0.9),
         [32, NORM, 32, NORM, 3], rated("Adam", 0.003), 1200),
    Kind("a_line_of_large_numbers", {"too little capacity"},
         lambda r: data.sized(data.product(r, line=1.0), 375.0, 463.0), [1], rated("SGD", 0.02),
         2000, loss=NUMBERS),
    Kind("dropout_of_large_numbers", {"dropout too strong"},
         partial(data.function, scale=80.0, offset=150.0),
         [32, "Relu", {"type": "Dropout", "p": 0.95}, 1], rated("Adam", 0.02), 1000, loss=NUMBERS),
    Kind("the_first_of_sixty", {"vanishing gradients over time", "over-fitting"}, data.first_steps,
         [{"type": "Rnn", "n_hidden": 32, "last_only": True}, 2], rated("Adam", 0.003), 800),
    Kind("tags_of_others", {"wrong labels"}, lambda r: data.permuted(r, data.labels(r, n_labels=5)),
         mlp(64, 5), rated("Adam", 0.01), 1500, loss="SigmoidWithLoss", task="multilabel"),
]  # fmt: skip
