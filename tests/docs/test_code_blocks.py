"""Every code block of every page: Python runs, YAML builds, command lines are there."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest
import yaml

from lamina.commands.frame import COMMANDS, main
from lamina.datasets import DrawnDigits
from lamina.exchange import caffe_functions, onnx_functions
from lamina.exchange.onnx_in_functions import OPERATORS
from lamina.experiment.build_trainer import build_trainer
from lamina.experiment.config import load_config
from lamina.experiment.find_config import find_config
from lamina.experiment.sweep_file import SweepFile

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
KOREAN = [page for page in PAGES if "ko" in page.parts or page.name.endswith(".ko.md")]
# Pages whose code is files that belong together: each has a test that makes and runs them all.
FILES_OF_A_PAGE = {
    "docs/extending.md": "extending",
    "docs/own-data.md": "own_data_page",
    "docs/writing-a-layer.md": "writing_a_layer",
}
# Where layers and operators of one's own are noted: those of a page are not for other tests.
REGISTERED = (OPERATORS, caffe_functions.FUNCTIONS, onnx_functions.FUNCTIONS)
FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, kind: str) -> list[str]:
    found = FENCE.findall(page.read_text(encoding="utf-8"))
    return [text for fence, text in found if fence == kind]


def pages_with(kind: str, pages=PAGES) -> list:
    return [pytest.param(page, id=name_of(page)) for page in pages if blocks(page, kind)]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_block_is_of_a_kind_that_is_tested(page):
    kinds = {kind for kind, _ in FENCE.findall(page.read_text(encoding="utf-8"))}
    assert kinds <= {"sh", "python", "yaml", "js", "", "{eval-rst}"}  # "": what a command says


# What the code of a page takes as given.
NET = """
import numpy as np
from collections import OrderedDict
from lamina.layers import Affine, Layer, Relu, SoftmaxWithLoss
from lamina.nets import Sequential
rng = np.random.default_rng(0)
x_test = rng.standard_normal((4, 20)).astype(np.float32)
layers = OrderedDict(affine1=Affine(20, 8, rng=rng), relu1=Relu(), affine2=Affine(8, 3, rng=rng))
net = Sequential(layers, loss=SoftmaxWithLoss())

class Scale(Layer):
    pass

class Softsign(Layer):
    def forward(self, X):
        return X / (1 + np.abs(X))
"""
TORCH = "import safetensors.torch, torch\nmodel = torch.nn.Linear(20, 8)\n"
KERAS = "import keras\nmodel = keras.Sequential([keras.Input((20,)), keras.layers.Dense(8)])\n"
ONNX_FILE = "from lamina.exchange import export_onnx\nexport_onnx('model.onnx', net, x_test)\n"
BEFORE = {
    "docs/exchange.md": {
        "": NET,
        "safetensors.torch.save_file": TORCH,
        "with Keras 3": KERAS,
        "import_onnx": ONNX_FILE,
    }
}
NEEDS = {
    "safetensors.torch": ("safetensors", "torch"),
    "Keras": ("keras",),
    "onnx": ("onnx", "onnxruntime"),
    "sklearn": ("sklearn",),
}


SHORTER = (("range(10_000)", "range(300)"), ("choice(60_000", "choice(2_000"))


def shorter(source: str) -> str:
    """The same for a few digits and a few steps."""
    for long, short in SHORTER:
        source = source.replace(long, short)
    return source


def few_digits(*, normalize, flatten, one_hot_label):
    data = DrawnDigits(n_train=2_000, n_test=500)
    return data.train[:], data.test[:]


def missing(source: str) -> list[str]:
    needed = [name for word, names in NEEDS.items() if word in source for name in names]
    return [name for name in needed if importlib.util.find_spec(name) is None]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.setattr("lamina.datasets.load_mnist", few_digits)
    before = [dict(table) for table in REGISTERED]
    yield tmp_path
    for table, entries in zip(REGISTERED, before, strict=True):
        table.clear()
        table.update(entries)


def is_own_test(page: Path) -> bool:
    return name_of(page) in FILES_OF_A_PAGE or page in KOREAN


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of Keras
@pytest.mark.parametrize("page", pages_with("python", [p for p in PAGES if not is_own_test(p)]))
def test_python_runs(page, here):
    """From top to bottom, in one namespace, as a reader would type it; MNIST is a few digits."""
    names: dict = {}
    before = BEFORE.get(name_of(page), {})
    exec(before.get("", ""), names)
    ran = 0
    for source in blocks(page, "python"):
        if missing(source):
            continue
        setup = "".join(code for word, code in before.items() if word and word in source)
        exec(compile(setup + shorter(source), name_of(page), "exec"), names)
        ran += 1
        layer = re.search(r"^class (\w+)\(Layer\)", source, re.MULTILINE)
        if layer:
            (here / "my_layers.py").write_text(source, encoding="utf-8")
            assert main(["check", f"my_layers.py:{layer[1]}"]) == 0
    assert ran or missing("".join(blocks(page, "python")))


def test_what_the_pages_claim_of_their_code(here):
    names: dict = {}
    (source,) = blocks(ROOT / "docs/python.md", "python")
    assert SHORTER[0][0] in source
    assert SHORTER[1][0] in source
    exec(compile(shorter(source), "python.md", "exec"), names)
    assert names["net"].accuracy(names["x_test"], names["t_test"]) > 0.8
    (source,) = blocks(ROOT / "docs/differentiation.md", "python")
    exec(compile(source, "differentiation.md", "exec"), names)
    f, two = names["f"], names["np"].array(2.0)
    assert names["grad"](f)(2.0) == pytest.approx(float(names["jvp"](f, two, two / 2)[1]))


@pytest.mark.parametrize("page", FILES_OF_A_PAGE)
def test_pages_of_files_have_a_test_of_their_own(page):
    test = ROOT / f"tests/test_{FILES_OF_A_PAGE[page]}.py"
    assert Path(page).name in test.read_text(encoding="utf-8")


def without_comments(block: str) -> str:
    return re.sub(r" *#.*", "", block)


@pytest.mark.parametrize("page", KOREAN, ids=name_of)
def test_korean_pages_have_the_code_of_the_english_ones(page):
    """Which is run there, so the two can only differ in what comments say."""
    english = [p for p in PAGES if p not in KOREAN]
    for kind in ("python", "yaml", "sh"):
        there = {without_comments(block) for p in english for block in blocks(p, kind)}
        assert {without_comments(block) for block in blocks(page, kind)} <= there


def whole(part: dict) -> dict:
    """A configuration that trains: what a part leaves out is that of one that is there, MNIST is a
    few digits."""
    like = {"Additions": "addition_seq2seq", "CSV": "own_csv"}
    named = like.get(part.get("dataset", {}).get("type"), "digits_relu")
    base = load_config(find_config(named)).data
    data = {**base, **part}
    if "loss" not in data["net"]:  # some layers
        data["net"] = {**base["net"], **part["net"]}
        data["net"]["layers"] = {**base["net"]["layers"], **part["net"]["layers"]}
    data["training"] = {**base["training"], **part.get("training", {})}
    if data["dataset"]["type"] == "MNIST":
        data["dataset"] = {"type": "DrawnDigits"}
    if data["dataset"]["type"] in ("DrawnDigits", "Additions"):
        data["dataset"] |= {"n_train": 300, "n_test": 100}
    if any("kernel" in layer for layer in data["net"]["layers"].values()):
        data["dataset"]["flatten"] = False
    return data


@pytest.mark.parametrize("page", pages_with("yaml", [p for p in PAGES if not is_own_test(p)]))
def test_yaml_builds(page, here):
    rows = "".join(f"{i % 7},{i % 5},{'abc'[i % 3]}\n" for i in range(90))
    (here / "my.csv").write_text("x,y,label\n" + rows, encoding="utf-8")
    for i, block in enumerate(blocks(page, "yaml")):
        data = yaml.safe_load(block)
        file = here / f"block{i}.yaml"
        if "base" in data:
            file.write_text(block, encoding="utf-8")
            if "ranges" not in data or importlib.util.find_spec("optuna"):
                assert SweepFile(file).trials
            continue
        trackers = {"TensorBoard": "tensorboardX", "MLflow": "mlflow", "Weights": "wandb"}
        if any(w in block and not importlib.util.find_spec(m) for w, m in trackers.items()):
            continue
        file.write_text(yaml.safe_dump(whole(data), sort_keys=False), encoding="utf-8")
        assert build_trainer(load_config(file)).net.parameters()


@pytest.mark.parametrize("page", pages_with("sh"))
def test_a_line_of_a_shell_block_is_a_command(page):
    """Of lamina (their options: tests/test_docs.py), or of a tool and a file that is there."""
    extras = set(re.findall(r"^(\w+) =$", (ROOT / "setup.cfg").read_text("utf-8"), re.MULTILINE))
    for line in "".join(blocks(page, "sh")).splitlines():
        for command in line.split(" && "):
            words = shlex.split(command)
            if words[0] == "mpiexec":
                words = words[3:]
            if words[:2] == ["pip", "install"]:
                asked = set(re.findall(r"\[([\w,]+)\]", command))
                assert {extra for listed in asked for extra in listed.split(",")} <= extras
            elif words[0] == "lamina":
                assert words[1] in COMMANDS
            elif words[0] == "python" and words[1] != "-m":
                assert (ROOT / words[1]).is_file()
            else:
                known = {"python", "ruff", ".", "git", "sphinx-build", "jupyter"}
                assert words[0] in known or (ROOT / words[0]).is_file()


@pytest.mark.needs_browser
def test_the_layer_in_javascript_is_that_in_python(browser):
    (source,) = blocks(ROOT / "docs/play.md", "js")
    given = "const LAYERS = {}, tensor = (shape, data) => ({ shape, data }); class Layer {}\n"
    asked = "const s = new LAYERS.Scale(); s.s = tensor([2], [2, 3]);"
    asked += "[s.forward(tensor([2], [5, 7])).data, s.backward(tensor([2], [1, -1]))[0].data]"
    page = browser.new_page()
    got = page.evaluate(f"(() => {{ {given}{source}\nreturn eval({asked!r}) }})()")
    page.close()
    assert got == [[10, 21], [2, -3]]
