"""Which class scores speak for: one rule, for metrics, for reports and for what a net answers."""

import numpy as np

UNKNOWN = -1  # the class, or whether a label holds, where scores are NaN: right for no target


def predicted_classes(scores: np.ndarray) -> np.ndarray:
    """(...), the class of scores (..., C): the highest, of equal ones the first; of scores (..., 1)
    class 1 above 0. UNKNOWN where a score is NaN."""
    single = scores.shape[-1] == 1
    predicted = (scores[..., 0] > 0).astype(np.intp) if single else scores.argmax(axis=-1)
    nan = np.isnan(scores)  # argmax takes a NaN for the highest
    return np.where(nan.any(axis=-1), UNKNOWN, predicted) if nan.any() else predicted
