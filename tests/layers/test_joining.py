"""Concatenation, Slice, Reshape, Repeat and LastStep: entries that move, and their errors."""

import numpy as np
import pytest

from lamina.layers import Concatenation, LastStep, Repeat, Reshape, ShapeError, Slice


def test_side_by_side_and_apart_again():
    layer = Concatenation()
    Y = layer.forward(np.array([[1.0, 2.0]]), np.array([[3.0]]), np.array([[4.0, 5.0]]))
    assert Y.tolist() == [[1, 2, 3, 4, 5]]
    dXs = layer.backward(10 * Y)
    assert [dX.tolist() for dX in dXs] == [[[10, 20]], [[30]], [[40, 50]]]


def test_along_another_axis():
    layer = Concatenation(axis=2)
    A, B = np.zeros((2, 3, 1, 4)), np.ones((2, 3, 2, 4))
    Y = layer.forward(A, B)
    assert Y.shape == (2, 3, 3, 4)
    assert [dX.shape for dX in layer.backward(Y)] == [A.shape, B.shape]
    assert layer.output_shape((3, 1, 4), (3, 2, 4)) == (3, 3, 4)


def test_channels_last_images_stay_so():
    images = [np.ones((2, 4, 5, c), np.float32).transpose(0, 3, 1, 2) for c in (3, 2)]
    Y = Concatenation().forward(*images)
    assert Y.shape == (2, 5, 4, 5)
    assert Y.dtype == np.float32
    assert Y.transpose(0, 2, 3, 1).flags["C_CONTIGUOUS"]


def test_one_input_alone():
    X = np.arange(6.0).reshape(2, 3)
    layer = Concatenation()
    assert layer.forward(X).tolist() == X.tolist()
    (dX,) = layer.backward(X)
    assert dX.tolist() == X.tolist()


def test_cut_and_joined_again():
    layer = Slice(1, (1, 3))
    X = np.arange(8.0).reshape(2, 4)
    one, three = layer.forward(X)
    assert one.tolist() == [[0], [4]]
    assert three.tolist() == [[1, 2, 3], [5, 6, 7]]
    assert layer.backward(one, 10 * three).tolist() == [[0, 10, 20, 30], [4, 50, 60, 70]]


def test_a_slice_is_the_inverse_of_a_concatenation():
    rng = np.random.default_rng(0)
    parts = [rng.standard_normal((2, 3, n, 2)) for n in (2, 1, 4)]
    cut = Slice(2, [2, 1, 4]).forward(Concatenation(2).forward(*parts))
    for a, b in zip(parts, cut, strict=True):
        np.testing.assert_array_equal(a, b)
    assert Slice(2, (2, 1, 4)).output_shape((3, 7, 2)) == [(3, 2, 2), (3, 1, 2), (3, 4, 2)]


@pytest.mark.parametrize(
    ("axis", "shapes", "words"),
    [
        (1, [(2, 3, 4), (2, 3, 5)], r"of the same shape but for axis 1, got \(N, 3, 4\) and"),
        (1, [(2, 3), (2, 3, 4)], "of the same shape but for axis 1"),
        (2, [(2, 3), (2, 3)], r"of at least 3 axes, got \(N, 3\) and \(N, 3\)"),
        (1, [], "of at least 2 axes, got none"),
    ],
)
def test_arrays_that_do_not_go_together(axis, shapes, words):
    with pytest.raises(ShapeError, match=f"Concatenation: expects inputs {words}"):
        Concatenation(axis).forward(*map(np.ones, shapes))


def test_batches_of_different_length_do_not_go_together():
    with pytest.raises(ShapeError, match="inputs of one batch size, got 2, 3"):
        Concatenation().forward(np.ones((2, 3)), np.ones((3, 3)))


def test_cuts_that_do_not_fit():
    words = r"Slice: expects 5 entries along axis 1, 2 \+ 3, got \(N, 4\)"
    with pytest.raises(ShapeError, match=words):
        Slice(1, (2, 3)).forward(np.ones((2, 4)))
    with pytest.raises(ShapeError, match="entries along axis 2"):
        Slice(2, (2, 2)).forward(np.ones((2, 4)))
    with pytest.raises(ValueError, match="expects 2 gradients, got 1"):
        Slice(1, (2, 2)).backward(np.ones((2, 2)))


def test_settings_that_do_not_work():
    with pytest.raises(ValueError, match="axis is at least 1, since 0 is the batch; got 0"):
        Concatenation(0)
    for axis, sizes in ((0, (1, 2)), (1, ()), (1, (2, 0))):
        with pytest.raises(ValueError, match="Slice: expects an axis of at least 1"):
            Slice(axis, sizes)
    for shape in ((2, 0), (-1, -1), (2.0,), (2, -2)):
        with pytest.raises(ValueError, match="numbers >= 1 and at most one -1"):
            Reshape(shape)


def test_reshape_there_and_back():
    layer = Reshape([2, -1])
    X = np.arange(12.0).reshape(2, 6)
    Y = layer.forward(X)
    assert Y.tolist() == [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]]
    np.testing.assert_array_equal(layer.backward(Y), X)
    assert layer.output_shape((3, 4)) == (2, 6)
    assert Reshape(-1).output_shape((3, 4)) == (12,)
    assert Reshape((2, 2)).forward(np.ones((0, 4))).shape == (0, 2, 2)


def test_reshape_refuses_what_does_not_fill_it():
    with pytest.raises(ShapeError, match=r"expects entries that fill \(2, 3\), got \(5,\)"):
        Reshape((2, 3)).forward(np.ones((2, 5)))
    with pytest.raises(ShapeError, match=r"fill \(2, 3\), got \(12,\)"):
        Reshape((2, 3)).output_shape((12,))
    with pytest.raises(ShapeError, match=r"fill \(4, -1\), got \(3, 6\)"):
        Reshape((4, -1)).output_shape((3, 6))


def test_a_vector_at_every_position():
    layer = Repeat(3)
    Y = layer.forward(np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert Y.tolist() == [[[1, 2]] * 3, [[3, 4]] * 3]
    assert layer.backward(Y).tolist() == [[3, 6], [9, 12]]
    assert layer.output_shape((2,)) == (3, 2)


def test_a_vector_as_often_as_another_sequence_is_long():
    X, words = np.array([[1.0, 2.0]]), np.array([[7, 8, 9]])
    layer = Repeat()
    Y = layer.forward(X, words)
    assert Y.shape == (1, 3, 2)
    dX, nothing = layer.backward(np.ones((1, 3, 2)))
    assert dX.tolist() == [[3, 3]]
    assert not nothing.any()
    layer.forward(X, np.ones((1, 3, 5)))
    dX, zeros = layer.backward(np.ones((1, 3, 2)))
    assert zeros.shape == (1, 3, 5)
    assert not zeros.any()
    assert layer.output_shape((2,), (3,)) == layer.output_shape((2,), (3, 5)) == (3, 2)
    # One step at a time: as many as there are now.
    assert layer.forward(X, words[:, :1]).shape == (1, 1, 2)


@pytest.mark.parametrize(
    ("layer", "inputs", "words"),
    [
        (Repeat(), [(2, 3)], r"expects X and a sequence \(N, T, ...\).*got \(N, 3\)$"),
        (Repeat(2), [(2, 3), (2, 5)], r"expects X, got \(N, 3\) and \(N, 5\)"),
        (Repeat(), [(2, 3), (4, 5)], "inputs of one batch size, got 2 and 4"),
        (Repeat(), [(2, 3), (2,)], r"X and a sequence"),
        (LastStep(), [(2,)], r"LastStep: expects sequences \(N, T, ...\), got \(N\)"),
        (LastStep(), [(2, 0, 3)], r"sequences \(N, T, ...\), got \(N, 0, 3\)"),
    ],
)
def test_no_sequences(layer, inputs, words):
    with pytest.raises(ShapeError, match=words):
        layer.forward(*map(np.ones, inputs))


def test_repeating_at_least_once():
    with pytest.raises(ValueError, match="n is at least 1, got 0"):
        Repeat(0)


def test_the_last_position():
    X = np.arange(12.0).reshape(2, 3, 2)
    layer = LastStep()
    assert layer.forward(X).tolist() == [[4, 5], [10, 11]]
    dX = layer.backward(np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert dX.tolist() == [[[0, 0], [0, 0], [1, 2]], [[0, 0], [0, 0], [3, 4]]]
    assert layer.output_shape((3, 2)) == (2,)
