"""Training: YAML to objects, the training loop, the files of a run, learning curves."""

if not __name__.startswith("lamina."):
    raise ImportError("imported by its full name only: from lamina.training import ...")
