"""What a run notes about its health, where a NaN came from, and what is wrong with a run."""

if not __name__.startswith("lamina."):
    raise ImportError("imported by its full name only: from lamina.diagnosis import ...")

from lamina.diagnosis.watch import Diagnosis

__all__ = ["Diagnosis"]
