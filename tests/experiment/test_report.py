"""The page of a run, and of several: its figures, its escapes, runs that have failed."""

import base64
import contextlib
import csv
import dataclasses
import html
import re
import shutil
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import numpy as np
import pytest
import yaml

from lamina.commands.frame import main
from lamina.common.table import read_table
from lamina.diagnosis.notes import read_facts
from lamina.experiment.config import load_config
from lamina.experiment.evaluation import evaluate
from lamina.experiment.load_run import RunChanged
from lamina.experiment.report import one, report_on_many, report_on_run
from lamina.experiment.run import run
from lamina.training.watch import NonFiniteError

CONFIG = {
    "dataset": {"type": "CSV", "path": "t.csv", "validation_share": 0.2, "test_share": 0.25},
    "net": {
        "type": "Sequential",
        "layers": {"affine1": {"type": "Affine", "n_out": 8}, "relu": {"type": "Relu"}},
        "loss": {"type": "SoftmaxWithLoss"},
    },
    "optimizer": {"type": "SGD", "lr": 0.1},
    "training": {"iterations": 40, "batch_size": 10, "evaluate_every": 20},
}
HOSTILE = (
    *("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</title><script>alert(1)//"),
    "\"><svg onload=alert(1)>",
    *("'><b onmouseover='alert(1)'>", "</pre><script>alert(1)</script>"),
    *("javascript:alert(1)", "<a href=javascript:alert(1)>x</a>", "&lt;script&gt;alert(1)"),
    *("<iframe srcdoc='<script>parent.alert(1)</script>'>", "</style><script>alert(1)</script>"),
    *("<style>@import 'http://127.0.0.1:9/x'</style>", "<link rel=stylesheet href=//127.0.0.1:9>"),
    *("<meta http-equiv=refresh content='0;url=http://127.0.0.1:9'>", "<base href=//127.0.0.1:9>"),
    *("<!--", "-->", "<![CDATA[", "]]><script>alert(1)</script>", "<plaintext>"),
    *("\x1b[31mred", "\x1b]0;title\x07", "a\u202eb", "a\u2028b", "\x00", "`${alert(1)}`"),
    *("<form action=//127.0.0.1:9><input autofocus onfocus=alert(1)>",
      "<math><mtext><script>"),
    *("<object data=javascript:alert(1)>", "%3Cscript%3Ealert(1)%3C/script%3E"),
)  # fmt: skip


of_words = pytest.mark.usefixtures("faint")  # a test that looks at no picture


def trained(folder, name="run", classes=("a", "b", "c"), data=CONFIG, **more):
    """A run on a CSV file with these classes."""
    rng = np.random.default_rng(0)
    with open(folder / "t.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["x", "y", "target"])
        for i in range(40 * len(classes)):
            x, y = rng.standard_normal(2)
            writer.writerow([x + i % len(classes), y, classes[i % len(classes)]])
    data = {**data, **more, "dataset": {**data["dataset"], "target": "target"}}
    net = data["net"]
    last = {"last": {"type": "Affine", "n_out": len(classes)}}
    data["net"] = {**net, "layers": {**net["layers"], **last}}
    (folder / "c.yaml").write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True))
    with contextlib.suppress(NonFiniteError):
        run(load_config(folder / "c.yaml"), name, folder / name, quiet=True)
    return folder / name


class Seen(HTMLParser):
    """What is on a page: its elements, and its text without those of a kind."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        if self.tags[-1:] != ["style"]:
            self.text.append(data)


@of_words
def test_its_figures_are_those_of_the_tables(tmp_path):
    run_dir = trained(tmp_path)
    page = report_on_run(run_dir)
    history = read_table(run_dir / "history.csv")
    for part in ("train", "validation", "test"):
        assert f"{100 * history[f'{part}_accuracy'][-1]:.2f} %</td>" in page
        assert f">{history[f'{part}_loss'][-1]:.4g}</td>" in page
    cells = [list(map(int, re.findall(r">(\d+)</td>", line.replace("·", "0")))) for line in
             re.findall(r"<tr><th>[abc]</th>.*?</tr>", page)]  # fmt: skip
    counts = np.array(cells)
    assert counts.shape == (3, 3)
    assert counts.sum() == 30
    assert np.trace(counts) / 30 == pytest.approx(history["test_accuracy"][-1])
    said = [html.unescape(t) for t in Seen(page).text]
    assert any("40 iterations" in text for text in said)
    assert (run_dir / "config.yaml").read_text() in said
    assert "lamina train --resume" in page
    assert "in batches of 10. 40 iterations" in page
    several = {"training": {**CONFIG["training"], "accumulate": 3}}
    page = report_on_run(trained(tmp_path, "several", **several))
    assert "in batches of 10, 3 of them in an iteration. 40 iterations" in page


def test_it_stands_alone_and_has_each_picture_for_a_phone(tmp_path, drawn):
    run_dir = trained(tmp_path)
    drawn.clear()
    page = report_on_run(run_dir)
    assert len(drawn) == 3  # curves twice, health once
    seen = Seen(page)
    assert not {"script", "iframe", "link", "object", "form"} & set(seen.tags)
    linked = [v for k, v in seen.attributes if k in ("src", "srcset", "href", "data")]
    assert linked
    assert all(v.startswith(("data:image/", "#s")) for v in linked)
    assert not [k for k, _ in seen.attributes if k.startswith("on")]
    assert seen.tags.count("source") == 2  # curves, net; health is scrolled through
    assert "default-src 'none'" in html.unescape(page)


@of_words
def test_the_net_is_drawn_for_a_page_of_paper_and_for_a_phone(tmp_path):
    page = report_on_run(trained(tmp_path))
    pictures = [
        base64.b64decode(data).decode() for data in re.findall(r"svg\+xml;base64,([^\"]+)", page)
    ]
    narrow, wide = (ElementTree.fromstring(picture) for picture in pictures)
    assert float(narrow.attrib["width"]) <= 360
    assert float(wide.attrib["width"]) <= 720
    assert float(wide.attrib["height"]) <= 900
    said = [v for k, v in Seen(page).attributes if k == "alt" and v.startswith("A net of ")]
    assert said == [f"{wide.find('{http://www.w3.org/2000/svg}desc').text}"]


@of_words
def test_a_run_that_has_failed_says_so(tmp_path):
    run_dir = trained(tmp_path, optimizer={"type": "SGD", "lr": 1e30})
    page = report_on_run(run_dir)
    assert "It has failed: a NaN or an infinity has ended it." in page
    assert "Not evaluated:" in page
    assert "has no weights.npz" in page


@of_words
def test_data_that_have_changed_are_refused_or_named(tmp_path):
    run_dir = trained(tmp_path)
    lines = (tmp_path / "t.csv").read_text().splitlines()
    (tmp_path / "t.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    with pytest.raises(RunChanged, match="changed since its training"):
        report_on_run(run_dir)
    assert main(["report", str(run_dir)]) == 2
    assert not (run_dir / "report.html").exists()
    page = report_on_run(run_dir, changed=True)
    assert "Changed since its training: " in page


@of_words
def test_weights_that_do_not_fit_are_an_error_and_no_page(tmp_path):
    run_dir = trained(tmp_path)
    (run_dir / "weights.npz").write_bytes(b"nothing")
    assert main(["report", str(run_dir)]) == 2
    assert not (run_dir / "report.html").exists()


@of_words
def test_the_command(tmp_path, capsys, monkeypatch):
    run_dir = trained(tmp_path)
    assert main(["report", str(run_dir)]) == 0
    assert capsys.readouterr().out.strip() == str(run_dir / "report.html")
    assert main(["report", str(run_dir), "--on", "train", "-o", str(tmp_path / "r.html")]) == 0
    assert "What it gets wrong: train set" in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert main(["report", str(run_dir), "--on", "dev"]) == 2
    assert "there is no dev set" in capsys.readouterr().err
    assert main(["report", str(tmp_path)]) == 2
    shutil.copytree(run_dir, tmp_path / "other")
    monkeypatch.chdir(tmp_path)
    assert main(["report", "run", "other"]) == 0
    assert "2 runs of one setting." in (tmp_path / "report.html").read_text(encoding="utf-8")


@of_words
def test_tables_of_some_of_very_many_samples_say_of_how_many(tmp_path, monkeypatch):
    run_dir = trained(tmp_path)
    assert "spread evenly" not in report_on_run(run_dir)
    monkeypatch.setattr(one, "evaluate", lambda *given: _halved(evaluate(*given)))
    page = report_on_run(run_dir)
    assert "30 samples: loss " in page
    assert "All that follows is of 15 of them, drawn at random." in page
    rows = re.findall(r"<tr><th>[abc]</th>.*?</tr>", page)
    assert sum(map(int, re.findall(r">(\d+)</td>", "".join(rows).replace("·", "0")))) == 15


def _halved(found):
    parts = ("rows", "scores", "targets")
    return dataclasses.replace(found, **{part: getattr(found, part)[::2] for part in parts})


def test_several_runs_are_a_table_and_curves(tmp_path):
    runs = {
        f"lr {lr}": trained(tmp_path, f"r{lr}", optimizer={"type": "SGD", "lr": lr})
        for lr in (0.01, 0.1)
    }
    page = report_on_many(runs, "rates")
    assert "<h1>rates</h1>" in page
    for run_dir in runs.values():
        value = read_table(run_dir / "history.csv")["test_accuracy"][-1]
        assert f">{100 * value:.2f}</td>" in page
    assert "Best first by validation accuracy." in page
    assert Seen(page).tags.count("img") == 1


@of_words
def test_a_text_is_of_what_it_is_cut_into(tmp_path):
    text = "the cat and the dog sat on the mat by the sea " * 8
    (tmp_path / "t.txt").write_text(text)
    net = {
        "type": "Sequential",
        "layers": {"embedding": {"type": "Embedding", "n_dims": 4}, "scores": {"type": "Affine"}},
        "loss": {"type": "SoftmaxWithLoss"},
    }
    short = {"iterations": 1, "batch_size": 5}
    for tokens, n in (("characters", 1 + len(set(text))), ("words", 10), ("bytes", 256)):
        dataset = {"type": "Text", "path": "t.txt", "tokens": tokens, "length": 4}
        data = {**CONFIG, "dataset": dataset, "net": net, "training": short}
        (tmp_path / "c.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
        run(load_config(tmp_path / "c.yaml"), tokens, tmp_path / tokens, quiet=True)
        page = report_on_run(tmp_path / tokens)
        assert f"Language model, a vocabulary of {n} {tokens}. " in page
        assert " 1 iteration (" in page
        assert " passes through the training set)" in page
        assert "in a pass" not in page


@of_words
def test_streams_that_leave_samples_out_say_so(tmp_path):
    """110 windows in 7 streams of 15: five are left."""
    (tmp_path / "t.txt").write_text("the cat and the dog sat on the mat by the sea " * 8)
    net = {
        "type": "Sequential",
        "layers": {"embedding": {"type": "Embedding", "n_dims": 4}, "scores": {"type": "Affine"}},
        "loss": {"type": "SoftmaxWithLoss"},
    }
    dataset = {"type": "Text", "path": "t.txt", "length": 3, "streams": True}
    short = {"iterations": 18, "batch_size": 7}
    data = {**CONFIG, "dataset": dataset, "net": net, "training": short}
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    run(load_config(tmp_path / "c.yaml"), "s", tmp_path / "s", quiet=True)
    page = report_on_run(tmp_path / "s")
    n = read_facts(tmp_path / "s" / "facts.json")
    assert n["in_a_pass"] == n["samples"] // 7 * 7 < n["samples"]
    assert f"{n['samples']} samples to train on, {n['in_a_pass']} of them in a pass, in" in page
    assert " passes through these)" in page


@of_words
def test_a_run_that_ended_between_two_evaluations_says_what_is_of_when(tmp_path):
    """As of one that was interrupted: weights.npz is of the last iteration, not of the figures."""
    run_dir = trained(tmp_path)
    history = (run_dir / "history.csv").read_text().splitlines(keepends=True)
    (run_dir / "history.csv").write_text("".join(history[:2]))
    page = report_on_run(run_dir)
    n = read_table(run_dir / "history.csv")["iteration"][0]
    assert "weights are those of iteration 40, its figures those of iteration 20" in page
    assert "After iteration 20" in page
    passes = f"{40 * read_table(run_dir / 'history.csv')['epoch'][0] / n:.3g}"
    assert f"40 iterations ({passes} passes" in page


@of_words
def test_a_run_that_has_failed_keeps_its_name_beside_others(tmp_path):
    names = ("lr=0.1", "lr=1e+30")
    runs = {
        name: trained(tmp_path, name, optimizer={"type": "SGD", "lr": float(name[3:])})
        for name in names
    }
    assert "<p>lr=1e+30 has failed" in report_on_many(runs)
    history = (runs["lr=0.1"] / "history.csv").read_text().splitlines(keepends=True)
    (runs["lr=0.1"] / "history.csv").write_text("".join(history[:2]))
    assert "<p>lr=0.1 stands at iteration 40; " in report_on_many(runs)


@pytest.mark.needs_browser
def test_names_from_outside_run_nothing(tmp_path, browser):
    """Names of layers, classes, files and runs that would be a script."""
    names = [name for name in HOSTILE if "\x00" not in name and "\u2028" not in name]
    for i in range(0, len(names), 12):
        some = names[i : i + 12]
        layers = {}
        for j, name in enumerate(some):
            key = re.sub(r"[.\x00-\x1f\u202e]", " ", name)  # others are refused
            layers[key] = {"type": "Relu" if j % 2 else "Affine", **({} if j % 2 else {"n_out": 8})}
        net = {**CONFIG["net"], "layers": layers}
        folder = tmp_path / str(i)
        folder.mkdir()
        run_dir = trained(folder, re.sub(r"[/\x00]", " ", some[0])[:60], tuple(some), net=net)
        path = folder / "r.html"
        assert main(["report", str(run_dir), "-o", str(path)]) == 0
        page = browser.new_page()
        events = []
        page.on("dialog", lambda dialog: (events.append(dialog.message), dialog.dismiss()))  # noqa: B023
        page.on("request", lambda request: events.append(request.url))  # noqa: B023
        page.goto(path.as_uri())
        asked = [url for url in events if not url.startswith(("data:", path.as_uri()))]
        assert asked == []
        shown = page.inner_text("body")
        assert not {"\x1b", "\x07", "\u202e"} & set(shown)
        assert "Run it again" in shown  # nothing has swallowed the rest
        assert page.evaluate("document.querySelectorAll('script, iframe, form').length") == 0
        page.close()
