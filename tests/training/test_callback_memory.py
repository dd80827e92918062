"""What a callback remembers goes on with its run."""

import math

import numpy as np
import pytest

from lamina.experiment.build_trainer import build_trainer
from lamina.experiment.config import load_config
from lamina.experiment.run import resume, run
from lamina.experiment.verify import verify
from lamina.training.callbacks import Callback, Function, memory
from lamina.training.checkpoint import load_checkpoint

OWN = """
from lamina.training.callbacks import Callback

class Counts(Callback):
    def __init__(self, name="a"):
        self.name, self.steps, self.losses = name, 0, []
        self.best, self.said = float("nan"), "nothing"

    def stepped(self, trainer, loss):
        self.steps += 1
        self.losses.append(loss)

    def evaluated(self, trainer, row):
        self.best = float(row["test_accuracy"])
        self.said = f"at {row['iteration']}"

    def finished(self, trainer):
        text = f"{self.steps} {sum(self.losses)!r} {self.best} {self.said}"
        (trainer.run_dir / f"counted-{self.name}.txt").write_text(text)

    def state(self):
        return {"steps": self.steps, "losses": self.losses, "best": self.best, "said": self.said}

    def load_state(self, state):
        self.steps, self.losses = int(state["steps"]), state["losses"].tolist()
        self.best, self.said = float(state["best"]), str(state["said"])
"""
CONFIG = """
dataset: {type: Tiny}
net: {type: Sequential, layers: {a: {type: Affine, n_out: 3}}, loss: {type: SoftmaxWithLoss}}
optimizer: {type: SGD, lr: 0.05}
training:
  {iterations: 30, batch_size: 10, evaluate_every: 7, threads: 1, checkpoint: {every: 5},
   callbacks: [{type: own.py:Counts}, {type: own.py:Counts, name: b}]}
"""


@pytest.fixture
def config(tiny, tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "c.yaml").write_text(CONFIG)
    return load_config(tmp_path / "c.yaml")


def with_iterations(run_dir, n):
    config = load_config(run_dir / "config.yaml")
    config.set(f"training.iterations={n}")
    return config


def test_a_run_in_pieces_has_counted_as_one_that_never_stopped(config, tmp_path):
    run(config, "c", tmp_path / "whole", quiet=True)
    pieces = tmp_path / "pieces"
    config.set("training.iterations=4")  # before the first evaluation, whose figure is NaN still
    run(config, "c", pieces, quiet=True)
    for n in (12, 13, 30):
        resume(with_iterations(pieces, n), pieces, quiet=True)
    for name in ("counted-a.txt", "counted-b.txt"):
        whole = (tmp_path / "whole" / name).read_text()
        assert whole.startswith("30 ")
        assert (pieces / name).read_text() == whole
    assert verify(load_config(pieces / "config.yaml"), pieces, quiet=True)[1] == 0


def test_a_callback_that_is_gone_is_named_and_a_new_one_begins(config, tmp_path, capsys):
    run(config, "c", tmp_path / "run", quiet=True)
    config = with_iterations(tmp_path / "run", 40)
    config.set("training.callbacks=[{type: own.py:Counts}]")
    config.folder = tmp_path
    resume(config, tmp_path / "run", quiet=True)
    assert "what Counts1 remembered is left out" in capsys.readouterr().err
    assert (tmp_path / "run" / "counted-a.txt").read_text().startswith("40 ")


GOAL = """
from lamina.training.callbacks import Callback

class Goal(Callback):
    def evaluated(self, trainer, row):
        return row["iteration"] == 14
"""


def test_a_run_that_a_callback_has_ended_stays_ended(config, tmp_path, capsys):
    """As one that was killed between its last checkpoint and its end; without the callback, or
    before that evaluation, it goes on."""
    (tmp_path / "goal.py").write_text(GOAL)
    config.set("training.callbacks=[goal.py:Goal]")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    said, _ = run(config, "c", whole, quiet=True)
    assert "ended by the callback Goal at iteration 14" in said
    run(config, "c", killed, quiet=True)
    (killed / "weights.npz").unlink()
    for n in (30, 60):
        capsys.readouterr()
        said, _ = resume(with_iterations(killed, n), killed, quiet=True)
        assert "ended by the callback Goal at iteration 14" in said
        assert "Goal has ended this run at iteration 14, and it stays so" in capsys.readouterr().err
        assert (killed / "weights.npz").read_bytes() == (whole / "weights.npz").read_bytes()
        assert (killed / "history.csv").read_text() == (whole / "history.csv").read_text()
    alone = with_iterations(killed, 30)
    alone.set("training.callbacks=[]")
    said, _ = resume(alone, killed, quiet=True)
    assert "ended by" not in said
    assert (killed / "history.csv").read_text().splitlines()[-1].startswith("30,")


def test_before_the_evaluation_at_which_a_callback_ends_a_run_it_goes_on_to_there(config, tmp_path):
    (tmp_path / "goal.py").write_text(GOAL)
    config.set("training.callbacks=[goal.py:Goal]")
    config.set("training.iterations=10")
    run(config, "c", tmp_path / "run", quiet=True)
    longer = load_config(tmp_path / "run" / "config.yaml")
    longer.set("training.iterations=30")
    said, _ = resume(longer, tmp_path / "run", quiet=True)
    assert "ended by the callback Goal at iteration 14" in said


def test_a_callback_is_called_by_its_whole_name(config, tmp_path):
    (tmp_path / "goal.py").write_text(GOAL.replace("Goal", "Goal2"))
    config.set("training.callbacks=[goal.py:Goal2]")
    said, _ = run(config, "c", tmp_path / "run", quiet=True)
    assert "ended by the callback Goal2 at iteration 14" in said


def test_which_of_several_callbacks_has_ended_a_run_is_known():
    class Goal(Callback):
        pass

    def end(trainer, row):
        return True

    one, two = Goal(), Goal()
    both, plain = [one, two], [Function(end), Function(lambda trainer, row: None)]
    assert [memory.key_of(both, goal) for goal in both] == ["Goal0", "Goal1"]
    assert memory.key_of(both, two) not in memory.named([two])  # it is the first there
    assert not memory.named(plain[:1]).keys() & memory.named(plain[1:]).keys()


def test_checkpoints_from_before_callbacks_had_a_memory_are_taken(config, tmp_path):
    trainer = build_trainer(config, quiet=True)
    state = trainer.state()
    del state["callbacks"], state["trainer"]["stopped_by"]
    trainer.load_state(state)
    assert trainer.callbacks[0].steps == 0


def test_a_nan_of_a_callback_is_no_failure_of_the_training(config, tmp_path):
    run(config, "c", tmp_path / "run", quiet=True)
    parts = load_checkpoint(tmp_path / "run" / "checkpoint-00000020.npz")
    assert int(parts["callbacks"]["Counts1/steps"]) == 20
    config.set("training.iterations=5")
    run(config, "c", tmp_path / "short", quiet=True)
    parts = load_checkpoint(tmp_path / "short" / "checkpoint-00000005.npz")
    assert math.isnan(parts["callbacks"]["Counts0/best"])


class Bad(Callback):
    def __init__(self, value):
        self.value = value

    def state(self):
        return {"value": self.value}

    def load_state(self, state):
        raise KeyError("other")


@pytest.mark.parametrize("value", [object(), None, {"a": 1}])
def test_what_no_checkpoint_can_hold_is_said_before_the_first_step(config, tmp_path, value):
    trainer = build_trainer(config, quiet=True, run_dir=tmp_path / "run")
    trainer.callbacks.append(Bad(value))
    with pytest.raises(ValueError, match=r"callback Bad0: state\(\): value: expects numbers or"):
        trainer.run()
    assert trainer.iteration == 0


def test_a_state_that_a_callback_does_not_take():
    state = memory.saved([Bad(np.arange(3))])
    with pytest.raises(ValueError, match="callback Bad0: cannot take what it has saved"):
        memory.restore([Bad(0)], state)


def test_the_search_for_a_culprit_does_not_set_a_callback_back(config, tmp_path):
    """It replays from the last checkpoint; what callbacks know is of the step that failed."""
    spoil = "\n    def evaluated(self, trainer, row):\n        if row['iteration'] == 14:\n"
    spoil += "            trainer.net.layers['a'].W.data[:] = float('nan')\n"
    (tmp_path / "own.py").write_text(OWN + spoil)
    trainer = build_trainer(config, quiet=True, run_dir=tmp_path / "run")
    with pytest.raises(FloatingPointError):
        trainer.run()
    assert [callback.steps for callback in trainer.callbacks] == [14, 14]
