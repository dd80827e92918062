"""What an optimizer is given: the parameters of one net, each of them once."""

import copy
from collections import OrderedDict

import numpy as np
import pytest

from lamina.layers import Affine, Param, Relu, SoftmaxWithLoss
from lamina.nets import Sequential, TwoLayerNet
from lamina.optimizers import SGD, Momentum


def made(seed=0):
    rng = np.random.default_rng(seed)
    layers = OrderedDict(affine1=Affine(4, 5, rng=rng), relu=Relu(), affine2=Affine(5, 3, rng=rng))
    return Sequential(layers, loss=SoftmaxWithLoss())


@pytest.mark.parametrize(
    ("given", "got"),
    [
        (lambda net: list(net.parameters().values()), "a list"),
        (lambda net: (p for p in net.parameters().values()), "a generator"),
        (lambda net: net.parameters().values(), "a (o?dict)_values"),
        (lambda net: net.parameters().items(), "a (o?dict)_items"),
        (lambda net: net, "a Sequential itself"),
        (lambda net: net.parameters, "a function that was not called"),
        (lambda net: net.parameters()["affine1.W"], "a Param"),
        (lambda net: None, "a NoneType"),
    ],
)
def test_what_is_no_dict_of_params_is_refused_with_what_to_give(given, got):
    words = rf"parameters: expects a dict of Params by name, got {got}: SGD\(net\.parameters\(\)"
    with pytest.raises(TypeError, match=words):
        SGD(given(made()), lr=0.1)


@pytest.mark.parametrize("value", [np.ones(2), 3.0, Affine(2, 2, rng=0)])
def test_a_value_that_is_no_param_is_named(value):
    kind = type(value).__name__
    words = rf"parameters: W1 is of type {kind}, and not a Param: Momentum\(net\.parameters\(\)"
    with pytest.raises(TypeError, match=words):
        Momentum({"b": Param(np.ones(1)), "W1": value}, lr=0.1)


def test_the_arrays_of_the_note_are_no_params():
    with pytest.raises(TypeError, match="W1 is of type ndarray, and not a Param"):
        SGD(TwoLayerNet(4, 5, 3, rng=0).params, lr=0.1)


def test_one_param_under_two_names_is_updated_once():
    param = Param(np.ones(1))
    param.accumulate(np.ones(1))
    optimizer = Momentum({"a": param, "b": param}, lr=0.25)
    optimizer.step()
    assert param.data == 0.75
    assert list(optimizer.parameters) == ["a"]
    assert list(optimizer.state())[3:] == ["velocity/a"]


def test_a_layer_at_two_places_is_updated_once_and_fits_its_net():
    shared = Affine(4, 4, rng=0)
    net = Sequential(OrderedDict(a=shared, r=Relu(), b=shared), loss=SoftmaxWithLoss())
    parameters = net.parameters()
    twice = {"b.W": parameters["a.W"], **parameters}
    optimizer = SGD(twice, lr=0.5)
    assert optimizer.check_net(net) == []
    before = parameters["a.W"].data.copy()
    net.gradient(np.eye(4, dtype=np.float32), np.arange(4))
    gradient = parameters["a.W"].grad.copy()
    optimizer.step()
    np.testing.assert_allclose(parameters["a.W"].data, before - 0.5 * gradient, rtol=1e-6)


def test_the_parameters_of_the_net_are_its_own():
    net = made()
    assert SGD(net.parameters(), lr=0.1).check_net(net) == []
    optimizer = SGD(net.parameters(), lr=0.1)
    net.load_state(made(1).state())  # other arrays, the same Params
    assert optimizer.check_net(net) == []


@pytest.mark.parametrize("other", [made, copy.deepcopy])
def test_those_of_a_net_made_anew_or_copied_are_refused(other):
    net = made()
    optimizer = Momentum(net.parameters(), lr=0.1)
    net = other(net) if other is copy.deepcopy else other()
    words = (
        r"Momentum: 4 of its 4 parameters are not those of the net \(affine1\.W, affine1\.b, "
        r"affine2\.W, \.\.\.\)\. Was the net made anew, or copied, .*Momentum\(net\.parameters\(\)"
    )
    with pytest.raises(ValueError, match=words):
        optimizer.check_net(net)


def test_one_foreign_parameter_is_enough():
    net = made()
    optimizer = SGD(net.parameters() | {"extra": Param(np.ones(2))}, lr=0.1)
    with pytest.raises(ValueError, match=r"1 of its 5 parameters are not .*\(extra\)\."):
        optimizer.check_net(net)


def test_trainable_parameters_that_it_does_not_know_are_said():
    net = made()
    some = {name: param for name, param in net.parameters().items() if name.startswith("affine2")}
    assert SGD(some, lr=0.1).check_net(net) == ["affine1.W", "affine1.b"]
    net.parameters()["affine1.W"].trainable = False
    assert SGD(some, lr=0.1).check_net(net) == ["affine1.b"]


def test_an_optimizer_of_nothing_is_refused_where_something_would_learn():
    net = made()
    with pytest.raises(ValueError, match="SGD: has no parameters, so that nothing would learn"):
        SGD({}, lr=0.1).check_net(net)
    for param in net.parameters().values():
        param.trainable = False
    assert SGD({}, lr=0.1).check_net(net) == []
