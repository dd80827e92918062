"""The navigation: which page stands in which part of the site, by the names of the files."""

from fnmatch import fnmatchcase

# Caption, and patterns in the order of the menu; a page stands where it is found first. A pattern
# that ends the part with "docs/*" takes whatever page no other part has named.
ENGLISH = {
    "Tutorials": ["notebooks/*"],
    "How to": [
        "docs/commands",
        "docs/configurations",
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
        "docs/ko/configurations",
        "docs/ko/python",
        "docs/ko/own-data",
        "docs/ko/writing-a-layer",
        "docs/ko/many-runs",
        "docs/ko/*",
    ],
}


def is_korean(page: str) -> bool:
    return page == "README.ko" or "/ko/" in page


def _matches(page: str, pattern: str) -> bool:
    """As a path: a star does not go into a folder."""
    return page.count("/") == pattern.count("/") and fnmatchcase(page, pattern)


def _specific_first(part_and_pattern: tuple[str, str]) -> bool:
    return part_and_pattern[1].endswith("*")


def parts_of(pages: list[str]) -> dict[str, list[str]]:
    """{caption: pages in their order}. Raises ValueError for pages that no part has."""
    parts = ENGLISH | KOREAN
    patterns = [(part, pattern) for part, listed in parts.items() for pattern in listed]
    found: dict[str, str] = {}
    for part, pattern in sorted(patterns, key=_specific_first):
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


def setup(app):
    app.connect("source-read", _add_toctrees)
    app.connect("env-get-outdated", lambda app, *_: [app.config.root_doc])  # a page may be new
    return {"parallel_read_safe": True}
