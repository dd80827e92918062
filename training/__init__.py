"""Training: YAML to objects, the training loop, the files of a run, learning curves."""
