"""Links to files of the repository that are no pages lead to a page with their highlighted text.

So `[affine.py](../layers/affine.py)` works in a checkout and in the site, and `[source]` beside a
class of the reference goes to its line.
"""

import importlib
import inspect
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from docutils import nodes
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import TextLexer, get_lexer_for_filename
from pygments.util import ClassNotFound
from sphinx.addnodes import desc_signature, download_reference, only, pending_xref
from sphinx.transforms import SphinxTransform

ROOT = Path(__file__).parents[2]


def page_of(path: str) -> str:
    return f"source/{path.rstrip('/')}"


def relative(page: str, target: str) -> str:
    return "../" * page.count("/") + target


def _is_to_a_file_or_folder(node) -> bool:
    """Not to a page: docs/experiments is one, and a folder too."""
    unknown = isinstance(node, pending_xref) and node.get("refdomain") != "doc"
    return isinstance(node, download_reference) or (unknown and node["reftype"] == "myst")


class LinkSources(SphinxTransform):
    """Before downloads are collected: none is made of a file of the repository."""

    default_priority = 5

    def apply(self, **kwargs):
        page = self.env.current_document.docname
        for link in list(self.document.findall(_is_to_a_file_or_folder)):
            target, path = self.env.relfn2path(unquote(link["reftarget"]), page)
            if not Path(path).exists():
                continue
            remember(self.env, page, target.rstrip("/"))
            new = nodes.reference("", "", refuri=relative(page, f"{page_of(target)}.html"))
            new.extend(link.children)
            link.replace_self(new)


def remember(env, page: str, path: str):
    if not hasattr(env, "linked_sources"):
        env.linked_sources = {}
    env.linked_sources.setdefault(page, set()).add(path)


def _forget(app, env, page):
    getattr(env, "linked_sources", {}).pop(page, None)


def _merge(app, env, pages, other):
    for page, paths in getattr(other, "linked_sources", {}).items():
        if page in pages:
            for path in paths:
                remember(env, page, path)


def _source_of(name: str):
    """(path in the repository, line) of an object by its public name; None without one."""
    module, _, rest = name.rpartition(".")
    while module:
        try:
            found = importlib.import_module(module)
            break
        except ImportError:
            module, _, more = module.rpartition(".")
            rest = f"{more}.{rest}"
    else:
        return None
    try:
        for part in rest.split("."):
            found = getattr(found, part)
        found = inspect.unwrap(found.fget if isinstance(found, property) else found)
        file, line = inspect.getsourcefile(found), inspect.getsourcelines(found)[1]
        return Path(file).resolve().relative_to(ROOT).as_posix(), line
    except (AttributeError, TypeError, ValueError, OSError):
        return None


def _link_signatures(app, doctree):
    page = app.env.current_document.docname
    for signature in list(doctree.findall(desc_signature)):
        if not signature.get("module"):
            continue
        place = _source_of(f"{signature['module']}.{signature['fullname']}")
        if place:
            path, line = place
            remember(app.env, page, path)
            uri = relative(page, f"{page_of(path)}.html#L-{line}")
            link = nodes.reference("", "", refuri=uri, internal=False)
            link += nodes.inline("", "[source]", classes=["viewcode-link"])
            signature += only("", link, expr="html")


STYLE = HtmlFormatter(linenos="inline", lineanchors="L", anchorlinenos=True, wrapcode=True)


def _file(path: str) -> str:
    try:
        lexer = get_lexer_for_filename(PurePosixPath(path).name)
    except ClassNotFound:
        lexer = TextLexer()
    return highlight((ROOT / path).read_text(encoding="utf-8"), lexer, STYLE)


def _folder(path: str) -> str:
    names = [file.name for file in _text_files(path)]
    name = PurePosixPath(path).name
    return f"<ul>{''.join(f'<li><a href={name}/{n}.html>{n}</a></li>' for n in names)}</ul>"


def _text_files(folder: str) -> list[Path]:
    return sorted(file for file in (ROOT / folder).iterdir() if file.suffix in (".py", ".yaml"))


def _pages(app):
    paths = set().union(*getattr(app.env, "linked_sources", {}).values())
    folders = {path for path in paths if (ROOT / path).is_dir()}
    for folder in folders:
        paths |= {file.relative_to(ROOT).as_posix() for file in _text_files(folder)}
    for path in sorted(paths):
        body = f"<h1>{path}</h1>{_folder(path) if path in folders else _file(path)}"
        yield page_of(path), {"title": path, "body": body, "parents": []}, "page.html"


def setup(app):
    app.add_transform(LinkSources)
    app.connect("doctree-read", _link_signatures)
    app.connect("env-purge-doc", _forget)
    app.connect("env-merge-info", _merge)
    app.connect("html-collect-pages", _pages)
    return {"parallel_read_safe": True}
