"""Well-known convolutional nets, ready-made: LeNet, and the two of "Deep Learning from Scratch"."""

from collections import OrderedDict

import numpy as np
from numpy.typing import DTypeLike

from lamina.layers import Affine, Convolution, Dropout, Flatten, MaxPooling, Relu, SoftmaxWithLoss
from lamina.layers.initializers import caffe_xavier, he_normal
from lamina.nets.sequential import Sequential


class _ConvNet(Sequential):
    """A chain of layers on images (C, H, W), with a softmax loss."""

    def __init__(self, chain, input_shape, *, init, rng, dtype):
        """chain(conv, affine) yields (name, layer); conv and affine make layers whose number of
        inputs follows from what came before."""
        rng, shape = np.random.default_rng(rng), tuple(input_shape)
        made = OrderedDict()

        def conv(c_out, kernel, **settings):
            return Convolution(shape[0], c_out, kernel, init=init, rng=rng, dtype=dtype, **settings)

        def affine(n_out):
            return Affine(shape[0], n_out, init=init, rng=rng, dtype=dtype)

        for name, layer in chain(conv, affine):
            made[name], shape = layer, layer.output_shape(shape)
        super().__init__(made, loss=SoftmaxWithLoss())

    @classmethod
    def infer(cls, input_shape):
        return {"input_shape": input_shape}


class LeNet(_ConvNet):
    """Caffe's LeNet: two convolutions of 20 and 50 filters 5 x 5, each before a max-pooling of 2,
    then 500 hidden units with ReLU. Weights start as Caffe's xavier draws them, and biases learn at
    twice the rate. Source: LeCun et al. 1998; Caffe, examples/mnist/lenet_train_test.prototxt."""

    def __init__(
        self, input_shape=(1, 28, 28), n_classes: int = 10, *, rng, dtype: DTypeLike = np.float32
    ):
        def chain(conv, affine):
            yield "conv1", conv(20, 5)
            yield "pool1", MaxPooling(2)
            yield "conv2", conv(50, 5)
            yield "pool2", MaxPooling(2)
            yield "flatten", Flatten()
            yield "affine1", affine(500)
            yield "relu1", Relu()
            yield "affine2", affine(n_classes)

        super().__init__(chain, input_shape, init=caffe_xavier, rng=rng, dtype=dtype)
        for name, param in self.parameters().items():
            if name.endswith(".b"):
                param.lr_mult = 2.0


class SimpleConvNet(_ConvNet):
    """The book's small convolutional net: 30 filters 5 x 5, ReLU, max-pooling of 2, 100 hidden
    units with ReLU. Source: Deep Learning from Scratch (Saito 2016), section 7.5."""

    def __init__(
        self, input_shape=(1, 28, 28), n_classes: int = 10, *, rng, dtype: DTypeLike = np.float32
    ):
        def chain(conv, affine):
            yield "conv1", conv(30, 5)
            yield "relu1", Relu()
            yield "pool1", MaxPooling(2)
            yield "flatten", Flatten()
            yield "affine1", affine(100)
            yield "relu2", Relu()
            yield "affine2", affine(n_classes)

        super().__init__(chain, input_shape, init=he_normal, rng=rng, dtype=dtype)


class DeepConvNet(_ConvNet):
    """The book's deep net: six convolutions 3 x 3 of 16, 16, 32, 32, 64 and 64 filters with ReLU,
    a max-pooling after each second one, 50 hidden units, dropout around the last Affine.
    Source: Deep Learning from Scratch (Saito 2016), section 8.1."""

    def __init__(
        self,
        input_shape=(1, 28, 28),
        n_classes: int = 10,
        *,
        dropout: float = 0.5,
        rng,
        dtype: DTypeLike = np.float32,
    ):
        rng = np.random.default_rng(rng)

        def chain(conv, affine):
            paddings = iter((1, 1, 1, 2, 1, 1))  # the 2 makes 14 + 2, so that 16 halves evenly
            for i, c_out in enumerate((16, 16, 32, 32, 64, 64), 1):
                yield f"conv{i}", conv(c_out, 3, padding=next(paddings))
                yield f"relu{i}", Relu()
                if i % 2 == 0:
                    yield f"pool{i // 2}", MaxPooling(2)
            yield "flatten", Flatten()
            yield "affine1", affine(50)
            yield "relu7", Relu()
            yield "drop1", Dropout(dropout, rng=rng.spawn(1)[0])
            yield "affine2", affine(n_classes)
            yield "drop2", Dropout(dropout, rng=rng.spawn(1)[0])

        super().__init__(chain, input_shape, init=he_normal, rng=rng, dtype=dtype)
