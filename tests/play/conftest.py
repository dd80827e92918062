"""The page of a net in a browser."""

import pytest
from played import Opened

from lamina.play.page import page_of_net


@pytest.fixture
def opened(opened_file, tmp_path):
    """opened(net, dataset, title=..., **of the context) gives an Opened."""

    def open_net(net, dataset, title="a net", **context):
        path = tmp_path / "net.html"
        path.write_text(page_of_net(net, dataset, title), encoding="utf-8")
        return Opened(opened_file(path, **context), net, dataset).settled()

    return open_net
