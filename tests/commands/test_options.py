"""No command passes over an option without a word: it uses it, or refuses it."""

import shlex

import pytest
import yaml

from lamina.commands import frame
from lamina.commands.frame import COMMANDS, main

NET = {
    "type": "Sequential",
    "layers": {"a": {"type": "Affine", "n_out": 2}},
    "loss": {"type": "SoftmaxWithLoss"},
}
TABLE = {
    "dataset": {"type": "CSV", "path": "d.csv", "target": "kind", "n_validation": 5},
    "net": NET,
    "optimizer": {"type": "SGD", "lr": 0.1},
    "training": {
        **{"iterations": 4, "batch_size": 8, "threads": 1},
        **{"record_every": 2, "checkpoint": {"every": 2}},
    },
}
DIGITS = {
    **TABLE,
    "dataset": {"type": "DrawnDigits", "n_train": 100, "n_test": 20, "n_validation": 20},
    "net": {**NET, "layers": {"flat": {"type": "Flatten"}, "a": {"type": "Affine", "n_out": 10}}},
}
TEXT = {
    **TABLE,
    "dataset": {"type": "Text", "path": "cats.txt", "length": 4, "predict": "last"},
    "net": {
        **NET,
        "layers": {
            "e": {"type": "Embedding", "n_dims": 4},
            "flat": {"type": "Flatten"},
            "a": {"type": "Affine"},
        },
    },
}
ANSWERS = (
    "train --quiet --config addition_seq2seq --run-dir answers --set dataset.n_train=200 "
    "--set dataset.n_test=20 --set dataset.n_validation=20 --set training.iterations=2 "
    "--set net.layers.encoder.n_hidden=8 --set net.layers.decoder.n_hidden=8"
)
WORDS = (
    "train --quiet --config words_skipgram --run-dir words --set dataset.path=cats.txt "
    "--set dataset.min_count=2 --set dataset.subsample=null --set dataset.window=2 "
    "--set training.iterations=2 --set dataset.validation_share=0.2"
)
SWEEP = {"base": "d.yaml", "grid": {"optimizer.lr": [0.1, 0.2]}}

# Ways through each command, by what it is given; every option is asked for in each.
WAYS = {
    "train": ["--config d.yaml", "--resume b", "--resume a --config d.yaml", "--resume b --verify"],
    "evaluate": ["a"],
    "predict": ["a d.csv"],
    "generate": ["text", "text -t 0", "answers", "answers -t 1"],
    "words": ["words --near cat", "words --analogy cat sat the"],
    "plots": ["a", "a b", "sweep --values"],
    "lr": ["d.yaml --steps 20"],
    "sweep": ["s.yaml --dir sweep"],
    "compare": ["a b"],
    "experiments": ["--list", "valley -o experiments"],
    "play": ["digits", "--train spirals"],
    "report": ["a", "a b", "sweep"],
    "doctor": ["a"],
    "profile": ["d.yaml --steps 1", "d.yaml --tune --steps 1"],
    "draw": ["d.yaml", "d.yaml --details", "a", "a -o a.html", "x*y x=1 y=2"],
    "export": ["a -o a.safetensors", "a --weights", "digits -o n.caffemodel"],
    "import": ["net.prototxt net.caffemodel -o n.npz", "w.safetensors --into a -o n.npz"],
    "digits": ["many -n 2"],
    "check": ["Relu", "Relu --mutants", "relu.py:Relu --as-exercise"],
    "exercise": ["--list", "Affine"],
    "grade": ["solutions"],
}
OF_ONNX = {"export": ["digits -o n.onnx"], "import": ["net.onnx -o n.npz"]}
# One run has one curve in any case, and argparse itself takes one of these two alone.
NEEDLESS = {("plots", "a", "each"), ("words", "words --near cat", "analogy")}


def no_picture(figure, file, **options):
    """Pictures take a second each, and what is drawn does not matter here."""
    file.write(b"a picture")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, points_table):
    """Runs, and what else commands take."""
    folder = tmp_path_factory.mktemp("options")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("lamina.commands.train.set_threads", lambda n: None)  # NumPy is loaded
        patch.setattr("matplotlib.figure.Figure.savefig", no_picture)
        points_table(folder / "d.csv", 40)
        (folder / "cats.txt").write_text(
            "the cat sat on the mat, and the dog lay by the log.\n" * 30
        )
        for name, data in {"d": TABLE, "digits": DIGITS, "text": TEXT, "s": SWEEP}.items():
            (folder / f"{name}.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
        for words in (
            *("train --quiet --config d.yaml --run-dir a",),
            *("train --quiet --config d.yaml --run-dir b --seed 1",),
            *("train --quiet --config digits.yaml --run-dir digits",),
            *("train --quiet --config text.yaml --run-dir text", ANSWERS, WORDS),
            "sweep --quiet --jobs 2 s.yaml --dir sweep",
            "export a -o w.safetensors",
            "export digits -o net.caffemodel",
            "exercise Relu -o relu.py",
            "exercise Relu -o solutions/relu.py",
        ):
            assert main(shlex.split(words)) == 0, words
    return folder


@pytest.fixture
def asked(monkeypatch):
    """The options that a command has looked at since it began, and all that it has."""
    read, there = set(), set()

    class Recorded(frame.Options):
        def __getattribute__(self, name):
            read.add(name)
            return super().__getattribute__(name)

    ended = frame._ended

    def begun(command, options, program):
        read.clear()
        there.clear()
        there.update(name for name in vars(options) if not name.startswith("_"))
        return ended(command, options, program)

    monkeypatch.setattr(frame, "Options", Recorded)
    monkeypatch.setattr(frame, "_ended", begun)
    return read, there


def ways(of):
    return [(command, way) for command, several in of.items() for way in several]


def ask_for_all(folder, asked, monkeypatch, command, way):
    monkeypatch.chdir(folder)
    monkeypatch.setattr("lamina.commands.train.set_threads", lambda n: None)
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", no_picture)
    monkeypatch.setattr("lamina.experiment.tune.tune", lambda *_: "")  # minutes
    assert main([command, *shlex.split(way)]) in (0, 1)
    read, there = asked
    passed_over = there - read - {"debug"}
    assert {name for name in passed_over if (command, way, name) not in NEEDLESS} == set()


@pytest.mark.parametrize(("command", "way"), ways(WAYS))
def test_every_option_is_looked_at(folder, asked, monkeypatch, command, way):
    ask_for_all(folder, asked, monkeypatch, command, way)


@pytest.mark.needs_onnxruntime
@pytest.mark.parametrize(("command", "way"), ways(OF_ONNX))
def test_every_option_is_looked_at_where_onnx_is(folder, asked, monkeypatch, command, way):
    monkeypatch.chdir(folder)
    assert main(["export", "digits", "-o", "net.onnx"]) == 0
    ask_for_all(folder, asked, monkeypatch, command, way)


def test_every_command_is_asked():
    assert set(WAYS) == set(COMMANDS)


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ("play --train spirals --code own.py", "--code: is for a run, and --train shows none"),
        ("play --train spirals --changed", "--changed: is for a run"),
        ("draw d.yaml x=1 y=2", "x=1 y=2: is for an expression"),
        ("draw d.yaml --batch 7", "--batch: is for --details"),
        ("draw d.yaml --code own.py", "--code: is for a run or an .npz"),
        ("draw d.yaml --changed", "--changed: is for a run, which d.yaml is not"),
        ("draw x*y x=1 y=2 --details", "--details: is for a net"),
        ("draw x*y x=1 y=2 --batch 7", "--batch: is for a net"),
        ("draw x*y x=1 y=2 --changed", "--changed: is for a net"),
        ("exercise --list Affine", "Affine: --list writes no exercise"),
        ("exercise --list --set note-002", "note-002: --list writes no exercise"),
        ("experiments --list valley", "valley: --list runs no experiment"),
        ("experiments --list --full", "--full: --list runs no experiment"),
        ("generate text -t 0 --seed 3", "--seed: temperature 0 takes the likeliest"),
        ("generate text -t 0 --top-k 3", "--top-k: temperature 0 takes the likeliest"),
        ("generate answers --seed 3", "--seed: temperature 0 takes the likeliest"),
        ("generate answers -t 1 --length 3", "--length: is for texts"),
        ("report a b --on train", "--on: is for one run"),
        ("report sweep --code own.py", "--code: is for one run"),
        ("train --resume a --config d.yaml --code own.py", "--code: is for --resume alone"),
        ("import net.onnx -o n.npz --code own.py", "--code: is for weights --into a run"),
        ("import net.prototxt -o n.npz --changed", "--changed: is for weights --into a run"),
    ],
)
def test_what_would_be_passed_over_is_refused(folder, monkeypatch, capsys, words, refused):
    monkeypatch.chdir(folder)
    (folder / "own.py").write_text("")
    try:
        status = main(shlex.split(words))
    except SystemExit as error:
        status = error.code
    assert status == 2
    assert refused in capsys.readouterr().err
