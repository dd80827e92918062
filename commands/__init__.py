"""The command line: a file for each command of `lamina`; frame.py is what they share."""

if not __name__.startswith("lamina."):
    raise ImportError("imported by its full name only: from lamina.commands import ...")
