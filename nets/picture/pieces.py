"""A net as a chain of pieces: where it forks and joins again, what nests, what repeats.

Between two pieces there is one array alone, so that a picture may go on in the next column there.
"""

import dataclasses

from lamina.nets.picture.items import Item

OUTSIDE = -1  # what a segment reads from: the piece before it


@dataclasses.dataclass
class Box:
    """A layer; where a block repeats, the layers that stand at this place of it, in order. `reads`
    has (place in the segment or OUTSIDE, which of its outputs)."""

    items: list[Item]
    reads: list[tuple[int, int]]


@dataclasses.dataclass
class Segment:
    """Boxes of which no part can be cut off: a single one, or those between a fork and the join.
    `gives` is the array that goes on, as `reads` has it; None at the end."""

    boxes: list[Box]
    gives: tuple[int, int] | None


@dataclasses.dataclass
class Frame:
    """Pieces that belong together: a net in the net, or a block that repeats. `differs` is whether
    the repeats have other sizes; `nets` are the (name, class) of the nets."""

    pieces: list
    count: int = 1
    differs: bool = False
    nets: tuple[tuple[str, str], ...] = ()


def pieces_of(items: list[Item], frames: bool = True) -> list:
    """The chain. With `frames`, nets in the net are framed where they are parts of the chain."""
    pieces: list = _nested(_segments(items), 0) if frames else list(_segments(items))
    return _folded(pieces)


def boxes_of(pieces: list):
    """All boxes, in order."""
    for piece in pieces:
        yield from piece.boxes if isinstance(piece, Segment) else boxes_of(piece.pieces)


# --------------------------------------------------------------------------------------------------


def _segments(items: list[Item]) -> list[Segment]:
    last_use: dict[tuple, int] = {}
    for i, item in enumerate(items):
        last_use |= dict.fromkeys(item.reads, i)
    segments, start, before = [], 0, None
    n_inputs = sum(item.kind == "input" for item in items)  # they stand first, side by side
    live: set[tuple] = set()
    for i, item in enumerate(items):
        live |= {(i, k) for k in range(len(item.shapes)) if last_use.get((i, k), i) > i}
        live = {source for source in live if last_use[source] > i}
        end = i == len(items) - 1
        # Something new goes on: what only ends here, such as a loss, stands beside what follows.
        if end or (len(live) == 1 and i >= n_inputs - 1 and live != {before}):
            goes_on = None if end else next(iter(live))
            boxes = [
                Box([one], [_inside(source, start, before) for source in one.reads])
                for one in items[start : i + 1]
            ]
            gives = None if goes_on is None else _inside(goes_on, start, before)
            segments.append(Segment(boxes, gives))
            start, before = i + 1, goes_on
    return segments


def _inside(source: tuple, start: int, before) -> tuple[int, int]:
    return (OUTSIDE, 0) if source == before else (source[0] - start, source[1])


def _nested(pieces: list, depth: int) -> list:
    """Frames around runs of pieces that are in the same net inside the net."""
    result: list = []
    i = 0
    while i < len(pieces):
        inner, j = _net_of(pieces[i], depth), i + 1
        while inner and j < len(pieces) and _net_of(pieces[j], depth) == inner:
            j += 1
        others = pieces[:i] + pieces[j:]
        if inner and j - i > 1 and not any(_is_in(piece, inner, depth) for piece in others):
            result.append(Frame(_nested(pieces[i:j], depth + 1), nets=(inner,)))
        else:
            result += pieces[i:j]
        i = j
    return result


def _net_of(piece: Segment, depth: int):
    """The net inside the net that all boxes of a piece are in, or None."""
    nets = {item.path[depth : depth + 1] for box in piece.boxes for item in box.items}
    first = next(iter(nets))
    return first[0] if len(nets) == 1 and first else None


def _is_in(piece: Segment, net: tuple, depth: int) -> bool:
    return any(item.path[depth : depth + 1] == (net,) for box in piece.boxes for item in box.items)


# --------------------------------------------------------------------------------------------------


def _folded(pieces: list) -> list:
    """Blocks that stand several times in a row drawn once: first those that are alike in all, then
    those with a fork, or nets, that have other sizes alone."""
    pieces = [
        dataclasses.replace(p, pieces=_folded(p.pieces)) if isinstance(p, Frame) else p
        for p in pieces
    ]
    for exact in (True, False):
        while found := _best_repeat(pieces, exact):
            start, period, count = found
            blocks = [pieces[start + i * period : start + (i + 1) * period] for i in range(count)]
            merged = [_merged(list(same)) for same in zip(*blocks, strict=True)]
            frame = Frame(merged, count, differs=not exact)
            if len(merged) == 1 and isinstance(merged[0], Frame) and merged[0].count == 1:
                frame = dataclasses.replace(merged[0], count=count, differs=not exact)
            pieces[start : start + period * count] = [frame]
    return pieces


def _best_repeat(pieces: list, exact: bool):
    """(start, pieces of a block, how many times) of what saves most boxes; None if nothing does."""
    numbers: dict = {}
    signs = [numbers.setdefault(_sign(piece, exact), len(numbers)) for piece in pieces]
    best, most = None, 0.0
    for period in range(1, len(pieces) // 2 + 1):
        for start in range(len(pieces) - 2 * period + 1):
            block, count = signs[start : start + period], 1
            while signs[start + count * period : start + (count + 1) * period] == block:
                count += 1
            if count == 1 or not (exact or _is_block(pieces[start])):
                continue
            size = sum(1 for _ in boxes_of(pieces[start : start + period]))
            saved = (count - 1) * size + _as_a_start(pieces[start])
            if size > 1 and saved > most:
                best, most = (start, period, count), saved
    return best


def _as_a_start(first) -> float:
    """How well a block begins with this, where it could begin here or there: at best with a fork or
    a net, else with a layer that learns."""
    return 0.5 if _is_block(first) else 0.25 * (first.boxes[0].items[0].kind == "learns")


def _is_block(first) -> bool:
    """Whether what repeats is more than a chain of layers: it begins with a fork, or is a net."""
    return isinstance(first, Frame) or len(first.boxes) > 1


def _sign(piece, exact: bool):
    """What two pieces have in common that may be drawn as one."""
    if isinstance(piece, Frame):
        return "frame", piece.count, tuple(_sign(inner, exact) for inner in piece.pieces)
    return (piece.gives, *(_sign_of_box(box, exact) for box in piece.boxes))


def _sign_of_box(box: Box, exact: bool):
    def of_item(item: Item):
        all_of_it = (item.sizes, item.more, item.learned, item.frozen, *item.shapes)
        outside = (item.kind, item.type, len(item.shapes), item.leads_out, len(item.path))
        return outside + (all_of_it if exact else ())

    return tuple(box.reads), tuple(of_item(item) for item in box.items)


def _merged(pieces: list):
    """One piece for several that are alike."""
    first = pieces[0]
    if isinstance(first, Frame):
        inner = [_merged(list(same)) for same in zip(*(p.pieces for p in pieces), strict=True)]
        nets = tuple(net for piece in pieces for net in piece.nets)
        return Frame(inner, first.count, any(piece.differs for piece in pieces), nets)
    boxes = [
        Box([item for box in same for item in box.items], same[0].reads)
        for same in zip(*(piece.boxes for piece in pieces), strict=True)
    ]
    return Segment(boxes, first.gives)
