"""The built site: no warning, no dead link, no other host, every public name, search that finds."""

import importlib
import os
import posixpath
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow  # half a minute for one core: see .ci/documents


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("sphinx", reason="pip install -e '.[docs]'")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-c", "docs"]
    command += ["-d", str(folder / "doctrees"), ".", str(folder / "html")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:]])}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "html"


class Page(HTMLParser):
    """What a page links to, loads, and can be linked at."""

    def __init__(self, path: Path):
        super().__init__()
        self.links, self.loads, self.ids, self.language = [], [], set(), None
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids |= {found[key] for key in ("id", "name") if found.get(key)}
        if tag == "html":
            self.language = found.get("lang")
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag in ("img", "script", "link", "iframe", "source", "video", "audio"):
            self.loads += [found[key] for key in ("src", "href") if found.get(key)]


@pytest.fixture(scope="module")
def pages(site):
    return {path.relative_to(site).as_posix(): Page(path) for path in site.rglob("*.html")}


def test_links_and_files_are_there(site, pages):
    dead = []
    for name, page in pages.items():
        for link in page.links + page.loads:
            if re.match(r"https?:|mailto:|data:|#$", link):
                continue
            path, _, anchor = unquote(link).partition("#")
            path = path.partition("?")[0]
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path or name))
            target = name if not path else target
            there = (site / target).is_file()
            if not there or (anchor and target in pages and anchor not in pages[target].ids):
                dead.append((name, link))
    assert dead == []


def test_a_page_is_not_taken_for_the_folder_of_its_name(pages):
    assert "docs/experiments.html" in pages["README.html"].links
    assert "source/docs/experiments.html" not in pages


def test_nothing_is_loaded_from_elsewhere(site, pages):
    loads = {load for page in pages.values() for load in page.loads}
    assert {load for load in loads if re.match(r"(https?:)?//", load)} == set()
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(https?:)?//|@import", sheet.read_text("utf-8")), sheet


def test_every_public_name_has_an_entry(pages):
    """Of all rooms of docs/parts.md, and of the others that one imports from, under any path."""
    listed = re.findall(r"`lamina\.([\w.]+)`\)", (ROOT / "docs/parts.md").read_text("utf-8"))
    rooms = {*listed, "autodiff", "diagnosis", "exercises", "optimizers.schedules"}
    shown = {
        i for name, page in pages.items() if name.startswith("docs/reference/") for i in page.ids
    }
    objects = {id(resolved(name)) for name in shown if name.startswith("lamina.")}
    for room in rooms:
        module = importlib.import_module(f"lamina.{room}")
        assert [n for n in module.__all__ if id(getattr(module, n)) not in objects] == [], room


def resolved(name: str):
    parts = name.split(".")
    for n in range(len(parts) - 1, 0, -1):  # a function may be called as its file is
        try:
            found = importlib.import_module(".".join(parts[:n]))
            break
        except ImportError:
            continue
    for part in parts[n:]:
        found = getattr(found, part)
    return found


def test_each_page_says_its_language(pages):
    korean = {name for name in pages if "/ko/" in name or name == "README.ko.html"}
    assert {pages[name].language for name in korean} == {"ko"}
    assert {page.language for name, page in pages.items() if name not in korean} == {"en"}


def test_formulas_are_mathml(site):
    text = (site / "docs/reference/layers.html").read_text(encoding="utf-8")
    assert text.count("<math>") > 100
    assert "<mfrac>" in (site / "notebooks/02_backpropagation.html").read_text(encoding="utf-8")


@pytest.fixture
def chromium_page(browser):
    page = browser.new_page(viewport={"width": 360, "height": 780})
    yield page
    page.close()


@pytest.mark.needs_browser
def test_every_page_loads_without_a_network(site, pages, chromium_page):
    """And without an error of a script, from files alone."""
    page, said = chromium_page, []
    page.on("requestfailed", lambda request: said.append(request.url))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.route(re.compile("^https?:"), lambda route: route.abort())
    for name in pages:
        if not name.startswith("source/") or name.endswith("affine.py.html"):
            page.goto((site / name).as_uri())
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    assert said == []


@pytest.mark.needs_browser
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("BatchNormalization", "docs/reference/layers.html"),
        ("mutants", "docs/writing-a-layer.html"),
        ("역전파", "docs/ko/writing-a-layer.html"),
        ("검증 집합에서", "docs/ko/commands.html"),
    ],
)
def test_search_finds(site, chromium_page, query, found):
    chromium_page.goto(f"{(site / 'search.html').as_uri()}?q={query}")
    chromium_page.wait_for_selector("#search-results li a")
    hrefs = chromium_page.eval_on_selector_all("#search-results a", "all => all.map(a => a.href)")
    assert any(found in href for href in hrefs)
