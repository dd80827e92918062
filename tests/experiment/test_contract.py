"""Classes of one's own that do not keep to their base: one clear line, and no traceback."""

import textwrap

import pytest

from lamina.commands.frame import main

HEAD = """
import numpy as np
from lamina.datasets import Classification, Dataset, Samples
from lamina.layers import Affine, Layer, Loss, Param, SoftmaxWithLoss
from lamina.metrics import Metric
from lamina.nets import Sequential
from lamina.optimizers import Optimizer
from lamina.training.callbacks import Callback

X = np.random.default_rng(0).standard_normal((30, 4)).astype(np.float32)
t = np.arange(30) % 3
C = Classification(range(3))


class Points(Dataset):
    def __init__(self):
        super().__init__(Samples(X, t), Samples(-X, t), C)


"""
DATASETS = {
    "pass": "has no attribute 'task'; let its __init__ call super().__init__(train, test, task",
    "self.task = C; self.input_shape = 4; self.target_shape = ()": "input_shape is 4, expects",
    "self.task = C; self.input_shape = ('4',); self.target_shape = ()": "expects the shape of one",
    "self.task = 'classification'": "task is 'classification', expects one as Classification(",
    "self.task, self.input_shape, self.target_shape = C, (4,), ()": "has no attribute 'validation'",
    "super().__init__((X, t), (X, t), C)": "the train set: expects Samples(X, t), got tuple",
    "super().__init__(Samples(X, t), None, C)": "the test set: expects Samples(X, t), got NoneType",
    "super().__init__(Samples(X, t), Samples(X, t), C, [])": "the validation set: expects Samples",
    "Samples(X.tolist(), t)": "Samples: expects X as an array, got list; np.asarray(X)",
    "Samples(X, t.tolist())": "Samples: expects t as an array, got list; np.asarray(t)",
    "Samples(X.astype(str), t)": "Samples: expects inputs that are numbers, got <U32 (30, 4)",
    "Samples(X.astype(object), t)": "expects inputs that are numbers, got object (30, 4)",
    "Samples(X, t[:5])": "Samples: 30 inputs and 5 targets; expects as many of both",
    "Samples(X[:0], t[:0])": "Samples: no samples",
    "Samples(X, t, scale='1')": "Samples: scale is a number, got '1'",
    "super().__init__(Samples(X, t), Samples(-X, t), C); self.input_shape = (7,)": (
        "input_shape is (7,), but its train set has (4,)"
    ),
    "{}['zz']": "line 21, in __init__: KeyError: 'zz'",
    "raise RuntimeError('mine')": "line 21, in __init__: RuntimeError: mine",
}
PARTS = [  # (where it is named, the class, what is said)
    ("metric", "class Own(Metric): pass", "Own has no method reset()"),
    (
        "metric",
        """
        class Own(Metric):
            name = "own"
            def reset(self): pass
            def update(self, scores): pass
            def value(self): return 1.0
        """,
        "Own.update: is called with (scores, targets): too many positional arguments",
    ),
    *(
        (
            "metric",
            f"""
            class Own(Metric):
                name = "own"
                def reset(self): pass
                def update(self, scores, targets): pass
                def value(self): return {value}
            """,
            "Own.value(): expects a number, NaN if nothing counted, got",
        )
        for value in ("None", "'x'", "np.zeros(3)", "1j")
    ),
    (
        "callback",
        "class Own(Callback):\n    def stepped(self): pass",
        "Own.stepped: is called with (trainer, loss): too many",
    ),
    ("callback", "class Own(Callback):\n    stepped = 5", "Own.stepped: expects a method"),
    (
        "callback",
        "class Own(Callback):\n    def stepped(self, trainer, loss): 1 / 0",
        "line 20, in stepped: ZeroDivisionError: division by zero; --debug shows",
    ),
    *(
        (
            "schedule",
            f"def Own(step): return {value} if step > 2 else 1.0",
            "optimizer.schedule: expects a number of at least 0 at step 3, got",
        )
        for value in ("None", "'x'", "np.ones(2)", "-1.0", "float('nan')", "1j", "True")
    ),
    ("schedule", "def Own(step): return [1.0][step]", "in Own: IndexError: list index out of"),
    ("optimizer", "class Own(Optimizer): pass", "Own has no method update(param, gradient, kept"),
    (
        "optimizer",
        "class Own(Optimizer):\n    def update(self, param, gradient): pass",
        "Own.update: is called with (param, gradient, kept, lr): too many",
    ),
    (
        "optimizer",
        """
        class Own(Optimizer):
            def __init__(self, parameters, lr): pass
            def update(self, param, gradient, kept, lr): pass
        """,
        "Own has no parameters and no base_lr and no kept: its __init__ has to call super()",
    ),
    (
        "optimizer",
        "class Own(Optimizer):\n    keeps = 'mean'\n    def update(self, p, g, k, lr): pass",
        "Own: keeps is a tuple of names, as ('mean',), got 'mean'",
    ),
    ("layer", "class Own(Layer): pass", "NotImplementedError: Own has no forward, in forward of a"),
    *(
        ("layer", f"class Own(Layer):\n    {body}\n    def backward(self, dout): return dout", said)
        for body, said in (
            (
                "def forward(self, X): return X.tolist()",
                "a (Own): forward returned list",
            ),
            ("def forward(self, X): 1 / 0", "ZeroDivisionError: division by zero, in forward of a"),
            (
                "def forward(self, X): return X\n    def output_shape(self, s): return 4",
                "Own.output_shape: expects to return a shape, a tuple as (10,), got 4",
            ),
            (
                "def forward(self, X): return X\n    def infer(self, s): return {}",
                "Own.infer: expects @classmethod in front of it",
            ),
            (
                "def forward(self, X): pass\n    @classmethod\n    def infer(cls, s): return [1]",
                "Own.infer: expects to return a dict of arguments, got [1]",
            ),
            (
                "def __init__(self): self.x = (x for x in X)\n    def forward(self, X): pass",
                "must be things that can be copied and saved",
            ),
        )
    ),
    ("loss", "class Own(Loss): pass", "Own has no method backward(dout)"),
    *(
        (
            "loss",
            f"""
            class Own(Loss):
                def forward(self, scores, targets):
                    self.scale(len(scores))
                    return {value}
                def backward(self, dout=1.0): return 1.0
            """,
            said,
        )
        for value, said in (
            ("scores.sum(axis=1)", "the loss must be one number, a 0-d array of floats; got ndarr"),
            ("None", "the loss must be one number, a 0-d array of floats; got None"),
            ("scores.sum()", "Own: backward returned 1.0; return the gradient of the scores, an"),
        )
    ),
    ("init", "def Own(shape, rng, dtype): return np.ones(shape, int)", "got int64 (4, 5)"),
    ("init", "def Own(shape, rng, dtype): return np.ones(3, dtype)", "net.layers.a: Affine.output"),
    (
        "net",
        "class Own(Sequential):\n    def __init__(self): pass",
        "Own has no layers: its __init__ has to call super().__init__(...)",
    ),
]


@pytest.fixture
def said(tmp_path, monkeypatch, capsys):
    """What `lamina train` says of a part of one's own, named where it belongs."""

    def train(code, **parts):
        monkeypatch.chdir(tmp_path)
        own = dict.fromkeys(parts, "own.py:Own")
        (tmp_path / "own.py").write_text(HEAD.lstrip() + textwrap.dedent(code).lstrip() + "\n")
        layers = (
            f"{{a: {{type: {own.get('layer', 'Affine, n_out: 5')}, "
            f"{'init: own.py:Own' if 'init' in own else ''}}}, b: {{type: Affine, n_out: 3}}}}"
        )
        chain = (
            f"{{type: Sequential, layers: {layers}, "
            f"loss: {{type: {own.get('loss', 'SoftmaxWithLoss')}}}}}"
        )
        schedule = ", schedule: own.py:Own" if "schedule" in own else ""
        metrics = ", metrics: [own.py:Own]" if "metric" in own else ""
        callbacks = ", callbacks: [own.py:Own]" if "callback" in own else ""
        (tmp_path / "c.yaml").write_text(
            f"dataset: {{type: {own.get('dataset', 'own.py:Points')}}}\n"
            f"net: {'{type: own.py:Own}' if 'net' in own else chain}\n"
            f"optimizer: {{type: {own.get('optimizer', 'SGD')}, lr: 0.1{schedule}}}\n"
            f"training: {{iterations: 6, batch_size: 5{metrics}{callbacks}}}\n"
        )
        assert main(["train", "--config", "c.yaml", "--run-dir", "run", "--quiet"]) == 2
        error = capsys.readouterr().err
        assert "Traceback" not in error
        assert len(error.strip().splitlines()) == 1
        return error

    return train


@pytest.mark.parametrize(("body", "words"), DATASETS.items())
def test_a_data_set(said, tmp_path, body, words):
    error = said(f"class Own(Dataset):\n    def __init__(self):\n        {body}", dataset=True)
    assert words in error
    assert "c.yaml, line 1: dataset: " in error or "own.py, line " in error
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("part", "code", "words"), PARTS)
def test_a_part(said, part, code, words):
    assert words in said(code, **{part: True})


def test_debug_shows_where_an_own_error_comes_from(said, capsys):
    said("class Own(Callback):\n    def started(self, trainer): 1 / 0", callback=True)
    main(["train", "--config", "c.yaml", "--run-dir", "again", "--quiet", "--debug"])
    assert "Traceback" in capsys.readouterr().err
