"""Types as a user's checker sees them: the examples of the documents are clean, mistakes are seen.

All of the house is looked at by .ci/check_types.py without arguments.
"""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("extending", "writing-a-layer")
MISTAKE = """
import numpy as np

from lamina.layers import Affine, Layer, Param


class Both(Layer):
    def forward(self, X, Z, mask=None):
        return X + Z

    def backward(self, dout, *, scale: float = 1.0):
        return dout, dout


def mistakes() -> None:
    Affine("four", 2, rng=0)
    Affine(4, 2, rng=0).set_training()
    Affine(4, 2, rng=0).paramters()
"""


def checked(folder: Path) -> subprocess.CompletedProcess:
    files = sorted(map(str, folder.glob("*.py")))
    command = [sys.executable, ROOT / ".ci" / "check_types.py", *files]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def examples(tmp_path) -> Path:
    """The files of the pages, each under the name in its first line, or one made up for it."""
    for page in PAGES:
        text = (ROOT / f"docs/{page}.md").read_text(encoding="utf-8")
        blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        for i, source in enumerate(b for b in blocks if b[0] != " "):  # those are parts
            named = re.match(r"# (\w+)\.py\n", source)
            name = named[1] if named else f"{page.replace('-', '_')}_{i}"
            (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    return tmp_path


@pytest.mark.slow  # of a minute: see .ci/documents
def test_the_examples_of_the_documents_are_clean_and_mistakes_are_seen(examples):
    """In one run, since two at once would share a cache."""
    assert len(list(examples.glob("*.py"))) >= 12
    (examples / "mistake.py").write_text(MISTAKE, encoding="utf-8")
    done = checked(examples)
    first = MISTAKE.splitlines().index("def mistakes() -> None:") + 2
    seen = re.findall(r"(\w+\.py):(\d+)(?::\d+)?(?: -|:) error: ?", done.stdout)
    checkers = 1 + (importlib.util.find_spec("pyright") is not None)
    wanted = [("mistake.py", str(first + i)) for i in range(3)] * checkers
    assert seen == wanted, done.stdout + done.stderr
    assert done.returncode == 1
