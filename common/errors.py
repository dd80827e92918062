"""What the files of a run may raise."""


class RunError(ValueError):
    """A run directory, or a file in it, cannot be used; says which one, why, and what to do."""
