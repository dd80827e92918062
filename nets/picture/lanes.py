"""Where the boxes of a segment stand: a row for each step of the longest path, the main path in
lane 0, what stands beside it in lanes at its right."""

from lamina.nets.picture.pieces import OUTSIDE, Segment


def rows_of(segment: Segment) -> list[int]:
    """The row of each box: one below the lowest that it reads."""
    rows: list[int] = []
    for box in segment.boxes:
        rows.append(1 + max((_row(rows, source) for source, _ in box.reads), default=-1))
    return rows


def _row(rows: list[int], source: int) -> int:
    return -1 if source == OUTSIDE else rows[source]


def lanes_of(segment: Segment, rows: list[int]) -> list[int]:
    """The lane of each box. The longest path to what the segment gives is lane 0; the longest of
    what is left goes into the nearest lane that is free from its first row to its reader's."""
    n = len(segment.boxes)
    lanes = [-1] * n
    readers: list[list[int]] = [[] for _ in range(n)]
    for i, box in enumerate(segment.boxes):
        for source, _ in box.reads:
            if source != OUTSIDE:
                readers[source].append(i)
    taken: dict[int, list[tuple[int, int]]] = {}
    if segment.gives is None or segment.gives[0] != OUTSIDE:
        end = None if segment.gives is None else segment.gives[0]
        for i in _longest(segment, lanes, end):
            lanes[i] = 0
    taken[0] = [(-1, max(rows, default=0) + 1)]
    while -1 in lanes:
        path = _longest(segment, lanes)
        first = rows[path[0]]
        last = max([rows[path[-1]], *(rows[reader] for reader in readers[path[-1]])])
        lane = 1
        while any(a <= last and first <= b for a, b in taken.get(lane, [])):
            lane += 1
        taken.setdefault(lane, []).append((first, last))
        for i in path:
            lanes[i] = lane
    return lanes


def _longest(segment: Segment, lanes: list[int], end: int | None = None) -> list[int]:
    """The longest path among the boxes without a lane, to `end` if it is given."""
    length: dict[int, int] = {}
    before: dict[int, int | None] = {}
    for i, box in enumerate(segment.boxes):
        if lanes[i] == -1:
            free = [source for source, _ in box.reads if source in length]
            before[i] = max(free, key=lambda source: length[source], default=None)
            length[i] = 1 + max((length[source] for source in free), default=0)
    place: int | None = max(length, key=lambda i: length[i]) if end is None else end
    path: list[int] = []
    while place is not None:
        path.append(place)
        place = before[place]
    return path[::-1]
