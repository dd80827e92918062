"""A library of an extra that is not there is missed in the same words wherever it is needed."""

import subprocess
import sys

import pytest

from lamina.common.extras import missing, require

NEEDS = {
    "onnx": ("from lamina.exchange.onnx_in_file import library as f; f()", "ONNX", "onnx"),
    "h5py": (
        "from lamina.exchange.keras_hdf5 import open_keras as f; f('net.h5').__enter__()",
        "net.h5: a file of Keras",
        "keras",
    ),
    "PIL": ("from lamina.datasets.pictures import pillow as f; f()", "a picture", "images"),
    "lmdb": (
        "from pathlib import Path; from lamina.datasets.lmdb_rows import _Database as E; "
        "E(Path('mnist_lmdb'))",
        "mnist_lmdb:",
        "lmdb",
    ),
    "sklearn": ("import lamina.estimators", "lamina.estimators", "sklearn"),
}
NAMES = {"PIL": "Pillow", "sklearn": "scikit-learn"}


@pytest.mark.parametrize("module", NEEDS)
def test_a_missing_library_is_said_with_its_extra(module):
    code, who, extra = NEEDS[module]
    code = f"import sys; sys.modules[{module!r}] = None; {code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1
    assert last.endswith(f": {missing(NAMES.get(module, module), extra, who)}")


def test_words():
    require("math", "of-no-use")  # nothing to say
    with pytest.raises(ValueError, match=r"^needs the library nowhere: pip install 'lamina\[x\]'$"):
        require("nowhere", "x")
    with pytest.raises(ValueError, match=r"^MLflow needs the library nowhere: pip install"):
        require("nowhere", "x", "MLflow")
