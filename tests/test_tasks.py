"""Every kind of task from end to end: from YAML and a file to curves, evaluation, diagnosis."""

import csv
import json
import re
import textwrap

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from lamina.commands.frame import main
from lamina.common.errors import RunError
from lamina.common.table import read_table
from lamina.datasets import NPZ, Dataset, Reconstruction, Samples, task_from_facts
from lamina.experiment.build_trainer import build_trainer
from lamina.experiment.config import ConfigError, load_config
from lamina.experiment.load_run import load_run
from lamina.experiment.run import resume, run


@pytest.fixture(autouse=True)
def one_thread():
    """Products this small are slower on two threads."""
    with threadpool_limits(1):
        yield


@pytest.fixture
def trained(tmp_path, monkeypatch, capsys, curves):
    """Trains the configuration of a text; returns (summary, history, what evaluate says), the files
    of the run and its picture checked on the way."""
    monkeypatch.chdir(tmp_path)

    def train(text, picture=None):
        (tmp_path / "c.yaml").write_text(textwrap.dedent(text))
        summary, status = run(load_config("c.yaml"), "c", tmp_path / "run", quiet=True)
        assert status == 0
        assert (tmp_path / "run" / "curves.png").exists()
        capsys.readouterr()
        assert main(["doctor", "run"]) == 0, capsys.readouterr().out
        assert main(["plots", "run", "-o", "again.png"]) == 0
        capsys.readouterr()
        assert main(["evaluate", "run"]) == 0
        drawn = sorted(p.name for p in (tmp_path / "run").glob("*.png"))
        assert drawn == sorted(["curves.png", *([picture] if picture else [])])
        return summary, read_table(tmp_path / "run" / "history.csv"), capsys.readouterr().out

    return train


def write_csv(path, header, rows):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


@pytest.mark.needs_sklearn
def test_a_regression_beside_scikit_learn(trained, tmp_path):
    """The diabetes data: the same net, first weights and updates as MLPRegressor."""
    from sklearn.datasets import load_diabetes
    from sklearn.neural_network import MLPRegressor

    X, y = load_diabetes(return_X_y=True)
    y = (y - y.mean()) / y.std()
    names = [f"x{i}" for i in range(X.shape[1])]
    rows = np.column_stack([X, y])
    write_csv(tmp_path / "train.csv", [*names, "progression"], rows[:350])
    write_csv(tmp_path / "test.csv", [*names, "progression"], rows[350:])
    text = """
        dataset: {type: CSV, path: train.csv, test: test.csv, task: regression}
        net:
          type: Sequential
          layers:
            affine1: {type: Affine, n_out: 20}
            relu: {type: Relu}
            affine2: {type: Affine, n_out: 1}
          loss: {type: SquaredErrorLoss}
        optimizer: {type: Adam, lr: 0.003}
        training: {iterations: 300, batch_size: 350, evaluate_every: 50}
    """
    summary, history, said = trained(text, "predictions.png")
    start = build_trainer(load_config("c.yaml"), quiet=True)
    _, dataset = load_run(tmp_path / "run")
    (X_train, y_train), (X_test, y_test) = dataset.train[:], dataset.test[:]
    peer = MLPRegressor(
        hidden_layer_sizes=20,
        learning_rate_init=0.003,
        alpha=0.0,
        batch_size=350,
        max_iter=1,
        warm_start=True,
        shuffle=False,
        n_iter_no_change=1000,
        tol=0.0,
    )
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer.fit(X_train, y_train.ravel())
        weights = {name: param.data for name, param in start.net.parameters().items()}
        peer.coefs_ = [weights[f"affine{i}.W"].copy() for i in (1, 2)]
        peer.intercepts_ = [weights[f"affine{i}.b"].copy() for i in (1, 2)]
        del peer._optimizer
        peer.set_params(max_iter=300)
        peer.fit(X_train, y_train.ravel())
    expected = peer.score(X_test, y_test.ravel())
    assert 0.3 < expected < 0.7
    assert history["test_r2"][-1] == pytest.approx(expected, abs=0.02)
    assert "%" not in summary
    assert re.match(r"train rmse [\d.]+, r2 [\d.]+, test rmse [\d.]+, r2 [\d.]+, run in", summary)
    assert "progression" in said


@pytest.mark.needs_sklearn
def test_two_classes_by_one_score(trained, tmp_path):
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    rows = [[*x, data.target_names[t]] for x, t in zip(data.data, data.target, strict=True)]
    write_csv(tmp_path / "cancer.csv", [*data.feature_names, "kind"], rows)
    summary, history, said = trained("""
        dataset: {type: CSV, path: cancer.csv, validation_share: 0.15}
        net:
          type: Sequential
          layers: {affine: {type: Affine, n_out: 1}}
          loss: {type: SigmoidWithLoss}
        optimizer: {type: Adam, lr: 0.01}
        training:
          {iterations: 600, batch_size: 50, evaluate_every: 50, keep_best: true,
           metrics: [accuracy, roc_auc]}
    """)
    assert history["test_accuracy"].max() > 0.93
    assert history["test_roc_auc"][-1] > 0.98
    assert "best by the validation set" in summary
    assert "malignant" in said


def test_several_labels_at_once(trained, tmp_path):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 6))
    labels = np.stack([X[:, 0] > 0, X[:, 1] + X[:, 2] > 0.5, X[:, 3] > 1.0], axis=1).astype(int)
    names = [*(f"x{i}" for i in range(6)), "loud", "fast", "rare"]
    write_csv(tmp_path / "labels.csv", names, np.column_stack([X, labels]).tolist())
    summary, history, said = trained("""
        dataset: {type: CSV, path: labels.csv, task: multilabel, target: [loud, fast, rare]}
        net:
          type: Sequential
          layers: {affine: {type: Affine, n_out: 3}}
          loss: {type: SigmoidWithLoss}
        optimizer: {type: Adam, lr: 0.02}
        training: {iterations: 1000, batch_size: 40, evaluate_every: 200}
    """)
    assert history["test_f1"][-1] > 0.9
    assert "exact_match" in summary
    assert {"loud", "fast", "rare"} <= {line.split()[0] for line in said.splitlines() if line}


def test_an_autoencoder_on_digits(trained, tmp_path, monkeypatch):
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path / "data"))
    from pathlib import Path

    text = (Path(__file__).parent.parent / "configs/digits_autoencoder.yaml").read_text()
    text = text.replace("task: reconstruction", "task: reconstruction, n_train: 2000, n_test: 300")
    _, history, said = trained(text, "reconstructions.png")
    guess = 0.30  # what the mean image is off by
    assert history["test_rmse"][-1] < 0.6 * guess
    assert "root of the mean squared error of a sample (rows of this set, from 0):" in said


def sequences(n, rng):
    """Words 0-9; a sequence is of class 1 if a 7 is in it; a token is even, odd or a 7."""
    X = rng.integers(0, 10, (n, 6))
    return X, (X == 7).any(axis=1).astype(int), np.where(X == 7, 2, X % 2)


@pytest.mark.parametrize("per_token", [False, True])
def test_words_with_a_label_for_each_sequence_or_token(trained, tmp_path, per_token):
    rng = np.random.default_rng(0)
    (X, whole, tokens), (X_test, whole_test, tokens_test) = (
        sequences(2000, rng),
        sequences(300, rng),
    )
    t, t_test = (tokens, tokens_test) if per_token else (whole, whole_test)
    np.savez(tmp_path / "words.npz", x_train=X, t_train=t, x_test=X_test, t_test=t_test)
    layers = "embedding: {type: Embedding, n_words: 10, n_dims: 8}"
    layers += "" if per_token else ", flat: {type: Flatten}, hidden: {type: Affine, n_out: 32}, "
    layers += "" if per_token else "relu: {type: Relu}"
    summary, history, said = trained(f"""
        dataset: {{type: NPZ, path: words.npz, indices: true}}
        net:
          type: Sequential
          layers: {{{layers}, affine: {{type: Affine, n_out: {3 if per_token else 2}}}}}
          loss: {{type: SoftmaxWithLoss}}
        optimizer: {{type: Adam, lr: 0.01}}
        training: {{iterations: 800, batch_size: 50, evaluate_every: 100}}
    """)
    assert history["test_accuracy"][-1] > 0.97
    assert ("every position right" in said) == per_token
    assert re.match(r"train [\d.]+ %, test [\d.]+ %, run in", summary)


def test_a_language_model_with_padding(trained, tmp_path):
    """The next of a row of words that count up; padded positions do not count."""
    rng = np.random.default_rng(0)
    start = rng.integers(0, 8, (600, 1))
    words = (start + np.arange(7)) % 8
    X, t = words[:, :-1], words[:, 1:].copy()
    t[::3, 4:] = -1
    arrays = {"x_train": X[100:], "t_train": t[100:], "x_test": X[:100], "t_test": t[:100]}
    np.savez(tmp_path / "count.npz", **arrays)
    summary, history, _ = trained("""
        dataset:
          {type: NPZ, path: count.npz, task: language_model, indices: true, n_words: 8,
           ignore_index: -1}
        net:
          type: Sequential
          layers:
            embedding: {type: Embedding, n_words: 8, n_dims: 8}
            affine: {type: Affine, n_out: 8}
          loss: {type: SoftmaxWithLoss, ignore_index: -1}
        optimizer: {type: Adam, lr: 0.02}
        training: {iterations: 600, batch_size: 50, evaluate_every: 100}
    """)
    assert history["test_perplexity"][-1] < 1.1
    assert history["test_accuracy"][-1] == 1.0
    assert "perplexity 1.0" in summary


def test_the_next_character_of_a_text(trained, tmp_path):
    """In a cycle of ten characters the four before one say which it is."""
    (tmp_path / "cycle.txt").write_text("banana 가나\nb" * 150)
    _, history, said = trained("""
        dataset:
          {type: Text, path: cycle.txt, length: 4, predict: last, validation_share: 0.2}
        net:
          type: Sequential
          layers:
            embedding: {type: Embedding, n_dims: 8}
            flatten: {type: Flatten}
            affine1: {type: Affine, n_out: 32}
            relu: {type: Relu}
            affine2: {type: Affine}
          loss: {type: SoftmaxWithLoss}
        optimizer: {type: Adam, lr: 0.01}
        training: {iterations: 200, batch_size: 50, evaluate_every: 50, keep_best: true}
    """)
    assert history["test_perplexity"][-1] < 1.05
    assert "right: 161 of 161" in said
    _, dataset = load_run(tmp_path / "run")
    facts = json.loads((tmp_path / "run" / "provenance.json").read_text())["task"]
    task = task_from_facts(facts)  # what needs no text any more
    assert task == dataset.task
    assert task.decode(task.encode("nab?")) == "nab<unk>"
    (tmp_path / "cycle.txt").write_text("banana 가다\nb" * 150)
    with pytest.raises(RunError, match=r"the task, class_names: .*가"):
        load_run(tmp_path / "run")


SUMS = """
    dataset: {type: Additions, digits: 2, n_train: 500, n_test: 50, n_validation: 50}
    net:
      type: Graph
      inputs: [question, answer]
      layers:
        asked: {type: Embedding, n_dims: 16, inputs: question}
        flat: {type: Flatten}
        affine1: {type: Affine, n_out: 64}
        relu1: {type: Relu}
        affine2: {type: Affine, n_out: 128}
        heads: {type: Reshape, shape: [4, 32]}
        so_far: {type: Embedding, n_dims: 32, inputs: answer}
        sum: {type: Addition, inputs: [heads, so_far]}
        relu2: {type: Relu}
        scores: {type: Affine}
      loss: {type: SoftmaxWithLoss, ignore_index: 0}
    optimizer: {type: Adam, lr: 0.01}
    training:
      {iterations: 400, batch_size: 50, evaluate_every: 100, metrics: [exact_match, perplexity],
       shards: 2, threads: 1}
"""


def test_questions_and_the_answers_so_far(tmp_path, monkeypatch, capsys):
    """A graph with two inputs; that it knows its samples by heart is enough here."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.yaml").write_text(textwrap.dedent(SUMS))
    summary, _ = run(load_config("c.yaml"), "c", tmp_path / "run", quiet=True)
    assert read_table(tmp_path / "run" / "history.csv")["train_exact_match"][-1] > 0.95
    assert "exact_match" in summary
    assert main(["doctor", "run"]) == 1
    assert "over-fitting" in capsys.readouterr().out
    for command in ("evaluate run", "draw run -o net.svg", "profile c.yaml --steps 2"):
        assert main(command.split()) == 0
    assert "every position right: " in capsys.readouterr().out
    shorter = load_config("c.yaml").replaced({("training", "iterations"): 150})
    run(shorter, "c", tmp_path / "parts", quiet=True)
    resume(load_config("c.yaml"), tmp_path / "parts", quiet=True)
    weights = [(tmp_path / name / "weights.npz").read_bytes() for name in ("run", "parts")]
    assert weights[0] == weights[1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("inputs: [question, answer]", "inputs: [question]"), "takes 1 inputs, but gets 2"),
        (
            ("type: Graph\n      inputs: [question, answer]", "type: Sequential"),
            r"a chain takes one input, but gets 2, of the shapes \(5,\), \(4,\): use type: Graph",
        ),
        ((", ignore_index: 0", ""), "ignore_index is None for the loss, but 0 for the data"),
        (("shape: [4, 32]", "shape: [2, 64]"), "sum"),
    ],
    ids=["one input", "a chain", "no ignore_index", "other positions"],
)
def test_a_net_that_questions_and_answers_do_not_fit(tmp_path, change, words):
    assert change[0] in SUMS
    (tmp_path / "c.yaml").write_text(textwrap.dedent(SUMS.replace(*change)))
    with pytest.raises(ConfigError, match=words):
        build_trainer(load_config(tmp_path / "c.yaml"), quiet=True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("SquaredErrorLoss", "SoftmaxWithLoss"), "SoftmaxWithLoss compares .* SquaredErrorLoss"),
        (("n_out: 1", "n_out: 3"), r"gives \(3,\) for a sample"),
        (("task: regression", "task: regresion"), "regression"),
    ],
)
def test_a_misfit_of_task_net_and_loss_is_refused(tmp_path, monkeypatch, change, words):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    write_csv(tmp_path / "d.csv", ["x", "y"], rng.standard_normal((60, 2)).tolist())
    text = textwrap.dedent("""
        dataset: {type: CSV, path: d.csv, task: regression}
        net:
          type: Sequential
          layers: {affine: {type: Affine, n_out: 1}}
          loss: {type: SquaredErrorLoss}
        optimizer: {type: SGD, lr: 0.1}
        training: {iterations: 5, batch_size: 5}
    """)
    (tmp_path / "c.yaml").write_text(text.replace(*change))
    with pytest.raises(ValueError, match=words):
        build_trainer(load_config("c.yaml"), quiet=True)


def test_choosing_on_noise_earns_nothing(tmp_path):
    """Labels that have nothing to do with the inputs: the test set of the best evaluation is
    guessed, since it has chosen nothing. (Chosen by the test set itself, it was 5.6 points.)"""
    found = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        folder = tmp_path / str(seed)
        folder.mkdir()
        rows = np.column_stack([rng.standard_normal((240, 8)), rng.integers(0, 2, 240)])
        write_csv(folder / "noise.csv", [*(f"x{i}" for i in range(8)), "t"], rows.tolist())
        (folder / "c.yaml").write_text(
            textwrap.dedent("""
            dataset: {type: CSV, path: noise.csv, test_share: 0.33, validation_share: 0.33}
            net:
              type: Sequential
              layers:
                affine1: {type: Affine, n_out: 30}
                relu: {type: Relu}
                affine2: {type: Affine, n_out: 2}
              loss: {type: SoftmaxWithLoss}
            optimizer: {type: Adam, lr: 0.01}
            training: {iterations: 200, batch_size: 20, evaluate_every: 5, keep_best: true}
            """)
        )
        summary, _ = run(load_config(folder / "c.yaml"), "n", folder / "run", quiet=True)
        found.append(float(re.search(r"test ([\d.]+) %", summary)[1]))
    error = np.std(found, ddof=1) / np.sqrt(len(found))
    assert abs(np.mean(found) - 50.0) < 2 * error


CLASSES = """
    dataset: {type: CSV, path: d.csv, validation_share: 0.2}
    net:
      type: Sequential
      layers: {affine: {type: Affine, n_out: 1}}
      loss: {type: SigmoidWithLoss}
    optimizer: {type: SGD, lr: 0.1}
    training: {iterations: 40, batch_size: 5, evaluate_every: 10, metrics: [accuracy]}
"""


@pytest.fixture
def classes(tmp_path, monkeypatch):
    """Writes a CSV of two classes and a configuration; returns what makes the latter."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    rows = [[*x, "ab"[int(x[0] > 0)]] for x in rng.standard_normal((60, 2)).tolist()]
    write_csv(tmp_path / "d.csv", ["x", "y", "t"], rows)

    def configured(*changes):
        (tmp_path / "c.yaml").write_text(textwrap.dedent(CLASSES))
        config = load_config("c.yaml")
        for change in changes:
            config.set(change)
        return config

    return configured


@pytest.mark.parametrize("name", ["rmse", "mae", "r2"])
def test_a_metric_that_says_nothing_about_the_task_is_refused(classes, name):
    with pytest.raises(ValueError, match=rf"training.metrics: {name} says nothing here.*accura"):
        build_trainer(classes(f"training.metrics=[{name}]"), quiet=True)


def test_a_figure_that_is_not_the_usual_one_has_its_name(classes, tmp_path):
    summary, _ = run(classes("training.metrics=[precision]"), "c", tmp_path / "run", quiet=True)
    assert re.match(r"train precision [\d.]+ %, validation precision", summary)


def test_what_is_not_defined_chooses_nothing_and_is_said(classes, tmp_path, capsys):
    """One validation sample has one class: there is no ROC curve."""
    config = classes(
        "training.metrics=[roc_auc]",
        "dataset.n_validation=1",
        "training.keep_best=true",
        "training.patience=1",
    )
    summary, status = run(config, "c", tmp_path / "run", quiet=True)
    assert status == 0
    assert "best" not in summary
    assert read_table(tmp_path / "run" / "history.csv")["iteration"][-1] == 40
    said = capsys.readouterr().err
    assert said.count("validation_roc_auc is not defined at iteration 10: nothing can be ch") == 1


def test_what_ended_a_run_early_is_said(classes, tmp_path):
    config = classes("training.patience=1", "training.iterations=4000")
    summary, _ = run(config, "c", tmp_path / "run", quiet=True)
    assert re.search(r"; ended by patience at iteration \d+, run in ", summary)
    assert "ended by" not in run(classes(), "c", tmp_path / "other", quiet=True)[0]


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_a_word_outside_the_vocabulary_is_named_before_the_run(tmp_path, monkeypatch, part):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    arrays = {f"x_{p}": rng.integers(0, 20, (300, 4)) for p in ("train", "validation", "test")}
    arrays |= {f"t_{p}": rng.integers(0, 2, 300) for p in ("train", "validation", "test")}
    arrays[f"x_{part}"][123, 2] = 99
    np.savez("w.npz", **arrays)
    (tmp_path / "c.yaml").write_text(
        textwrap.dedent("""
        dataset: {type: NPZ, path: w.npz, indices: true}
        net:
          type: Sequential
          layers:
            embedding: {type: Embedding, n_words: 20, n_dims: 4}
            flat: {type: Flatten}
            affine: {type: Affine, n_out: 2}
          loss: {type: SoftmaxWithLoss}
        optimizer: {type: SGD, lr: 0.1}
        """)
    )
    words = f"dataset: the {part} inputs: row 123 holds 99, and the Embedding has n_words: 20"
    with pytest.raises(ValueError, match=words):
        build_trainer(load_config("c.yaml"), quiet=True)


def test_labels_that_start_at_one_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    X, t = np.ones((30, 2), np.float32), np.arange(30) % 3 + 1
    np.savez("d.npz", x_train=X, t_train=t, x_test=X, t_test=t)
    with pytest.raises(ValueError, match="the class 0 is in no sample; do the labels start at 1"):
        NPZ("d.npz")


def test_the_guessing_loss_of_scaled_images_is_that_of_what_the_net_sees():
    X = np.random.default_rng(0).integers(0, 256, (50, 9)).astype(np.uint8)
    samples, seen = Samples(X, X, scale=1 / 255), X / 255
    dataset = Dataset(samples, samples, Reconstruction())
    squares = np.square(seen - seen.mean(axis=0)).sum(axis=1).mean()
    assert dataset.guessing_loss("SquaredErrorLoss") == pytest.approx(0.5 * squares, rel=1e-5)
    few = X[:10]
    dataset.test = Samples(few, few, scale=1 / 255)
    of_test = np.square(seen[:10] - seen[:10].mean(axis=0)).sum(axis=1).mean()
    loss = dataset.guessing_loss("SquaredErrorLoss", name="test")
    assert loss == pytest.approx(0.5 * of_test, rel=1e-5)


def test_a_net_no_better_than_a_guess_is_not_healthy(tmp_path, monkeypatch, capsys):
    """Targets far from 0, and a rate too small to get there."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 1))
    write_csv(tmp_path / "d.csv", ["x", "y"], np.hstack([x, 100 + 10 * x]).tolist())
    (tmp_path / "c.yaml").write_text(
        textwrap.dedent("""
        dataset: {type: CSV, path: d.csv, task: regression}
        net:
          type: Sequential
          layers: {affine: {type: Affine, n_out: 1}}
          loss: {type: SquaredErrorLoss}
        optimizer: {type: SGD, lr: 0.0005}
        training: {iterations: 1000, batch_size: 20, evaluate_every: 200}
        """)
    )
    run(load_config("c.yaml"), "c", tmp_path / "run", quiet=True)
    assert main(["doctor", "run"]) == 1
    assert "run: targets not scaled" in capsys.readouterr().out
