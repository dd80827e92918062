"""The state of a random generator as an array, to be saved in a checkpoint."""

import json

import numpy as np


def generator_state(rng: np.random.Generator) -> np.ndarray:
    """The state as JSON text."""
    return np.array(json.dumps(rng.bit_generator.state, default=np.ndarray.tolist))


def set_generator_state(rng: np.random.Generator, state) -> None:
    """Go on where `generator_state` was taken."""
    rng.bit_generator.state = json.loads(str(state))
