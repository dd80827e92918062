"""lamina generate: what a finished run writes, and what it says of one that cannot."""

import numpy as np
import pytest

from lamina.commands.frame import main
from lamina.experiment.answering import answer
from lamina.experiment.config import load_config
from lamina.experiment.load_run import load_run
from lamina.experiment.run import resume, run

TEXT = "the cat sat on the mat, and the dog lay by the log.\n" * 30 + "Ende"  # "E" to test alone

STEPS = """
dataset: {type: Text, path: cats.txt, length: 8, streams: true, validation_share: 0.1}
net:
  type: Sequential
  layers:
    embedding: {type: Embedding, n_dims: 8}
    lstm: {type: Lstm, n_hidden: 16, stateful: true}
    scores: {type: Affine}
  loss: {type: SoftmaxWithLoss}
optimizer: {type: Adam, lr: 0.02, clip_norm: 1.0}
training: {iterations: 40, batch_size: 10, checkpoint: {every: 20, keep: 5}}
"""
WINDOWS = """
dataset: {type: Text, path: cats.txt, length: 4, predict: last}
net:
  type: Sequential
  layers:
    embedding: {type: Embedding, n_dims: 8}
    flatten: {type: Flatten}
    scores: {type: Affine}
  loss: {type: SoftmaxWithLoss}
optimizer: {type: Adam, lr: 0.02}
training: {iterations: 40, batch_size: 10}
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run from the text of a configuration, each made once."""
    folder = tmp_path_factory.mktemp("generate")
    (folder / "cats.txt").write_text(TEXT)
    runs = {}

    def of(text, *settings):
        key = (text, settings)
        if key not in runs:
            path = folder / "c.yaml"
            path.write_text(text)
            config = load_config(path)
            for setting in settings:
                config.set(setting)
            runs[key] = folder / f"run{len(runs)}"
            run(config, "c", runs[key], quiet=True)
        return runs[key]

    return of


@pytest.fixture
def said(capsys):
    """What a command says on stdout; with a status other than 0, on stderr."""

    def of(*arguments, status=0):
        capsys.readouterr()
        assert main(["generate", *map(str, arguments)]) == status
        out, err = capsys.readouterr()
        assert (err == "") == (status == 0)
        return out if status == 0 else err

    return of


def test_a_seed_is_a_text(trained, said):
    run_dir = trained(STEPS)
    arguments = (run_dir, "--prompt", "the ", "--length", "40")
    first = said(*arguments)
    assert first.startswith("the ")
    assert len(first) == 4 + 40 + 1
    assert said(*arguments, "--seed", "0") == first
    assert said(*arguments, "--seed", "1") != first
    assert said(*arguments, "-t", "0") == said(*arguments, "--top-k", "1", "--seed", "5")


def test_the_same_text_before_and_after_a_resume(trained, said):
    whole = trained(STEPS)
    parts = trained(STEPS, "training.iterations=20")
    assert said(parts, "--prompt", "the ") != said(whole, "--prompt", "the ")
    config = load_config(parts / "config.yaml")
    config.set("training.iterations=40")
    resume(config, parts, quiet=True)
    assert said(parts, "--prompt", "the ") == said(whole, "--prompt", "the ")


def test_a_picture_beside_the_text(trained, said, tmp_path):
    path, arguments = tmp_path / "p.png", (trained(STEPS), "--prompt", "the ", "--length", "9")
    assert said(*arguments, "--picture", path) == said(*arguments)
    assert path.read_bytes().startswith(b"\x89PNG")
    err = said(trained(WINDOWS), "--picture", tmp_path / "q.png", status=2)
    assert "the net has no layer to look into" in err
    assert not (tmp_path / "q.png").exists()


def test_it_begins_as_the_test_text_where_all_of_it_is_known(trained, said):
    run_dir = trained(STEPS)
    net, dataset = load_run(run_dir)
    assert net.can_step
    X = dataset.test[:][0]
    assert dataset.task.unknown not in X[0]
    beginning = dataset.task.decode(X[0])
    assert said(run_dir, "--length", "0") == f"{beginning}\n"


def test_a_net_that_cannot_step_reads_windows(trained, said):
    run_dir = trained(WINDOWS)
    assert not load_run(run_dir)[0].can_step
    assert len(said(run_dir, "--length", "12")) == 4 + 12 + 1
    err = said(run_dir, "--prompt", "the", status=2)
    assert "reads 4 tokens at a time, and there are 3; give a longer one" in err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--prompt", "the Zoo"], "prompt: token 4, 'Z', is not among the"),
        (["--prompt", ""], "prompt: is empty"),
        (["--temperature", "-1"], "temperature: expects a number from 0"),
        (["--top-k", "0"], "top_k: expects at least 1, got 0"),
        (["--length", "-1"], "n: expects how many tokens to write, 0 or more; got -1"),
        (["--seed", "-1"], "--seed: expects 0 or more, got -1"),
    ],
)
def test_mistakes_are_one_line(trained, said, options, words):
    err = said(trained(STEPS), *options, status=2)
    assert words in err
    assert len(err.splitlines()) == 1


def test_runs_that_go_on_with_no_text(trained, said, tmp_path):
    err = said(trained(WINDOWS, "dataset.predict=middle"), status=2)
    assert "has learned the token in the middle" in err
    points = load_config("configs/own_csv.yaml")
    points.set("training.iterations=2")
    run(points, "own", tmp_path / "points", quiet=True)
    err = said(tmp_path / "points", status=2)
    assert "has not learned to go on with a text (its data are CSV, its task classification)" in err
    assert "is no run directory" in said(tmp_path, status=2)


def test_questions_are_answered(said, tmp_path):
    config = load_config("configs/addition_seq2seq.yaml")
    for setting in (
        "dataset.n_train=200",
        "dataset.n_test=20",
        "dataset.n_validation=20",
        "training.iterations=2",
        "net.layers.encoder.n_hidden=8",
        "net.layers.decoder.n_hidden=8",
    ):
        config.set(setting)
    run_dir = tmp_path / "run"
    run(config, "answers", run_dir, quiet=True)
    net, dataset = load_run(run_dir)
    expected = answer(net, dataset, "57+5", temperature=2.0, rng=1)
    assert said(run_dir, "--prompt", "57+5", "-t", "2", "--seed", "1") == f"57+5 -> {expected}\n"
    asked, _ = said(run_dir).split(" -> ")
    np.testing.assert_array_equal(dataset.asked(asked), dataset.test[:1][0][0])
    assert "has 1 to 7 characters" in said(run_dir, "--prompt", "1234+1234", status=2)
    assert "token 2 of the text, '-', is not among" in said(run_dir, "--prompt", "57-5", status=2)
