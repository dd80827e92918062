"""From a function to a graph: its values and gradients, edge by edge."""

import numpy as np
import pytest

from lamina.autodiff.draw import trace


def test_values_and_gradients_are_those_of_reverse_mode(example):
    graph = trace(example.f, example.inputs)
    found = {node.name: node for node in graph.nodes if node.kind == "input"}
    gradients = example.gradients()
    assert set(found) == set(example.inputs)
    for name, node in found.items():
        assert np.array_equal(node.value, example.arrays()[name])
        assert np.allclose(node.gradient, gradients[name], rtol=1e-14, atol=0)
    assert graph.nodes[-1].value == example.value()
    assert graph.nodes[-1].gradient == 1


def test_what_flows_into_a_node_comes_out_of_it(example):
    graph = trace(example.f, example.inputs)
    for i, node in enumerate(graph.nodes[:-1]):
        shares = [graph.edges[e].gradient for e in graph.out_of(i)]
        if node.kind == "constant":
            assert shares == [None]
            continue
        assert node.kind == "copy" or len(shares) == 1
        assert np.allclose(sum(shares), node.gradient, rtol=1e-14, atol=1e-300)


def test_local_times_upstream_is_downstream(example):
    graph = trace(example.f, example.inputs)
    checked = 0
    for edge in graph.edges:
        upstream = graph.nodes[edge.target].gradient
        if edge.local is not None:
            product = edge.local * upstream
            while product.ndim > np.ndim(edge.gradient):
                product = product.sum(axis=0)
            shape = np.shape(edge.gradient)
            axes = tuple(i for i, n in enumerate(shape) if n == 1 and product.shape[i] > 1)
            product = product.sum(axis=axes, keepdims=True) if axes else product
        elif edge.jacobian is not None:
            product = (edge.jacobian @ np.ravel(upstream)).reshape(np.shape(edge.gradient))
        else:
            continue
        assert np.allclose(product, edge.gradient, rtol=1e-12, atol=1e-15)
        checked += 1
    assert checked


def test_edges_go_forward_and_stand_by_target(example):
    graph = trace(example.f, example.inputs)
    targets = [edge.target for edge in graph.edges]
    assert targets == sorted(targets)
    assert all(edge.source < edge.target for edge in graph.edges)


def test_the_graph_of_the_first_example():
    graph = trace(lambda x, y, z: (x + y) * z, {"x": -2, "y": 5, "z": -4})
    labels = {node.name: (node.label, float(node.value)) for node in graph.nodes}
    assert labels == {
        "x": ("x", -2.0),
        "y": ("y", 5.0),
        "z": ("z", -4.0),
        "q1": ("+", 3.0),
        "f": ("×", -12.0),
    }
    names = [(graph.nodes[e.source].name, graph.nodes[e.target].name) for e in graph.edges]
    assert names == [("x", "q1"), ("y", "q1"), ("q1", "f"), ("z", "f")]
    assert [float(e.gradient) for e in graph.edges] == [-4, -4, -4, 3]
    assert [float(e.local) for e in graph.edges] == [1, 1, -4, 3]


def test_a_value_used_twice_goes_through_a_copy_gate():
    graph = trace(lambda w: 4 * w + 2 * w, {"w": 0.5})
    (copy,) = (i for i, node in enumerate(graph.nodes) if node.kind == "copy")
    assert sorted(float(graph.edges[e].gradient) for e in graph.out_of(copy)) == [2, 4]
    assert [float(graph.edges[e].gradient) for e in graph.into(copy)] == [6]
    square = trace(lambda x: x * x, {"x": 3.0})
    assert [float(e.gradient) for e in square.edges] == [6, 3, 3]


def test_arrays_that_are_no_inputs_are_constants():
    graph = trace(lambda x: np.sum((x - np.array([1.0, 2.0])) * 3), {"x": [1.0, 1.0]})
    constants = [node for node in graph.nodes if node.kind == "constant"]
    assert [node.value.tolist() for node in constants] == [[1.0, 2.0]]
    assert constants[0].gradient is None
    assert "× 3" in {node.label for node in graph.nodes}


def test_inputs_by_position_are_named_after_the_parameters():
    graph = trace(lambda a, b: a / b, (6, 3))
    assert [node.name for node in graph.nodes] == ["a", "b", "f"]
    rest = trace(lambda a, *others: a * others[0], [1.0, 2.0])
    assert [node.name for node in rest.nodes] == ["a", "x1", "f"]


def test_numbers_lists_and_float32_arrays_are_inputs_and_integer_arrays_constants():
    def f(x, v, t):
        return x * np.sum(v[t])

    v = np.array([1, 2, 3], np.float32)
    graph = trace(f, {"x": np.float32(2), "v": v, "t": np.array([0, 2])})
    assert graph.nodes[-1].value.dtype == np.float32
    assert [node.name for node in graph.nodes if node.kind == "input"] == ["x", "v"]
    assert "[[0, 2]]" in {node.label for node in graph.nodes}


def test_the_array_given_is_not_the_array_drawn():
    x = np.array([1.0, 2.0])
    graph = trace(lambda x: np.sum(x), {"x": x})
    x[0] = 9
    assert graph.nodes[0].value.tolist() == [1.0, 2.0]
    both = trace(lambda v: np.sum(x - v), {"v": x})
    assert [node.name for node in both.nodes if node.kind != "operation"] == ["v", "const"]
    assert np.array_equal(both.nodes[0].gradient, [-1, -1])


def test_names_do_not_collide():
    names = [node.name for node in trace(lambda f, q1: f * q1 + 1, {"f": 2, "q1": 3}).nodes]
    assert len(set(names)) == len(names)


def test_an_input_may_itself_be_the_result():
    graph = trace(lambda x: x, {"x": 3})
    assert [node.name for node in graph.nodes] == ["x"]
    assert graph.nodes[0].gradient == 1


def test_infinities_are_shown_without_a_warning():
    graph = trace(lambda x: np.log(x) * 0 + 1 / x, {"x": 0.0})
    assert np.isnan(graph.nodes[-1].value)


@pytest.mark.parametrize(
    ("f", "inputs", "says"),
    [
        (lambda x: x + 1, {"x": [1.0, 2.0]}, r"shape \(2,\).*single number; add it up"),
        (lambda x: 3.0, {"x": 1.0}, "does not depend on any input"),
        (lambda x: None, {"x": 1.0}, "does not depend on any input"),
    ],
)
def test_a_result_that_is_no_number_is_refused(f, inputs, says):
    with pytest.raises(ValueError, match=says):
        trace(f, inputs)


@pytest.mark.parametrize("value", ["2", None, {"a": 1.0}, np.array(["a"]), 1j, True])
def test_an_input_that_is_no_number_is_refused_by_name(value):
    with pytest.raises(TypeError, match="draw: weird is"):
        trace(lambda weird: weird, {"weird": value})


def test_inputs_are_a_dict_or_a_list():
    with pytest.raises(TypeError, match="inputs are a dict of name -> value, or a list; got float"):
        trace(lambda x: x, 2.0)


def test_large_jacobians_are_never_formed():
    graph = trace(lambda X, W: np.sum(X @ W), {"X": np.ones((20, 30)), "W": np.ones((30, 4))})
    assert all(edge.jacobian is None for edge in graph.edges if edge.target < 3)
    assert [edge.rule for edge in graph.edges] == ["dX = dq1 @ W.T", "dW = X.T @ dq1", ""]
