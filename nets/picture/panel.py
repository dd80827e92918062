"""Boxes and arrows of a segment, laid out: its rows, and ways for its arrows that cross no box.

An arrow runs down the lane of a box, or level between two rows and down a channel beside a lane;
then it comes in from above, or from the side.
"""

import dataclasses
import itertools

from lamina.nets.picture.box import Style, drawn, labels, ports
from lamina.nets.picture.lanes import lanes_of, rows_of
from lamina.nets.picture.pieces import OUTSIDE, Segment
from lamina.nets.picture.shapes import Dot, Line, length_of, rest_of

TRACK = 9.0  # between lines that run side by side
CHANNEL = 22.0  # between lanes, at least
ARROW = 7.0  # above a box that an arrow enters from above
AWAY = -2  # where an arrow leads that leaves the segment
STUB = 14.0  # of an arrow that leads out of the net


@dataclasses.dataclass
class Panel:
    """Shapes around the line x = 0, on which the main path lies; y runs from 0 to `height`. A line
    comes in at the top, and goes on at the bottom at x = `gives`, None at the end of the net."""

    shapes: list
    left: float
    right: float
    height: float
    gives: float | None


@dataclasses.dataclass
class _Edge:
    """An arrow from an output to a box, or AWAY."""

    source: int
    output: int
    target: int
    straight: bool = False  # all the way down
    channel: int | None = None  # beside which lane it runs down; None for a lane's middle
    side: int = 0  # 0: comes in from above, 1: from the right, -1: from the left
    track: int = 0

    @property
    def blob(self) -> tuple[int, int]:
        return self.source, self.output


def panel(segment: Segment, style: Style, entry: float = 0.0) -> Panel:
    """The segment, the line into it coming in at x = `entry`."""
    return _Segment(segment, style, entry).panel()


class _Segment:
    def __init__(self, segment: Segment, style: Style, entry: float):
        self.boxes, self.style, self.entry = segment.boxes, style, entry
        self.rows = rows_of(segment)
        self.lanes = lanes_of(segment, self.rows)
        self.n_rows, self.n_lanes = max(self.rows) + 1, max(self.lanes) + 1
        self.texts = [labels(box, style) for box in self.boxes]
        self.edges = [_Edge(*source, i) for i, box in enumerate(self.boxes) for source in box.reads]
        self.way_out = None if segment.gives is None else _Edge(*segment.gives, AWAY, True)
        arriving = [[e for e in self.edges if e.target == i] for i in range(len(self.boxes))]
        from_above = [self._chosen_from_above(edges) for edges in arriving]
        for edges, chosen in zip(arriving, from_above, strict=True):
            for edge in edges:
                if edge is not chosen:
                    self._choose_side(edge)
        self._choose_tracks()

    # ---- which way each arrow goes ---------------------------------------------------------------

    def _row(self, i: int) -> int:
        return {OUTSIDE: -1, AWAY: self.n_rows}[i] if i < 0 else self.rows[i]

    def _lane(self, i: int) -> int:
        return 0 if i < 0 else self.lanes[i]

    def _offset(self, source: int, output: int) -> float:
        """How far from the middle of its lane an output leaves."""
        if source == OUTSIDE:
            return self.entry
        n = len(self.boxes[source].items[0].shapes)
        return ports(0.0, self.style.width, n)[output]

    def _is_free(self, lane: int, first: int, last: int) -> bool:
        """Whether no box stands in these rows of a lane. Other lines than those of its own boxes do
        not run there, see `lanes_of`."""
        places = zip(self.lanes, self.rows, strict=True)
        return not any(own == lane and first <= row <= last for own, row in places)

    def _chosen_from_above(self, edges: list[_Edge]) -> _Edge | None:
        """Of the arrows into a box the one that comes from above: straight if that is possible,
        else from the lowest, which is just above it."""
        for edge in edges:
            lane, row = self._lane(edge.target), self._row(edge.target)
            level = self._lane(edge.source) == lane and self._offset(*edge.blob) == 0
            if level and self._is_free(lane, self._row(edge.source) + 1, row - 1):
                edge.straight = True
                return edge
        return max(edges, key=lambda edge: self._row(edge.source), default=None)

    def _choose_side(self, edge: _Edge) -> None:
        """Into the side of its box: down the lane of its source, or a channel."""
        here, there = self._lane(edge.source), self._lane(edge.target)
        row = self._row(edge.target)
        edge.side = -1 if here < there else 1
        between = range(min(here, there) + 1, max(here, there))
        crowded = not all(self._is_free(lane, row, row) for lane in between)
        first = self._row(edge.source) + 1
        level = here != there and self._offset(*edge.blob) == 0 and not crowded
        if level and self._is_free(here, first, row):
            edge.straight = True
        else:
            edge.channel = there - 1 if here < there else there

    def _choose_tracks(self) -> None:
        """Lines beside each other in a channel, the shorter ones nearer to the lane; and between
        two rows, one for each array that goes to a side there."""
        self.channels = [0] * self.n_lanes  # how many tracks each has
        placed: list[tuple[int, int, int, int, tuple]] = []
        for edge in sorted(self.edges, key=lambda e: self._row(e.target) - self._row(e.source)):
            if (channel := edge.channel) is None:
                continue
            first, last = self._row(edge.source) + 1, self._row(edge.target)
            taken = {
                track
                for other, track, a, b, blob in placed
                if other == channel and a <= last and first <= b and blob != edge.blob
            }
            edge.track = next(track for track in itertools.count() if track not in taken)
            placed.append((channel, edge.track, first, last, edge.blob))
            self.channels[channel] = max(self.channels[channel], edge.track + 1)
        self.levels: list[list[tuple]] = [[] for _ in range(self.n_rows)]
        for edge in self.edges:
            level = self.levels[self._row(edge.source) + 1] if not edge.straight else None
            if level is not None and edge.blob not in level:
                level.append(edge.blob)

    # ---- where everything is ---------------------------------------------------------------------

    def panel(self) -> Panel:
        self._measure()
        shapes: list = []
        for i, texts in enumerate(self.texts):
            middle, width = self.middles[self.lanes[i]], self.style.width
            shapes += drawn(self.boxes[i], texts, middle, self.tops[i], width)
            if self.boxes[i].items[0].leads_out:
                shapes += self._ways_out(i)
        edges = self._all_edges()
        for blob in dict.fromkeys(edge.blob for edge in edges):
            shapes += self._tree([edge for edge in edges if edge.blob == blob])
        half, last = self.style.width / 2, self.channels[-1]
        right = self.middles[-1] + half + (12 + TRACK * (last - 1) + 4 if last else 0)
        gives = None if self.way_out is None else self._start(self.way_out)[0]
        return Panel(shapes, half, right, self.height, gives)

    def _all_edges(self) -> list[_Edge]:
        return [*self.edges, *([] if self.way_out is None else [self.way_out])]

    def _measure(self) -> None:
        self.middles = [0.0]
        for n in self.channels[:-1]:
            channel = max(CHANNEL, 24 + TRACK * (n - 1))
            self.middles.append(self.middles[-1] + self.style.width + channel)
        read = {edge.source for edge in self._all_edges()}
        entered = {self._row(edge.target) for edge in self.edges if edge.side == 0}
        self.gaps, tops, y = [], [], 0.0
        for row in range(self.n_rows):
            self.gaps.append(y)
            n = len(self.levels[row])
            y += TRACK * n + ((ARROW + 4 * bool(n)) if row in entered else 0)
            tops.append(y)
            reach = [0.0]
            for i, texts in enumerate(self.texts):
                if self.rows[i] == row:
                    out = self.boxes[i].items[0].leads_out
                    room = STUB if out else ARROW if i in read else 0.0
                    reach.append(texts.height + max(texts.room_below + ARROW * out, room))
            y += max(reach)
        self.tops = [tops[row] for row in self.rows]
        self.height = y

    def _start(self, edge: _Edge) -> tuple[float, float]:
        """Where an array leaves its box."""
        x = self.middles[self._lane(edge.source)] + self._offset(*edge.blob)
        if edge.source == OUTSIDE:
            return x, 0.0
        return x, self.tops[edge.source] + self.texts[edge.source].height

    def _level(self, edge: _Edge) -> float:
        """The y at which an array goes to a side."""
        row = self._row(edge.source) + 1
        return self.gaps[row] + 5 + TRACK * self.levels[row].index(edge.blob)

    def _down(self, edge: _Edge) -> float:
        """The x at which an arrow runs down."""
        if edge.straight:
            return self._start(edge)[0]
        if edge.channel is None:
            return self.middles[self._lane(edge.target)]
        return self.middles[edge.channel] + self.style.width / 2 + 12 + TRACK * edge.track

    def _gate(self, edge: _Edge) -> tuple[int, int]:
        """(row, lane) at the right of which an arrow comes in from a side."""
        return self._row(edge.target), self._lane(edge.target) - (edge.side < 0)

    def _end(self, edge: _Edge) -> tuple[float, float]:
        """Where an arrow ends: in the middle of the top of its box, or at a side, where those from
        near come in above those from far."""
        if edge.target == AWAY:
            return self._start(edge)[0], self.height
        middle, top = self.middles[self.lanes[edge.target]], self.tops[edge.target]
        if edge.side == 0:
            return middle, top
        beside = [e for e in self.edges if e.side and self._gate(e) == self._gate(edge)]
        beside.sort(key=lambda e: (-e.side, abs(self._down(e) - middle)))
        height, n = min(self.texts[e.target].height for e in beside), len(beside)
        step = min(TRACK, (height - 10) / max(n - 1, 1))
        place = next(k for k, e in enumerate(beside) if e is edge)
        y = top + height / 2 + step * (place - (n - 1) / 2)
        return middle + edge.side * self.style.width / 2, y

    def _path(self, edge: _Edge) -> tuple[tuple[float, float], ...]:
        (x, y), end, down = self._start(edge), self._end(edge), self._down(edge)
        turn = [] if edge.straight else [(x, self._level(edge)), (down, self._level(edge))]
        corner = [] if end[0] == down else [(down, end[1])]
        return ((x, y), *turn, *corner, end)

    def _tree(self, edges: list[_Edge]) -> list:
        """The ways of one array, what they have in common drawn once; a dot is where one leaves."""

        def order(edge: _Edge):
            return not edge.straight, -abs(self._down(edge) - self._start(edge)[0])

        shapes: list = []
        paths: list[tuple] = []
        for edge in sorted(edges, key=lambda e: (*order(e), -self._end(e)[1])):
            whole = self._path(edge)
            rest = min((rest_of(whole, other) for other in paths), key=length_of, default=whole)
            shapes.append(Line(rest, tip=edge.target != AWAY))
            if paths:
                shapes.append(Dot(*rest[0]))
            paths.append(whole)
        return shapes

    def _ways_out(self, i: int) -> list[Line]:
        """An arrow into the open for each output that nothing reads."""
        read = {edge.blob for edge in self._all_edges()}
        lines = []
        for k in range(len(self.boxes[i].items[0].shapes)):
            if (i, k) not in read:
                x, y = self._start(_Edge(i, k, AWAY))
                length = max(self.texts[i].room_below + ARROW, STUB)
                lines.append(Line(((x, y), (x, y + length)), tip=True))
        return lines
