"""The book's deep convolutional net, and the images that it gets wrong."""

import numpy as np

from lamina.experiment.build_trainer import build_trainer
from lamina.experiment.config import load_config
from lamina.experiment.find_config import find_config
from lamina.experiments.entry import Band, Entry, Found
from lamina.experiments.figures import panels
from lamina.experiments.training import trained

_CONFIG = "mnist_deep_convnet"
_QUICK = {
    ("dataset",): {"type": "DrawnDigits", "flatten": False, "n_train": 2000, "n_test": 500},
    ("training", "iterations"): 80,
    ("training", "evaluate_every"): 80,
}


class DeepConvNet(Entry):
    """Six convolutions of 3 x 3, dropout, 20 epochs of Adam, as the configuration
    `mnist_deep_convnet` has it. The picture has the first test images that are taken for another
    digit ("4 as 9": a 4 that is taken for a 9). The quick form trains for 80 batches."""

    name, title = "deep_convnet", "DeepConvNet"
    source, minutes = "book 1, section 8.1, Fig. 8-2; docs/configs.md", 33
    full = (Band("test accuracy", 99.15, 99.65, "%", "the book: 99.38, docs/configs.md: 99.4"),)
    quick = (Band("test accuracy", 50, 100, "%", "five times what guessing gives"),)

    def run(self, full: bool) -> Found:
        config = load_config(find_config(_CONFIG))
        trainer = build_trainer(config if full else config.replaced(_QUICK), quiet=True)
        accuracy = trained(trainer).evaluations[-1]["test_accuracy"]
        X, t = trainer.dataset.test[:]
        said = trainer.net.predict(X, 200).argmax(axis=1)
        figure, axes = panels(3, 6, (5.6, 3.4))
        for panel in axes.flat:
            panel.axis("off")
        for row, panel in zip(np.flatnonzero(said != t), axes.flat, strict=False):
            panel.imshow(X[row, 0], cmap="gray_r")
            panel.set_title(f"{t[row]} as {said[row]}", fontsize="medium")
        return Found({"test accuracy": 100 * accuracy}, figure)
