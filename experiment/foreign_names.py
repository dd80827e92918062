"""What other frameworks call it: an unknown name is answered with ours.

Names are compared without capitals and underscores, so that Conv2D and conv2d are one.
"""

from lamina.common.names import suggest

TYPES = {  # of PyTorch, Keras, scikit-learn, Caffe
    "Linear": "Affine",
    "Dense": "Affine",
    "InnerProduct": "Affine",
    "Conv": "Convolution",
    "Conv2d": "Convolution",
    "ReLU6": "Relu",
    "SiLU": "Swish",
    "LReLU": "LeakyRelu",
    "MaxPool": "MaxPooling",
    "MaxPool2d": "MaxPooling",
    "MaxPooling2D": "MaxPooling",
    "AvgPool": "AveragePooling",
    "AvgPool2d": "AveragePooling",
    "AveragePooling2D": "AveragePooling",
    "AdaptiveAvgPool2d": "GlobalAveragePooling",
    "GlobalAveragePooling2D": "GlobalAveragePooling",
    "BatchNorm": "BatchNormalization",
    "BatchNorm1d": "BatchNormalization",
    "BatchNorm2d": "BatchNormalization",
    "BatchNormalization1d": "BatchNormalization",
    "BatchNormalization2d": "BatchNormalization",
    "LayerNorm": "LayerNormalization",
    "GroupNorm": "GroupNormalization",
    "Dropout1d": "Dropout",
    "Dropout2d": "Dropout",
    "Add": "Addition",
    "Eltwise": "Addition",
    "Concat": "Concatenation",
    "Concatenate": "Concatenation",
    "Multiply": "Multiplication",
    "CrossEntropyLoss": "SoftmaxWithLoss",
    "CrossEntropy": "SoftmaxWithLoss",
    "CategoricalCrossentropy": "SoftmaxWithLoss",
    "SparseCategoricalCrossentropy": "SoftmaxWithLoss",
    "SoftmaxLoss": "SoftmaxWithLoss",
    "SoftmaxCrossEntropyLoss": "SoftmaxWithLoss",
    "NLLLoss": "CrossEntropyError",
    "BCEWithLogitsLoss": "SigmoidWithLoss",
    "BCELoss": "SigmoidWithLoss",
    "BinaryCrossentropy": "SigmoidWithLoss",
    "SigmoidCrossEntropyLoss": "SigmoidWithLoss",
    "MSELoss": "SquaredErrorLoss",
    "MSE": "SquaredErrorLoss",
    "MeanSquaredError": "SquaredErrorLoss",
    "EuclideanLoss": "SquaredErrorLoss",
    "L1Loss": "AbsoluteErrorLoss",
    "MAE": "AbsoluteErrorLoss",
    "MeanAbsoluteError": "AbsoluteErrorLoss",
    "SmoothL1Loss": "HuberLoss",
    "Huber": "HuberLoss",
    "HingeLoss": "SVMLoss",
    "MultiMarginLoss": "SVMLoss",
    "CategoricalHinge": "SVMLoss",
    "SGDM": "Momentum",
    "MomentumSGD": "Momentum",
    "NAG": "Nesterov",
    "Adamax": "Adam",
    "NAdam": "Adam",
    "Model": "Sequential",
    "Functional": "Graph",
}
KEYS = {
    "units": "n_out",
    "out_features": "n_out",
    "num_output": "n_out",
    "output_dim": "n_out",
    "in_features": "n_in",
    "input_dim": "n_in",
    "out_channels": "c_out",
    "filters": "c_out",
    "in_channels": "c_in",
    "kernel_size": "kernel",
    "pool_size": "kernel",
    "strides": "stride",
    "pad": "padding",
    "dilation_rate": "dilation",
    "negative_slope": "slope",
    "num_features": "n_channels",
    "epsilon": "eps",
    "use_bias": "bias",
    "rate": "p",
    "prob": "p",
    "num_embeddings": "n_words",
    "vocab_size": "n_words",
    "sequence_length": "length",
    "seq_len": "length",
    "block_size": "length",
    "bptt": "length",
    "embedding_dim": "n_dims",
    "kernel_initializer": "init",
    "initializer": "init",
    "weight_init": "init",
    "learning_rate": "lr",
    "eta": "lr",
    "beta_1": "beta1",
    "beta_2": "beta2",
    "l2": "weight_decay",
    "wd": "weight_decay",
    "clipnorm": "clip_norm",
    "max_norm": "clip_norm",
    "scheduler": "schedule",
    "lr_scheduler": "schedule",
    "lr_policy": "schedule",
    "num_epochs": "epochs",
    "n_epochs": "epochs",
    "max_epochs": "epochs",
    "max_iter": "iterations",
    "max_iters": "iterations",
    "num_iterations": "iterations",
    "n_iter": "iterations",
    "batch": "batch_size",
    "minibatch": "batch_size",
    "random_state": "seed",
    "random_seed": "seed",
    "early_stopping": "patience",
    "save_best_only": "keep_best",
    "eval_every": "evaluate_every",
    "test_interval": "evaluate_every",
    "iter_size": "accumulate",
    "gradient_accumulation": "accumulate",
    "augment": "augmentation",
    "transforms": "augmentation",
    "normalize": "normalise",
    "standardize": "standardise",
    "file": "path",
    "label": "target",
}
EXPLAINED = {  # what no key of ours says
    "activation": "an activation is a layer of its own, as in relu1: {type: Relu}",
    "shuffle": (
        "the training samples are always shuffled, each epoch anew, but for those of a Text with "
        "streams: true; leave it out"
    ),
    "input_shape": "the data set and the layers before give it; leave it out",
    "momentum": "this is a type of its own: Momentum, or Nesterov",
    "nesterov": "this is a type of its own: Nesterov",
    "betas": "write beta1 and beta2",
    "optimizer": "the optimizer is a section of its own: optimizer: {type: SGD, lr: 0.1}",
    "lr": "the learning rate stands in the section optimizer; lr_mult changes it for a layer",
    "loss": "the loss stands in the section net: net: {..., loss: {type: SoftmaxWithLoss}}",
}


def in_our_words(name, known, table: dict, explained: dict | None = None) -> str:
    """What follows "unknown type NAME" or "unknown key": our name for it, if one of `known` is
    meant, an explanation, or what `suggest` says."""
    plain = _plain(name)
    ours = next((own for other, own in table.items() if _plain(other) == plain), None)
    if ours in known:
        return f"; here it is called {ours}"
    same = any(_plain(k) == plain for k in known)  # a misspelling of ours
    for other, words in (explained or {}).items():
        if _plain(other) == plain and not same:
            return f"; {words}"
    return suggest(name, known)


def _plain(name) -> str:
    return str(name).lower().replace("_", "")
