"""The pictures of the ledger: small, and readable on a phone."""

from lamina.common.colours import COLOURS

DPI = 100
GREY = "#B0B0B0"  # of bands


def panels(rows: int = 1, columns: int = 1, size: tuple[float, float] = (6.0, 3.6), **shared):
    """(figure, its axes as an array (rows, columns)), `size` in inches."""
    from matplotlib.figure import Figure  # late: half a second that only pictures need

    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, **shared)
    for one in axes.flat:
        one.grid(alpha=0.3)
        one.set_prop_cycle(color=COLOURS)
    return figure, axes
