import numpy as np

from lamina.metrics import Precision


def test_by_hand():
    metric = Precision()
    # Predicted 0, 0, 1, 1 for 0, 1, 1, 2.
    metric.update(np.eye(3)[[0, 0, 1, 1]], np.array([0, 1, 1, 2]))
    np.testing.assert_allclose(metric.per_class(), [0.5, 0.5, 0])
    assert metric.value() == np.mean(metric.per_class())
