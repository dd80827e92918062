"""The two-layer net of note 004, with the interface that the note's training loop uses."""

from collections import OrderedDict
from collections.abc import MutableMapping

import numpy as np

from lamina.layers import Affine, Relu, SoftmaxWithLoss
from lamina.nets.sequential import Sequential

_NAMES = {"W1": "Affine1.W", "b1": "Affine1.b", "W2": "Affine2.W", "b2": "Affine2.b"}


class TwoLayerNet(Sequential):
    """Affine, ReLU, Affine, softmax loss: `params["W1"]`, `layers["Affine1"]`, `gradient(X, t)`.

    Weights start normal with deviation weight_init_std, biases at 0. `params[key] -= ...` updates
    the net, in place or by a new array of the same shape. Source: note 004 (section 2).
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        weight_init_std: float = 0.01,
        rng=None,
    ):
        rng = np.random.default_rng(rng)

        def init(shape, rng, dtype):
            return (weight_init_std * rng.standard_normal(shape)).astype(dtype)

        super().__init__(
            OrderedDict(
                Affine1=Affine(input_size, hidden_size, init=init, rng=rng),
                Relu=Relu(),
                Affine2=Affine(hidden_size, output_size, init=init, rng=rng),
            ),
            loss=SoftmaxWithLoss(),
        )
        self.params = _Arrays(self.parameters())

    @property
    def last_layer(self):
        return self.loss_layer

    def gradient(self, X, t) -> dict:
        """The gradients of one batch by the names of `params`: {"W1": dL/dW1, ...}."""
        gradients = super().gradient(X, t)
        return {short: gradients[name] for short, name in _NAMES.items() if name in gradients}


class _Arrays(MutableMapping):
    """The arrays of the parameters under the note's names; setting one sets the parameter's."""

    def __init__(self, parameters):
        self._parameters = {short: parameters[name] for short, name in _NAMES.items()}

    def __getitem__(self, name):
        return self._parameters[name].data

    def __setitem__(self, name, array):
        if name not in self._parameters:
            raise KeyError(f"{name}: the parameters are {', '.join(self._parameters)}")
        param = self._parameters[name]
        if array.shape != param.data.shape:
            raise ValueError(f"{name}: expects shape {param.data.shape}, got {array.shape}")
        param.data = array.astype(param.data.dtype, copy=False)

    def __delitem__(self, name):
        raise TypeError("the parameters of a net cannot be deleted")

    def __iter__(self):
        return iter(self._parameters)

    def __len__(self):
        return len(self._parameters)
