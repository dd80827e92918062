"""Reverse mode beside hand-written layers and beside HIPS autograd.

    python benchmarks/autodiff.py        (needs autograd: pip install -e '.[peers]')

`mlp`: value and gradient of the loss of a 784-512-256-10 net, one batch of 128 in float32, by
reverse mode through a function of plain NumPy, by the hand-written layers, and by autograd.
`chain`: the derivative of 10,000 scalar operations one after another, by reverse mode and autograd.
`cost`: how long the gradient of a sum of squares-like function takes, in evaluations of the
function, as its inputs grow from 10² to 10⁶: by reverse mode, forward mode and differences.
"""

import argparse
import itertools

import numpy as np
from alternate import median_step, medians

SIZES, BATCH = [784, 512, 256, 10], 128


def mlp_data():
    rng = np.random.default_rng(0)
    X = rng.random((BATCH, SIZES[0]), dtype=np.float32)
    parameters = {}
    for i, (n_in, n_out) in enumerate(itertools.pairwise(SIZES), 1):
        scale = np.float32((2 / n_in) ** 0.5)
        parameters[f"W{i}"] = rng.standard_normal((n_in, n_out), dtype=np.float32) * scale
        parameters[f"b{i}"] = np.zeros(n_out, np.float32)
    return parameters, X, rng.integers(0, 10, BATCH)


def mlp_loss(np):
    def loss(p, X, t):
        H = np.maximum(X @ p["W1"] + p["b1"], 0)
        H = np.maximum(H @ p["W2"] + p["b2"], 0)
        s = H @ p["W3"] + p["b3"]
        s = s - np.max(s, axis=1, keepdims=True)
        return np.mean(np.log(np.sum(np.exp(s), axis=1)) - s[np.arange(len(t)), t])

    return loss


def mlp_lamina():
    from lamina.autodiff import value_and_grad

    data = mlp_data()
    both = value_and_grad(mlp_loss(np))
    return lambda: both(*data)


def mlp_autograd():
    import autograd.numpy
    from autograd import value_and_grad

    data = mlp_data()
    both = value_and_grad(mlp_loss(autograd.numpy))
    return lambda: both(*data)


def mlp_layers():
    from lamina.layers import Affine, Relu, SoftmaxWithLoss
    from lamina.nets import Sequential

    p, X, t = mlp_data()
    chain = {}
    for i in range(1, len(SIZES)):
        chain[f"affine{i}"] = Affine.from_arrays(p[f"W{i}"], p[f"b{i}"])
        chain[f"relu{i}"] = Relu()
    chain.popitem()
    net = Sequential(chain, loss=SoftmaxWithLoss())
    return lambda: net.gradient(X, t)


def chain_of(np):
    def f(x):
        y = x
        for _ in range(2_500):
            y = np.sin(y)
            y = y * x
            y = y + 0.5
            y = np.tanh(y)
        return y

    return f


def chain_lamina():
    from lamina.autodiff import grad

    derivative = grad(chain_of(np))
    return lambda: derivative(0.7)


def chain_autograd():
    import autograd.numpy
    from autograd import grad

    derivative = grad(chain_of(autograd.numpy))
    return lambda: derivative(0.7)


TASKS = {  # peers, warm-up steps, steps per process, targets of lamina against a peer
    "mlp": (
        {"lamina": mlp_lamina, "layers": mlp_layers, "autograd": mlp_autograd},
        (20, 200),
        {"layers": 1.5, "autograd": 1.0},
    ),
    "chain": ({"lamina": chain_lamina, "autograd": chain_autograd}, (2, 15), {"autograd": 0.5}),
}


def f(x):
    """The sum of log(1 + x²) sin x: a few operations for each input."""
    return np.sum(np.log1p(x * x) * np.sin(x))


def cost_table() -> None:
    """Medians of one process: these are costs of one library in evaluations of f."""
    from lamina.autodiff import grad, jvp, numeric_gradient

    def by_forward_mode(x):
        for i in range(len(x)):
            unit = np.zeros_like(x)
            unit[i] = 1.0
            jvp(f, x, unit)

    print("the gradient of f, in evaluations of f")
    print(f"  {'inputs':>9}{'reverse':>10}{'forward':>12}{'differences':>14}")
    for n in (100, 1_000, 10_000, 100_000, 1_000_000):
        x = np.random.default_rng(0).standard_normal(n)
        once = median_step(lambda x=x: f(x), 3, 15)
        ways = [grad(f)]
        if n <= 10_000:  # a minute and more beyond
            ways += [by_forward_mode, lambda x: numeric_gradient(f, x)]
        costs = [
            median_step(lambda way=way, x=x: way(x), n <= 1000, 15 if i == 0 else 1) / once
            for i, way in enumerate(ways)
        ]
        cells = [f"{c:,.1f}" if c < 100 else f"{c:,.0f}" for c in costs]
        cells += ["-"] * (3 - len(cells))
        print(f"  {n:>9,}{cells[0]:>10}{cells[1]:>12}{cells[2]:>14}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="processes of each peer")
    parser.add_argument("--task", choices=[*TASKS, "cost"], help="(default: all)")
    parser.add_argument("--peer", help="measure one here, print microseconds a step")
    options = parser.parse_args()
    if options.peer:
        peers, steps, _ = TASKS[options.task]
        print(1e6 * median_step(peers[options.peer](), *steps))
        return
    for task in [options.task] if options.task else [*TASKS, "cost"]:
        if task == "cost":
            cost_table()
            continue
        peers, _, targets = TASKS[task]
        found = medians(__file__, list(peers), ["--task", task], options.rounds)
        print(f"{task}: medians of {options.rounds} processes each")
        for peer, microseconds in found.items():
            print(f"  {peer:<10} {microseconds:10,.0f} µs")
        for peer, target in targets.items():
            ratio = found["lamina"] / found[peer]
            verdict = "met" if ratio <= target else "MISSED"
            print(f"  lamina / {peer:<10} {ratio:5.2f}   (target {target:.2f}: {verdict})")


if __name__ == "__main__":
    main()
