"""Colours of lines that stay apart, for the colour-blind too, and markers beside them."""

# The first seven are Okabe and Ito's (2008), without their yellow, which white swallows. Each of
# the others is the furthest from all before it, by the least of its distances in CIELAB: as it is,
# and as protanopes, deuteranopes and tritanopes see it (Machado et al. 2009); 16 or more apart.
COLOURS = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9"),
    *("#8F20FF", "#603010", "#00108F", "#AFCF80", "#8F0060", "#9F80FF", "#EF0050"),
    *("#DFAFAF", "#400060", "#7050DF", "#507040", "#103030", "#50DF40"),
)
MARKERS = "os^DvPX<>*p"  # eleven of them, so that both come again after 220 lines


def looks(n: int) -> list[tuple[str, str]]:
    """(colour, marker) of each of n lines."""
    return [(COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)]) for i in range(n)]
