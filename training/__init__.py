"""Training: the loop and its collaborators, the tables and checkpoints of a run, callbacks."""

if not __name__.startswith("lamina."):
    raise ImportError("imported by its full name only: from lamina.training import ...")
