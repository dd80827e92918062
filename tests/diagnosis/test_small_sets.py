"""What few samples show may be chance: no cause is named by it."""

import numpy as np
import pytest
from test_health import scored

from lamina.diagnosis.causes.labels import wrong_labels
from lamina.diagnosis.causes.nothing_learned import nothing_learned
from lamina.diagnosis.causes.unlike_sets import unlike_sets


@pytest.mark.parametrize(("n", "found"), [(12, False), (1000, True)])
def test_labels_are_not_wrong_by_twelve_answers(n, found):
    record = scored(0.83, 0.11, test_samples=n, test_targets=n, samples=2000)
    record.facts["figure"] |= {"guess": 0.34, "train_guess": 0.34}
    record.history["test_accuracy"][:] = 0.11
    assert bool(wrong_labels(record, [])) == found


@pytest.mark.parametrize(("validation", "found"), [(0.34, True), (0.75, False)])
def test_what_a_validation_set_shows_is_not_learned_by_heart(validation, found):
    record = scored(0.83, 0.34, samples=2000)
    record.facts["figure"] |= {"guess": 0.34, "train_guess": 0.34}
    record.history["test_accuracy"][:] = 0.34
    record.history["validation_accuracy"] = np.full(5, validation)
    assert bool(wrong_labels(record, [])) == found


@pytest.mark.parametrize(("validation", "found"), [(0.1, True), (0.3, False)])
def test_what_a_validation_set_shows_is_not_nothing(validation, found):
    """Of 40 test samples all may be missed by chance, of 1,000 others 300 are answered by none."""
    record = scored(0.12, 0.1, test_samples=40, validation_samples=1000)
    record.history["validation_accuracy"] = np.full(5, validation)
    assert bool(nothing_learned(record, [])) == found


@pytest.mark.parametrize(("samples", "found"), [(60, False), (500, True)])
def test_sets_are_not_unlike_by_sixty_samples(samples, found):
    alike = {"alike": [0.867, 0.644], "nearest": 0.867, "ridge": 0.8}
    record = scored(1.0, 0.7, samples=samples, test_samples=500, **alike)
    assert bool(unlike_sets(record, [])) == found
