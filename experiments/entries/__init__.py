"""All experiments, in the order of the page. A new one is a file here, and a line in ENTRIES."""

from lamina.experiments.entries.gradient_check import GradientCheck
from lamina.experiments.entries.valley import Valley

ENTRIES = (
    GradientCheck(),
    Valley(),
)
