"""The second drawn set, written down after the rules were changed for the first one and before any
of its runs was looked at."""

from functools import partial

from drawn import data
from drawn.first import ADAM, HEALTHY, MORE_DIGITS, SGD, blobs
from drawn.kinds import DIGITS, Kind, mlp

NORM = {"type": "BatchNormalization"}


def frozen(n):
    return {"type": "Affine", "n_out": n, "trainable": False}


KINDS = [
    # --- healthy
    Kind("two_arms", HEALTHY, partial(data.arms, kinds=2, turns=0.8), mlp(40, 40, 2, "Elu"), {"type": "RMSProp", "lr": 0.003}, 1200),
    Kind("batch_of_four", HEALTHY, blobs(distance=6), mlp(30, 5), {"type": "Momentum", "lr": 0.003, "momentum": 0.9}, 1500, 4),
    Kind("normed_regression", HEALTHY, partial(data.function, n_out=2), [32, {"type": "LayerNormalization"}, "Relu", 2], ADAM, 600, loss="SquaredErrorLoss"),
    Kind("rare_label_found", HEALTHY, partial(data.rare_labels, share=0.08), mlp(32, 3), ADAM, 1000, loss="SigmoidWithLoss", task="multilabel"),
    Kind("geometric_shares", HEALTHY, blobs(classes=6, d=12, distance=9, n=3000, shares=[0.5, 0.25, 0.13, 0.06, 0.04, 0.02]), mlp(40, 6), ADAM, 800),
    Kind("global_pooling", HEALTHY, data.stripes, [{"type": "Convolution", "c_out": 8, "kernel": 3}, {"type": "PRelu"}, {"type": "Convolution", "c_out": 8, "kernel": 3}, {"type": "PRelu"}, {"type": "GlobalAveragePooling"}, 3], {"type": "Adam", "lr": 0.01}, 500),
    Kind("dropout_in_autoencoder", HEALTHY, data.factors, [{"type": "Dropout", "p": 0.1}, 40, "Relu", 20], ADAM, 800, loss="SquaredErrorLoss", task="reconstruction"),
    Kind("a_fifth_is_noise", HEALTHY, lambda rng: data.flipped(rng, data.blobs(rng, distance=7, n=5000)), mlp(12, 5), {"type": "SGD", "lr": 0.05}, 800),
    Kind("hardly_more_than_a_coin", HEALTHY, partial(data.shifted, share=0.5, shift=0.8, n=5000), mlp(8, 2), {"type": "SGD", "lr": 0.05}, 800),
    Kind("sure_words", HEALTHY, partial(data.chain, sure=1.0), [("embedding", {"type": "Embedding", "n_words": 10, "n_dims": 8}), 10], {"type": "Adam", "lr": 0.02}, 500, task="language_model", n_words=10),
    Kind("six_tanhs", HEALTHY, blobs(distance=6), mlp(*[30] * 6, 5, "Tanh", init="xavier_normal"), {"type": "SGD", "lr": 0.05}, 800),
    Kind("clipped_regression", HEALTHY, data.function, mlp(32, 1), {"type": "SGD", "lr": 0.05, "clip_norm": 1.0}, 800, loss="SquaredErrorLoss"),
    Kind("squares_for_classes", HEALTHY, blobs(distance=6), mlp(30, 5), {"type": "SGD", "lr": 0.1}, 800, loss="SquaredErrorLoss", task="classification"),
    Kind("softmax_where_it_belongs", HEALTHY, blobs(distance=6), [*mlp(30, 5), "Softmax"], SGD, loss="CrossEntropyError"),
    Kind("patience", HEALTHY, blobs(distance=6), mlp(30, 5), ADAM, 1200, dataset={"validation_share": 0.1}, training={"patience": 4, "keep_best": True, "evaluate_every": 60}),
    Kind("steps_down", HEALTHY, MORE_DIGITS, mlp(50, 10), {"type": "SGD", "lr": 0.2, "schedule": {"type": "step", "gamma": 0.3, "step_size": 300}}, 900),
    Kind("targets_of_three", HEALTHY, partial(data.function, scale=3.0, offset=2.0), mlp(32, 1), ADAM, 1000, loss="SquaredErrorLoss"),
    Kind("accumulated", HEALTHY, blobs(distance=6), mlp(30, 5), SGD, 300, 8, training={"accumulate": 4}),
    Kind("small_inputs", HEALTHY, lambda rng: data.stretched(rng, data.blobs(rng, distance=6), 0.1), mlp(30, 5), ADAM, 600),
    Kind("as_everybody_runs_it", HEALTHY, MORE_DIGITS, mlp(50, 10), SGD, 1000, 100, training={"record_every": 200, "evaluate_every": 50}),
    Kind("own_loss_of_classes", HEALTHY, blobs(distance=6), mlp(30, 5), SGD, 600, loss="Brier"),
    # --- sick
    Kind("sigmoid_before_svm", {"squashed scores"}, DIGITS, [*mlp(50, 10), "OwnSigmoid"], SGD, 600, loss="SVMLoss"),
    Kind("sigmoid_for_numbers", {"squashed scores"}, data.function, [*mlp(32, 1), "Sigmoid"], ADAM, 600, loss="SquaredErrorLoss"),
    Kind("tanh_for_wide_numbers", {"squashed scores"}, partial(data.function, scale=4.0), [*mlp(32, 1), "Tanh"], ADAM, 600, loss="SquaredErrorLoss"),
    Kind("softmax_of_words", {"squashed scores"}, partial(data.chain, sure=1.0), [("embedding", {"type": "Embedding", "n_words": 10, "n_dims": 8}), 10, "OwnSoftmax"], {"type": "Adam", "lr": 0.02}, 500, task="language_model", n_words=10),
    Kind("slow_regression", {"learning rate too low"}, data.function, mlp(32, 1), {"type": "SGD", "lr": 1e-5}, 600, loss="SquaredErrorLoss"),
    Kind("rmsprop_rate_one", {"learning rate too high"}, DIGITS, mlp(50, 10), {"type": "RMSProp", "lr": 1.0}),
    Kind("adagrad_too_slow", {"learning rate too low"}, blobs(distance=6), mlp(30, 5), {"type": "AdaGrad", "lr": 1e-5}, 600),
    Kind("much_momentum", {"learning rate too high"}, DIGITS, mlp(50, 10), {"type": "Momentum", "lr": 0.5, "momentum": 0.99}, 500),
    Kind("batch_of_one_regression", {"learning rate too high"}, data.function, mlp(32, 1), {"type": "SGD", "lr": 0.3}, 2000, 1, loss="SquaredErrorLoss"),
    Kind("permuted_labels", {"wrong labels"}, lambda rng: data.permuted(rng, data.labels(rng, n=200)), mlp(150, 4), ADAM, 1500, loss="SigmoidWithLoss", task="multilabel"),
    Kind("words_by_heart", {"over-fitting"}, partial(data.chain, n=25, words=20, sure=0.6), [("embedding", {"type": "Embedding", "n_words": 20, "n_dims": 16}), {"type": "Flatten"}, 200, "Relu", 160, {"type": "Reshape", "shape": [8, 20]}], {"type": "Adam", "lr": 0.005}, 800, 25, task="language_model", n_words=20),
    Kind("labels_by_heart", {"over-fitting"}, partial(data.labels, n=60, d=40), mlp(150, 4), ADAM, 1000, 30, loss="SigmoidWithLoss", task="multilabel"),
    Kind("rare_label_never_found", {"unequal classes"}, partial(data.rare_labels, share=0.03, noise=1.5), mlp(12, 3), {"type": "SGD", "lr": 0.2}, 600, loss="SigmoidWithLoss", task="multilabel"),
    Kind("two_rare_of_three", {"unequal classes"}, blobs(classes=3, d=8, distance=1.2, n=4000, n_test=1500, shares=[0.95, 0.03, 0.02]), mlp(10, 3), SGD, 600),
    Kind("one_score_rare", {"unequal classes"}, partial(data.shifted, share=0.03, shift=1.3, n=4000), mlp(10, 1), SGD, 600, loss="SigmoidWithLoss"),
    Kind("only_a_norm_learns", {"too much is frozen"}, DIGITS, [frozen(30), NORM, "Relu", frozen(10)], SGD, 600),
    Kind("decay_of_numbers", {"weight decay too strong"}, data.function, mlp(32, 1), {"type": "SGD", "lr": 0.05, "weight_decay": 1.0}, 600, loss="SquaredErrorLoss"),
    Kind("adamw_decay_five", {"weight decay too strong"}, DIGITS, mlp(50, 10), {"type": "AdamW", "lr": 0.01, "weight_decay": 5.0}, 600),
    Kind("dropout_twice", {"dropout too strong"}, DIGITS, [60, "Relu", {"type": "Dropout", "p": 0.95}, 60, "Relu", {"type": "Dropout", "p": 0.95}, 10], {"type": "Adam", "lr": 0.002}, 600),
    Kind("numbers_stopped_early", {"training too short", "learning rate too low"}, data.function, mlp(32, 1), {"type": "Adam", "lr": 0.0005}, 120, loss="SquaredErrorLoss"),
    Kind("far_off_and_absolute", {"targets not scaled"}, partial(data.function, offset=-800.0, scale=20.0), mlp(32, 1), ADAM, 800, loss="AbsoluteErrorLoss"),
    Kind("tiny_targets", {"targets not scaled"}, partial(data.function, scale=0.0001), mlp(32, 1), ADAM, 500, loss="SquaredErrorLoss"),
    Kind("tiny_inputs", {"inputs not normalised"}, lambda rng: data.stretched(rng, data.blobs(rng, distance=6), 0.0001), mlp(30, 5), SGD, 600),
    Kind("twelve_sigmoids", {"vanishing gradients"}, blobs(distance=6), mlp(*[30] * 12, 5, "Sigmoid"), SGD, 600),
    Kind("a_late_spike", {"dead ReLUs", "learning rate too high"}, DIGITS, mlp(50, 10), {"type": "SGD", "lr": 0.1, "schedule": {"type": "spike", "at": 583, "length": 10, "factor": 2000.0}}, 600),
    Kind("sunk_images", {"dead ReLUs"}, data.stripes, [{"type": "Flatten"}, ("sunk", {"type": "Sunk", "n_out": 40}), "Relu", 3], SGD, 400),
    Kind("minus_squared_error", {"loss not of this task"}, data.function, mlp(32, 1), {"type": "SGD", "lr": 0.001}, 300, loss="MinusSquaredError"),
    Kind("rounded_features", {"gradients are zero"}, DIGITS, [10, "Rounded", 20, "Relu", 10], SGD, 600),
    Kind("the_same_row", {"inputs all the same"}, lambda rng: data.same_row(rng, data.function(rng)), mlp(32, 1), ADAM, 500, loss="SquaredErrorLoss"),
    Kind("a_line_for_a_product", {"too little capacity", "nothing learned"}, data.product, [1], ADAM, 1000, loss="SquaredErrorLoss"),
    Kind("one_unit_for_six_clouds", {"too little capacity"}, blobs(classes=6, distance=7), mlp(1, 6, "Tanh"), ADAM, 2500),
    Kind("twenty_times_he", {"initial weights too large"}, DIGITS, mlp(50, 10, init={"type": "normal", "std": 3.0}), {"type": "SGD", "lr": 0.01}, 500),
    Kind("all_a_tenth", {"equal weights"}, blobs(distance=6), mlp(30, 5, init={"type": "constant", "value": 0.1}), SGD, 500),
]  # fmt: skip
