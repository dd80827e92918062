"""Pictures of nets, layer by layer from top to bottom, that fit a page or a slide.

    from lamina.nets.picture import NetPicture

    NetPicture(net, (1, 28, 28)).save("net.svg")
    NetPicture(net, (1, 28, 28), page="16:9").save("net.png")

Parameters are in the box of their layer, blocks that repeat are drawn once, and a long net goes on
in the next column. `nets/drawing.py` has the picture with all values and gradients.
"""

from lamina.nets.picture.net_picture import NetPicture
from lamina.nets.picture.page import PAGES

__all__ = ["PAGES", "NetPicture"]
