"""Does the layer before a loss give what the loss takes: scores of any size, or probabilities?"""

from lamina import layers
from lamina.layers import Layer
from lamina.nets import Net

# Losses that take scores, and what they do with them.
OF_SCORES = {
    "SoftmaxWithLoss": "has a softmax of its own",
    "SigmoidWithLoss": "has a sigmoid of its own",
    "NegativeSamplingLoss": "has a sigmoid of its own",
    "SVMLoss": "asks for a margin between them",
}
SQUASHES = {"Softmax": "between 0 and 1, in sum 1", "Sigmoid": "between 0 and 1"}
BENDS = {"Relu": "never below 0", "Softplus": "never below 0", "Tanh": "between -1 and 1"}
# The house's layers whose outputs are no probabilities of classes. What only moves or averages them
# is not here, nor is what it is not known of.
NO_PROBABILITIES = (
    *("Affine", "Convolution", "BatchNormalization", "LayerNormalization", "GroupNormalization"),
    *("TransposedConvolution", "Convolution1d", "RMSNormalization", "MultiHeadAttention"),
    *("Relu", "LeakyRelu", "PRelu", "Elu", "Gelu", "Swish", "Softplus", "Tanh", "Sigmoid"),
    *("Rnn", "Lstm", "Gru", "DotProducts"),
)
# Numbers that go in come out.
HANDS_ON = ("Copy", "Flatten", "Reshape", "Dropout", "Repeat", "LastStep", "Transpose")


def last_before(net: Net, blob: str) -> tuple[str, Layer] | None:
    """(dotted name, layer) of what the numbers of a blob come from: looked for in nets inside the
    net too, and behind what hands them on as they are; None if that is the input."""
    writers = {written: step for step in net.steps() for written in step.writes}
    while blob in writers:
        step = writers[blob]
        if isinstance(step.layer, Net):
            inner = step.layer.outputs[step.writes.index(blob)]
            found = last_before(step.layer, inner)
            if found:
                return f"{step.name}.{found[0]}", found[1]
            if len(step.reads) > 1:
                return None
        elif not is_one_of(step.layer, HANDS_ON):
            return step.name, step.layer
        blob = step.reads[0]
    return None


def squashed(net: Net) -> list[str]:
    """For each loss that cannot stand where it does: why, and what to do. Of one's own nets that do
    not say their steps nothing is known."""
    try:
        found = [(last_before(net, h.input or net.outputs[0]), h.loss) for h in net.heads.values()]
    except NotImplementedError:
        return []
    said = (refused(*last, loss) for last, loss in found if last is not None)
    return [message for message in said if message]


def refused(name: str, layer: Layer, loss: Layer) -> str:
    """Why the loss cannot stand behind this layer, and what to do; "" if it can."""
    kind, what = type(layer).__name__, type(loss).__name__
    if is_one_of(loss, OF_SCORES) and is_one_of(layer, SQUASHES):
        other = ", or take {type: CrossEntropyError}"
        other = other if (kind, what) == ("Softmax", "SoftmaxWithLoss") else ""
        return (
            f"{name} ({kind}) gives numbers {SQUASHES[kind]}, but the loss behind it, {what}, "
            f"takes scores of any size and {OF_SCORES[what]}: take {name} out{other}"
        )
    if is_one_of(loss, ("CrossEntropyError",)) and is_one_of(layer, NO_PROBABILITIES):
        return (
            f"{name} ({kind}) gives no probabilities, but the loss behind it, {what}, expects "
            "probabilities: put {type: Softmax} between, or, better, use SoftmaxWithLoss on the "
            "scores" + (f", and take {name} out" if kind in SQUASHES else "")
        )
    return ""


def doubtful(name: str, layer: Layer, loss: Layer) -> str:
    """What is probably not meant, where it can be; "" if there is nothing to say."""
    kind, what = type(layer).__name__, type(loss).__name__
    if is_one_of(loss, OF_SCORES) and is_one_of(layer, BENDS):
        return (
            f"{name} ({kind}) gives numbers {BENDS[kind]}, and {what} behind it takes scores of "
            f"any size; it learns better without: take {name} out, unless you mean it"
        )
    return ""


def is_one_of(layer: Layer, names) -> bool:
    """Is it a layer of the house with one of these names? One's own of that name may do more."""
    name = type(layer).__name__
    return name in names and type(layer) is getattr(layers, name, None)
