"""What scikit-learn asks of every estimator."""

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

from lamina.estimators import LaminaClassifier, LaminaRegressor

CHECKS = [
    pytest.param(estimator, check, id=f"{type(estimator).__name__}-{check.func.__name__}-{number}")
    for made in (LaminaClassifier(), LaminaRegressor())
    for number, (estimator, check) in enumerate(estimator_checks_generator(made))
    # It looks at nothing unless SCIPY_ARRAY_API is set for the whole process.
    if check.func.__name__ != "check_array_api_input"
]


@pytest.mark.parametrize(("estimator", "check"), CHECKS)
def test_every_check_passes(estimator, check):
    check(estimator)


def test_there_are_as_many_as_ever():
    assert len(CHECKS) >= 100
