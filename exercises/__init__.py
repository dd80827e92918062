"""Exercises made from the project's own files, and the marks that solutions of them get.

    lamina exercise Affine -o affine.py              the file with forward and backward left out
    lamina check affine.py:Affine --as-exercise      what is right, what is not and why, a mark
    lamina grade FOLDER                              a whole class, each file in its own process

Solutions are the files of the project themselves: nothing is written twice.
"""

if not __name__.startswith("lamina."):
    raise ImportError("imported by its full name only: from lamina.exercises import ...")

from lamina.exercises.catalogue import Exercise, exercise, exercises
from lamina.exercises.gaps import GapError
from lamina.exercises.marking import Mark
from lamina.exercises.questions import answered
from lamina.exercises.solution import mark_file

__all__ = ["Exercise", "GapError", "Mark", "answered", "exercise", "exercises", "mark_file"]
