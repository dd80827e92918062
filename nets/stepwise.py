"""A net one position at a time, for sequences that are made as they go: generation."""

from lamina.layers.errors import ShapeError, StepError
from lamina.nets.passes import Passes


class Stepwise(Passes):
    """Adds `step`, and whether it can be taken, to a net with `steps`, `inputs` and `outputs`."""

    def step(self, x, *others_and_state):
        """(scores, state) for the positions x that come next, in evaluation: what the whole forward
        gives there, to rounding. `state` is what the step before gave, None at the start.

            scores, state = net.step(prompt)            # (N, T, ...), or one position, (N, 1, ...)
            scores, state = net.step(next, state)

        As `step(x, y, state)` for a net with several inputs. One that is there whole from the
        start, such as a question, comes whole at first, and then without positions, (N, 0). A state
        is never changed, so one may go on from it more than once; it is a dict with what layers
        keep, by name. What stateful layers carry from batch to batch takes no part. There is no
        backward after it.

        Raises StepError, naming the layer, for one that cannot go step by step, and for a state of
        another net; ShapeError for x without positions.
        """
        *others, state = others_and_state or (None,)
        arrays = self.arrays_of((x, *others) if others else x)
        kind = type(self).__name__
        if any(array.ndim < 2 for array in arrays) or not any(a.shape[1] for a in arrays):
            got = ", ".join(str(array.shape) for array in arrays)
            raise ShapeError(f"{kind}.step", "positions (N, 1, ...)", got)
        state = self._checked_state(state)
        mode, after = self.training, {}
        if mode:
            self.set_training(False)
        self._begin_pass()  # layers lose what they kept of the last one
        try:
            blobs = dict(zip(self.inputs, arrays, strict=True))
            for step in self.steps():
                read = (blobs[name] for name in step.reads)
                given, kept = self._step_of(step, read, state.get(step.name))
                if kept is not None:
                    after[step.name] = kept
                given = given if isinstance(given, tuple) else (given,)
                blobs |= zip(step.writes, given, strict=True)
        finally:
            if mode:
                self.set_training(True)
        scores = [blobs[name] for name in self.outputs]
        return tuple(scores) if len(scores) > 1 else scores[0], after

    @property
    def can_step(self) -> bool:
        """Whether each layer can; `step` names the first that cannot."""
        return all(step.layer.can_step for step in self.steps())

    @property
    def most_positions(self) -> int | None:
        """How long a sequence may be at most; None if there is no end to it."""
        most = (step.layer.most_positions for step in self.steps())
        return min((n for n in most if n is not None), default=None)

    def _step_of(self, step, read, state):
        place = f"{step.name} ({type(step.layer).__name__})"
        try:
            return step.layer.step(*read, state)
        except StepError as error:
            raise StepError(f"{place}: {error}") from None
        except Exception as error:
            error.add_note(f"in step of {place}")
            raise

    def _checked_state(self, state) -> dict:
        if state is None:
            return {}
        if not isinstance(state, dict):
            raise StepError(
                f"{type(self).__name__}.step: expects as state what the step before gave, or None "
                f"at the start; got a {type(state).__name__}"
            )
        if unknown := state.keys() - self.layers.keys():
            raise StepError(
                f"{type(self).__name__}.step: a state of another net, with "
                f"{', '.join(sorted(map(str, unknown)))}"
            )
        return state
