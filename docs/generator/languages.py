"""Two languages in one site: each page says its own, its menu has its pages, and search knows both.

A Korean page has the words of its menu and buttons in Korean, from Sphinx' own translation.
"""

import gettext
import re
from pathlib import Path

import sphinx
from bs4 import BeautifulSoup
from sphinx.search.en import SearchEnglish

from generator.nav import ENGLISH, IN_KOREAN, KOREAN, is_korean

WORDS = gettext.translation("sphinx", Path(sphinx.package_dir) / "locale", ["ko"])

# Particles and endings that follow a noun, longest first: 배치를, 배치에서는 and 배치 are one word.
PARTICLES = (
    "에서는|으로는|에게서|이라는|입니다|합니다|됩니다|하면서|에서|으로|에는|로는|까지|부터|처럼|보다|마다|이나|이란|"
    "하고|하면|하는|되는|에게|라는|이며|은|는|이|가|을|를|의|에|로|와|과|도|만|나|란"
)
_STEMMERS = Path(sphinx.package_dir) / "search" / "minified-js"
_PARTICLE = re.compile(rf"(?<=[가-힣]{{2}})(?:{PARTICLES})$")


class SearchEnglishAndKorean(SearchEnglish):
    """English stems, and Korean words without their particles."""

    lang = "en+ko"
    language_name = "English and Korean"
    js_stemmer_rawcode = ""
    js_stemmer_code = "\n".join(
        [
            *((_STEMMERS / f"{name}-stemmer.js").read_text() for name in ("base", "english")),
            f"const PARTICLE = /(?<=[가-힣]{{2}})(?:{PARTICLES})$/;",
            """window.Stemmer = function () {
  const english = new EnglishStemmer();
  this.stemWord = (word) =>
    /^[가-힣]/.test(word) ? word.replace(PARTICLE, "") : english.stemWord(word);
};""",
        ]
    )

    def stem(self, word: str) -> str:
        return _PARTICLE.sub("", word) if re.match("[가-힣]", word) else super().stem(word)


def other_language(page: str, pages) -> str:
    """The same page in the other language, or where that language starts."""
    if page in ("README", "README.ko"):
        return "README" if page == "README.ko" else "README.ko"
    folder, _, name = page.rpartition("/")
    found = page.replace("/ko/", "/") if is_korean(page) else f"{folder}/ko/{name}"
    return found if found in pages else ("README" if is_korean(page) else "README.ko")


def _menu_of(names: dict[str, str], tree: str) -> str:
    """The parts of the menu that have a name here, under it and in this order."""
    menu = BeautifulSoup(tree, "html.parser")
    parts = {caption.get_text(): caption for caption in menu.find_all("p", class_="caption")}
    shown = ""
    for part, name in names.items():
        if part in parts:
            parts[part].find("span").string = name
            shown += str(parts[part]) + str(parts[part].find_next_sibling("ul"))
    return shown


def _set_language(app, page, template, context, doctree):
    korean = is_korean(page)
    context["language"] = "ko" if korean else "en"
    other = other_language(page, app.env.found_docs)
    context["other_language"] = (other, "English" if korean else "한국어", "en" if korean else "ko")
    if "furo_navigation_tree" in context:
        tree = context["furo_navigation_tree"]
        names = {part: part for part in (KOREAN if korean else ENGLISH)}
        context["furo_navigation_tree"] = _menu_of(names | (IN_KOREAN if korean else {}), tree)
    _, *neighbours = app.builder.relations.get(page, (None, None, None))
    for key, neighbour in zip(("prev", "next"), neighbours, strict=True):
        if neighbour and is_korean(neighbour) != korean:
            context[key] = None
    if korean:
        context["_"] = context["gettext"] = WORDS.gettext


def setup(app):
    app.add_search_language(SearchEnglishAndKorean)
    app.connect("html-page-context", _set_language, priority=900)  # behind the theme's
    return {"parallel_read_safe": True}
