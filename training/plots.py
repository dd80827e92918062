"""Learning curves."""

from pathlib import Path

import numpy as np

from datasets.files import whole_file


def plot_curves(path: Path, losses, evaluations: list[dict], title: str = "") -> None:
    """Draw the loss of every iteration with its running mean, and the accuracies, into a PNG.

    Needs no display.
    """
    from matplotlib.figure import Figure  # late: half a second that only plotting needs

    figure = Figure(figsize=(10, 4), layout="constrained")
    loss_axes, accuracy_axes = figure.subplots(1, 2)
    iterations = np.arange(1, len(losses) + 1)
    window = max(len(losses) // 100, 1)
    smooth = np.convolve(losses, np.ones(window) / window, mode="valid")
    loss_axes.plot(iterations, losses, color="tab:blue", alpha=0.25, linewidth=0.5)
    loss_axes.plot(
        iterations[window - 1 :], smooth, color="tab:blue", label=f"mean of {window} batches"
    )
    # A few wild batches, mostly the first ones, must not flatten the curve.
    top = 1.1 * max(np.percentile(losses, 99), smooth.max())
    loss_axes.set(xlabel="iteration", ylabel="loss (training batches)", ylim=(0, top))
    loss_axes.legend()
    epochs = [row["epoch"] for row in evaluations]
    for key, style in (("train_accuracy", "o-"), ("test_accuracy", "s--")):
        values = [100 * row[key] for row in evaluations]
        name = key.split("_")[0]
        label = f"{name}, finally {values[-1]:.2f} %"
        accuracy_axes.plot(epochs, values, style, markersize=4, label=label)
    accuracy_axes.set(xlabel="epoch", ylabel="accuracy (%)")
    accuracy_axes.legend(loc="lower right")
    for axes in (loss_axes, accuracy_axes):
        axes.grid(alpha=0.3)
    figure.suptitle(title)
    with whole_file(path) as file:
        figure.savefig(file, format="png", dpi=120)
