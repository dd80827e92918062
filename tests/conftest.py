"""What the tests share: a small data set, trainers from a text, a browser; when tests may skip."""

import gc
import importlib.util
import os
import shutil
import textwrap
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

if "PYTEST_XDIST_WORKER" in os.environ:
    # One process for each core: threads on top of that would wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    threadpool_limits(1)

from lamina import datasets
from lamina.datasets import Classification, Dataset, PennTreebank, Samples
from lamina.experiment.build_trainer import build_trainer
from lamina.experiment.config import load_config
from lamina.experiment.plots import plot_curves

REASONS = {
    "needs_mnist": "no MNIST files: set LAMINA_DATA, or run "
    'python -c "from lamina.datasets import load_mnist; load_mnist()"',
    "needs_torch": "no PyTorch: pip install torch",
    "needs_jax": "no JAX: pip install -e '.[peers]'",
    "needs_autograd": "no autograd: pip install -e '.[peers]'",
    "needs_sklearn": "no scikit-learn: pip install -e '.[peers]'",
    "needs_safetensors": "no safetensors: pip install -e '.[peers]'",
    "needs_keras": "no Keras: pip install -e '.[peers]'",
    "needs_onnxruntime": "no onnx and onnxruntime: pip install -e '.[peers]'",
    "needs_opencv": "no OpenCV 4: pip install -e '.[peers]'",
    "needs_lmdb": "no lmdb: pip install -e '.[peers]'",
    "needs_protobuf": "no protobuf: pip install -e '.[peers]'",
    "needs_browser": "no Playwright: pip install -e '.[browser]'",
    "needs_mpi": "no mpi4py: pip install -e '.[test]'",
}
# The others are called as in their markers.
MODULES = {"needs_browser": "playwright", "needs_mpi": "mpi4py"}
MODULES |= {"needs_opencv": "cv2", "needs_protobuf": "google", "needs_lmdb": "lmdb"}


def _there(marker: str) -> bool:
    if marker != "needs_mnist":
        module = MODULES.get(marker, marker.removeprefix("needs_"))
        return importlib.util.find_spec(module) is not None
    home = os.environ.get("LAMINA_DATA") or Path.home() / ".cache" / "lamina"
    return (Path(home) / "mnist" / "train-images-idx3-ubyte.gz").exists()


# What these files import takes long, and longer where nothing is compiled yet: one process does it.
TOGETHER = {"test_beside_peers": "jax", "test_scipy_special": "jax", "test_trackers": "trackers"}
TOGETHER |= dict.fromkeys(("test_keras", "test_keras_hdf5", "test_keras_onnx"), "keras")
TOGETHER |= dict.fromkeys(("test_search", "test_sweep_picture"), "optuna")


def pytest_collection_finish():
    """What is there by now stays: the collector of garbage need not go through it every time."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """The cases of a test in one process, and the files of TOGETHER; unless --dist says otherwise.

    (With each case by itself the scheduler spends a minute on counting what is left.)
    """
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return TOGETHER.get(Path(nodeid.split("::")[0]).stem, nodeid.split("[")[0])

    return Together(config, log) if config.getvalue("dist") == "load" else None


@pytest.hookimpl(tryfirst=True)  # before those that are marked slow are left out
def pytest_collection_modifyitems(items):
    seen: Counter[str] = Counter()  # from anywhere on, or all tests leave out the same cases
    for item in items:
        if (often := item.get_closest_marker("often")) and not item.get_closest_marker("slow"):
            test = item.nodeid.partition("[")[0]
            if (seen[test] + zlib.crc32(test.encode())) % often.args[0]:
                item.add_marker("slow")
            seen[test] += 1
    missing = {marker: reason for marker, reason in REASONS.items() if not _there(marker)}
    for item in items if missing else ():
        for marker in missing.keys() & {marker.name for marker in item.iter_markers()}:
            item.add_marker(pytest.mark.skip(reason=missing[marker]))


FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SENTENCES = "the <unk> of N years \n no it was n't black monday \n consumers may want to move \n"


@pytest.fixture(autouse=True, scope="session")
def a_small_treebank(tmp_path_factory):
    """Nothing is downloaded: three small files in the form of Penn Treebank stand for it."""
    folder = tmp_path_factory.mktemp("penn_treebank")
    for part, times in (("train", 80), ("valid", 10), ("test", 10)):
        (folder / f"ptb.{part}.txt").write_text(f" {SENTENCES}" * times)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PennTreebank, "_path", lambda self, name: folder / name)
        yield


@pytest.fixture(autouse=True, scope="session")
def _no_curves():
    """At the end of runs, in this process and in those that it starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lamina.experiment.run.plot_curves", lambda *_, **__: None)
        patch.setenv("PYTHONPATH", str(Path(__file__).parent / "started"), os.pathsep)
        yield


@pytest.fixture
def curves(monkeypatch):
    """Runs of this test draw their curves."""
    monkeypatch.setattr("lamina.experiment.run.plot_curves", plot_curves)
    monkeypatch.setenv("LAMINA_TESTS_DRAW_CURVES", "1")


class Tiny(Dataset):
    """30 points in three classes, in memory; as images (1, 2, 2) if asked for."""

    def __init__(self, images: bool = False, validation: bool = True):
        rng = np.random.default_rng(0)
        t = np.arange(30) % 3
        X = (rng.standard_normal((30, 4)) + 3 * np.eye(4)[t]).astype(np.float32)
        samples = Samples(X.reshape(30, 1, 2, 2) if images else X, t)
        super().__init__(
            samples, samples, Classification(range(3)), samples if validation else None
        )


@pytest.fixture
def tiny(monkeypatch):
    """{type: Tiny} in configurations."""
    monkeypatch.setattr(datasets, "Tiny", Tiny, raising=False)
    monkeypatch.setattr(datasets, "__all__", [*datasets.__all__, "Tiny"])
    return Tiny


@pytest.fixture(scope="session")
def points_table():
    """points_table(path, n, end="") writes a CSV file of n points x, y of the kinds b, where x > y,
    and a; `end` stands behind each kind and the first name."""

    def write(path, n, end=""):
        points = np.random.default_rng(0).random((n, 2))
        rows = [f"{x:.3f},{y:.3f},{'ab'[int(x > y)]}{end}" for x, y in points]
        path.write_text("\n".join([f"x{end},y,kind", *rows]) + "\n", encoding="utf-8")

    return write


@pytest.fixture
def config_of(tmp_path):
    """A configuration from its text."""

    def from_text(text):
        path = tmp_path / "c.yaml"
        path.write_text(textwrap.dedent(text))
        return load_config(path)

    return from_text


@pytest.fixture
def build(config_of):
    """A trainer from the text of a configuration."""

    def from_text(text, **options):
        return build_trainer(config_of(text), quiet=True, **options)

    return from_text


@pytest.fixture
def drawn(monkeypatch):
    """The figures that are saved as pictures, to look at what stands in them."""
    from matplotlib.figure import Figure

    figures, savefig = [], Figure.savefig

    def kept(self, *arguments, **options):
        figures.append(self)
        return savefig(self, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", kept)
    return figures


@pytest.fixture
def faint(monkeypatch):
    """Pictures that nobody looks at: made as they are, and not drawn, which is most of their time.
    Where one is looked at, it is drawn."""
    from matplotlib.figure import Figure

    pixel = "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    pixel += "0000000a49444154789c63f80f0001010100b138f6140000000049454e44ae426082"

    def saved(self, file, **_):
        file.write(bytes.fromhex(pixel))

    monkeypatch.setattr(Figure, "savefig", saved)


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium, or a skip that says how to get it."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="pip install -e '.[browser]'")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("no Chromium: apt install chromium")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def opened_file(browser):
    """opened_file(path, **of the context) gives the page of an HTML file. At the end no page may
    have had an error, written to the console, or asked for anything but such a file."""
    pages, paths, asked, said = [], [], [], []

    def open_page(path, **context):
        page = browser.new_page(**context)
        pages.append(page)
        paths.append(path.as_uri())
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(path.as_uri())
        return page

    yield open_page
    for page in pages:
        page.close()
    assert said == []
    assert {url for url in asked if not url.startswith("data:")} <= {*paths}
