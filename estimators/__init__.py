"""Estimators for scikit-learn: nets in its pipelines, searches and cross-validations."""

if not __name__.startswith("lamina."):
    raise ImportError("imported by its full name only: from lamina.estimators import ...")

from lamina.common.extras import missing

try:
    import sklearn  # noqa: F401  (asked for here, so that the error says what to install)
except ModuleNotFoundError as error:
    message = missing("scikit-learn", "sklearn", "lamina.estimators")
    raise ModuleNotFoundError(message, name=error.name) from None

from lamina.estimators.classifier import LaminaClassifier
from lamina.estimators.regressor import LaminaRegressor

__all__ = ["LaminaClassifier", "LaminaRegressor"]
