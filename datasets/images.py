"""What the image data sets share: grey images of 28 x 28 in ten classes, read when first used."""

import numpy as np

from lamina.datasets.dataset import TO_UNIT, Dataset, Samples, check_targets, standardising
from lamina.datasets.picture_inputs import PictureInputs
from lamina.datasets.tasks import Classification, Reconstruction, check_task_name


class Images(Dataset):
    """`classes` names the ten classes. `task` is "classification", or "reconstruction", whose
    targets are the images as they go in. A subclass gives `train`, `validation`, `test`."""

    classes: tuple[str, ...] = ()
    drawn = "digit"  # how a picture of one's own becomes such an image: see `ink.inked`

    def __init__(self, flatten: bool, normalise: bool, task: str, n_validation: int):
        check_task_name(task, ("classification", "reconstruction"))
        rebuild = task == "reconstruction"
        self.task = Reconstruction() if rebuild else Classification(self.classes)
        self.flatten, self.normalise, self.n_validation = flatten, normalise, n_validation
        self.input_shape = (784,) if flatten else (1, 28, 28)
        self.target_shape = self.input_shape if rebuild else ()

    @property
    def has_validation(self) -> bool:
        return self.n_validation > 0

    @property
    def preparation(self) -> dict:
        scaling = (self.train.scale or 1.0, self.train.offset) if self.normalise else TO_UNIT
        return PictureInputs((28, 28), False, self.drawn, self.input_shape, scaling).facts()

    def _scaling(self, X: np.ndarray) -> tuple[float, float]:
        """Scale and offset, by the pixels X of the training images."""
        return standardising(X) if self.normalise else TO_UNIT

    def _samples(self, name: str, X: np.ndarray, t: np.ndarray, scaling) -> Samples:
        samples = Samples(X, X if isinstance(self.task, Reconstruction) else t, *scaling)
        check_targets(self.task, name, samples)
        return samples
