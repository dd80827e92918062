"""The navigation: which page stands in which part of the site, by the names of the files."""

import shutil
from fnmatch import fnmatchcase
from pathlib import Path

# {caption: patterns in the order of the menu}. A page stands where its name is; what no part names
# is taken by a pattern with a star.
ENGLISH = {
    "Tutorials": ["notebooks/*"],
    "How to": [
        "docs/commands",
        "docs/configs",
        "docs/python",
        "docs/own-data",
        "docs/writing-a-layer",
        "docs/extending",
        "docs/many-runs",
        "docs/several-machines",
        "docs/exchange",
        "docs/differentiation",
        "docs/exercises",
        "docs/*",
    ],
    "Reference": ["docs/parts", "docs/configuration", "docs/reference/*"],
    "Background": [
        "docs/notes",
        "docs/books",
        "docs/experiments",
        "docs/performance",
        "docs/reliability",
        "SECURITY",
        "docs/decisions",
    ],
    "Project": ["CONTRIBUTING", "CHANGELOG"],
}
KOREAN = {
    "시작": ["README.ko"],
    "따라 하기": ["notebooks/ko/*"],
    "사용법": [
        "docs/ko/commands",
        "docs/ko/configs",
        "docs/ko/python",
        "docs/ko/own-data",
        "docs/ko/writing-a-layer",
        "docs/ko/many-runs",
        "docs/ko/*",
    ],
}
# English parts that a Korean menu ends with.
IN_KOREAN = {"Reference": "참고서 (영어)", "Background": "배경 (영어)"}


def is_korean(page: str) -> bool:
    return page == "README.ko" or "/ko/" in page


def _matches(page: str, pattern: str) -> bool:
    """As a path: a star does not go into a folder."""
    return page.count("/") == pattern.count("/") and fnmatchcase(page, pattern)


def _is_general(part_and_pattern: tuple[str, str]) -> bool:
    return part_and_pattern[1].endswith("*")


def parts_of(pages: list[str]) -> dict[str, list[str]]:
    """{caption: pages in their order}. Raises ValueError for pages that no part has."""
    parts = ENGLISH | KOREAN
    patterns = [(part, pattern) for part, listed in parts.items() for pattern in listed]
    found: dict[str, str] = {}
    for part, pattern in sorted(patterns, key=_is_general):
        for page in pages:
            if page not in found and _matches(page, pattern):
                found[page] = part
    if missing := set(pages) - found.keys() - {"README"}:
        raise ValueError(f"pages in no part of docs/generator/nav.py: {sorted(missing)}")

    def place(page: str) -> tuple[int, str]:
        listed = parts[found[page]]
        return next(i for i, pattern in enumerate(listed) if _matches(page, pattern)), page

    return {
        part: sorted((page for page in found if found[page] == part), key=place) for part in parts
    }


def _toctree(caption: str, pages: list[str]) -> str:
    listed = "\n".join(f"/{page}" for page in pages)
    return f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{listed}\n```\n"


def _add_toctrees(app, page, source):
    """The start page ends with the menu, which its reader in a checkout need not see."""
    if page == app.config.root_doc:
        parts = parts_of(sorted(app.env.found_docs))
        source[0] += "\n\n" + "\n".join(_toctree(*item) for item in parts.items() if item[1])


def _write_index(app, error):
    """A server opens index.html; the start page lies beside it under the name that links have."""
    if not error and app.builder.name == "html":
        start = Path(app.outdir) / f"{app.config.root_doc}.html"
        shutil.copyfile(start, start.with_name("index.html"))


def setup(app):
    app.connect("build-finished", _write_index)
    app.connect("source-read", _add_toctrees)
    app.connect("env-get-outdated", lambda app, *_: [app.config.root_doc])  # a page may be new
    return {"parallel_read_safe": True}
