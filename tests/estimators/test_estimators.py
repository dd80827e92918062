"""The estimators beyond scikit-learn's own checks: modules, settings, what is refused."""

import pickle
import re
import signal
from pathlib import Path

import numpy as np
import pandas
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.utils import check_random_state

from lamina import layers, nets
from lamina.datasets import Samples
from lamina.estimators import LaminaClassifier, LaminaRegressor
from lamina.estimators.module import made_net
from lamina.training.callbacks import Callback

RNG = np.random.default_rng(0)
NAMES = np.array(["ash", "birch", "oak"])
LABELS = RNG.integers(3, size=90)
X = (RNG.standard_normal((90, 4)) + 4 * np.eye(4)[LABELS]).astype(np.float64)
Y = NAMES[LABELS]
IMAGES = X.reshape(90, 1, 2, 2)
LIST = [{"type": "Affine", "n_out": 8}, "Relu", "Affine"]


def fitted(module=None, **settings):
    return LaminaClassifier(module, random_state=0, **settings).fit(X, Y)


def own_net(n_out=3, *, rng):
    return nets.Sequential({"affine": layers.Affine(4, n_out, rng=rng)}, layers.SoftmaxWithLoss())


def listed(n_hidden=5):
    return [{"type": "Affine", "n_out": n_hidden}, "Relu", "Affine"]


MODULES = {
    "default": None,
    "list": LIST,
    "mapping": {"type": "Sequential", "layers": {"a": {"type": "Affine", "n_out": 3}}},
    "graph": {
        "type": "Graph",
        "layers": {
            "a": {"type": "Affine", "n_out": 3},
            "b": {"type": "Addition", "inputs": ["a", "a"]},
        },
    },
    "net": own_net,
    "function": listed,
}


@pytest.mark.parametrize("name", MODULES)
def test_every_kind_of_module_learns(name):
    net = fitted(MODULES[name], lr=0.1)
    assert net.score(X, Y) > 0.95
    assert net.classes_.tolist() == NAMES.tolist()
    p = net.predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)
    assert (net.classes_[p.argmax(axis=1)] == net.predict(X)).all()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(net)).predict_proba(X), p)
    np.testing.assert_array_equal(clone(net).fit(X, Y).predict_proba(X), p)


def test_names_of_layers_and_sizes_follow_from_the_list_and_the_data():
    net = fitted(LIST, max_epochs=1).net_
    shapes = {name: param.data.shape for name, param in net.parameters().items()}
    assert shapes == {
        "affine1.W": (4, 8), "affine1.b": (8,), "affine2.W": (8, 3), "affine2.b": (3,)
    }  # fmt: skip


def test_settings_reach_module_loss_and_optimizer():
    net = LaminaClassifier(listed, lr=0.5, optimizer="SGD", max_epochs=1, module__n_hidden=3)
    net.set_params(optimizer__clip_norm=np.float64(1.0), criterion__label_smoothing=0.25)
    assert net.get_params()["module__n_hidden"] == 3
    assert clone(net).get_params() == net.get_params()
    net.fit(X, Y)
    assert net.net_.parameters()["affine1.W"].data.shape == (4, 3)
    assert net.net_.loss_layer.label_smoothing == 0.25
    assert net.history_[-1]["lr"] == 0.5


def test_it_is_the_trainer_that_trains():
    """The same net by hand, from the same seed: the same weights to the bit."""
    from lamina.optimizers import Adam
    from lamina.training.trainer import Trainer

    net = fitted(own_net, max_epochs=3, batch_size=10)
    seed = np.random.RandomState(0).randint(np.iinfo(np.int32).max)
    of_weights, of_batches = np.random.default_rng(seed).spawn(2)
    twin = own_net(rng=of_weights.spawn(1)[0])
    data = net_data(X.astype(np.float32), LABELS)
    optimizer = Adam(twin.parameters(), lr=0.01)
    Trainer(twin, optimizer, data, rng=of_batches, epochs=3, batch_size=10, quiet=True).run()
    np.testing.assert_array_equal(twin.predict(X), net.net_.predict(X))


def net_data(X, t):
    from lamina.datasets import Classification, Dataset

    return Dataset(Samples(X, t), Samples(X, t), Classification(NAMES))


def test_images_and_one_score_for_two_classes():
    two = np.where(Y == "oak", "yes", "no")
    module = [
        {"type": "Convolution", "c_out": 4, "kernel": 2}, "Relu", "Flatten",
        {"type": "Affine", "n_out": 1},
    ]  # fmt: skip
    net = LaminaClassifier(module, criterion="SigmoidWithLoss", random_state=0).fit(IMAGES, two)
    assert net.score(IMAGES, two) > 0.9
    assert net.predict_proba(IMAGES).shape == (90, 2)
    assert ((net.predict_proba(IMAGES)[:, 1] > 0.5) == (net.predict(IMAGES) == "yes")).all()


def test_probabilities_of_a_softmax_are_not_taken_twice():
    net = fitted([{"type": "Affine", "n_out": 3}, "Softmax"], criterion="CrossEntropyError")
    np.testing.assert_allclose(net.predict_proba(X), net.net_.predict(X))


def test_scores_of_a_hinge_loss_are_no_probabilities():
    net = fitted(criterion="SVMLoss", max_epochs=1)
    assert not hasattr(net, "predict_proba")


def test_patience_ends_early_with_the_best_weights():
    net = fitted(train_split=0.2, patience=2, max_epochs=100)
    assert len(net.history_) < 100
    best = max(row["validation_accuracy"] for row in net.history_)
    assert best > 0.9
    with pytest.raises(ValueError, match=r"LaminaClassifier: patience: .* train_split=0\.1"):
        fitted(patience=2)


@pytest.mark.parametrize("labels", [np.int8, np.uint8, str, float])
def test_what_is_split_off_is_so_class_by_class(labels, monkeypatch):
    """A fifth of each class, of one that 5 of 100 samples have too, and no sample twice."""
    given = []
    monkeypatch.setattr(
        "lamina.estimators.estimator.made_net",
        lambda *args: given.append(args[4]) or made_net(*args),
    )
    rare = np.repeat([0, 1, 2], [60, 35, 5])
    places = np.arange(100.0)[:, None] + np.zeros(4)
    LaminaClassifier(train_split=0.2, max_epochs=0.1, random_state=0).fit(
        places, rare.astype(labels)
    )
    (data,) = given
    assert np.bincount(data.validation.t).tolist() == [12, 7, 1]
    assert np.bincount(data.train.t).tolist() == [48, 28, 4]
    rows = np.concatenate([data.train.X[:, 0], data.validation.X[:, 0]]).astype(int)
    assert sorted(rows) == list(range(100))
    targets = np.concatenate([data.train.t, data.validation.t])
    assert (targets == rare[rows]).all()


def test_the_best_weights_are_those_that_are_kept():
    noise = np.random.default_rng(1).permutation(Y)
    net = LaminaClassifier(train_split=0.3, patience=3, lr=0.3, random_state=0).fit(X, noise)
    rows = [row["validation_accuracy"] for row in net.history_]
    assert rows[-1] < max(rows)
    of_split = net._split(X.astype(np.float32), net._targets(noise)[1], _seed())[1]
    right = net.net_.predict(of_split.X).argmax(axis=1) == of_split.t
    assert right.mean() == pytest.approx(max(rows))


def _seed() -> int:
    """The one that random_state=0 makes of itself in fit."""
    return int(check_random_state(0).randint(np.iinfo(np.int32).max))


def test_numbers_one_and_several():
    t = X @ np.array([[1.0, 0.0], [0.5, -1.0], [0.0, 1.0], [0.0, 0.0]]) / 3
    module = [{"type": "Affine", "n_out": 32}, "Tanh", "Affine"]
    net = LaminaRegressor(module, max_epochs=60, random_state=0).fit(X, t)
    assert net.predict(X).shape == (90, 2)
    assert net.score(X, t) > 0.95
    one = clone(net).fit(X, t[:, 0])
    assert one.predict(X).shape == (90,)
    assert cross_val_score(one, X, t[:, 0], cv=3).min() > 0.6


def test_a_frame_of_pandas_and_its_names():
    frame = pandas.DataFrame(X, columns=list("abcd"))
    net = LaminaClassifier(random_state=0).fit(frame, pandas.Series(Y))
    assert net.feature_names_in_.tolist() == list("abcd")
    np.testing.assert_array_equal(net.predict(frame), fitted().predict(X))
    with pytest.raises(ValueError, match="feature names"):
        net.predict(frame[["b", "a", "c", "d"]])


REFUSED = [
    ({"optimizer": "Adma"}, "LaminaClassifier: optimizer.type: unknown type Adma; did you mean"),
    ({"optimizer": 3}, "LaminaClassifier: optimizer: expects a name or a dict"),
    ({"optimizer__momentun": 0.9, "optimizer": "Momentum"}, "momentun: unknown key"),
    ({"batchsize": 1}, "unknown setting batchsize; did you mean batch_size"),
    ({"lr": -1.0}, "optimizer.lr: expects a positive number"),
    ({"max_epochs": 0}, "epochs: expects more than 0"),
    ({"batch_size": 0}, "batch_size: expects 1 to 90"),
    ({"train_split": 2}, "a share between 0 and 1"),
    ({"module": 3}, "module: expects a list of layers"),
    ({"module": own_net(rng=0)}, "module: expects a list of layers"),
    ({"module": [3]}, "layer 0 of the list"),
    ({"module": []}, "layers"),
    ({"module": ["Afine"]}, "unknown type Afine; did you mean Affine"),
    ({"module": [{"type": "Affine", "n_out": 7}]}, "the data have 3 classes"),
    ({"module": own_net, "module__n_out": 7}, "module: gives .7,. for a sample"),
    ({"module": own_net, "criterion": "SVMLoss"}, "then there is no criterion"),
    ({"module": LIST, "module__p": 7}, "module__p: settings are for a module that is a function"),
    ({"criterion": "SquaredErorLoss"}, "unknown type SquaredErorLoss"),
]


@pytest.mark.parametrize(("settings", "message"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_is_one_clear_error_at_fit(settings, message):
    with pytest.raises((TypeError, ValueError), match=message):
        LaminaClassifier(**settings).fit(X, Y)


@pytest.mark.parametrize("loss", ["SquaredErrorLoss", "HuberLoss", "AbsoluteErrorLoss"])
def test_a_net_that_somebody_has_made_has_a_loss_that_fits(loss):
    """Else one number learned as 0 or 1 would be read as a score above 0, or scores as numbers."""

    def one(rng):
        return nets.Sequential({"a": layers.Affine(4, 1, rng=rng)}, loss=getattr(layers, loss)())

    with pytest.raises(ValueError, match=f"module: {loss} does not fit a net that gives one score"):
        LaminaClassifier(one).fit(X, Y[0] == Y)
    LaminaRegressor(one).fit(X, X[:, 0])

    def shares(rng):
        return nets.Sequential({"a": layers.Affine(4, 1, rng=rng)}, loss=layers.SigmoidWithLoss())

    with pytest.raises(ValueError, match=r"SigmoidWithLoss compares .* SquaredErrorLoss"):
        LaminaRegressor(shares).fit(X, X[:, 0])
    LaminaClassifier(shares).fit(X, Y[0] == Y)

    def pairs(rng):
        return nets.Sequential({"a": layers.Affine(4, 2, rng=rng)}, loss=layers.ContrastiveLoss())

    with pytest.raises(ValueError, match="two vectors, of which no class is read"):
        LaminaClassifier(pairs).fit(X, Y[0] == Y)


def test_one_class_and_numbers_as_classes():
    with pytest.raises(ValueError, match="y has only one class, ash"):
        LaminaClassifier().fit(X, np.full(90, "ash"))
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        LaminaClassifier().fit(X, X[:, 0])


def test_ctrl_c_ends_a_search_and_not_only_one_fit():
    class Stop(Callback):
        def stepped(self, trainer, loss):
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        fitted(callbacks=[Stop()])


def test_the_example_of_the_page_runs(capsys):
    text = (Path(__file__).parents[2] / "docs/exchange.md").read_text(encoding="utf-8")
    code = re.findall(r"```python\n(.*?)```", text.split("\n## scikit-learn\n")[1], re.DOTALL)
    names = {}
    exec(compile(code[0], "exchange.md", "exec"), names)
    assert names["search"].best_score_ > 0.93
    assert "n_hidden" in capsys.readouterr().out


def test_scores_that_are_nan_are_no_class():
    model = LaminaClassifier(max_epochs=1, random_state=0).fit(np.eye(4), [0, 1, 0, 1])
    for param in model.net_.parameters().values():
        param.data = np.full_like(param.data, np.nan)
    with pytest.raises(ValueError, match="scores of row 0 of X are NaN"):
        model.predict(np.eye(4))


def test_numbers_that_float32_cannot_tell_apart_are_refused():
    """Seconds since 1970, a minute apart."""
    X, y = np.arange(6.0)[:, None], 1.7e9 + 60.0 * np.arange(6.0)
    with pytest.raises(
        ValueError, match=r"LaminaRegressor: y: the numbers have deviation .* take 17000"
    ):
        LaminaRegressor().fit(X, y)


def test_inputs_that_float32_cannot_hold_are_refused():
    y = np.arange(6) % 2
    with pytest.raises(ValueError, match="X: holds a number too large for float32"):
        LaminaClassifier().fit(np.full((6, 2), 1e300), y)
    seconds = np.stack([np.arange(6.0), 1.7e9 + 60.0 * np.arange(6.0)], axis=1)
    with pytest.raises(ValueError, match="X: column 1: the numbers have deviation"):
        LaminaClassifier().fit(seconds, y)
    computed = np.stack([np.arange(6.0), 1.0 + 1e-15 * np.arange(6.0)], axis=1)
    LaminaClassifier(max_epochs=2).fit(computed, y)  # a constant, but for rounding
