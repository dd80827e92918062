"""What trackers leave in other programs' logs, read back by these: the rows of history.csv."""

import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from lamina.common.table import read_table
from lamina.experiment.config import ConfigError, load_config
from lamina.experiment.run import resume, run
from lamina.experiment.sweep import sweep
from lamina.experiment.verify import verify
from lamina.training.callbacks import Tracker
from lamina.training.trainer import Trainer

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
dataset: {type: DrawnDigits, n_train: 200, n_validation: 50, n_test: 50}
net:
  type: Sequential
  layers: {"a<b>": {type: Affine, n_out: 10}}
  loss: {type: SoftmaxWithLoss}
optimizer: {type: SGD, lr: 0.1}
training:
  {iterations: 48, batch_size: 20, evaluate_every: 5, threads: 1, checkpoint: {every: 20},
   callbacks: [TensorBoard, MLflow, WeightsAndBiases, kill.py:Kill]}
"""
KILL = """
import os
from lamina.training.callbacks import Callback

class Kill(Callback):
    def stepped(self, trainer, loss):
        if trainer.iteration == 37 and not os.path.exists("killed"):
            open("killed", "w").close()
            os._exit(9)  # nothing is closed or written any more, on Windows too
"""


class Proxy(threading.Thread):
    """Stands where the network would be, answers nobody, and notes what was asked for."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket, self.asked = socket.create_server(("127.0.0.1", 0)), []
        self.address = f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def run(self):
        while True:
            with self.socket.accept()[0] as knock, contextlib.suppress(OSError):
                knock.settimeout(10)
                self.asked.append(knock.recv(200))


@pytest.fixture(scope="module", autouse=True)
def _ends_as_before():
    """wandb puts its own function in the place of sys.exit, for all that this process tests."""
    ends, hook = sys.exit, sys.excepthook
    yield
    sys.exit, sys.excepthook = ends, hook


@pytest.fixture(scope="module")
def tracked(tmp_path_factory):
    """The directory of a run that was killed behind its checkpoint, taken up to its end at 48, and
    then trained on to 70; its history.csv at 48 and at 70; and what was asked of the network."""
    for module in ("tensorboardX", "mlflow", "wandb", "tensorboard"):
        pytest.importorskip(module, reason="no trackers: pip install -e '.[peers]'")
    folder, proxy = tmp_path_factory.mktemp("tracked"), Proxy()
    proxy.start()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            patch.setenv(name, proxy.address)
            patch.setenv(name.upper(), proxy.address)
        patch.chdir(folder)
        patch.setenv("PYTHONPATH", str(ROOT))
        (folder / "kill.py").write_text(KILL)
        (folder / "c.yaml").write_text(CONFIG)
        command = [sys.executable, "-m", "lamina", "train", "--config", "c.yaml", "--quiet"]
        done = subprocess.run([*command, "--run-dir", "runs/a"], capture_output=True, check=False)
        assert done.returncode == 9, done.stderr
        assert not done.stderr
        run_dir, config = folder / "runs/a", load_config("c.yaml")
        resume(config, run_dir, quiet=True)
        first = read_table(run_dir / "history.csv")
        config.set("training.iterations=70")
        resume(config, run_dir, quiet=True)
        assert verify(config, run_dir, quiet=True)[1] == 0  # and that is no news
    assert first["iteration"].tolist() == [*range(5, 50, 5), 48]
    assert [path.name for path in folder.glob("**/.*")] == [".mlflow.db.lock"]
    return run_dir, first, read_table(run_dir / "history.csv"), proxy.asked


@pytest.mark.slow  # TensorBoard's own reader takes twenty seconds to import
def test_tensorboard_reads_the_rows_of_history(tracked):
    run_dir, _, history, _ = tracked
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(run_dir / "tensorboard"), purge_orphaned_data=False)
    read.Reload()
    assert set(read.Tags()["scalars"]) == history.keys() - {"iteration"}
    for name in read.Tags()["scalars"]:
        events = read.Scalars(name)
        assert [event.step for event in events] == history["iteration"].tolist()
        values = np.array([event.value for event in events], np.float32)
        np.testing.assert_array_max_ulp(values, history[name].astype(np.float32), 1)
    first, longer = read.Tensors("configuration/text_summary")
    assert (first.step, longer.step) == (0, 45)  # the evaluation at 48 is cut off
    assert b"a<b>:" in first.tensor_proto.string_val[0]
    assert b"iterations: 48" in first.tensor_proto.string_val[0]
    assert b"iterations: 70" in longer.tensor_proto.string_val[0]
    assert len(list((run_dir / "tensorboard").iterdir())) == 3


def with_the_end(first, history):
    """What a log that takes nothing back has: the end at 48 too, which the table has cut off."""
    row = {name: column[-1:] for name, column in first.items()}
    return {
        name: np.concatenate([column[:9], row[name], column[9:]])
        for name, column in history.items()
    }


@pytest.mark.filterwarnings("ignore")  # MLflow's own, about SQLAlchemy
def test_mlflow_reads_the_rows_of_history(tracked):
    run_dir, first, history, _ = tracked
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{run_dir.parent / 'mlflow.db'}")
    (found,) = client.search_runs([client.get_experiment_by_name("runs").experiment_id])
    assert found.info.run_name == "a"
    assert found.info.status == "FINISHED"
    assert found.data.params["optimizer.lr"] == "0.1"
    assert found.data.params["net.layers.a_b_.type"] == "Affine"
    assert found.data.params["training.iterations"] == "48"  # as it began; MLflow changes none
    changed = {name: v for name, v in found.data.tags.items() if not name.startswith("mlflow.")}
    assert changed == {"training.iterations": "70"}
    wanted = with_the_end(first, history)
    assert found.data.metrics.keys() == wanted.keys() - {"iteration"}
    for name in found.data.metrics:
        metrics = client.get_metric_history(found.info.run_id, name)
        assert [metric.step for metric in metrics] == wanted["iteration"].tolist()
        assert [float(f"{metric.value:.9g}") for metric in metrics] == wanted[name].tolist()


def test_weights_and_biases_has_the_rows_of_history(tracked):
    run_dir, first, history, _ = tracked
    from wandb.proto.wandb_internal_pb2 import Record

    rows, runs, settings = [], set(), {}
    for path in sorted((run_dir / "wandb").glob("offline-run-*/*.wandb"), key=os.path.getmtime):
        for record in map(Record.FromString, records(path.read_bytes())):
            items = {i.nested_key[0]: json.loads(i.value_json) for i in record.history.item}
            rows += [items] if items else []
            if record.HasField("run"):
                runs.add(record.run.run_id)
                settings |= {u.key: json.loads(u.value_json) for u in record.run.config.update}
    assert len(runs) == 1
    assert settings["optimizer"] == {"type": "SGD", "lr": 0.1}
    wanted = with_the_end(first, history)
    for name in wanted:
        assert [float(f"{row[name]:.9g}") for row in rows] == wanted[name].tolist()


def records(content):
    """What a log of LevelDB's form has: blocks of 32 KB, of pieces with a sum, a length, a kind."""
    at, found = 7, b""  # behind W&B's header
    while at + 7 <= len(content):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
        _, length, kind = struct.unpack_from("<IHB", content, at)
        found += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last piece
            yield found
            found = b""


@pytest.mark.slow
def test_runs_side_by_side_share_a_store(mine):
    """Each would make its tables."""
    pytest.importorskip("mlflow", reason="no trackers: pip install -e '.[peers]'")
    Path("s.yaml").write_text(
        "base: c.yaml\nset: {training.callbacks: [MLflow], training.iterations: 10}\nseeds: 0-1\n"
    )
    sweep("s.yaml", "out", jobs=2, quiet=True)
    for seed in (0, 1):
        kept = json.loads(Path(f"out/seed={seed}/trackers.json").read_text())
        assert kept["MLflow0"]["logged"] == 10


def test_a_store_in_no_folder_is_said(mine, capsys):
    pytest.importorskip("mlflow", reason="no trackers: pip install -e '.[peers]'")
    mine.set("training.callbacks=[{type: MLflow, store: nowhere/m.db}]")
    run(mine, "c", "r", quiet=True)
    assert "nowhere/m.db: there is no folder " in capsys.readouterr().err


def test_nothing_has_gone_to_the_network(tracked):
    """But what onnxruntime reports of itself, where another test of this process has loaded it."""
    assert [asked for asked in tracked[-1] if b"events.data.microsoft.com" not in asked] == []


MINE = """
from lamina.training.callbacks import Tracker

class Mine(Tracker):
    def __init__(self, breaks: str = ""):
        self.breaks = breaks

    def begin(self, configuration):
        if self.breaks == "begin":
            raise OSError(28, "No space left on device", "store")
        self.rate = configuration["optimizer"]["lr"]

    def log(self, row):
        if self.breaks == "log" and row["iteration"] == 20:
            raise KeyError("no such\\nstore")
        with open("log.txt", "a") as file:
            print(row["iteration"], self.rate, file=file)

    def end(self, how):
        with open("log.txt", "a") as file:
            print(how, file=file)
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """The configuration with a tracker of one's own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "c.yaml").write_text(CONFIG)
    config = load_config("c.yaml")
    config.set("training={iterations: 30, batch_size: 20, evaluate_every: 10, threads: 1}")
    config.set("training.checkpoint={every: 15}")
    config.set("training.callbacks=[mine.py:Mine]")
    return config


def logged():
    return Path("log.txt").read_text().splitlines()


def test_a_run_that_goes_on_repeats_no_row(mine):
    class Stop(Tracker):
        def log(self, row):
            pass

        def stepped(self, trainer, loss):
            if trainer.iteration == 25:
                raise FloatingPointError

    with pytest.raises(FloatingPointError):
        run(mine, "c", "r", quiet=True, callbacks=(Stop(),))
    assert logged() == ["10 0.1", "20 0.1", "failed"]
    resume(mine, "r", quiet=True)  # from 15
    assert logged() == ["10 0.1", "20 0.1", "failed", "30 0.1", "finished"]
    assert json.loads(Path("r/trackers.json").read_text())["Mine0"] == {"logged": 30}


@pytest.mark.parametrize(
    ("breaks", "said"),
    [
        ("begin", "Mine: [Errno 28] No space left on device: 'store'; nothing is logged, "),
        ("log", r"Mine: KeyError: 'no such\nstore'; nothing is logged from iteration 20 on, "),
    ],
)
def test_a_tracker_that_fails_says_so_in_a_line_and_the_training_goes_on(
    mine, capsys, breaks, said
):
    mine.set(f"training.callbacks=[{{type: mine.py:Mine, breaks: {breaks}}}]")
    _, status = run(mine, "c", "r", quiet=True)
    assert status == 0
    assert capsys.readouterr().err == f"{said}the training goes on\n"
    assert read_table("r/history.csv")["iteration"].tolist() == [10, 20, 30]
    if breaks == "log":
        assert logged() == ["10 0.1"]


def test_two_of_one_kind_know_of_themselves(mine):
    mine.set("training.callbacks=[mine.py:Mine, {type: mine.py:Mine, breaks: log}]")
    run(mine, "c", "r", quiet=True)
    kept = json.loads(Path("r/trackers.json").read_text())
    assert kept == {"Mine0": {"logged": 30}, "Mine1": {"logged": 10}}


def test_a_damaged_memory_is_said(mine, capsys):
    run(mine, "c", "r", quiet=True)
    Path("r/trackers.json").write_text("{")
    mine.set("training.iterations=40")
    resume(mine, "r", quiet=True)
    err = capsys.readouterr().err
    assert "trackers.json: is damaged; without it the logs of this run begin anew" in err


@pytest.mark.parametrize(
    ("name", "library", "extra"),
    [
        ("TensorBoard", "tensorboardX", "tensorboard"),
        ("MLflow", "mlflow", "mlflow"),
        ("WeightsAndBiases", "wandb", "wandb"),
    ],
)
def test_a_library_that_is_missing_is_said_with_its_extra(mine, monkeypatch, name, library, extra):
    monkeypatch.setattr("importlib.util.find_spec", lambda module: None)
    mine.set(f"training.callbacks=[{name}]")
    with pytest.raises(ConfigError) as error:
        run(mine, "c", "r", quiet=True)
    said = (
        f"training.callbacks.0: {name} needs the library {library}: pip install 'lamina[{extra}]'"
    )
    assert said in str(error.value)
    assert not Path("r").exists()


def test_a_mode_that_is_none(mine):
    mine.set("training.callbacks=[{type: WeightsAndBiases, mode: onlin}]")
    with pytest.raises(ConfigError, match="mode: expects one of offline, online, got onlin"):
        run(mine, "c", "r", quiet=True)


def test_a_run_without_a_directory_has_no_log(mine):
    from lamina.experiment.build_trainer import build_trainer

    trainer = build_trainer(mine, quiet=True)
    assert isinstance(trainer, Trainer)
    trainer.callbacks = [type("Own", (Tracker,), {})()]
    with pytest.raises(ValueError, match="Own: needs a run to have a directory; give it a run_dir"):
        trainer.run()


def test_the_base_of_trackers_is_no_tracker(mine):
    mine.set("training.callbacks=[Tracker]")
    with pytest.raises(ConfigError, match="unknown type Tracker"):
        run(mine, "c", "r", quiet=True)


def test_a_log_that_a_crash_has_cut_in_a_record_goes_on(mine):
    pytest.importorskip("tensorboardX", reason="no trackers: pip install -e '.[peers]'")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    mine.set("training.callbacks=[TensorBoard]")
    run(mine, "c", "r", quiet=True)
    (path,) = Path("r/tensorboard").iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    mine.set("training.iterations=40")
    resume(mine, "r", quiet=True)
    assert whole.startswith(path.read_bytes())
    assert len(path.read_bytes()) < len(whole) - 5  # back to the end of a record
    read = EventAccumulator("r/tensorboard")
    read.Reload()
    steps = [event.step for event in read.Scalars("test_loss")]
    assert steps == read_table("r/history.csv")["iteration"].tolist()


def test_a_tracker_that_comes_later_logs_all(mine):
    mine.set("training.callbacks=[]")
    run(mine, "c", "r", quiet=True)
    mine.set("training={iterations: 40, batch_size: 20, evaluate_every: 10, threads: 1}")
    mine.set("training.callbacks=[mine.py:Mine]")
    resume(mine, "r", quiet=True)
    assert logged() == ["10 0.1", "20 0.1", "30 0.1", "40 0.1", "finished"]


@pytest.mark.parametrize(
    ("name", "folder"), [("TensorBoard", "tensorboard"), ("WeightsAndBiases", "wandb")]
)
def test_a_link_in_a_run_leads_no_log_elsewhere(mine, capsys, name, folder):
    pytest.importorskip({"tensorboard": "tensorboardX"}.get(folder, folder))
    run(mine, "c", "r", quiet=True)
    Path("other").mkdir()
    Path("r", folder).symlink_to("../other")
    mine.set(f"training.callbacks=[{name}]")
    mine.set("training.iterations=40")
    resume(mine, "r", quiet=True)
    assert f"{name}: r/{folder}: is a link; a log lies in its run" in capsys.readouterr().err
    assert not list(Path("other").iterdir())


def test_an_event_file_that_is_a_link_is_not_cut(mine, capsys):
    pytest.importorskip("tensorboardX")
    mine.set("training.callbacks=[TensorBoard]")
    for name in ("other", "r"):
        run(mine, "c", name, quiet=True)
    (events,) = Path("other/tensorboard").iterdir()
    before = events.read_bytes()
    Path("r/tensorboard/events.out.tfevents.0").symlink_to(events.resolve())
    mine.set("training.iterations=40")
    resume(mine, "r", quiet=True)
    assert "events.out.tfevents.0: is a link" in capsys.readouterr().err
    assert events.read_bytes() == before


def test_a_name_in_a_damaged_memory_deletes_nothing(mine):
    pytest.importorskip("wandb")
    run(mine, "c", "r", quiet=True)
    kept = {"logged": 30, "whole": 30, "run": "abc", "open": "wandb/.."}
    Path("r/trackers.json").write_text(json.dumps({"WeightsAndBiases0": kept}))
    mine.set("training.callbacks=[WeightsAndBiases]")
    mine.set("training.iterations=40")
    resume(mine, "r", quiet=True)
    assert read_table("r/history.csv")["iteration"].tolist() == [10, 20, 30, 40]
    assert json.loads(Path("r/trackers.json").read_text())["WeightsAndBiases0"]["logged"] == 40
