"""The tenth drawn set: kinds of runs of which two more people who looked for wrong verdicts had
found one, and of noisy averages. Before the rules were changed for them all were judged wrongly."""

from functools import partial

import numpy as np

from drawn import data
from drawn.first import HEALTHY
from drawn.kinds import DIGITS, Kind, mlp
from drawn.third import NUMBERS, rated

FAR = partial(data.sized, scale=5.0, offset=50.0)


def unlike_columns(rng):
    """Clouds in columns of deviation 0.001 to 2,000."""
    return data.stretched(rng, data.blobs(rng, n=400, n_test=400, classes=3, distance=4.0),
                          np.geomspace(0.001, 2000.0, 10))  # fmt: skip


KINDS = [
    # --- healthy
    Kind("noise_far_from_0", HEALTHY, lambda r: FAR(data.whisper(r, share=0.35)), mlp(32, 1),
         rated("Adam", 0.01), 4000, loss=NUMBERS),
    Kind("a_line_at_rest", HEALTHY, partial(data.whisper, n=5000, share=0.12),
         [{"type": "Affine", "n_out": 1, "init": "zeros"}], rated("SGD", 0.001), 10000,
         loss=NUMBERS),
    Kind("weights_of_two", HEALTHY, partial(data.blobs, n=400, n_test=400, classes=3, distance=6.0),
         [{"type": "Affine", "n_out": 64, "init": {"type": "normal", "std": 2.0}}, "Relu", 3],
         rated("Adam", 0.003), 2000),
    # --- sick
    Kind("columns_as_they_come", {"inputs not normalised"}, unlike_columns, mlp(64, 3),
         rated("Adam", 0.003), 2000),
    Kind("signs_in_sixty_columns", {"over-fitting"}, data.signs, mlp(128, 2), rated("Adam", 0.001),
         2000, dataset={"validation_share": 0.1}),
    Kind("other_numbers_to_scale_by", {"test set of another kind"},
         lambda r: data.rescaled(data.arms(r, n=2000, n_test=1000), 1.3, 0.0), mlp(64, 64, 3),
         rated("Adam", 0.01), 1500,
         dataset={"validation_share": 0.1}),
    Kind("fifty_and_a_usual_rate", {"targets not scaled"}, lambda r: FAR(data.function(r)),
         mlp(32, 1), rated("SGD", 0.1), 1000, loss=NUMBERS),
    Kind("averages_of_five", {"running averages noisy"}, DIGITS,
         [32, {"type": "BatchNormalization", "momentum": 0.1}, "Relu", 10], rated("SGD", 0.03),
         2000, batch_size=4),
]  # fmt: skip
