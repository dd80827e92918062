"""The ground: files, tables, text for errors, threads. Nothing here knows what a layer is."""

if not __name__.startswith("lamina."):
    raise ImportError("imported by its full name only: from lamina.common import ...")
