"""Which runs are seeds of one setting: those of the same data and code, written either way."""

from collections import OrderedDict

import numpy as np
import pytest

from lamina.commands.frame import main
from lamina.datasets import CSV, Classification, Dataset, Samples
from lamina.experiment.compare import Comparison
from lamina.experiment.config import ConfigError, load_config
from lamina.experiment.differing import settings_of
from lamina.experiment.groups import grouped, read_settings
from lamina.experiment.load_run import RunChanged, load_run
from lamina.experiment.report import report_on_many, report_on_run
from lamina.experiment.run import resume, run
from lamina.experiment.sweep import sweep
from lamina.layers import Affine, Embedding, Flatten, Relu, SoftmaxWithLoss
from lamina.metrics import Accuracy
from lamina.nets import Sequential
from lamina.optimizers import SGD
from lamina.training.trainer import Trainer

TEXT = """\
dataset: {type: CSV, path: d.csv, target: kind, test_share: 0.3}
net:
  type: Sequential
  layers: {own: {type: "own.py:Times"}, affine: {type: Affine, n_out: 2}}
  loss: {type: SoftmaxWithLoss}
optimizer: {type: SGD, lr: 0.1}
training: {iterations: 10, batch_size: 10, threads: 1}
"""
OWN = "from lamina.layers import AutoLayer\n\n\nclass Times(AutoLayer):\n"
OWN += "    def function(self, X):\n        return {} * X\n"


@pytest.fixture
def folder(tmp_path, points_table):
    points_table(tmp_path / "d.csv", 40)
    (tmp_path / "own.py").write_text(OWN.format(2))
    (tmp_path / "c.yaml").write_text(TEXT)
    return tmp_path


def trained(folder, name, seed):
    config = load_config(folder / "c.yaml")
    config.set(f"training.seed={seed}")
    run(config, name, folder / name, quiet=True)
    return folder / name


def relabelled(folder, name="d.csv"):
    text = (folder / name).read_text()
    (folder / name).write_text(text.replace(",a\n", ",c\n").replace(",b\n", ",a\n"))


def rows(*paths):
    """{name of a row: its runs}, and the header of the table."""
    table = Comparison({path.name: path for path in paths})
    return {row.group.name: row.group.runs for row in table.rows}, table.cells()[0]


def test_seeds_on_the_same_data_are_one_row(folder):
    found, header = rows(*(trained(folder, f"r{seed}", seed) for seed in range(2)))
    assert found == {"2 seeds": ["r0", "r1"]}
    assert header[0] == "run"


def test_other_code_in_a_file_of_the_same_name_is_another_setting(folder):
    first = trained(folder, "r0", 0)
    (folder / "own.py").write_text(OWN.format(0))
    found, header = rows(first, trained(folder, "r1", 1))
    assert sorted(found.values()) == [["r0"], ["r1"]]
    assert header[0] == "code own.py"


def test_other_data_in_a_file_of_the_same_name_are_another_setting(folder, capsys):
    first, second = trained(folder, "r0", 0), trained(folder, "r1", 1)
    relabelled(folder)
    third = trained(folder, "r2", 2)
    found, header = rows(first, second, third)
    assert sorted(found.values()) == [["r0", "r1"], ["r2"]]
    assert header[0] == "data"
    assert all(name.startswith("data ") and len(name) == 13 for name in found)
    page = report_on_many({path.name: path for path in (first, second, third)})
    assert "3 runs in 2 groups that differ by more than a seed." in page
    groups = grouped({path.name: read_settings(path) for path in (first, second, third)})
    assert len(groups) == 2  # of the plots
    capsys.readouterr()
    assert main(["compare", str(first), str(third)]) == 0
    assert "seeds" not in capsys.readouterr().out


def test_the_same_data_in_files_of_two_names_are_one_setting(folder):
    first, (data, config) = trained(folder, "r0", 0), (folder / "d.csv", folder / "c.yaml")
    data.rename(folder / "moved.csv")
    config.write_text(config.read_text().replace("d.csv", "moved.csv"))
    second = trained(folder, "r1", 1)
    assert rows(first, second)[0] == {"2 seeds": ["r0", "r1"]}
    relabelled(folder, "moved.csv")
    found, _ = rows(first, second, trained(folder, "r2", 2))
    assert sorted(found.values()) == [["r0", "r1"], ["r2"]]


def test_the_same_layers_in_another_order_are_another_net(folder):
    """Also those of a net in the net."""
    layers = ["own: {type: own.py:Times}", "same: {type: Affine, n_in: 2, n_out: 2}"]
    paths = []
    for i, order in enumerate((layers, layers[::-1], layers)):
        inner = f"inner: {{type: Sequential, layers: {{{', '.join(order)}}}}}, affine:"
        text = TEXT.replace('own: {type: "own.py:Times"}, affine:', inner)
        (folder / "c.yaml").write_text(text)
        paths.append(trained(folder, f"r{i}", i))
    found, header = rows(*paths)
    assert found == {
        "order of layers inner, inner.own, inner.same, affine": ["r0", "r2"],
        "order of layers inner, inner.same, inner.own, affine": ["r1"],
    }
    assert header[0] == "order of layers"


def test_other_weights_to_begin_with_in_a_file_of_the_same_name_are_another_setting(folder):
    begun = trained(folder, "begun", 5)
    (folder / "w.npz").write_bytes((begun / "weights.npz").read_bytes())
    (folder / "c.yaml").write_text(TEXT.replace("Sequential", "Sequential\n  weights: w.npz"))
    first, second = trained(folder, "r0", 0), trained(folder, "r1", 1)
    (folder / "w.npz").write_bytes((first / "weights.npz").read_bytes())
    found, header = rows(first, second, trained(folder, "r2", 2))
    assert sorted(found.values()) == [["r0", "r1"], ["r2"]]
    assert header[0] == "weights w.npz"
    (folder / "w.npz").unlink()
    kept = (first / "provenance.json").read_text()
    resume(load_config(first / "config.yaml").replaced({("training", "iterations"): 12}), first)
    assert read_settings(first).facts[("weights w.npz",)] in kept


def test_what_the_configuration_says_has_no_column_of_its_own(folder):
    first = trained(folder, "r0", 0)
    (folder / "c.yaml").write_text(TEXT.replace("0.3", "0.4"))
    other = trained(folder, "r1", 0)
    (folder / "c.yaml").write_text(TEXT.replace("own.py:Times", "Relu"))
    _, header = rows(first, other, trained(folder, "r2", 0))
    assert header[:2] == ["test_share", "own"]
    assert not {"data", "code own.py"} & set(header)


def test_runs_without_provenance_are_grouped_by_their_configurations_and_named(folder):
    old = [trained(folder, f"r{seed}", seed) for seed in range(2)]
    for path in old:
        (path / "provenance.json").unlink()
    table = Comparison({path.name: path for path in old})
    assert [row.group.runs for row in table.rows] == [["r0", "r1"]]
    said = "without provenance.json, so that their data and code may be others: r0, r1"
    assert said in table.text()
    new = trained(folder, "r2", 2)  # nobody knows whether it is a third of them
    assert sorted(rows(*old, new)[0].values()) == [["r0", "r1"], ["r2"]]


def test_a_sweep_says_what_has_changed_since_and_keeps_the_trials_apart(folder, capsys):
    (folder / "s.yaml").write_text("base: c.yaml\nseeds: 0-1\n")
    out = folder / "out"
    assert sweep(folder / "s.yaml", out, quiet=True)[1] == 0
    assert "2 seeds" in sweep(folder / "s.yaml", out, quiet=True)[0]
    assert "changed" not in capsys.readouterr().err
    relabelled(folder)
    (folder / "own.py").write_text(OWN.format(3))
    (folder / "s.yaml").write_text("base: c.yaml\nseeds: 0-2\n")
    said, code = sweep(folder / "s.yaml", out, quiet=True)
    assert code == 0
    assert "seeds" not in said.splitlines()[1]
    assert said.splitlines()[0].startswith("data")
    told = " ".join(capsys.readouterr().err.split())
    assert "2 trials of" in told
    assert "(seed=0, seed=1) ended before this changed: the train set: " in told
    assert "the code in own.py; they stand in rows of their own" in told


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"net": {"a": {"init": "zeros"}}}, {"net": {"a": {"init": {"type": "zeros"}}}}),
        ({"optimizer": {"schedule": "cosine"}}, {"optimizer": {"schedule": {"type": "cosine"}}}),
        ({"training": {"metrics": ["accuracy"]}}, {"training": {"metrics": "accuracy"}}),
        (
            {"training": {"metrics": ["accuracy", "f1"]}},
            {"training": {"metrics": [{"type": "accuracy"}, "f1"]}},
        ),
    ],
)
def test_two_ways_to_write_one_thing_are_one_setting(one, other):
    assert settings_of(one) == settings_of(other)


def test_how_many_runs_there_are_is_said_in_words(folder):
    paths = {f"r{seed}": trained(folder, f"r{seed}", seed) for seed in range(2)}
    assert "2 runs of one setting." in report_on_many(paths)
    assert "1 run." in report_on_many({"r0": paths["r0"]})
    (folder / "c.yaml").write_text(TEXT.replace("lr: 0.1", "lr: 0.2"))
    apart = {"r0": paths["r0"], "r2": trained(folder, "r2", 0)}
    assert "2 runs, all of which differ by more than a seed." in report_on_many(apart)


# Runs made in Python.


def samples(labels=0):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((40, 6)).astype(np.float32)
    t = (X[:, 0] > 0).astype(int)
    t = np.random.default_rng(labels).permutation(t) if labels else t
    return Dataset(Samples(X, t), Samples(X, t), Classification(("a", "b")))


def made(path, seed=0, net=None, dataset=None, lr=0.1, schedule=None, only="", **given):
    rng = np.random.default_rng(seed)
    layers = OrderedDict(a=Affine(6, 5, rng=rng), r=Relu(), b=Affine(5, 2, rng=rng))
    net = net or Sequential(layers, loss=SoftmaxWithLoss())
    learned = {n: p for n, p in net.parameters().items() if n.startswith(only)}
    optimizer = SGD(learned, lr=lr, schedule=schedule)
    given = {"iterations": 3, "batch_size": 10, "rng": seed, "quiet": True, **given}
    Trainer(net, optimizer, dataset or samples(), run_dir=path, **given).run()
    return path


class Flipped:
    def __call__(self, X):
        return -X


class Mine(Accuracy):
    name = "mine"


def stops(trainer, row):
    return row["iteration"] > 1


OTHERS = {
    "gradient_penalty": {"gradient_penalty": 0.5},
    "shards": {"shards": 5},
    "shuffle_block": {"shuffle_block": 2},
    "augmentation": {"augmentation": Flipped()},
    "metrics": {"metrics": ["accuracy", "f1"]},
    "data": {"dataset": samples(labels=3)},
    "schedule": {"schedule": lambda step: 0.5},
    "left_alone": {"only": "b"},
    "callbacks": {"callbacks": [stops]},
}


@pytest.mark.parametrize("what", OTHERS)
def test_in_python_whatever_decides_what_is_learned_tells_runs_apart(tmp_path, what):
    usual = {"schedule": lambda step: 1.0} if what == "schedule" else {}
    paths = [made(tmp_path / f"r{seed}", seed, **usual) for seed in range(2)]
    other = made(tmp_path / "other", 2, **OTHERS[what])
    found, header = rows(*paths, other)
    assert sorted(found.values()) == [["other"], ["r0", "r1"]]
    assert header[0].partition(".")[0] == what or what == "callbacks"


def test_in_python_seeds_of_the_same_functions_are_one_row(tmp_path):
    found, _ = rows(
        *(
            made(tmp_path / f"r{seed}", seed, schedule=lambda step: 0.5, augmentation=Flipped())
            for seed in range(3)
        )
    )
    assert found == {"3 seeds": ["r0", "r1", "r2"]}


def test_in_python_the_same_seed_twice_is_one_run(tmp_path, capsys):
    found, _ = rows(made(tmp_path / "r0"), made(tmp_path / "r1"))
    assert list(found) == ["2 runs"]
    assert "r0 and r1 have the same settings and seed rng 0, weights " in capsys.readouterr().err


def test_in_python_nets_that_have_learned_before_are_no_seeds(tmp_path):
    def net(seed):
        layers = OrderedDict(a=Affine(6, 2, rng=seed))
        return Sequential(layers, loss=SoftmaxWithLoss())

    learned = net(9)
    made(tmp_path / "before", 9, learned)
    paths = [made(tmp_path / f"r{seed}", seed, net(seed)) for seed in range(2)]
    found, header = rows(*paths, made(tmp_path / "on", 3, learned))
    assert sorted(found.values()) == [["on"], ["r0", "r1"]]
    assert header[0] == "start"


def test_in_python_weights_of_which_nobody_can_say_where_they_are_from_are_no_seeds(tmp_path):
    def net(seed):
        layers = OrderedDict(a=Affine(6, 2, rng=seed, bias=False))
        return Sequential(layers, loss=SoftmaxWithLoss())

    found, header = rows(*(made(tmp_path / f"r{seed}", seed, net(seed)) for seed in range(2)))
    assert len(found) == 2
    assert header[0] == "start"


def test_in_python_layers_that_no_configuration_can_name_count_by_their_code(tmp_path):
    def net(factor):
        class Times(Relu):
            def forward(self, X):
                return factor * super().forward(X)

        rng = np.random.default_rng(factor)
        layers = OrderedDict(a=Affine(6, 2, rng=rng), own=Times())
        return Sequential(layers, loss=SoftmaxWithLoss())

    same = [made(tmp_path / f"r{seed}", seed, net(1)) for seed in range(2)]
    found, header = rows(*same, made(tmp_path / "other", 2, net(2)))
    assert sorted(found.values()) == [["other"], ["r0", "r1"]]
    assert "code" in header


def test_in_python_a_configuration_says_that_it_makes_no_other_run(tmp_path):
    table = tmp_path / "d.csv"
    lines = [f"{x:.3f},{'ab'[int(x > 0.5)]}" for x in np.random.default_rng(0).random(40)]
    table.write_text("\n".join(["x,kind", *lines]) + "\n")
    dataset = CSV(str(table), target="kind", test_share=0.3)
    net = Sequential(OrderedDict(a=Affine(1, 2, rng=0)), loss=SoftmaxWithLoss())
    path = made(tmp_path / "r", 0, net, dataset, augmentation=Flipped(), metrics=[Mine()])
    with pytest.raises(ConfigError, match=r"training\.program: this run was made by a program"):
        run(load_config(path / "config.yaml"), "again", tmp_path / "again", quiet=True)
    assert not (tmp_path / "again").exists()
    page = report_on_run(path)
    assert "lamina train" not in page
    assert f"lamina evaluate {path}" in page
    said = "the generator and the weights that it began with, nor its augmentation, nor its metrics"
    assert said in page


def test_in_python_data_are_compared_with_those_of_the_training(tmp_path):
    path = made(tmp_path / "r")
    assert load_run(path, dataset=samples())[1].task.class_names == ("a", "b")
    with pytest.raises(RunChanged, match="the train set: other targets"):
        load_run(path, dataset=samples(labels=3))
    page = report_on_run(path)
    assert "lamina evaluate" not in page.partition("Run it again")[2]


def test_an_embedding_that_was_learned_elsewhere_is_not_taken_for_a_seed(tmp_path):
    tokens = np.random.default_rng(0).integers(0, 9, (40, 3))
    data = Samples(tokens, tokens[:, 0] % 2)
    dataset = Dataset(data, data, Classification(("a", "b")))

    def net(seed):
        rng = np.random.default_rng(seed)
        layers = OrderedDict(e=Embedding(9, 2, rng=rng), f=Flatten(), a=Affine(6, 2, rng=rng))
        return Sequential(layers, loss=SoftmaxWithLoss())

    found, _ = rows(*(made(tmp_path / f"r{seed}", seed, net(seed), dataset) for seed in range(2)))
    assert len(found) == 2
