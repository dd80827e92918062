"""Colours are apart from each other for every kind of eye, as another model of it says."""

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from lamina.common.colours import COLOURS, MARKERS, looks

# Viénot, Brettel and Mollon (1999): a dichromat sees a plane of the colours, here in linear RGB.
# The colours were chosen with Machado's matrices (2009), so this is another witness.
VIENOT = {
    "none": np.eye(3),
    "protanopia": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    "deuteranopia": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
}


def lab(linear):
    """CIELAB under D65."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x = np.maximum(linear @ np.transpose(to_xyz), 0) / [0.9505, 1.0, 1.0890]
    f = np.where(x > (6 / 29) ** 3, np.cbrt(x), x * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)


def seen(eye):
    rgb = np.array([to_rgb(colour) for colour in COLOURS])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return lab(np.clip(linear @ np.transpose(VIENOT[eye]), 0, 1))


@pytest.mark.parametrize("eye", VIENOT)
def test_every_two_are_apart(eye):
    pairs = itertools.combinations(seen(eye), 2)
    assert min(np.linalg.norm(a - b) for a, b in pairs) > 9  # two or three are a just seen step


def test_none_is_lost_on_white():
    assert max(seen("none")[:, 0]) < 81


def test_no_two_lines_look_the_same_until_there_are_very_many():
    assert len(COLOURS) == len(set(COLOURS)) == 20
    n = len(COLOURS) * len(MARKERS)
    assert len(set(looks(n))) == n
    assert looks(2 * n)[n:] == looks(n)
