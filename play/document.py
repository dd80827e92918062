"""Fills the HTML of a page with its style and its script, and lets nothing else in.

Style and script are let through by their hashes alone, and nothing is loaded: a name that looked
like a script would not run even if it came in.
"""

import base64
import hashlib
from pathlib import Path
from string import Template


def document(template: str, style: str, script: str, **values: str) -> str:
    """The page as text. The template has $policy, $style and $script, and the names of `values`,
    which are put in as they are."""
    style, script = f"\n{style}", f"\n{script}"
    policy = (
        f"default-src 'none'; img-src data:; script-src {_hash(script)}; style-src {_hash(style)}"
    )
    return Template(template).substitute(policy=policy, style=style, script=script, **values)


def joined(folder: Path, names) -> str:
    """The texts of these files, one after another."""
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
