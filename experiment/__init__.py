"""From a YAML file to a run and back: configuration, building, run directories, going on."""

if not __name__.startswith("lamina."):
    raise ImportError("imported by its full name only: from lamina.experiment import ...")
