"""The page in which a two-layer net is trained, to be watched and stepped through.

lamina play --train spirals -o spirals.html
"""

from lamina.play.training.page import SETS, engine, training_page

__all__ = ["SETS", "engine", "training_page"]
