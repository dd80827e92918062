"""The contract of a callback."""


class Callback:
    """Override what is needed; each method is called with the trainer.

    A callback reads what it likes, and must change neither the net nor the generators, or the run
    is no longer the one that its configuration describes. What it remembers from call to call, and
    is to know when a run goes on, it gives as `state`: checkpoints hold it.
    """

    def state(self) -> dict:
        """What it remembers: numbers, texts or arrays, by name."""
        return {}

    def load_state(self, state: dict) -> None:
        """Go on where `state()` was taken; its values come back as arrays, before `started`."""

    def started(self, trainer) -> None:
        """The run begins, or goes on; `trainer.iteration` are done."""

    def stepped(self, trainer, loss: float) -> None:
        """An update has been made; `loss` is that of its batches, before it."""

    def evaluated(self, trainer, row: dict) -> bool | None:
        """There is a new row of history.csv. True ends the run."""

    def finished(self, trainer) -> None:
        """The run is over, also if an error has ended it."""


class Function(Callback):
    """A plain function (trainer, row) as a callback after each evaluation."""

    def __init__(self, function):
        self.function = function

    def evaluated(self, trainer, row: dict) -> bool | None:
        return self.function(trainer, row)


def name_of(callback: Callback) -> str:
    """What it is called: its class, or the function that it is."""
    if not isinstance(callback, Function):
        return type(callback).__name__
    function = callback.function
    return getattr(function, "__qualname__", type(function).__name__)
