"""ONNX files that Keras exports: the net computes what the model does, or is refused by name."""

import warnings

import numpy as np
import pytest

from lamina.exchange import OnnxError, compare_onnx, import_onnx

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # of Keras and of PyTorch's exporter behind it
    pytest.mark.needs_keras,
    pytest.mark.needs_torch,
    pytest.mark.needs_onnxruntime,
]


@pytest.fixture
def exported(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras

    keras.utils.clear_session()
    keras.utils.set_random_seed(0)

    def write(shape, *kinds):
        layers = [getattr(keras.layers, kind)(*args, **named) for kind, args, named in kinds]
        model = keras.Sequential([keras.layers.Input(shape), *layers])
        for variable in model.weights:
            variable.assign(
                variable.numpy() + 0.3 * np.random.default_rng(1).random(variable.shape)
            )
        x = np.random.default_rng(2).random((3, *shape)).astype(np.float32)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = model.predict(x, verbose=0)
            model.export(tmp_path / "x.onnx", format="onnx", verbose=False)
        return tmp_path / "x.onnx", x, wanted

    return write


RELU = {"activation": "relu"}
MODELS = {
    "rows": ((6,), [("Dense", (5,), RELU), ("BatchNormalization", (), {}), ("Dense", (3,), {})]),
    "images": (
        (8, 8, 2),
        [
            *(("Conv2D", (3, 3), RELU), ("MaxPooling2D", (2,), {}), ("Flatten", (), {})),
            *(("Dropout", (0.3,), {}), ("Dense", (4,), {})),
        ],
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_keras(name, exported):
    shape, layers = MODELS[name]
    path, x, wanted = exported(shape, *layers)
    net = import_onnx(path)
    np.testing.assert_allclose(net.predict(x), wanted, rtol=1e-4, atol=1e-5)
    assert compare_onnx(path, net) < 1e-5


def test_its_recurrent_layers_are_single_steps_and_refused(exported):
    path, _, _ = exported((7, 4), ("LSTM", (5,), {}), ("Dense", (3,), {}))
    with pytest.raises(OnnxError, match=str(path)):
        import_onnx(path)
