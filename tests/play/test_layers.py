"""Each layer in JavaScript beside the one in Python: forward and backward, sample by sample."""

import numpy as np
import pytest
from played import scripts_alone

from lamina import layers
from lamina.layers import Affine, Layer
from lamina.nets import Sequential
from lamina.play.layers import KNOWN, described

pytestmark = pytest.mark.needs_browser
RUN = """([type, options, arrays, inputs, dout]) => {
    const of = ({ shape, data }) => tensor(shape, Float32Array.from(data));
    const named = Object.entries(arrays).map(([name, array]) => [name, of(array)]);
    const layer = new LAYERS[type](options, Object.fromEntries(named));
    layer.forward(...inputs.map((x) => tensor(x.shape, new Float32Array(x.data.length))));
    const y = layer.forward(...inputs.map(of)); // a second time: nothing may stay of the first
    const dxs = layer.backward(of({ shape: y.shape, data: dout }));
    const plain = ({ shape, data }) => ({ shape, data: Array.from(data) });
    return [plain(y), dxs.map(plain)];
}"""


@pytest.fixture(scope="module")
def scripts(browser):
    yield from scripts_alone(browser)


def as_data(array):
    return {"shape": list(array.shape), "data": np.ravel(array).tolist()}


def array_of(data):
    return np.reshape(data["data"], data["shape"])


def in_javascript(scripts, layer, inputs, dout):
    options, arrays = described("it", layer)
    arrays = {name: as_data(array) for name, array in arrays.items()}
    given = [type(layer).__name__, options, arrays, [as_data(x) for x in inputs], dout]
    y, dxs = scripts.evaluate(RUN, given)
    return array_of(y), [array_of(dx) for dx in dxs]


@pytest.mark.parametrize("kind", KNOWN)
def test_forward_and_backward_are_those_of_python(scripts, kind):
    rng, tried = np.random.default_rng(0), 0
    for layer, *inputs in getattr(layers, kind).examples(rng):
        layer.set_training(False)
        if inputs[0].ndim < 2 or (kind == "Lstm" and len(inputs) > 1):
            continue
        for n in range(len(inputs[0])):
            one = [x[n : n + 1] for x in inputs]
            layer.reset()  # what it carries from batch to batch
            y = layer.forward(*one)
            dout = rng.standard_normal(y.shape)
            dxs = layer.backward(dout)
            dxs = dxs if isinstance(dxs, tuple) else (dxs,)
            found, gradients = in_javascript(
                scripts, layer, [x[0] for x in one], dout.ravel().tolist()
            )
            np.testing.assert_allclose(found, y[0], rtol=1e-5, atol=1e-5)
            for gradient, dx in zip(gradients, dxs, strict=True):
                np.testing.assert_allclose(gradient, dx[0], rtol=1e-5, atol=1e-5)
            tried += 1
    assert tried


def test_every_class_of_the_scripts_is_known_to_python(scripts):
    assert sorted(scripts.evaluate("Object.keys(LAYERS)")) == KNOWN
    assert scripts.evaluate("Object.keys(WORDS).sort()") == KNOWN  # each is said in words


def test_a_subclass_is_another_layer():
    class Affine(layers.Affine):
        def forward(self, X):
            return super().forward(X) * 2

    with pytest.raises(ValueError, match=r"^it \(Affine\): a page cannot run this layer"):
        described("it", Affine(3, 2, rng=0))


def test_a_layer_without_javascript_is_named_with_what_to_do():
    class Mine(Layer):
        pass

    with pytest.raises(ValueError, match=r"^it \(Mine\): .* for Addition, Affine.*docs/play.md$"):
        described("it", Mine())


def test_the_first_of_those_that_are_largest_gets_the_gradient(scripts):
    dout = [1.0]
    X = np.array([[[[2.0, 5.0], [5.0, 5.0]]]])
    _, (dx,) = in_javascript(scripts, layers.MaxPooling(2), [X[0]], dout)
    np.testing.assert_array_equal(dx, [[[0, 1], [0, 0]]])


def test_tied_and_biasless_weights_are_those_that_are_used(scripts):
    table = Affine(3, 4, bias=False, rng=0)
    tied = Affine(4, 3, tied=table.W, transposed=True, rng=0)
    net = Sequential({"table": table, "tied": tied})
    X = np.random.default_rng(1).standard_normal((1, 3)).astype(np.float32)
    hidden, _ = in_javascript(scripts, table, [X[0]], [0.0] * 4)
    y, _ = in_javascript(scripts, tied, [hidden], [0.0] * 3)
    np.testing.assert_allclose(y, net.forward(X)[0], rtol=1e-5, atol=1e-6)
