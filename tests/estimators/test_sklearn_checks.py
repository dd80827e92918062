"""What scikit-learn asks of every estimator."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from lamina.estimators import LaminaClassifier, LaminaRegressor


@parametrize_with_checks([LaminaClassifier(), LaminaRegressor()])
def test_every_check_passes(estimator, check):
    check(estimator)
