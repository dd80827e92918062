"""What each option of `lamina train` hands on; tests/test_train.py has whole runs."""

import pytest

from lamina.commands.frame import main
from lamina.experiment import run as module

CALLS = ("run", "resume")


@pytest.fixture
def called(monkeypatch):
    """What was called instead of a training: (name, configuration, further arguments)."""
    calls = []
    for name in CALLS:

        def instead(config, *arguments, name=name, ranks):
            assert ranks.size == 1
            calls.append((name, config, arguments))
            return "a summary", 0

        monkeypatch.setattr(module, name, instead)
    return calls


def train(*arguments):
    return main(["train", *map(str, arguments)])


@pytest.mark.parametrize("quiet", [True, False])
def test_name_directory_and_quiet(called, tmp_path, capsys, quiet):
    option = ["--quiet"] if quiet else []
    assert train("--config", "configs/mnist_sigmoid.yaml", "--run-dir", tmp_path, *option) == 0
    assert capsys.readouterr().out == "a summary\n"
    ((name, config, arguments),) = called
    assert (name, arguments) == ("run", ("mnist_sigmoid", tmp_path, quiet))
    assert config.data["net"]["layers"]["sigmoid1"] == {"type": "Sigmoid"}
    train(*option)
    assert called[-1][2] == ("digits_relu", None, quiet)


def test_a_seed_of_0_is_one_and_comes_after_set(called):
    train("--set", "training.seed=5")
    train("--set", "training.seed=5", "--seed", 0)
    train("--seed", 3, "--set", "optimizer.lr=0.5")
    assert [config.data["training"]["seed"] for _, config, _ in called] == [5, 0, 3]
    assert [config.data["optimizer"]["lr"] for _, config, _ in called] == [0.1, 0.1, 0.5]


def test_threads_are_set_before_anything_is_built(monkeypatch, called):
    counts = []
    monkeypatch.setattr("lamina.commands.train.set_threads", counts.append)
    train("--set", "training.threads=3")
    train()
    assert counts == [3]


@pytest.mark.parametrize("quiet", [True, False])
def test_resume_hands_on_the_run_and_quiet(called, tmp_path, monkeypatch, quiet):
    monkeypatch.setattr("lamina.commands.train.load_run_config", lambda run, code: load(run))
    from lamina.experiment.config import load_config

    def load(run):
        assert run == tmp_path
        return load_config("configs/digits_relu.yaml")

    train("--resume", tmp_path, *(["--quiet"] if quiet else []))
    ((name, _, arguments),) = called
    assert (name, arguments) == ("resume", (tmp_path, quiet))
