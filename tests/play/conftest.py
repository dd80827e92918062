"""A browser for the pages, that says of each error."""

import pytest
from played import Opened

from lamina.play.page import page_of_net


@pytest.fixture
def opened(browser, tmp_path):
    """opened(net, dataset, title=..., **of the context) gives an Opened; at the end no page may
    have had an error, or asked for anything but itself."""
    pages, contexts = [], []

    def open_page(net, dataset, title="a net", **context):
        path = tmp_path / f"{len(pages)}.html"
        path.write_text(page_of_net(net, dataset, title), encoding="utf-8")
        contexts.append(browser.new_context(**context))
        pages.append(Opened(contexts[-1].new_page(), net, dataset).load(path))
        return pages[-1].settled()

    yield open_page
    try:
        for page in pages:
            assert page.errors == []
            assert [url for url in page.asked if not url.startswith(("file:", "data:"))] == []
    finally:
        for context in contexts:
            context.close()
