"""lamina export and lamina import: whole ways, and what is refused in one line."""

from pathlib import Path

import numpy as np
import pytest
import some_nets

from lamina.commands.frame import main
from lamina.exchange import export_onnx, read_safetensors, write_safetensors
from lamina.experiment.config import load_config
from lamina.experiment.load_run import load_run
from lamina.experiment.run import run
from lamina.nets import load_net


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A short run on drawn digits."""
    folder = tmp_path_factory.mktemp("exchange")
    config = load_config("configs/digits_relu.yaml")
    small = ("dataset.n_train=200", "dataset.n_test=50", "training.iterations=20")
    for setting in (*small, "training.evaluate_every=20"):
        config.set(setting)
    run(config, "digits", folder / "run", quiet=True)
    return folder / "run"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def one_line(capsys) -> str:
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    return err


@pytest.mark.needs_onnxruntime
def test_a_run_as_onnx(finished, here, capsys):
    import onnxruntime

    assert main(["export", str(finished), "-o", "digits.onnx"]) == 0
    assert capsys.readouterr().out == "digits.onnx\n"
    net, dataset = load_run(finished)
    X, _ = dataset.test[:]
    session = onnxruntime.InferenceSession(here / "digits.onnx")
    np.testing.assert_allclose(session.run(None, {"X": X})[0], net.predict(X), rtol=1e-4, atol=1e-5)


@pytest.mark.needs_onnxruntime
def test_a_file_of_a_net_as_onnx(here, capsys):
    import onnxruntime

    some_nets.siamese().save("net.npz")
    assert main(["export", "net.npz"]) == 2
    assert "does not say how large a sample is: --shape 1x28x28" in one_line(capsys)
    assert main(["export", "net.npz", "--shape", "4", "--shape", "4"]) == 0
    assert capsys.readouterr().out == "net.onnx\n"
    left, right = some_nets.NETS["siamese"][1]
    found = onnxruntime.InferenceSession("net.onnx").run(None, {"X1": left, "X2": right})
    np.testing.assert_allclose(
        found[0], load_net("net.npz").predict((left, right)), rtol=1e-4, atol=1e-6
    )


def test_weights_and_back(finished, here, capsys):
    assert main(["export", str(finished), "--weights"]) == 0
    assert capsys.readouterr().out == "weights.safetensors\n"
    assert main(["import", "weights.safetensors", "--into", str(finished), "-o", "new.npz"]) == 0
    out = capsys.readouterr().out
    assert out == "4 of 4 arrays from weights.safetensors\nnew.npz\n"
    X = np.random.default_rng(0).random((3, 784)).astype(np.float32)
    net, _ = load_run(finished)
    np.testing.assert_array_equal(load_net("new.npz").predict(X), net.predict(X))
    assert read_safetensors("weights.safetensors").keys() == net.parameters().keys()


def test_a_state_dict_into_a_configuration(here, capsys):
    rng = np.random.default_rng(0)
    shapes = {"fc1.weight": (50, 784), "fc1.bias": (50,), "fc2.weight": (10, 50), "fc2.bias": (10,)}
    arrays = {name: rng.random(shape).astype(np.float32) for name, shape in shapes.items()}
    write_safetensors("m.safetensors", arrays)
    assert main(["import", "m.safetensors", "--into", "digits_relu", "-o", "net.npz"]) == 0
    assert "fc1 to affine1, fc2 to affine2" in capsys.readouterr().out
    net = load_net("net.npz")
    np.testing.assert_array_equal(net.layers["affine2"].W.data, arrays["fc2.weight"].T)
    told = ["--name", "fc1=affine1", "--name", "fc2=affine2"]
    assert main(["import", "m.safetensors", "--into", "net.npz", "-o", "b.npz", *told]) == 0
    assert "as told" in capsys.readouterr().out


@pytest.mark.needs_onnxruntime
def test_a_net_of_onnx_goes_on_training(finished, here, capsys):
    """Written as a configuration like another, it begins where it was and learns on."""
    assert main(["export", str(finished), "-o", "net.onnx"]) == 0
    assert main(["import", "net.onnx", "-o", "net.npz"]) == 0
    assert "as in onnxruntime" in capsys.readouterr().out
    assert (
        main(["import", "net.onnx", "--like", str(finished / "config.yaml"), "-o", "on.yaml"]) == 0
    )
    like = ["--like", str(finished / "config.yaml"), "-o", "on.yml"]
    assert main(["import", "net.onnx", *like]) == 2
    assert "on.npz: is there, and is written beside on.yml" in one_line(capsys)
    net, dataset = load_run(finished)
    config = load_config("on.yaml")
    config.set("training.iterations=5")
    config.set("training.evaluate_every=5")
    X = dataset.test[:20][0]
    np.testing.assert_allclose(load_net("net.npz").predict(X), net.predict(X), rtol=1e-5, atol=1e-6)
    run(config, "on", here / "run", quiet=True)
    learned, _ = load_run(here / "run")
    assert np.abs(learned.predict(X) - net.predict(X)).max() < 1.0
    assert main(["evaluate", "run"]) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            "export net.npz -o net.pb",
            "net.pb: expects a file that ends in .onnx, .prototxt",
        ),
        ("export net.npz --weights -o net.onnx", "expects a file that ends in .safetensors"),
        ("export net.npz --shape 1xax3", "--shape 1xax3: expects sizes of at least 1"),
        ("export net.npz --shape 0", "--shape 0: expects sizes"),
        ("export net.npz --shape 5", "affine1 (Affine): expects"),
        ("export net.npz --weights --shape 4", "leave it out"),
        ("export nothing.npz --weights", "nothing.npz"),
        ("export cut.npz --weights", "is no whole .npz file"),
        ("import cut.safetensors --into net.npz -o new.npz", "cut.safetensors: is no safetensors"),
        ("import other.safetensors --into net.npz -o new.npz", "affine1.W: expects shape"),
        ("import nothing.safetensors --into net.npz -o new.npz", "nothing.safetensors"),
        ("import net.npz --into net.npz -o new.yaml", "expects a file that ends in .npz"),
        ("import net.npz --into net.npz -o new.npz --name a", "--name a: expects MODULE=LAYER"),
        ("import net.npz --into net.npz -o new.npz --name a=b --name a=c", "named twice"),
        ("import net.npz --into net.npz -o new.npz --name a=b", "names= are for"),
        ("import net.npz -o new.npz", "--into CONFIG|RUN|NET is needed"),
        (
            "import net.npz --into net.npz --gives a -o new.npz",
            "are for a whole net, of ONNX or",
        ),
        ("import cut.onnx -o new.npz", "cut.onnx: is no ONNX file"),
        ("import nothing.onnx -o new.npz", "nothing.onnx"),
        ("import cut.onnx -o new.pb", "expects a file that ends in .npz or .yaml"),
        ("import cut.onnx -o new.yaml", "--like CONFIG and -o FILE.yaml belong together"),
        ("import cut.onnx --into net.npz -o new.npz", "are for weights"),
        ("import cut.onnx --shape 3 -o new.npz", "--shape 3: expects INPUT=SIZES"),
        ("import net.onnx --like digits_relu -o new.yaml", "expects (..., 4)"),
    ],
)
@pytest.mark.needs_onnxruntime
def test_what_is_refused_is_one_line_and_nothing_is_written(here, capsys, arguments, words):
    net = some_nets.two_layers()
    net.save("net.npz")
    (here / "cut.npz").write_bytes((here / "net.npz").read_bytes()[:300])
    (here / "cut.onnx").write_bytes(b"\x10\0\0")
    export_onnx("net.onnx", net, np.zeros((2, 4), np.float32))
    (here / "cut.safetensors").write_bytes(b"\x10\0\0")
    wrong = {n: np.zeros((2, 2), np.float32) for n in net.state()}
    write_safetensors("other.safetensors", wrong)
    before = sorted(here.iterdir())
    assert main(arguments.split()) == 2
    assert words in one_line(capsys)
    assert sorted(here.iterdir()) == before


@pytest.mark.needs_onnxruntime
def test_a_run_with_two_inputs_of_words_as_onnx(here, capsys):
    import onnxruntime

    config = load_config(Path(__file__).parents[2] / "configs" / "dates_attention.yaml")
    for setting in (
        "dataset.n_train=60",
        "dataset.n_test=20",
        "training.batch_size=10",
        "training.iterations=1",
    ):
        config.set(setting)
    run(config, "dates", here / "dates", quiet=True)
    capsys.readouterr()
    assert main(["export", "dates", "-o", "dates.onnx"]) == 0
    net, dataset = load_run(here / "dates")
    parts, _ = dataset.test[:5]
    session = onnxruntime.InferenceSession(here / "dates.onnx")
    given = {
        i.name: part.astype(np.int64) for i, part in zip(session.get_inputs(), parts, strict=True)
    }
    (scores,) = session.run(None, given)
    np.testing.assert_allclose(scores, net.predict(parts), rtol=1e-4, atol=1e-5)


@pytest.mark.needs_onnxruntime
@pytest.mark.parametrize("standardise", [True, False])
def test_what_was_done_to_a_table_is_not_in_the_file_and_is_said(standardise, here, capsys):
    rows = "".join(f"{i % 7 + 5},{'red' if i % 2 else 'blue'},{i % 3}\n" for i in range(60))
    Path("t.csv").write_text("x,colour,kind\n" + rows)
    Path("t.yaml").write_text(
        f"dataset: {{type: CSV, path: t.csv, standardise: {str(standardise).lower()}}}\n"
        "net: {type: Sequential, layers: {a: {type: Affine, n_out: 3}}, "
        "loss: {type: SoftmaxWithLoss}}\n"
        "optimizer: {type: SGD, lr: 0.1}\ntraining: {iterations: 2, batch_size: 5}\n"
    )
    run(load_config("t.yaml"), "t", here / "run", quiet=True)
    capsys.readouterr()
    assert main(["export", "run", "-o", "t.onnx"]) == 0
    done = "scaled and one-hot" if standardise else "one-hot"
    assert f"the net takes columns that are {done}, as" in one_line(capsys)
