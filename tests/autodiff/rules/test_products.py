"""The products: matmul, dot, tensordot, outer, einsum."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.autodiff import NotDifferentiable, grad, jvp
from lamina.autodiff.rules import products

M, N, K = (3, 4), (4, 2), (4,)
SEEDS = st.integers(0, 2**32)

CASES = {
    np.kron: [
        (np.kron, (2, 3), (3, 2)),
        (np.kron, (2,), (2, 3)),
        (np.kron, (2, 2, 3), (2,)),
        (np.kron, (), (2, 3)),
        (lambda b: np.kron(np.eye(2), b) + np.kron(b, [[1.0, 2.0], [3.0, 4.0]]), (2, 2)),
    ],
    np.cross: [
        (np.cross, (3,), (3,)),
        (np.cross, (4, 3), (3,)),
        (lambda a, b: np.cross(a, b, axis=0), (3, 4), (3, 4)),
        (lambda a, b: np.cross(a, b, axisa=0, axisc=0), (3, 4), (2, 4, 3)),
        (lambda b: np.cross([1.0, 2.0, 3.0], b), (2, 3)),
    ],
    np.linalg.cross: [(lambda a, b: np.linalg.cross(a, b, axis=0), (3, 4), (3, 4))],
    np.matmul: [
        (np.matmul, M, N),
        (lambda x, y: x @ y, K, K),
        (lambda x, y: x @ y, M, K),
        (lambda x, y: x @ y, K, N),
        (lambda x, y: x @ y, (2, 3, 4), (2, 4, 2)),
        (lambda x, y: x @ y, (2, 3, 4), N),
        (lambda x, y: x @ y, M, (2, 4, 2)),
        (lambda x, y: x @ y, (2, 1, 3, 4), (3, 4, 2)),
        (lambda x, y: x @ y, K, (2, 4, 3)),
        (lambda x, y: x @ y, (2, 3, 4), K),
        (lambda x, y: x @ y, (1, 3, 4), (0, 4, 2)),
        (lambda x, y: x @ y, (3, 0), (0, 2)),
        (lambda x, y: x @ y, (0,), (0,)),
        (lambda x: x @ x.T @ x, M),
        (lambda x: np.ones((2, 3)) @ x @ [[1.0], [2.0], [0.0], [-1.0]], M),
        (lambda x: [1.0, 2.0, 3.0] @ x @ [1.0, 2.0, 0.0, -1.0], M),
    ],
    np.dot: [
        (np.dot, M, N),
        (np.dot, K, K),
        (np.dot, M, K),
        (np.dot, K, N),
        (np.dot, (), M),
        (np.dot, M, ()),
        (np.dot, (2, 3, 4), N),
        (np.dot, (2, 4), (3, 4, 2)),
        (np.dot, K, (3, 4, 2)),
        (lambda x: np.dot(x, [1.0, 2.0, 0.0, -1.0]) + np.dot([1.0, 2.0, 3.0], x)[:3], M),
        (lambda x: x.dot(np.ones((4, 2))) + np.dot(x, 2.0)[:, :2], M),
    ],
    np.inner: [
        (np.inner, K, K),
        (np.inner, M, (2, 4)),
        (np.inner, (2, 3, 4), K),
        (np.inner, (), M),
        (lambda x: np.inner([1.0, 2.0, 0.0, -1.0], x) * np.inner(x, 2.0)[:, 0], M),
    ],
    np.vdot: [
        (np.vdot, K, K),
        (np.vdot, M, (4, 3)),
        (lambda x: np.vdot([1.0, 2.0, 0.0, -1.0], x[0]) * x, M),
    ],
    np.outer: [(np.outer, (3,), (4,)), (np.outer, (2, 3), (2, 2)), (np.outer, (), (2,))],
    np.tensordot: [
        (lambda x, y: np.tensordot(x, y, axes=1), M, N),
        (lambda x, y: np.tensordot(x, y), (2, 3, 4), (3, 4)),
        (lambda x, y: np.tensordot(x, y, 0), (2,), M),
        (lambda x, y: np.tensordot(x, y, axes=(0, -1)), M, (2, 3)),
        (lambda x, y: np.tensordot(x, y, axes=([0, -1], [1, 0])), (3, 2, 4), (4, 3)),
        (lambda x, y: np.tensordot(x, y, axes=((), ())), (2,), (3,)),
        (lambda x, y: np.tensordot(x, y, axes=([1], [0])), (3, 0), (0, 2)),
    ],
    np.einsum: [
        (lambda x, y: np.einsum("ij,jk->ik", x, y), M, N),
        (lambda x, y: np.einsum("ij, jk", x, y), M, N),  # the output is implied: ik
        (lambda x, y: np.einsum("ba,ac->cb", x, y, optimize=True), M, N),
        (lambda x, y: np.einsum("ij,jk->ik", x, y, optimize=["einsum_path", (0, 1)]), M, N),
        (lambda x: np.einsum("ij->", x), M),
        (lambda x: np.einsum("ij->j", x), M),
        (lambda x: np.einsum("ba", x), M),  # implied in order of the alphabet: transposed
        (lambda x: np.einsum("iJ", x), M),
        (lambda x, y: np.einsum("ij,kl->ik", x, y), M, N),  # j and l in one operand only
        (lambda x, y: np.einsum(",i->i", x, y), (), (3,)),
        (lambda x, y: np.einsum("i,i", x, y), K, K),
        (lambda x: np.einsum("ii", x), (3, 3)),
        (lambda x: np.einsum("ii->i", x), (3, 3)),
        (lambda x: np.einsum("iij->ji", x), (3, 3, 2)),
        (lambda x: np.einsum("iii->i", x), (3, 3, 3)),
        (lambda x, y: np.einsum("ii,ij->j", x, y), (3, 3), M),
        (lambda x, y: np.einsum("ijij,jk->k", x, y), (2, 3, 2, 3), (3, 2)),
        (lambda x: np.einsum("ij,kj,kl->il", x, x, x * x), (3, 3)),
        (lambda x, y, z: np.einsum("ij,jk,kl->il", x, y, z, optimize=True), M, N, (2, 3)),
        (lambda x, y, z: np.einsum("ij,jk,kl", x, y, z, optimize="optimal"), M, N, (2, 3)),
        (lambda x, y: np.einsum("...ij,...jk->...ik", x, y), (2, 3, 4), (2, 4, 2)),
        (lambda x, y: np.einsum("...ij,...jk", x, y), (2, 1, 3, 4), (3, 4, 2)),
        (lambda x, y: np.einsum("i...,...i->...", x, y), (4, 2, 3), (3, 4)),
        (lambda x, y: np.einsum("...i,ij->...j", x, y), (2, 3, 4), N),
        (lambda x: np.einsum("...ii->...i", x), (2, 3, 3)),
        (lambda x: np.einsum("i...->...", x), M),
        (lambda x: np.einsum("...", x), M),
        # Axes of length 1 broadcast, under letters as well.
        (lambda x, y: np.einsum("ij,ij->j", x, y), (1, 3), (2, 3)),
        (lambda x, y: np.einsum("ij,ij->ij", x, y), (2, 1), (1, 3)),
        (lambda x, y: np.einsum("ij,ij", x, y), (1, 3), (2, 1)),
        (lambda x, y: np.einsum("...i,...i->...", x, y), (3, 1, 2), (1, 4, 2)),
        (lambda x: np.einsum("ij,jk->ik", np.ones((2, 3)), x), M),
        (lambda x: np.einsum("i...,ij", [1.0, 2.0, 3.0], x), M),
        (lambda x, y: np.einsum("ij,jk->ik", x, y), (3, 0), (0, 2)),
    ],
}


def test_case(case, check_case):
    check_case(case)


def test_every_rule_has_a_case(check_covered):
    check_covered(products, CASES)


@settings(max_examples=60, deadline=None)
@given(
    hnp.mutually_broadcastable_shapes(
        signature=np.matmul.signature, max_dims=2, min_side=0, max_side=3
    ),
    SEEDS,
)
def test_matmul_of_any_shapes(check, arrays, shapes, seed):
    """Vectors, matrices and stacks of them, broadcast, of any length."""
    check(np.matmul, *arrays(np.random.default_rng(seed), *shapes.input_shapes))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=3, max_size=3), SEEDS)
def test_any_einsum_of_two(check, arrays, sizes, seed):
    """Subscripts drawn at random: sums in one operand, diagonals, products over all."""
    rng = np.random.default_rng(seed)
    size = dict(zip("abc", sizes, strict=True))
    one, two = ("".join(rng.choice(list("abc"), rng.integers(1, 4))) for _ in range(2))
    there = sorted(set(one + two))
    output = "".join(rng.permutation(there)[: rng.integers(len(there) + 1)])
    shapes = [tuple(size[c] for c in s) for s in (one, two)]
    check(lambda x, y: np.einsum(f"{one},{two}->{output}", x, y), *arrays(rng, *shapes))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=4, max_size=4), SEEDS)
def test_any_tensordot(check, arrays, sizes, seed):
    rng = np.random.default_rng(seed)
    ours, theirs = rng.permutation(3), rng.permutation(3)
    n = seed % 3
    a, b = np.array(sizes)[[0, 1, 2]], np.array(sizes)[[3, 1, 2]]
    b[theirs[:n]] = a[ours[:n]]
    axes = [list(ours[:n] - 3), list(theirs[:n])]
    inputs = arrays(rng, tuple(int(i) for i in a), tuple(int(i) for i in b))
    check(lambda x, y: np.tensordot(x, y, axes), *inputs)


def test_shapes_that_do_not_fit_are_refused_as_by_numpy():
    """Six numbers are six numbers, but 3 is not 2."""
    with pytest.raises(ValueError, match="do not fit"):
        grad(lambda x: np.tensordot(x, np.ones((3, 2)), 2))(np.ones((2, 3)))


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: np.einsum(x, [0, 1], [1, 0]), "write the subscripts as text"),
        (lambda x: np.einsum("ij->ji", x, out=np.zeros((4, 3))), "numpy.einsum with out="),
        (lambda x: np.matmul(x, x.T, axes=[(0, 1)] * 3), "numpy.matmul with axes="),
        (lambda x: np.matmul(x, x.T, dtype=np.float32), "numpy.matmul with dtype="),
        (lambda x: np.multiply.outer(x, x), "numpy.multiply.outer has no derivative rule"),
        (lambda x: np.unwrap(x), "numpy.unwrap has no derivative rule"),
    ],
)
def test_what_has_no_rule_is_refused_in_both_modes(f, words):
    x = np.ones(M)
    with pytest.raises(NotDifferentiable, match=words):
        jvp(f, x, x)
    with pytest.raises(NotDifferentiable, match=words):
        grad(lambda x: np.sum(f(x)))(x)


def test_subscripts_in_lists_are_refused_whichever_operand_is_differentiated():
    x = np.ones(M)
    with pytest.raises(NotDifferentiable, match="write the subscripts as text"):
        grad(lambda x: np.sum(np.einsum(np.ones(3), [0], x, [0, 1])))(x)
