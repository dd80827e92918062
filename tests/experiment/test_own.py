"""Names of one's own: path.py:Name in every part of a configuration."""

import sys
import types

import numpy as np
import pytest

from lamina.experiment import rooms
from lamina.experiment.build_trainer import build_run
from lamina.experiment.config import ConfigError
from lamina.experiment.resume import differences, provenance, resumed_trainer
from lamina.experiment.run import run
from lamina.experiment.section import Section
from lamina.training.checkpoint import load_checkpoint

OWN = """
import numpy as np
from pathlib import Path
from lamina import datasets
from lamina.datasets.augmentation import Augmentation
from lamina.layers import Affine, Relu, SoftmaxWithLoss
from lamina.nets import Sequential
from lamina.optimizers import SGD

(Path(__file__).parent / "has_run").touch()


class Loss(SoftmaxWithLoss):
    pass


class Points(datasets.Tiny):
    def __init__(self, images: bool = False, *, shifted: float = 0.0):
        super().__init__(images)
        self.shifted = shifted


class Net(Sequential):
    def __init__(self, n_in: int, hidden: int, *, rng):
        first, second = Affine(n_in, hidden, rng=rng), Affine(hidden, 3, rng=rng)
        super().__init__(dict(a=first, r=Relu(), b=second), loss=SoftmaxWithLoss())

    @classmethod
    def infer(cls, input_shape):
        return {"n_in": input_shape[-1]}


class Slow(SGD):
    def __init__(self, parameters, lr: float, *, slower: float = 2.0, **others):
        super().__init__(parameters, lr / slower, **others)


def halved(step, *, every: int):
    return 0.5 ** (step // every)


class Halved:
    def __init__(self, every: int):
        self.every = every

    def __call__(self, step):
        return 0.5 ** (step // self.every)


def ones(shape, rng, dtype, *, times: float = 1.0):
    return np.full(shape, times, dtype)


def noise(X, *, rng, strength: float = 0.1):
    return X + strength * rng.standard_normal(X.shape).astype(X.dtype)


def wider(X):
    return np.concatenate([X, X], axis=1)


class Flip(Augmentation):
    def __call__(self, X):
        return X[:, :, :, ::-1].copy()


class Nothing:
    pass
"""

TEXT = """
dataset: {type: Tiny}
net:
  type: Sequential
  layers:
    affine1: {type: Affine, n_out: 5}
    affine2: {type: Affine, n_out: 3}
  loss: {type: SoftmaxWithLoss}
optimizer: {type: SGD, lr: 0.1}
training: {iterations: 4, batch_size: 4, seed: 3, threads: 1}
"""

pytestmark = pytest.mark.usefixtures("tiny")


@pytest.fixture
def own(tmp_path):
    (tmp_path / "my.py").write_text(OWN)
    return tmp_path


def changed(old, new):
    assert old in TEXT
    return TEXT.replace(old, new)


def test_every_part_takes_a_name_of_ones_own(own, build):
    text = changed("{type: Tiny}", "{type: my.py:Points, shifted: 1e-1}")
    assert build(text).dataset.shifted == 0.1
    assert type(build(changed("SoftmaxWithLoss", "my.py:Loss")).net.loss_layer).__name__ == "Loss"
    optimizer = build(changed("SGD,", "my.py:Slow, slower: 4, weight_decay: 0.1,")).optimizer
    assert (optimizer.lr, optimizer.weight_decay) == (0.025, 0.1)
    for init, value in (("my.py:ones", 1.0), ("{type: my.py:ones, times: 3}", 3.0)):
        net = build(changed("n_out: 5}", f"n_out: 5, init: {init}}}")).net
        assert (net.layers["affine1"].W.data == value).all()


@pytest.mark.parametrize("name", ["halved", "Halved"])
def test_a_schedule_of_ones_own(own, build, name):
    schedule = f"schedule: {{type: my.py:{name}, every: 2, warm_up: 1}}"
    optimizer = build(changed("lr: 0.1", f"lr: 0.1, {schedule}")).optimizer
    assert [optimizer.schedule(i) for i in range(6)] == [0.5, 1.0, 1.0, 0.5, 0.5, 0.25]


def test_a_net_of_ones_own_is_built_as_a_layer_is(own, build):
    begin, end = TEXT.index("  type: Seq"), TEXT.index("optimizer")
    text = f"{TEXT[:begin]}  type: my.py:Net\n  hidden: 6\n{TEXT[end:]}"
    net = build(text).net
    assert net.layers["a"].W.data.shape == (4, 6)
    again = build(text.replace("seed: 3", "seed: 4")).net
    assert not np.array_equal(net.layers["a"].W.data, again.layers["a"].W.data)
    with pytest.raises(ConfigError, match=r"line 3: net: Net needs hidden"):
        build(text.replace("  hidden: 6\n", ""))
    with pytest.raises(ConfigError, match=r"net.hiden: unknown key; did you mean hidden\?"):
        build(text.replace("hidden", "hiden"))


def test_an_augmentation_of_ones_own(own, build):
    text = changed("seed: 3", "seed: 3, augmentation: {type: my.py:noise, strength: 0.5}")
    trainer, again, plain = build(text), build(text), build(TEXT)
    losses = [trainer.step() for _ in range(4)]
    assert losses == [again.step() for _ in range(4)]
    assert losses != [plain.step() for _ in range(4)]
    # It goes on exactly where it was, as ours does.
    state = trainer.state()
    following = trainer.step()
    fresh = build(text)
    fresh.load_state(state)
    assert fresh.step() == following
    images = text.replace("{type: Tiny}", "{type: Tiny, images: true}")
    images = images.replace("affine1:", "flat: {type: Flatten}\n    affine1:")
    flipped = build(images.replace("{type: my.py:noise, strength: 0.5}", "my.py:Flip"))
    X = flipped.dataset.train.X[:2]
    np.testing.assert_array_equal(flipped.batches.augmentation(X), X[..., ::-1])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{type: Tiny}", "{type: my.py:Nothing}", "dataset.type: my.py:Nothing is no Dataset from"),
        ("type: SGD", "type: my.py:Net", "optimizer.type: my.py:Net is no Optimizer from"),
        ("type: SoftmaxWithLoss", "type: my.py:Net", "loss.type: my.py:Net is no Loss from"),
        ("type: Sequential", "type: my.py:Loss", "net.type: my.py:Loss is no Layer from"),
        ("n_out: 5", "n_out: 5, init: my.py:Nothing", "init: my.py:Nothing is no function"),
        ("n_out: 5", "n_out: 5, init: my.py:one", "has no function or class one; did you mean on"),
        ("n_out: 5", "n_out: 5, init: {type: my.py:ones, time: 3}", "ones: takes times; unknown t"),
        ("lr: 0.1", "lr: 0.1, schedule: my.py:halved", "halved: takes every; missing every"),
        (
            "lr: 0.1",
            "lr: 0.1, schedule: {type: my.py:halved, every: x}",
            "line 9: optimizer.schedule.every: expects a whole number, got the text 'x'",
        ),
        ("seed: 3", "augmentation: my.py:Nothing", "Nothing is no Augmentation from"),
        ("seed: 3", "augmentation: my.py:wider", "wider: expects to return float32 .4, 4., as it"),
        ("seed: 3", "callbacks: [nobody.py:Beep]", r"callbacks.0: no such file: .*nobody.py"),
    ],
)
def test_what_does_not_belong_there_is_refused(own, build, callbacks, old, new, words):
    with pytest.raises(ConfigError, match=words):
        build(changed(old, new))


@pytest.fixture
def callbacks(monkeypatch):
    """One more callback in the room: {type: Beep, every: 5}."""
    from lamina.training import callbacks as room

    class Beep(room.Callback):
        def __init__(self, every: int = 1):
            self.every = every

    monkeypatch.setattr(room, "Beep", Beep, raising=False)
    monkeypatch.setattr(room, "__all__", [*room.__all__, "Beep"])
    return room


def test_callbacks(own, build, callbacks):
    (own / "own_beep.py").write_text(
        "from lamina.training.callbacks import Callback\n"
        "class Loud(Callback):\n    def __init__(self, volume: float):\n"
        "        self.volume = volume\n"
    )
    both = "callbacks: [Beep, {type: Beep, every: 5}, {type: own_beep.py:Loud, volume: 1e1}]"
    made = build(changed("seed: 3", both)).callbacks
    assert [made[0].every, made[1].every, made[2].volume] == [1, 5, 10.0]
    one = build(changed("seed: 3", "callbacks: {type: Beep, every: 2}")).callbacks
    assert one[0].every == 2
    with pytest.raises(
        ConfigError, match=r"line 10: training.callbacks.1: unknown type Beeep; did"
    ):
        build(changed("seed: 3", "callbacks: [Beep, Beeep]"))
    with pytest.raises(ConfigError, match=r"callbacks.0.evry: unknown key; did you mean every"):
        build(changed("seed: 3", "callbacks: [{type: Beep, evry: 2}]"))
    with pytest.raises(
        ConfigError, match=r"callbacks.0: expects a name or .* got a whole number 3"
    ):
        build(changed("seed: 3", "callbacks: [3]"))


def test_metrics_are_known_by_more_names_than_those_of_classes(own, config_of, monkeypatch):
    room = types.ModuleType("lamina.metrics")

    class Metric:
        pass

    class TopK(Metric):
        def __init__(self, k: int = 5):
            self.k = k

    def make_metric(spec, defaults=None, /, **arguments):
        if spec != "top5":
            raise ValueError(f"unknown metric {spec}")
        return TopK(5, **arguments)

    room.Metric, room.TopK, room.make_metric = Metric, TopK, make_metric
    room.__all__ = ["Metric", "TopK", "make_metric"]
    monkeypatch.setitem(sys.modules, "lamina.metrics", room)
    (own / "m.py").write_text(
        "from lamina.metrics import Metric\nclass Kappa(Metric):\n    pass\nclass No:\n    pass\n"
    )

    def made(text):
        return Section(config_of(f"metrics: {text}")).build_each("metrics", rooms.METRICS)

    found = made("[top5, {type: TopK, k: 3}, m.py:Kappa]")
    assert [getattr(metric, "k", None) for metric in found] == [5, 3, None]
    with pytest.raises(ConfigError, match=r"line 1: metrics.0: unknown metric acuracy"):
        made("[acuracy]")
    with pytest.raises(ConfigError, match=r"metrics.0.k: expects a whole number, got the text 'x'"):
        made("[{type: TopK, k: x}]")
    with pytest.raises(ConfigError, match=r"metrics.0: m.py:No is no Metric from lamina.metrics"):
        made("[m.py:No]")


def test_whole_paths_and_digests_of_all_own_code_are_kept(own, config_of):
    new = "seed: 3, augmentation: my.py:noise"
    config = config_of(changed("seed: 3", new).replace("n_out: 5", "n_out: 5, init: my.py:ones"))
    trainer, effective = build_run(config, quiet=True)
    assert effective.data["training"]["augmentation"] == f"{own / 'my.py'}:noise"
    assert effective.data["net"]["layers"]["affine1"]["init"] == f"{own / 'my.py'}:ones"
    assert config.data["training"]["augmentation"] == "my.py:noise"
    assert '"my.py": "' in str(provenance(trainer, effective)["versions"])


def test_a_run_with_own_code_goes_on_wherever_the_file_lies(own, config_of, tmp_path):
    text = changed("seed: 3", "seed: 3, augmentation: my.py:noise")
    run(config_of(text), "own", tmp_path / "run", quiet=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "my.py").rename(tmp_path / "elsewhere" / "my.py")
    moved = config_of(text.replace("my.py", "elsewhere/my.py"))
    trainer, _ = resumed_trainer(moved, tmp_path / "run", quiet=True)
    assert trainer.iteration == 4
    assert "augmentation" in load_checkpoint(tmp_path / "run" / "checkpoint-00000004.npz")


def test_own_names_in_lists_are_compared_by_their_files(own):
    def of(*metrics):
        return {"training": {"metrics": list(metrics)}}

    before = of("accuracy", {"type": "/home/ada/my.py:Kappa", "k": 3}, "/home/ada/my.py:Other")
    same = of("accuracy", {"type": "C:\\ada\\my.py:Kappa", "k": 3}, "my.py:Other")
    assert differences(before, same) == []
    other = of("accuracy", {"type": "my.py:Kappa", "k": 4}, "my.py:Other")
    assert differences(before, other) == ["training.metrics.1.k: 3 before, 4 now"]
    other = of("accuracy", {"type": "my.py:Kappa", "k": 3}, "my.py:Another")
    (said,) = differences(before, other)
    assert said == "training.metrics.2: 'my.py:Other' before, 'my.py:Another' now"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{type: Tiny}", "{type: my.py:Points}"),
        ("type: Affine, n_out: 5", "type: my.py:Net, hidden: 3"),
        ("SoftmaxWithLoss", "my.py:Loss"),
        ("SGD", "my.py:Slow"),
        ("n_out: 5", "n_out: 5, init: my.py:ones"),
        ("lr: 0.1", "lr: 0.1, schedule: my.py:halved"),
        ("seed: 3", "augmentation: my.py:noise"),
        ("seed: 3", "callbacks: [my.py:Beep]"),
    ],
)
def test_a_run_directory_runs_none_of_it(own, config_of, callbacks, old, new):
    config = config_of(changed(old, new))
    config.allowed_code = set()
    with pytest.raises(ConfigError, match="a run directory runs no code by itself"):
        build_run(config, quiet=True)
    assert not (own / "has_run").exists()
