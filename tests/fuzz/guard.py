"""What every fuzz target asserts, and how atheris is started on it.

    pip install -e '.[fuzz]'
    python tests/fuzz/fuzz_idx.py -runs=400000

Each target is a function of bytes, `one_input`, with `seeds`, whole files to start from. It runs
without atheris too: tests/fuzz/test_targets.py does so.
"""

import atexit
import contextlib
import shutil
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

SECONDS = 5.0  # the most that one input may take
SLACK = 3 << 20  # bytes: what is read in pieces of 1 MiB is held by the file, the piece, the array
_MEMORY = "/dev/shm"  # a folder in memory, on Linux
_FOLDER = Path(tempfile.mkdtemp(dir=_MEMORY if Path(_MEMORY).is_dir() else None))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)


def file(name: str, content: bytes) -> Path:
    """A file with this content, the same at each call: inputs come by the hundred thousand."""
    path = _FOLDER / name
    path.write_bytes(content)
    return path


def check(read, path: Path, errors: tuple[type, ...], most: int, measured: bool = True):
    """What read(path) gives, or None if it raises one of `errors`, of that very type and on one
    line that begins with a path. `most`: bytes that may be taken meanwhile, where `measured`,
    which takes time."""
    traced = tracemalloc.is_tracing()
    if measured and not traced:
        tracemalloc.start()
    if measured:
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
    started = time.perf_counter()
    result, raised = None, None
    try:
        result = read(path)
    except errors as error:
        raised = error
    if raised is not None:
        text = str(raised)
        assert type(raised) in errors, f"{type(raised)}: {text}"
        assert text.startswith(str(path.parent)), f"does not name the file: {text}"
        assert text.isprintable(), f"no clear line: {text!r}"
        assert len(text) < 20_000, f"no clear line: {text}"
    seconds = time.perf_counter() - started
    assert seconds < SECONDS, f"{seconds:.1f} s"
    if measured:
        peak = tracemalloc.get_traced_memory()[1] - before
        if not traced:
            tracemalloc.stop()
        assert peak <= most, f"{peak} bytes, {most} at most"
    return result


def instrumented(*packages: str):
    """Imports of these rooms and of the standard library within the block are watched by atheris,
    if this is its process."""
    if "pytest" in sys.modules:
        return contextlib.nullcontext()
    import atheris

    known = sys.stdlib_module_names
    names = [name if name in known else f"lamina.{name}" for name in packages]
    return atheris.instrument_imports(include=names)


def fuzz(one_input, seeds: list[bytes], *settings: str, traced: bool = True) -> None:
    """Run atheris with the arguments of the command line (those of libFuzzer), before which stand
    these `settings`. `traced`: memory is measured for most inputs, so that tracing need not begin
    and end each time."""
    import atheris

    if traced:
        tracemalloc.start()
    with tempfile.TemporaryDirectory() as corpus:
        for i, seed in enumerate(seeds):
            (Path(corpus) / f"seed{i}").write_bytes(seed)
        limits = [f"-timeout={SECONDS:.0f}", "-max_len=4096", "-rss_limit_mb=4096"]
        atheris.Setup([sys.argv[0], *limits, *settings, *sys.argv[1:], corpus], one_input)
        atheris.Fuzz()
