"""Well-known nets in the text that Caffe reads, written here, narrow where they are wide."""

FILLERS = 'weight_filler { type: "xavier" } bias_filler { type: "constant" value: 0.1 }'


def layer(kind: str, name: str, bottoms: str, tops: str = "", more: str = "") -> str:
    wires = "".join(f' bottom: "{b}"' for b in bottoms.split())
    wires += "".join(f' top: "{t}"' for t in (tops or name).split())
    return f'layer {{ name: "{name}" type: "{kind}"{wires} {more} }}\n'


def data(*shape: int) -> str:
    dims = " ".join(f"dim: {n}" for n in shape)
    return layer("Input", "data", "", "data", f"input_param {{ shape {{ {dims} }} }}")


def conv(name: str, bottom: str, n: int, kernel: int, more: str = "", params: str = "") -> str:
    given = f"num_output: {n} kernel_size: {kernel} {more} {FILLERS}"
    return layer("Convolution", name, bottom, "", f"{params} convolution_param {{ {given} }}")


def dense(name: str, bottom: str, n: int, params: str = "") -> str:
    given = f"{params} inner_product_param {{ num_output: {n} {FILLERS} }}"
    return layer("InnerProduct", name, bottom, "", given)


def pool(name: str, bottom: str, kernel: int, stride: int, kind: str = "MAX", more="") -> str:
    given = f"pool: {kind} kernel_size: {kernel} stride: {stride} {more}"
    return layer("Pooling", name, bottom, "", f"pooling_param {{ {given} }}")


def relu(blob: str) -> str:
    """In place."""
    return layer("ReLU", f"relu_{blob}", blob, blob)


def lrn(name: str, bottom: str, more: str) -> str:
    return layer("LRN", name, bottom, "", f"lrn_param {{ {more} }}")


def dropout(blob: str) -> str:
    return layer("Dropout", f"drop_{blob}", blob, blob, "dropout_param { dropout_ratio: 0.5 }")


def softmax(bottom: str) -> str:
    return layer("Softmax", "prob", bottom)


_SUM = "local_size: 5 alpha: 0.0001 beta: 0.75"
_BODY = (
    conv("conv1", "data", 20, 5)
    + pool("pool1", "conv1", 2, 2)
    + conv("conv2", "pool1", 50, 5)
    + pool("pool2", "conv2", 2, 2)
    + dense("ip1", "pool2", 500)
    + relu("ip1")
    + dense("ip2", "ip1", 10)
)
LENET = data(1, 1, 28, 28) + _BODY + softmax("ip2")
SIAMESE = data(1, 1, 28, 28) + _BODY + dense("feat", "ip2", 2)


def cifar10_quick() -> str:
    text, bottom = data(1, 3, 32, 32), "data"
    for i, (n, kind) in enumerate(((32, "MAX"), (32, "AVE"), (64, "AVE")), 1):
        text += conv(f"conv{i}", bottom, n, 5, "pad: 2 stride: 1")
        after = pool(f"pool{i}", f"conv{i}", 3, 2, kind)
        text += after + relu("pool1") if i == 1 else relu(f"conv{i}") + after
        bottom = f"pool{i}"
    return text + dense("ip1", "pool3", 64) + dense("ip2", "ip1", 10) + softmax("ip2")


def cifar10_full() -> str:
    within = "local_size: 3 alpha: 0.00005 beta: 0.75 norm_region: WITHIN_CHANNEL"
    return (
        data(1, 3, 32, 32)
        + conv("conv1", "data", 32, 5, "pad: 2")
        + pool("pool1", "conv1", 3, 2)
        + relu("pool1")
        + lrn("norm1", "pool1", within)
        + conv("conv2", "norm1", 32, 5, "pad: 2")
        + relu("conv2")
        + pool("pool2", "conv2", 3, 2, "AVE")
        + lrn("norm2", "pool2", within)
        + conv("conv3", "norm2", 64, 5, "pad: 2")
        + relu("conv3")
        + pool("pool3", "conv3", 3, 2, "AVE")
        + dense("ip1", "pool3", 10)
        + softmax("ip1")
    )


def alexnet(size=99, norm_first=True, *, width=1, hidden=128, classes=50) -> str:
    """An eighth as wide as the published net, or `width` eighths; Caffe's own net has each pooling
    before its normalisation."""
    text, bottom = data(1, 3, size, size), "data"
    for i, (n, more) in enumerate(((12, "stride: 4"), (32, "pad: 2 group: 2")), 1):
        text += conv(f"conv{i}", bottom, n * width, (11, 5)[i - 1], more) + relu(f"conv{i}")
        if norm_first:
            text += lrn(f"norm{i}", f"conv{i}", _SUM) + pool(f"pool{i}", f"norm{i}", 3, 2)
        else:
            text += pool(f"pool{i}", f"conv{i}", 3, 2) + lrn(f"norm{i}", f"pool{i}", _SUM)
        bottom = f"{'pool' if norm_first else 'norm'}{i}"
    for i, (n, more) in enumerate(((48, ""), (48, "group: 2"), (32, "group: 2")), 3):
        text += conv(f"conv{i}", bottom, n * width, 3, f"pad: 1 {more}") + relu(f"conv{i}")
        bottom = f"conv{i}"
    text += pool("pool5", "conv5", 3, 2)
    text += dense("fc6", "pool5", hidden) + relu("fc6") + dropout("fc6")
    text += dense("fc7", "fc6", hidden) + relu("fc7") + dropout("fc7")
    return text + dense("fc8", "fc7", classes) + softmax("fc8")


def googlenet(size: int = 96) -> str:
    """Two of its nine modules, an eighth as wide."""
    text = data(1, 3, size, size)
    text += conv("conv1/7x7_s2", "data", 8, 7, "pad: 3 stride: 2") + relu("conv1/7x7_s2")
    text += pool("pool1/3x3_s2", "conv1/7x7_s2", 3, 2) + lrn("pool1/norm1", "pool1/3x3_s2", _SUM)
    text += conv("conv2/3x3", "pool1/norm1", 24, 3, "pad: 1") + relu("conv2/3x3")
    text += lrn("conv2/norm2", "conv2/3x3", _SUM) + pool("pool2/3x3_s2", "conv2/norm2", 3, 2)
    bottom = "pool2/3x3_s2"
    for name in ("inception_3a", "inception_3b"):
        parts = [f"{name}/{part}" for part in ("1x1", "3x3", "5x5", "pool_proj")]
        text += conv(parts[0], bottom, 8, 1) + relu(parts[0])
        for part, n, kernel in ((parts[1], 16, 3), (parts[2], 4, 5)):
            text += conv(f"{part}_reduce", bottom, n // 2, 1) + relu(f"{part}_reduce")
            text += conv(part, f"{part}_reduce", n, kernel, f"pad: {kernel // 2}") + relu(part)
        text += pool(f"{name}/pool", bottom, 3, 1, more="pad: 1")
        text += conv(parts[3], f"{name}/pool", 4, 1) + relu(parts[3])
        bottom = f"{name}/output"
        text += layer("Concat", bottom, " ".join(parts))
    text += pool("pool5", bottom, size // 8, 1, "AVE") + dropout("pool5")
    return text + dense("loss3/classifier", "pool5", 20) + softmax("loss3/classifier")


NETS = {
    "lenet": (LENET, (1, 28, 28)),
    "siamese": (SIAMESE, (1, 28, 28)),
    "cifar10_quick": (cifar10_quick(), (3, 32, 32)),
    "cifar10_full": (cifar10_full(), (3, 32, 32)),
    "alexnet": (alexnet(), (3, 99, 99)),
    "caffenet": (alexnet(norm_first=False), (3, 99, 99)),
    "googlenet": (googlenet(), (3, 96, 96)),
}

_LABELLED = """
layer { name: "mnist" type: "Data" top: "data" top: "label" include { phase: TRAIN }
  transform_param { scale: 0.00390625 }
  data_param { source: "somewhere/mnist_train_lmdb" batch_size: 20 backend: LMDB } }
layer { name: "mnist" type: "Data" top: "data" top: "label" include { phase: TEST }
  data_param { source: "somewhere/mnist_test_lmdb" batch_size: 100 backend: LMDB } }
"""
_ACCURACY = layer("Accuracy", "accuracy", "ip2 label", "", "include { phase: TEST }")
LENET_TRAIN = (
    _LABELLED
    + conv("conv1", "data", 4, 5, params="param { lr_mult: 1 } param { lr_mult: 2 decay_mult: 0 }")
    + pool("pool1", "conv1", 2, 2)
    + dense("ip1", "pool1", 12, "param { lr_mult: 0 } param { lr_mult: 0 }")
    + relu("ip1")
    + dropout("ip1")
    + dense("ip2", "ip1", 10)
    + _ACCURACY
    + layer("SoftmaxWithLoss", "loss", "ip2 label", "loss")
)
SOLVER = """
net: "lenet_train_test.prototxt"
test_iter: 100  test_interval: 15  base_lr: 0.01  momentum: 0.9  weight_decay: 0.0005
lr_policy: "inv"  gamma: 0.0001  power: 0.75  display: 100  max_iter: 30
snapshot_prefix: "lenet"  solver_mode: CPU  random_seed: 7
"""
