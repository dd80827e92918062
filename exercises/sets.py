"""Sets of exercises for a term, after the lecture notes, a course and two books: plain lists.

What each source has under which name: docs/notes.md, docs/books.md.
"""

from lamina.common.names import suggest

SETS = {
    "note-000": (
        *("Addition", "Multiplication", "Maximum", "Copy", "Sigmoid", "Relu", "Affine"),
        *("SoftmaxWithLoss", "SVMLoss", "SGD"),
    ),
    "note-001": (
        "Multiplication",
        "Addition",
        "Maximum",
        "numeric_jvp",
        "numeric_gradient",
        "Sigmoid",
    ),
    "note-002": ("Affine", "Sigmoid", "SquaredErrorLoss", "numeric_gradient", "Sequential", "SGD"),
    "note-003": ("Sequential", "Affine", "Tanh", "SquaredErrorLoss"),
    "note-004": (
        *("Multiplication", "Maximum", "Addition", "Copy", "Step", "Relu", "Sigmoid", "Affine"),
        *("Softmax", "CrossEntropyError", "SoftmaxWithLoss", "SGD", "Trainer"),
    ),
    "cs231n": (
        *("SVMLoss", "SoftmaxWithLoss", "Affine", "Relu", "numeric_gradient", "SGD", "Momentum"),
        *("RMSProp", "Adam", "Dropout", "BatchNormalization", "LayerNormalization"),
        *("GroupNormalization", "Convolution", "MaxPooling", "Rnn", "Lstm", "Embedding"),
        *("PositionalEncoding", "MultiHeadAttention"),
    ),
    "book-1": (
        *(
            "Multiplication",
            "Addition",
            "Relu",
            "Sigmoid",
            "Affine",
            "Softmax",
            "CrossEntropyError",
        ),
        *(
            "SoftmaxWithLoss",
            "numeric_gradient",
            "Trainer",
            "SGD",
            "Momentum",
            "Nesterov",
            "AdaGrad",
        ),
        *("RMSProp", "Adam", "BatchNormalization", "Dropout", "Convolution", "MaxPooling"),
    ),
    "book-2": (
        *("Affine", "Sigmoid", "SoftmaxWithLoss", "Embedding", "SigmoidWithLoss"),
        *("NegativeSamplingLoss", "Rnn", "Lstm", "Gru", "Dropout", "Repeat", "MultiHeadAttention"),
    ),
}


def exercises_of(name: str) -> tuple[str, ...]:
    """The names of the exercises of a set, in the order in which they are learned. Raises
    ValueError for a set that there is not."""
    if name not in SETS:
        raise ValueError(f"--set {name}: there is no such set{suggest(name, SETS)}")
    return SETS[name]
