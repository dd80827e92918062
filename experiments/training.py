"""Runs of the experiments: a trainer to its end, without a word and without files."""

import contextlib

from lamina.training.history import History
from lamina.training.trainer import Trainer
from lamina.training.watch import NonFiniteError


def trained(trainer: Trainer) -> History:
    """Its losses and evaluations, up to where they are no longer finite. Raises KeyboardInterrupt
    for a run that was interrupted, which is none."""
    with contextlib.suppress(NonFiniteError):
        trainer.run()
    if trainer.interrupted is not None:
        raise KeyboardInterrupt
    return trainer.history


def learn(net, optimizer, dataset, **options) -> History:
    """What `trained` gives of a net; `options` are those of a Trainer, whose seed is 0."""
    return trained(Trainer(net, optimizer, dataset, rng=0, quiet=True, **options))
