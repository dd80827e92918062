"""lamina predict: what a run says of files, made into inputs as those of its training."""

import csv
import io
import json
import shutil

import numpy as np
import pytest

from lamina.commands.frame import main
from lamina.datasets import Classification, Dataset, ImageFolder, Regression, Samples
from lamina.datasets.csv_format import CsvFormat
from lamina.experiment.config import load_config
from lamina.experiment.load_run import Run, RunChanged, load_run
from lamina.experiment.prediction import Predictions, predict
from lamina.experiment.resume import resumed_trainer
from lamina.experiment.run import run
from lamina.layers import Affine, SoftmaxWithLoss
from lamina.nets import Sequential
from lamina.optimizers import SGD
from lamina.training.checkpoint import CheckpointError
from lamina.training.trainer import Trainer

Image = pytest.importorskip("PIL.Image", reason="no Pillow: pip install -e '.[images]'")

NET = """
net:
  type: Sequential
  layers: {{a: {{type: Affine, n_out: 12}}, r: {{type: Relu}}, b: {{type: Affine, n_out: {n}}}}}
  loss: {{type: {loss}}}
optimizer: {{type: Adam, lr: 0.02}}
training: {{iterations: {iterations}, batch_size: 16, seed: 0, checkpoint: {{every: 50}}}}
"""


def trained(folder, dataset, n, loss="SoftmaxWithLoss", iterations=200):
    (folder / "c.yaml").write_text(
        f"dataset: {dataset}\n{NET.format(n=n, loss=loss, iterations=iterations)}", "utf-8"
    )
    run(load_config(folder / "c.yaml"), "c", folder / "run", quiet=True)
    return folder / "run"


def table(n=80, header="id,colour,size,weight,kind"):
    """Kinds that follow from size and colour; every ninth size is missing."""
    rng = np.random.default_rng(0)
    lines = [header]
    for i in range(n):
        size, colour = rng.normal(), rng.choice(["red", "green", "blue"])
        kind = "round" if size + (colour == "red") > 0 else "flat"
        cell = "" if i % 9 == 4 else f"{size:.4f}"
        lines.append(f"{i},{colour},{cell},{rng.normal():.4f},{kind}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def on_table(tmp_path_factory):
    """(run directory, its CSV file)."""
    folder = tmp_path_factory.mktemp("table")
    (folder / "my.csv").write_text(table())
    dataset = "{type: CSV, path: my.csv, target: kind, ignore: [id], missing: mean}"
    return trained(folder, dataset, 2), folder / "my.csv"


@pytest.fixture(scope="module")
def without_header(tmp_path_factory):
    """The run of a regression, the target in the middle and a note at the end; its rows."""
    folder = tmp_path_factory.mktemp("places")
    x = np.random.default_rng(0).normal((0, 50), 1, (60, 2)).round(3)
    rows = [f"{a:.3f},{2 * a + b:.3f},{b:.3f},{i}" for i, (a, b) in enumerate(x)]
    (folder / "my.csv").write_text("\n".join(rows) + "\n")
    dataset = (
        "{type: CSV, path: my.csv, task: regression, header: false, target: column2, "
        "ignore: [column4]}"
    )
    return trained(folder, dataset, 1, "SquaredErrorLoss", 40), rows


def answered(run_dir, path, tmp_path, capsys, *more):
    """(rows of the CSV file that is written, what is printed, what is said beside it)."""
    out = tmp_path / "out.csv"
    assert main(["predict", str(run_dir), str(path), "-o", str(out), *more]) == 0
    said = capsys.readouterr()
    return list(csv.DictReader(io.StringIO(out.read_text("utf-8")))), said.out, said.err


def refused(capsys, *arguments):
    assert main(["predict", *map(str, arguments)]) == 2
    said = capsys.readouterr().err.splitlines()
    return said[-1]


def test_names_that_were_replaced_are_found_in_any_order(tmp_path, capsys):
    rows = [f"{i % 3},{i % 5},{'xy'[i % 3 > 0]}" for i in range(40)]
    my, new = tmp_path / "my.csv", tmp_path / "new.csv"
    my.write_text("\n".join(["a,b,c", *rows]) + "\n")
    dataset = '{type: CSV, path: my.csv, header: true, names: ["A", "B", "C"]}'
    run_dir = trained(tmp_path, dataset, 2, iterations=20)
    whole, out, _ = answered(run_dir, my, tmp_path, capsys)
    assert "of 40 as the file says" in out
    turned = [",".join(reversed(row.split(",")[:2])) for row in rows]
    new.write_text("\n".join(["b,a", *turned]) + "\n")
    found, out, _ = answered(run_dir, new, tmp_path, capsys)
    assert "as the file says" not in out
    assert [row["class"] for row in found] == [row["class"] for row in whole]
    new.write_text("\n".join(["u,v,w", *rows]) + "\n")
    found, _, said = answered(run_dir, new, tmp_path, capsys)
    assert "its columns are taken by their places: A, B, C" in said
    assert [row["class"] for row in found] == [row["class"] for row in whole]


def test_a_table_without_header_may_lack_the_target(without_header, tmp_path, capsys):
    """Its columns are then those that are left, and no answer is there to compare with."""
    run_dir, rows = without_header
    new = tmp_path / "new.csv"
    new.write_text("\n".join(rows))
    whole, out, _ = answered(run_dir, new, tmp_path, capsys)
    assert "by 60 numbers in the file" in out
    new.write_text("\n".join(f"{a},{b},{i}" for a, _, b, i in (row.split(",") for row in rows)))
    less, out, _ = answered(run_dir, new, tmp_path, capsys)
    assert "rmse" not in out
    assert [row["column2"] for row in less] == [row["column2"] for row in whole]
    for row, n in (("1,2", 2), ("1,2,3,4,5", 5)):
        new.write_text(f"{row}\n{row}\n")
        assert main(["predict", str(run_dir), str(new)]) != 0
        said = f"{n} cells, but 4 names, column1, column2, column3, column4; only column2 may be "
        assert said in capsys.readouterr().err
    new.write_text("1;2;3\n")
    assert main(["predict", str(run_dir), str(new)]) != 0
    assert 'parted by semicolons? separator: ";"' in capsys.readouterr().err


def test_rows_of_a_table_as_the_data_set_has_them(on_table, tmp_path, capsys):
    """To the bit: fills, categories and scaling are those of the training."""
    run_dir, path = on_table
    net, dataset = load_run(run_dir)
    found = predict(Run(run_dir), [path])
    every = {tuple(row): scores for row, scores in zip(
        np.concatenate([s.X for s in dataset.sets().values()]).tolist(),
        np.concatenate([net.predict(s.X) for s in dataset.sets().values()]), strict=True,
    )}  # fmt: skip
    assert len(found.scores) == len(every) == 80
    assert all(any((scores == row).all() for row in every.values()) for scores in found.scores)
    rows, out, _ = answered(run_dir, path, tmp_path, capsys)
    assert [row["line"] for row in rows] == [str(i + 2) for i in range(80)]
    right = sum(row["class"] == row["class (in the file)"] for row in rows)
    assert f"{right} of 80 as the file says" in out
    assert right > 70
    assert "... and 60 more; -o FILE.csv has all" in out
    for row in rows:
        p = {k.removeprefix("probability of "): float(v) for k, v in row.items() if " of " in k}
        assert sum(p.values()) == pytest.approx(1, abs=1e-4)
        assert max(p, key=p.get) == row["class"]
        assert max(p.values()) == float(row["probability"])


def test_columns_are_known_by_name_and_the_target_need_not_be_there(on_table, tmp_path, capsys):
    run_dir, path = on_table
    before, _, _ = answered(run_dir, path, tmp_path, capsys)
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    other = tmp_path / "other.csv"
    with open(other, "w", encoding="utf-8", newline="") as file:
        names = ["weight", "extra", "size", "colour"]
        writer = csv.DictWriter(file, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(row | {"extra": "?"} for row in rows)
    after, out, err = answered(run_dir, other, tmp_path, capsys)
    assert [row["probability"] for row in after] == [row["probability"] for row in before]
    assert "class (in the file)" not in after[0]
    assert "as the file says" not in out
    assert "extra: not among the columns that the run knows, left out" in err
    shutil.copy(other, lacking := tmp_path / "lacking.csv")
    lacking.write_text(lacking.read_text().replace("weight", "wait"))
    said = refused(capsys, run_dir, lacking)
    assert "lacks the column weight; there are wait, extra, size, colour" in said


@pytest.mark.parametrize("name", ["my.csv", "copy.csv", "part.csv"])
def test_a_figure_of_the_rows_of_the_training_says_so(on_table, tmp_path, capsys, name):
    run_dir, path = on_table
    lines = path.read_text().splitlines(keepends=True)
    given = tmp_path / name
    given.write_text("".join(lines if name != "part.csv" else lines[:20]))
    _, out, _ = answered(run_dir, given, tmp_path, capsys)
    assert "as the file says" in out
    assert ("trained on rows of this file" in out) == (name != "part.csv")


def test_answers_in_another_unit_are_refused(tmp_path, capsys):
    rng = np.random.default_rng(0)
    rows = [(x, 100 + 20 * x) for x in rng.normal(size=40)]
    (tmp_path / "my.csv").write_text("x,y\n" + "".join(f"{x:.3f},${y:.2f}\n" for x, y in rows))
    dataset = "{type: CSV, path: my.csv, task: regression, target: y, signs: [$, €]}"
    run_dir = trained(tmp_path, dataset, 1, "SquaredErrorLoss", 50)
    (tmp_path / "new.csv").write_text("x,y\n0.5,$110\n1,€120\n")
    said = refused(capsys, run_dir, tmp_path / "new.csv")
    assert "line 3: column y: two units in one column, '$' and '€'" in said
    (tmp_path / "new.csv").write_text("x,y\n0.5,$110\n1,?\n")
    assert main(["predict", str(run_dir), str(tmp_path / "new.csv")]) == 0
    assert "by 1 numbers in the file" in capsys.readouterr().out


def test_answers_that_nobody_knows_are_neither_right_nor_wrong(on_table, tmp_path, capsys):
    run_dir, _ = on_table
    told = tmp_path / "told.csv"
    answers = ["NA", "?", "", "null", "round", "square"]
    told.write_text(
        "colour,size,weight,kind\n" + "".join(f"red,1,{i},{a}\n" for i, a in enumerate(answers))
    )
    rows, out, _ = answered(run_dir, told, tmp_path, capsys)
    right = sum(row["class"] == a for row, a in zip(rows[4:], answers[4:], strict=True))
    assert f"{right} of 2 as the file says" in out


def test_what_was_never_seen_is_said(on_table, tmp_path, capsys):
    run_dir, _ = on_table
    path = tmp_path / "new.csv"
    path.write_text("colour,size,weight,kind\npink,0.5,1,round\nred,,0,\nred,1,0,square\n")
    rows, out, err = answered(run_dir, path, tmp_path, capsys)
    assert "line 2 (to predict): column colour: the category 'pink' is in no row that was" in err
    assert rows[1]["class (in the file)"] == ""
    right = rows[0]["class"] == "round"
    assert f"{int(right)} of 2 as the file says" in out
    path.write_text("colour,size,weight\nred,big,1\n")
    assert "line 2: column size: expects a number, got the text 'big'" in refused(
        capsys, run_dir, path
    )


def test_the_data_of_the_training_need_not_be_there(on_table, tmp_path, capsys):
    run_dir, path = on_table
    shutil.copytree(run_dir, moved := tmp_path / "run")
    config = (moved / "config.yaml").read_text("utf-8").replace(str(path), "/nowhere/gone.csv")
    (moved / "config.yaml").write_text(config, "utf-8")
    found = predict(Run(moved), [path])
    assert (found.scores == predict(Run(run_dir), [path]).scores).all()


def test_without_fills_a_missing_cell_is_refused(tmp_path, capsys):
    (tmp_path / "my.csv").write_text("a,kind\n" + "1,x\n2,y\n" * 10)
    run_dir = trained(tmp_path, "{type: CSV, path: my.csv}", 2, iterations=5)
    (tmp_path / "new.csv").write_text("a\n1\n")
    assert main(["predict", str(run_dir), str(tmp_path / "new.csv")]) == 0  # one column is all
    capsys.readouterr()
    (tmp_path / "new.csv").write_text("a,b\n1,2\n,2\n")
    assert "line 3: column a: expects a value, got nothing" in refused(
        capsys, run_dir, tmp_path / "new.csv"
    )


def test_numbers_of_a_regression_and_how_far_off(tmp_path, capsys):
    lines = "".join(f"{i / 50};{i / 25:.2f}\n".replace(".", ",") for i in range(50))
    (tmp_path / "my.csv").write_text(f"x;y\n{lines}")
    form = '{type: CSV, path: my.csv, task: regression, separator: ";", decimal: ","}'
    run_dir = trained(tmp_path, form, 1, "SquaredErrorLoss", 400)
    rows, out, _ = answered(run_dir, tmp_path / "my.csv", tmp_path, capsys)
    told = [float(row["y (in the file)"].replace(",", ".")) for row in rows]
    said = [float(row["y"]) for row in rows]
    assert said == pytest.approx(told, abs=0.2)
    rmse = np.sqrt(np.mean(np.square(np.subtract(said, told))))
    assert f"rmse {rmse:.3g}"[:8] in out
    assert "of y, by 50 numbers in the file" in out
    (tmp_path / "new.csv").write_text("x,z\n0.5,1\n")
    assert "separator: " in refused(capsys, run_dir, tmp_path / "new.csv")
    assert main(["predict", str(run_dir), str(tmp_path / "new.csv"), "--separator", ","]) == 2
    assert "thousands: " in capsys.readouterr().err  # a point, and the run reads commas


@pytest.mark.parametrize("names", [["up", "low"], ["up"]])
def test_labels_that_hold_or_not(tmp_path, capsys, names):
    rng = np.random.default_rng(1)
    rows = [(x, int(x > 0), int(x < 1)) for x in rng.normal(size=60)]
    text = "x,up,low\n" + "".join(f"{x:.3f},{a},{b}\n" for x, a, b in rows)
    (tmp_path / "my.csv").write_text(text)
    ignored = "" if "low" in names else "low"
    dataset = "{type: CSV, path: my.csv, task: multilabel, target: [%s], ignore: [%s]}"
    dataset %= ", ".join(names), ignored
    run_dir = trained(tmp_path, dataset, len(names), "SigmoidWithLoss")
    rows, out, _ = answered(run_dir, tmp_path / "my.csv", tmp_path, capsys)
    assert all(None not in row for row in rows)  # no cells beyond the header
    assert sum(row["up"] == row["up (in the file)"] for row in rows) > 55
    assert all((float(row["probability of up"]) > 0.5) == (row["up"] == "1") for row in rows)
    assert ", ".join(names) in out
    right = sum(row[n] == row[f"{n} (in the file)"] for row in rows for n in names)
    assert f"{right} of {60 * len(names)} labels as the file says" in out


@pytest.fixture(scope="module")
def on_pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for name, colour in {
        "sea": (20, 60, 200),
        "wood": (30, 160, 40),
        "sand": (220, 200, 120),
    }.items():
        (folder / "photos" / name).mkdir(parents=True)
        for i in range(20):
            noise = rng.integers(-40, 41, (12 + i, 20, 3)) + colour
            image = Image.fromarray(noise.clip(0, 255).astype(np.uint8))
            image.save(folder / "photos" / name / f"{i}.{'png' if i % 2 else 'jpg'}")
    dataset = "{type: ImageFolder, path: photos, size: [8, 8], flatten: true}"
    return trained(folder, dataset, 3, iterations=60), folder / "photos"


def test_pictures_and_folders_of_them(on_pictures, tmp_path, capsys):
    run_dir, photos = on_pictures
    net, dataset = load_run(run_dir)
    rows, _, _ = answered(run_dir, photos / "sea", tmp_path, capsys)
    assert [row["picture"] for row in rows[:3]] == [
        str(photos / "sea" / name) for name in ("0.jpg", "1.png", "2.jpg")
    ]
    assert sum(row["class"] == "sea" for row in rows) >= 18
    one = predict(Run(run_dir), [photos / "wood" / "3.png"])
    where = next(
        (part, i)
        for part, files in dataset._files.items()
        for i, (path, _) in enumerate(files)
        if path == photos / "wood" / "3.png"
    )
    samples = dataset.sets()[where[0]]
    assert (one.scores == net.predict(samples[where[1] : where[1] + 1][0])).all()
    said = refused(capsys, run_dir, photos.parent / "c.yaml")
    assert "c.yaml: is no picture; expects PNG, JPEG, GIF, BMP" in said
    assert "none.png: is no file" in refused(capsys, run_dir, photos / "none.png")
    assert "--encoding and --separator are for tables" in refused(
        capsys, run_dir, photos / "sea" / "0.jpg", "--encoding", "cp949"
    )


def test_a_folder_that_has_changed_is_noticed(on_pictures, capsys):
    run_dir, photos = on_pictures
    assert main(["evaluate", str(run_dir)]) == 0
    capsys.readouterr()
    picture = (photos / "sea" / "0.jpg").read_bytes()
    Image.new("RGB", (9, 9), "red").save(photos / "sea" / "0.jpg")
    try:
        with pytest.raises(RunChanged, match=r"changed since its training: .* set: other inputs"):
            load_run(run_dir)
    finally:
        (photos / "sea" / "0.jpg").write_bytes(picture)
    (photos / "sea").rename(photos / "lake")
    try:
        with pytest.raises(RunChanged, match="class_names"):
            load_run(run_dir)
    finally:
        (photos / "lake").rename(photos / "sea")


def test_columns_that_are_called_otherwise_are_noticed(on_table):
    """The numbers are the same; only what they are called is not."""
    run_dir, path = on_table
    text = path.read_text()
    path.write_text(text.replace("size,weight", "weight,size", 1))
    try:
        with pytest.raises(RunChanged, match=r"how inputs are made, columns\.1\.name: \"size\" "):
            load_run(run_dir)
        with pytest.raises(CheckpointError, match=r"how inputs are made, columns\.1\.name: "):
            resumed_trainer(load_config(run_dir / "config.yaml"), run_dir, quiet=True)
    finally:
        path.write_text(text)


@pytest.fixture(scope="module")
def on_digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAMINA_DATA", str(folder / "data"))
        dataset = "{type: DrawnDigits, n_train: 3000, n_test: 300, normalise: true}"
        run_dir = trained(folder, dataset, 10, iterations=600)
        yield run_dir, load_run(run_dir)


def test_a_digit_of_any_size_dark_on_light_too(on_digits, tmp_path, capsys):
    """Stored as the data set has them they give its scores, to the bit; large and dark on light,
    mostly the same digits, and it is said what was done."""
    run_dir, (net, dataset) = on_digits
    X = dataset.test.X.reshape(-1, 28, 28)[:60]
    for i, image in enumerate(X):
        Image.fromarray(image).save(tmp_path / f"{i}.png")
        paper = Image.new("L", (310, 230), 235)
        ink = Image.fromarray(image).resize((168, 168))
        paper.paste(20, (90, 20), ink)  # ink where the digit is
        paper.save(tmp_path / f"paper{i}.png")
    same = predict(Run(run_dir), [tmp_path / f"{i}.png" for i in range(60)])
    assert (same.scores == net.predict(dataset.test[:60][0])).all()
    capsys.readouterr()
    large = predict(Run(run_dir), [tmp_path / f"paper{i}.png" for i in range(60)])
    said = capsys.readouterr().err
    assert "60 of 60: dark on light: inverted" in said
    assert "60 of 60: what is drawn cut out, scaled and centred" in said
    assert (large.scores.argmax(1) == same.scores.argmax(1)).mean() > 0.75
    Image.new("L", (50, 50), 200).save(tmp_path / "blank.png")
    assert "blank.png: nothing is drawn on it: all of it is one shade" in refused(
        capsys, run_dir, tmp_path / "blank.png"
    )
    inverted = Image.fromarray(255 - X[0])
    inverted.save(tmp_path / "dark.png")
    again = predict(Run(run_dir), [tmp_path / "dark.png"])
    assert again.scores == pytest.approx(same.scores[:1], abs=1e-4)


def test_runs_that_cannot_be_asked(on_table, tmp_path, capsys):
    run_dir, path = on_table
    shutil.copytree(run_dir, old := tmp_path / "old")
    known = json.loads((old / "provenance.json").read_text())
    for change, words in (
        ({"preparation": None}, "was trained on arrays (CSV), not on pictures or a table"),
        ({"preparation": {"kind": "table", "input_shape": [5]}}, "is damaged: how inputs are made"),
        ({"preparation": {"kind": "table"}}, "is damaged: 'input_shape'"),
        ({"task": {"task": "poetry"}}, "is damaged: unknown task 'poetry'"),
    ):
        (old / "provenance.json").write_text(json.dumps(known | change))
        assert words in refused(capsys, old, path)
    del known["preparation"]
    (old / "provenance.json").write_text(json.dumps(known))
    of_older = predict(Run(old), [path])  # by its data, which are there
    assert (of_older.scores == predict(Run(run_dir), [path]).scores).all()
    assert main(["evaluate", str(old)]) == 0
    capsys.readouterr()
    assert "is on a table; expects one file, got 2" in refused(capsys, run_dir, path, path)


def test_a_run_that_was_made_in_python(tmp_path, capsys):
    for name, shade in (("dark", 30), ("light", 220)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(10):
            shades = Image.new("RGB", (9, 9 + i), (shade, shade, shade + i))
            shades.save(tmp_path / "photos" / name / f"{i}.png")
    dataset = ImageFolder(tmp_path / "photos", size=4, flatten=True)
    net = Sequential({"a": Affine(48, 2, rng=0)}, loss=SoftmaxWithLoss())
    trainer = Trainer(
        *(net, SGD(net.parameters(), lr=0.5), dataset),
        **{"rng": 0, "iterations": 50, "batch_size": 8, "run_dir": tmp_path / "run", "quiet": True},
    )
    trainer.run()
    found = predict(Run(tmp_path / "run"), [tmp_path / "photos" / "dark"])
    assert found.task.class_names == ("dark", "light")
    assert (found.scores.argmax(1) == 0).all()
    capsys.readouterr()
    X, t = np.eye(8, 4, dtype=np.float32), np.arange(8) % 2
    arrays = Dataset(Samples(X, t), Samples(X, t), Classification("ab"))
    net = Sequential({"a": Affine(4, 2, rng=0)}, loss=SoftmaxWithLoss())
    trainer = Trainer(
        *(net, SGD(net.parameters(), lr=0.5), arrays),
        **{"rng": 0, "iterations": 5, "batch_size": 8, "run_dir": tmp_path / "two", "quiet": True},
    )
    trainer.run()
    assert "its data were arrays of a program" in refused(capsys, tmp_path / "two", "x.csv")


def test_damaged_preparations_are_one_line(on_table, tmp_path, capsys):
    run_dir, path = on_table
    shutil.copytree(run_dir, old := tmp_path / "old")
    known = json.loads((old / "provenance.json").read_text())
    for key, value in (
        *(("columns", v) for v in (None, 3, [], [{}], [{"name": 1, "kind": "number"}])),
        *(("format", v) for v in (None, {}, {"separator": 3}, {"strange": 1}, {"encoding": "no"})),
        *(("target", v) for v in (None, [1])),
        *(("input_shape", v) for v in (None, [4], [-1], ["a"])),
    ):
        changed = known["preparation"] | {key: value}
        (old / "provenance.json").write_text(json.dumps(known | {"preparation": changed}))
        if (key, value) == ("format", {}):  # all as it is if nothing is said
            assert main(["predict", str(old), str(path)]) in (0, 2)
            capsys.readouterr()
            continue
        assert "old" in refused(capsys, old, path)


def test_one_answer_of_two_is_no_unknown_column(tmp_path, capsys):
    rows = "".join(f"{i % 7},{i},{i + 1}\n" for i in range(40))
    (tmp_path / "my.csv").write_text(f"x,up,low\n{rows}")
    dataset = "{type: CSV, path: my.csv, task: regression, target: [up, low]}"
    run_dir = trained(tmp_path, dataset, 2, "SquaredErrorLoss", iterations=5)
    (tmp_path / "new.csv").write_text("x,up,more\n1,2,3\n")
    assert main(["predict", str(run_dir), str(tmp_path / "new.csv")]) == 0
    err = capsys.readouterr().err
    assert "up: compared only where low stands there too" in err
    assert "more: not among the columns that the run knows, left out" in err


def test_a_number_alone_is_shown_as_it_is_and_others_as_far_as_they_are_apart():
    def rows(*scores):
        some = np.array(scores, np.float32)[:, np.newaxis]
        numbers = CsvFormat().numbers
        places = [str(i) for i in range(len(some))]
        said = Predictions("row", places, Regression(["price"]), some, None, [], numbers)
        text = said.text()
        return [line.split()[-1] for line in text.splitlines()[1:]]

    assert rows(1_000_014.4) == ["1000014"]
    assert rows(1_000_014.4, 1_000_019.4) == ["1000014.38", "1000019.38"]
    assert rows(0.25, 0.75) == ["0.25", "0.75"]
