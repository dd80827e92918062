"""What a run notes about its health, and how it finds out what made it fail.

finite.py stops a run at the first number that is none, culprit.py finds where it came from,
recorder.py writes layers.csv and parameters.csv; probes.py watches the layers for both.
"""
