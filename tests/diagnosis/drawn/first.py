"""The first drawn set: what the doctor should say was written down before its rules were touched."""

from functools import partial

from drawn import data
from drawn.kinds import DIGITS, Kind, chain_of, mlp

SGD = {"type": "SGD", "lr": 0.1}
ADAM = {"type": "Adam", "lr": 0.005}
HEALTHY = frozenset()
# With 1,000 digits these nets are right about 100 % of them and 90 % of others: over-fitting, the
# doctor said, and it was the drawing that was wrong.
MORE_DIGITS = {**DIGITS, "n_train": 5000}


def blobs(**settings):
    return partial(data.blobs, **settings)


KINDS = [
    # --- healthy
    Kind("rare_but_separable", HEALTHY, partial(data.shifted, share=0.05, shift=9.0), mlp(20, 2), ADAM),
    Kind("mild_imbalance", HEALTHY, blobs(classes=3, shares=[0.5, 0.35, 0.15], distance=5), mlp(30, 3), SGD),
    Kind("batch_of_one", HEALTHY, blobs(distance=6), mlp(30, 5), {"type": "SGD", "lr": 0.005}, 3000, 1),
    Kind("thirty_test_flowers", HEALTHY, data.flowers, mlp(10, 3), SGD, 600, 20),
    Kind("smooth_regression", HEALTHY, data.function, mlp(32, 1, "Tanh"), ADAM, 600, loss="SquaredErrorLoss"),
    Kind("three_targets", HEALTHY, partial(data.function, n_out=3), mlp(32, 3), ADAM, 600, loss="SquaredErrorLoss"),
    Kind("noise_floor", HEALTHY, partial(data.function, noise=1.5, n=5000), mlp(8, 1), ADAM, 600, loss="SquaredErrorLoss"),
    Kind("four_labels", HEALTHY, data.labels, mlp(32, 4), ADAM, 600, loss="SigmoidWithLoss", task="multilabel"),
    Kind("few_factors", HEALTHY, data.factors, mlp(4, 20, None), ADAM, 800, loss="SquaredErrorLoss", task="reconstruction"),
    Kind("frozen_features", HEALTHY, DIGITS, [("hidden", {"type": "Affine", "n_out": 300, "trainable": False}), "Relu", 10], SGD, 800),
    Kind("dropout_half", HEALTHY, blobs(distance=6), [100, "Relu", {"type": "Dropout", "p": 0.5}, 5], ADAM),
    Kind("ten_deep_relus", HEALTHY, blobs(distance=6), mlp(*[40] * 9, 5), {"type": "Momentum", "lr": 0.01, "momentum": 0.9}, 600),
    Kind("svm", HEALTHY, blobs(distance=6), mlp(30, 5), {"type": "SGD", "lr": 0.05}, 600, loss="SVMLoss"),
    Kind("adagrad", HEALTHY, blobs(distance=6), mlp(30, 5), {"type": "AdaGrad", "lr": 0.05}),
    Kind("rmsprop", HEALTHY, blobs(distance=6), mlp(30, 5), {"type": "RMSProp", "lr": 0.002}),
    Kind("adadelta", HEALTHY, blobs(distance=6), mlp(30, 5), {"type": "AdaDelta", "lr": 1.0}, 800),
    Kind("nesterov", HEALTHY, MORE_DIGITS, mlp(50, 10), {"type": "Nesterov", "lr": 0.02, "momentum": 0.9}, 600),
    Kind("batch_norm", HEALTHY, blobs(distance=6), [40, {"type": "BatchNormalization"}, "Relu", 40, {"type": "BatchNormalization"}, "Relu", 5], SGD),
    Kind("layer_norm", HEALTHY, blobs(distance=6), [40, {"type": "LayerNormalization"}, "Gelu", 40, {"type": "LayerNormalization"}, "Gelu", 5], ADAM),
    Kind("label_smoothing", HEALTHY, blobs(distance=6), mlp(30, 5), ADAM, loss={"type": "SoftmaxWithLoss", "label_smoothing": 0.2}),
    Kind("class_weights", HEALTHY, partial(data.shifted, share=0.15, shift=4.0), mlp(20, 2), ADAM, loss={"type": "SoftmaxWithLoss", "class_weights": [1.0, 5.0]}),
    Kind("huber_outliers", HEALTHY, partial(data.function, outliers=10.0), mlp(32, 1), ADAM, 600, loss={"type": "HuberLoss", "delta": 1.0}),
    Kind("absolute_error", HEALTHY, data.function, mlp(32, 1, "Elu"), ADAM, 800, loss="AbsoluteErrorLoss"),
    Kind("noisy_words", HEALTHY, data.chain, [("embedding", {"type": "Embedding", "n_words": 10, "n_dims": 8}), 10], {"type": "Adam", "lr": 0.02}, 600, task="language_model", n_words=10),
    Kind("tags", HEALTHY, data.tags, [("embedding", {"type": "Embedding", "n_words": 12, "n_dims": 6}), 3], {"type": "Adam", "lr": 0.02}, 400, indices=True),
    Kind("stripes", HEALTHY, data.stripes, [{"type": "Convolution", "c_out": 6, "kernel": 3}, "Relu", {"type": "MaxPooling", "kernel": 2}, {"type": "Flatten"}, 3], {"type": "Adam", "lr": 0.01}, 300),
    Kind("overlapping_clouds", HEALTHY, blobs(classes=4, d=4, distance=2.5, n=5000), [4], SGD, 600),
    Kind("one_score", HEALTHY, partial(data.shifted, share=0.4, shift=4.0), mlp(16, 1, "Swish"), ADAM, loss="SigmoidWithLoss"),
    Kind("usual_decay", HEALTHY, MORE_DIGITS, mlp(50, 10), {"type": "Momentum", "lr": 0.02, "momentum": 0.9, "weight_decay": 0.0005}, 600),
    Kind("cosine_and_warm_up", HEALTHY, blobs(distance=6), mlp(30, 5), {"type": "AdamW", "lr": 0.005, "schedule": {"type": "cosine", "max_steps": 600, "warm_up": 50}}, 600),
    Kind("thirty_classes", HEALTHY, blobs(classes=30, d=20, distance=8, n=3000), mlp(60, 30), ADAM, 800),
    Kind("shallow_sigmoids", HEALTHY, blobs(distance=6), mlp(30, 5, "Sigmoid"), {"type": "SGD", "lr": 0.5}, 800),
    Kind("spiral_arms", HEALTHY, data.arms, mlp(64, 64, 3, "LeakyRelu"), {"type": "Adam", "lr": 0.005}, 1500),
    Kind("log_of_errors", HEALTHY, data.function, mlp(32, 1, "Tanh"), ADAM, 600, loss="LogMeanSquare"),
    # --- sick
    Kind("softmax_twice", {"squashed scores"}, DIGITS, [*mlp(50, 10), "OwnSoftmax"], SGD, 600),
    Kind("softmax_twice_30", {"squashed scores"}, blobs(classes=30, d=20, distance=8, n=3000), [*mlp(60, 30), "OwnSoftmax"], ADAM, 800),
    Kind("relu_scores", {"squashed scores", "dead ReLUs"}, DIGITS, [*mlp(50, 10), "OwnRelu"], SGD, 600),
    Kind("tanh_scores", {"squashed scores"}, blobs(classes=30, d=20, distance=8, n=3000), [*mlp(60, 30), "Tanh"], ADAM, 800),
    Kind("sigmoid_before_sigmoid", {"squashed scores"}, partial(data.shifted, share=0.4, shift=4.0), [*mlp(16, 1), "OwnSigmoid"], ADAM, 600, loss="SigmoidWithLoss"),
    Kind("rate_ten", {"learning rate too high"}, DIGITS, mlp(50, 10), {"type": "SGD", "lr": 10.0}),
    Kind("adam_rate_three", {"learning rate too high"}, blobs(distance=6), mlp(30, 5), {"type": "Adam", "lr": 3.0}),
    Kind("momentum_rate_two", {"learning rate too high"}, DIGITS, mlp(50, 50, 10), {"type": "Momentum", "lr": 2.0, "momentum": 0.9}),
    Kind("regression_rate_two", {"learning rate too high"}, data.function, mlp(32, 1), {"type": "SGD", "lr": 2.0}, loss="SquaredErrorLoss"),
    Kind("batch_of_one_too_fast", {"learning rate too high"}, blobs(distance=3), mlp(50, 5), {"type": "SGD", "lr": 0.5}, 2000, 1),
    Kind("rate_a_ten_thousandth", {"learning rate too low"}, DIGITS, mlp(50, 10), {"type": "SGD", "lr": 1e-4}, 600),
    Kind("adam_rate_a_millionth", {"learning rate too low"}, blobs(distance=6), mlp(30, 5), {"type": "Adam", "lr": 1e-6}, 600),
    Kind("early_end_of_rate", {"learning rate too low"}, DIGITS, mlp(50, 10), {"type": "SGD", "lr": 0.01, "schedule": {"type": "exp", "gamma": 0.9}}, 600),
    Kind("clipped_to_nothing", {"learning rate too low", "clipped too much"}, blobs(distance=6), mlp(30, 5), {"type": "SGD", "lr": 0.1, "clip_norm": 1e-5}, 600),
    Kind("all_frozen", {"nothing can learn"}, DIGITS, [("a", {"type": "Affine", "n_out": 50, "trainable": False}), "Relu", ("b", {"type": "Affine", "n_out": 10, "lr_mult": 0})], SGD),
    Kind("only_a_bias_learns", {"nothing can learn", "too little capacity", "too much is frozen"}, DIGITS, [("a", {"type": "Affine", "n_out": 50, "trainable": False}), "Relu", ("b", {"type": "Affine", "n_out": 10, "params": {"W": {"trainable": False}}})], SGD, 600),
    Kind("constant_inputs", {"inputs all the same"}, lambda rng: data.constant(rng, data.blobs(rng)), mlp(30, 5), SGD),
    Kind("detached_before_the_last", {"gradients are zero"}, DIGITS, [*mlp(8, 8), "Detached", "Relu", 10], SGD, 600),
    Kind("zeros_before_tanh", {"equal weights", "gradients are zero"}, blobs(distance=6), [{"type": "Affine", "n_out": 30, "init": "zeros"}, "Tanh", {"type": "Affine", "n_out": 5, "init": "zeros"}], SGD),
    Kind("dropout_all_but_all", {"dropout too strong"}, DIGITS, [50, "Relu", {"type": "Dropout", "p": 0.99}, 10], SGD, 600),
    Kind("stopped_early", {"training too short", "learning rate too low"}, DIGITS, mlp(50, 10), {"type": "SGD", "lr": 0.01}, 60),
    Kind("stopped_early_deep", {"training too short", "learning rate too low"}, DIGITS, mlp(40, 40, 40, 10), {"type": "SGD", "lr": 0.003}, 300),
    Kind("rare_never_found", {"unequal classes"}, partial(data.shifted, share=0.04, shift=1.5, n=4000), mlp(10, 2), SGD, 600),
    Kind("rare_in_five", {"unequal classes"}, lambda rng: data.buried(rng, data.blobs(rng, distance=6, n=4000, n_test=1500)), mlp(30, 6), SGD, 600),
    Kind("sunk_in_the_middle", {"dead ReLUs"}, blobs(distance=6), [40, "Relu", ("sunk", {"type": "Sunk", "n_out": 40}), "Relu", 5], {"type": "SGD", "lr": 0.05}),
    Kind("a_spike_of_the_rate", {"dead ReLUs", "learning rate too high"}, DIGITS, mlp(50, 10), {"type": "SGD", "lr": 0.1, "schedule": {"type": "spike"}}, 600),
    Kind("permuted_blobs", {"wrong labels"}, lambda rng: data.permuted(rng, data.blobs(rng, n=300, distance=6)), mlp(150, 5), ADAM, 1500),
    Kind("permuted_numbers", {"wrong labels"}, lambda rng: data.permuted(rng, data.function(rng, n=300)), mlp(100, 1), ADAM, 1500, loss="SquaredErrorLoss"),
    Kind("learned_by_heart", {"over-fitting"}, blobs(classes=3, d=60, distance=3, n=90), mlp(150, 3), ADAM, 1000, 30),
    Kind("numbers_by_heart", {"over-fitting"}, partial(data.function, d=20, n=40, noise=0.3), mlp(150, 1), ADAM, 1500, 20, loss="SquaredErrorLoss"),
    Kind("euros_and_shares", {"inputs not normalised"}, lambda rng: data.stretched(rng, data.blobs(rng, distance=6), 20000.0, 40000.0, 1), mlp(30, 5), SGD, 600),
    Kind("kelvin", {"inputs not normalised"}, lambda rng: data.stretched(rng, data.blobs(rng, distance=6), 1.0, 300.0), mlp(30, 5), SGD, 600),
    Kind("saturated", {"saturated units", "initial weights too large"}, DIGITS, [{"type": "Affine", "n_out": 50, "init": {"type": "normal", "std": 8.0}}, "Sigmoid", {"type": "Affine", "n_out": 50, "init": {"type": "normal", "std": 8.0}}, "Sigmoid", 10], SGD, 600),
    Kind("decay_of_a_half", {"weight decay too strong"}, blobs(distance=6), mlp(30, 5), {"type": "Momentum", "lr": 0.02, "momentum": 0.9, "weight_decay": 0.5}, 600),
    Kind("l1_decay", {"weight decay too strong"}, DIGITS, mlp(50, 10), {"type": "SGD", "lr": 0.1, "weight_decay": 0.1, "decay": "l1"}, 600),
    Kind("fifteen_tanhs_too_small", {"vanishing gradients", "initial weights too small"}, blobs(distance=6), mlp(*[30] * 15, 5, "Tanh", init={"type": "normal", "std": 0.03}), SGD, 600),
    Kind("minus_cross_entropy", {"loss not of this task"}, blobs(distance=6), mlp(30, 5), {"type": "SGD", "lr": 0.01}, 300, loss="MinusCrossEntropy"),
    Kind("descending_the_right_one", {"loss not of this task"}, blobs(distance=6), mlp(30, 5), SGD, 400, loss="RightProbability"),
    Kind("targets_of_ten_thousand", {"targets not scaled"}, partial(data.function, scale=10000.0), mlp(32, 1), {"type": "SGD", "lr": 0.01}, 600, loss="SquaredErrorLoss"),
    Kind("targets_far_off", {"targets not scaled"}, partial(data.function, offset=5000.0), mlp(32, 1), ADAM, 600, loss="SquaredErrorLoss"),
    Kind("a_line_for_arms", {"too little capacity"}, partial(data.arms, turns=0.6), [3], SGD, 1500),
    Kind("deep_and_loud", {"exploding depth", "initial weights too large"}, blobs(distance=6), mlp(*[40] * 12, 5, init={"type": "normal", "std": 0.6}), {"type": "SGD", "lr": 0.001}),
    Kind("words_too_fast", {"learning rate too high"}, partial(data.chain, sure=0.95), [("embedding", {"type": "Embedding", "n_words": 10, "n_dims": 8}), 32, "Relu", 10], {"type": "Adam", "lr": 2.0}, 400, task="language_model", n_words=10),
]  # fmt: skip
