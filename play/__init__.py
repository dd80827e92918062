"""Nets as pages in which one plays with them: a file of HTML in which a net runs as one draws.

    lamina play RUN -o page.html

The layers are plain JavaScript in js/, a file each; nothing is loaded from elsewhere.
"""

if not __name__.startswith("lamina."):
    raise ImportError("imported by its full name only: from lamina.play import ...")
