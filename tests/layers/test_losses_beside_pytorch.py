"""Every option of every loss beside PyTorch: values and gradients, in float64."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.layers import (
    AbsoluteErrorLoss,
    ContrastiveLoss,
    CrossEntropyError,
    HuberLoss,
    NegativeSamplingLoss,
    SigmoidWithLoss,
    Softmax,
    SoftmaxWithLoss,
    SquaredErrorLoss,
    SVMLoss,
)

pytestmark = pytest.mark.needs_torch
seeds = st.integers(0, 2**31)
classes = st.integers(1, 7)
positions = st.lists(st.integers(1, 5), max_size=3)  # (), (N,), (N, T), ...
reductions = st.sampled_from(["mean", "sum"])
smoothings = st.sampled_from([0.0, 0.1, 0.7, 1.0])
thorough = settings(max_examples=200, deadline=None)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """So small arrays are slower by far on several threads that wait for each other."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def compare(layer, scores, targets, function):
    """The loss, the gradient of the scores, and the sum that `summed` gives."""
    import torch

    tensor = torch.tensor(scores, requires_grad=True)
    theirs = function(tensor)
    (3.0 * theirs).backward()
    loss = layer.forward(scores, targets)
    close(loss, theirs.detach().numpy())
    close(layer.backward(3.0), tensor.grad.numpy())
    mean = layer.reduction == "mean"
    close(layer.summed(loss), theirs.item() * (layer.weight if mean else 1.0))


def close(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)


def classification(seed, places, n_classes, ignored, weighted):
    """Scores, targets and the two options; at least one position counts."""
    rng = np.random.default_rng(seed)
    scores = 3 * rng.standard_normal((*places, n_classes))
    t = rng.integers(0, n_classes, places)
    options = {}
    if ignored is not None:
        options["ignore_index"] = ignored
        t = np.where(rng.uniform(size=places) < 0.4, ignored, t)
        kept = (ignored + 1) % n_classes if 0 <= ignored < n_classes else 0
        t.reshape(-1)[0] = kept
    if weighted:
        weights = rng.uniform(0.1, 3, n_classes) * (rng.uniform(size=n_classes) < 0.8)
        weights[t.reshape(-1)[0]] = 1.0
        options["class_weights"] = tuple(weights)
    return scores, t, options


def torch_options(options: dict) -> dict:
    import torch

    theirs = {"ignore_index": options.get("ignore_index", -100)}
    if "class_weights" in options:
        theirs["weight"] = torch.tensor(options["class_weights"], dtype=torch.float64)
    return theirs


def flat(t):
    import torch

    return torch.tensor(t.reshape(-1))


ignored = st.sampled_from([None, -1, -100, 0, 255])


@thorough
@given(seeds, positions, st.integers(2, 7), reductions, ignored, st.booleans(), smoothings)
def test_softmax_with_loss(seed, places, n_classes, reduction, ignored, weighted, smoothing):
    import torch.nn.functional as F

    scores, t, options = classification(seed, places, n_classes, ignored, weighted)
    layer = SoftmaxWithLoss(reduction, label_smoothing=smoothing, **options)
    theirs = torch_options(options) | {"label_smoothing": smoothing, "reduction": reduction}
    compare(
        layer,
        scores,
        t,
        lambda s: F.cross_entropy(s.reshape(-1, n_classes), flat(t), **theirs),
    )


@thorough
@given(seeds, positions, st.integers(2, 7), reductions, ignored, st.booleans())
def test_cross_entropy_error_is_nll_of_the_logarithm(
    seed, places, n_classes, reduction, ignored, weighted
):
    import torch.nn.functional as F

    scores, t, options = classification(seed, places, n_classes, ignored, weighted)
    layer, theirs = CrossEntropyError(reduction, **options), torch_options(options)
    compare(
        layer,
        Softmax().forward(scores),
        t,
        lambda p: F.nll_loss(
            p.log().reshape(-1, n_classes), flat(t), reduction=reduction, **theirs
        ),
    )


@thorough
@given(seeds, positions, st.integers(2, 7), reductions, ignored, st.booleans(), smoothings)
def test_softmax_and_cross_entropy_error(
    seed, places, n_classes, reduction, ignored, weighted, smoothing
):
    """The two layers, one behind the other, are PyTorch's one, smoothing included."""
    import torch
    import torch.nn.functional as F

    scores, t, options = classification(seed, places, n_classes, ignored, weighted)
    softmax = Softmax()
    loss = CrossEntropyError(reduction, label_smoothing=smoothing, **options)
    theirs = torch_options(options) | {"label_smoothing": smoothing, "reduction": reduction}
    tensor = torch.tensor(scores, requires_grad=True)
    value = F.cross_entropy(tensor.reshape(-1, n_classes), flat(t), **theirs)
    value.backward()
    close(loss.forward(softmax.forward(scores), t), value.item())
    close(softmax.backward(loss.backward()), tensor.grad.numpy())


@thorough
@given(seeds, positions, st.integers(2, 7), reductions, ignored, st.booleans())
def test_svm_loss(seed, places, n_classes, reduction, ignored, weighted):
    """PyTorch divides by C, and has no positions that do not count: they are left out by hand."""
    import torch.nn.functional as F

    scores, t, options = classification(seed, places, n_classes, ignored, weighted)
    layer, theirs = SVMLoss(reduction, margin=0.7, **options), torch_options(options)
    counts = flat(t) != theirs["ignore_index"]
    kept, weight = flat(t)[counts], theirs.get("weight")
    divisor = 1.0
    if reduction == "mean":
        divisor = len(kept) if weight is None else weight[kept].sum()

    def function(s):
        summed = F.multi_margin_loss(
            s.reshape(-1, n_classes)[counts], kept, margin=0.7, weight=weight, reduction="sum"
        )
        return n_classes * summed / divisor

    compare(layer, scores, t, function)


@thorough
@given(
    seeds,
    positions,
    classes,
    reductions,
    st.sampled_from([None, "one", "each"]),
    st.booleans(),
    st.booleans(),
)
def test_sigmoid_with_loss(seed, places, n_labels, reduction, weights, soft, unknown):
    import torch
    import torch.nn.functional as F

    rng = np.random.default_rng(seed)
    shape = (*places, n_labels)
    scores = 5 * rng.standard_normal(shape)
    t = rng.uniform(0, 1, shape) if soft else rng.integers(0, 2, shape)
    options, theirs, counts = {}, {}, torch.ones(shape, dtype=torch.bool)
    if weights:
        options["positive_weights"] = tuple(rng.uniform(0.1, 5, n_labels))
        if weights == "one":
            options["positive_weights"] = 2.5
        theirs["pos_weight"] = torch.tensor(options["positive_weights"], dtype=torch.float64)
    if unknown:
        options["ignore_index"] = -1
        t = np.where(rng.uniform(size=shape) < 0.3, -1, t)
        t.reshape(-1)[0] = 1
        counts = torch.tensor(t != -1)

    def function(s):
        each = F.binary_cross_entropy_with_logits(
            s, torch.tensor(t).double(), reduction="none", **theirs
        )
        return getattr(each[counts], reduction)()

    layer = SigmoidWithLoss(reduction, **options)
    compare(layer, scores, t, function)
    if n_labels == 1:
        compare(layer, scores, t[..., 0], function)


@thorough
@given(seeds, positions, classes, reductions, st.sampled_from([0.3, 1.0, 4.0]), st.integers(0, 2))
def test_losses_of_errors(seed, places, n_numbers, reduction, delta, which):
    """PyTorch's means divide by C too."""
    import torch
    import torch.nn.functional as F

    rng = np.random.default_rng(seed)
    y, t = 2 * rng.standard_normal((2, *places, n_numbers))
    layer, function, options = [
        (SquaredErrorLoss(reduction, factor=delta), F.mse_loss, {}),
        (AbsoluteErrorLoss(reduction), F.l1_loss, {}),
        (HuberLoss(reduction, delta=delta), F.huber_loss, {"delta": delta}),
    ][which]
    factor = (delta if which == 0 else 1.0) * (n_numbers if reduction == "mean" else 1.0)
    target = torch.tensor(t)

    def theirs(y):
        return factor * function(y, target, reduction=reduction, **options)

    compare(layer, y, t, theirs)
    if n_numbers == 1:
        compare(layer, y, t[..., 0], theirs)


@thorough
@given(seeds, st.integers(1, 6), st.integers(1, 7), reductions)
def test_negative_sampling(seed, n, k, reduction):
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, one_hot

    rng = np.random.default_rng(seed)
    scores, targets = 5 * rng.standard_normal((n, k)), rng.integers(0, k, n)

    def theirs(s):
        yes = one_hot(torch.tensor(targets), k).to(s.dtype)
        summed = binary_cross_entropy_with_logits(s, yes, reduction="sum")
        return summed / n if reduction == "mean" else summed

    compare(NegativeSamplingLoss(reduction), scores, targets, theirs)


def test_negative_sampling_of_scores_that_would_overflow():
    layer = NegativeSamplingLoss("sum")
    scores = np.array([[1e4, 1e4, -1e4]])
    assert layer.forward(scores, np.array([0])) == 1e4
    assert layer.backward().tolist() == [[0.0, 1.0, 0.0]]


@thorough
@given(seeds, st.integers(1, 6), st.integers(1, 4), reductions, st.booleans())
def test_contrastive_loss(seed, n, width, reduction, legacy):
    import torch

    rng = np.random.default_rng(seed)
    scores, t = rng.standard_normal((n, 2 * width)), rng.integers(0, 2, n)
    margin = float(rng.uniform(0.1, 3.0))

    def theirs(scores):
        a, b = scores.split(width, dim=1)
        square = (a - b).square().sum(dim=1)
        apart = margin - square if legacy else margin - square.sqrt()
        apart = apart.clamp(min=0) if legacy else apart.clamp(min=0).square()
        alike = torch.tensor(t, dtype=torch.float64)
        total = 0.5 * (alike * square + (1 - alike) * apart).sum()
        return total / n if reduction == "mean" else total

    compare(ContrastiveLoss(reduction, margin=margin, legacy=legacy), scores, t, theirs)
