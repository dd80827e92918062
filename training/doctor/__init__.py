"""What is wrong with a run, if anything: python -m training.doctor RUN

record.py reads the files of a run, families/ has what can be wrong, a file each, diagnose.py puts
the findings into an order, causes before what follows from them; report.py and picture.py show it.
"""
