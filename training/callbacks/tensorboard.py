"""A run in TensorBoard: event files in its directory, by tensorboardX."""

import os
import struct
import time
from pathlib import Path

from lamina.common.extras import require
from lamina.common.files import no_link
from lamina.common.strict_yaml import dump
from lamina.training.callbacks.tracker import Tracker, own_folder


class TensorBoard(Tracker):
    """The columns of history.csv as scalars, and the configuration as a text, in RUN/tensorboard:

        tensorboard --logdir runs

    A run that goes on cuts off what its log has beyond the checkpoint, as its tables do, and goes
    on in a further file, which begins with the configuration, if that has changed since. Values are
    float32, as TensorBoard reads them. Needs the extra `tensorboard`.
    """

    def __init__(self):
        require("tensorboardX", "tensorboard", "TensorBoard")

    def started(self, trainer) -> None:
        self._reached = trainer.history.evaluated
        super().started(trainer)

    def begin(self, configuration: dict) -> None:
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.summary import scalar, text

        self._Event, self._scalar = Event, scalar
        folder = own_folder(self.folder, "tensorboard")
        old = sorted(folder.glob("events.out.tfevents.*"))
        self.kept["logged"] = max((_cut(path, self._reached, Event) for path in old), default=0)
        # Names sort as the files follow each other, also where two begin in one second.
        self._writer = EventsWriter(str(folder / "events"), f".{os.getpid()}.{len(old):06d}")
        written = dump(configuration)
        if not old or self.kept.get("configuration", written) != written:
            lines = "\n".join(f"    {line}" for line in written.splitlines())
            self._write(self.kept["logged"], [text("configuration", lines)])
        self.kept["configuration"] = written

    def log(self, row: dict[str, float]) -> None:
        figures = {name: value for name, value in row.items() if name != "iteration"}
        self._write(int(row["iteration"]), [self._scalar(n, float(v)) for n, v in figures.items()])

    def end(self, how: str) -> None:
        self._writer.close()

    def _write(self, step: int, summaries: list) -> None:
        """One event with all of them, on the disk when this returns."""
        event = self._Event(step=step, wall_time=time.time())
        for summary in summaries:
            event.summary.MergeFrom(summary)
        self._writer.write_event(event)
        self._writer.flush()


def _cut(path: Path, reached: int, Event) -> int:
    """Cut an event file off before its first event of a step beyond `reached`, or where a crash has
    left it in the middle of one; returns the last step that it has. A record is a length (8 bytes)
    and its sum (4), an event and its sum (4)."""
    with open(no_link(path, os.O_RDWR), "r+b") as file:
        content, at, last = file.read(), 0, 0
        while at + 12 <= len(content):
            (length,) = struct.unpack_from("<Q", content, at)
            if at + 16 + length > len(content):
                break
            step = Event.FromString(content[at + 12 : at + 12 + length]).step
            if step > reached:
                break
            at, last = at + 16 + length, step
        file.truncate(at)
    if not at:
        path.unlink()
    return last
