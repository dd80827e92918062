"""ONNX operators that are normalisations, as layers."""

from lamina.exchange.onnx_in_functions import (
    Blob,
    OnnxError,
    axis_of,
    finite,
    known,
    onnx_operator,
)
from lamina.layers import (
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
    LocalResponseNormalization,
    RMSNormalization,
)


@onnx_operator("BatchNormalization")
def batch_normalization(node, graph, X, gamma, beta, mean, var):
    eps, momentum = node.get("epsilon", 1e-5), node.get("momentum", 0.9)
    spatial, training = node.get("spatial", 1), node.get("training_mode", 0)
    node.get("consumed_inputs", None)
    evaluated = node.opset >= 7 or node.get("is_test", 0)
    if training or not evaluated:
        raise OnnxError("is in training; export the net in evaluation (model.eval())")
    if spatial != 1:
        raise OnnxError("has statistics for each place (spatial=0), and layers for each channel")
    layer = BatchNormalization(
        *X.shape[:1], momentum=float(momentum), eps=finite(eps, "epsilon"), dtype=X.dtype
    )
    held = (layer.gamma, layer.beta, layer.running_mean, layer.running_var)
    for one, array in zip(held, (gamma, beta, mean, var), strict=True):
        graph.learned(one, known(array, "what it holds"), None, X)
    if layer.running_var.data.min() < 0:
        raise OnnxError("has a variance below 0")
    return graph.add(layer, X)


@onnx_operator("LRN")
def local_response_normalization(node, graph, X):
    """Of an even size the middle lies to one side in ONNX, and to the other in PyTorch."""
    settings = {
        name: node.get(name, value) for name, value in {"alpha": 1e-4, "beta": 0.75}.items()
    }
    size, k = node.get("size", 0), node.get("bias", 1.0)
    try:
        layer = LocalResponseNormalization(size, k=k, **settings)
    except ValueError as error:
        raise OnnxError(f"is no layer here: {error}") from None
    return graph.add(layer, X)


@onnx_operator("LayerNormalization")
def layer_normalization(node, graph, X, gamma, beta=None):
    axis, eps = axis_of(node.get("axis", -1), X.ndim), node.get("epsilon", 1e-5)
    node.get("stash_type", 1)  # what it computes in, which is float32 or finer here too
    shape = X.shape[axis - 1 :]
    layer = LayerNormalization(shape, eps=finite(eps, "epsilon"), dtype=X.dtype)
    graph.learned(layer.gamma, known(gamma, "the scale"), None, X)
    if beta is not None:
        graph.learned(layer.beta, known(beta, "the bias"), None, X)
    return graph.add(layer, X)


@onnx_operator("RMSNormalization")
def rms_normalization(node, graph, X, gamma):
    axis, eps = axis_of(node.get("axis", -1), X.ndim), node.get("epsilon", 1e-5)
    node.get("stash_type", 1)
    layer = RMSNormalization(X.shape[axis - 1 :], eps=finite(eps, "epsilon"), dtype=X.dtype)
    graph.learned(layer.gamma, known(gamma, "the scale"), None, X)
    return graph.add(layer, X)


@onnx_operator("InstanceNormalization")
def instance_normalization(node, graph, X, gamma, beta):
    node.get("consumed_inputs", None)
    return _by_groups(node, graph, X, gamma, beta, X.shape[0])


@onnx_operator("GroupNormalization")
def group_normalization(node, graph, X, gamma, beta):
    if node.opset < 21:
        raise OnnxError("has no settled meaning before opset 21; export it with that")
    node.get("stash_type", 1)
    return _by_groups(node, graph, X, gamma, beta, node.get("num_groups", 0))


def _by_groups(node, graph, X: Blob, gamma, beta, n_groups: int) -> Blob:
    eps = finite(node.get("epsilon", 1e-5), "epsilon")
    layer = GroupNormalization(n_groups, X.shape[0], eps=eps, dtype=X.dtype)
    graph.learned(layer.gamma, known(gamma, "the scale"), None, X)
    graph.learned(layer.beta, known(beta, "the bias"), None, X)
    return graph.add(layer, X)
