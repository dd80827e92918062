"""CSV files: what is read, what is learned, and the row and column of what is wrong."""

import os
import re
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest

from lamina.datasets import CSV, MultiLabel, Reconstruction, Regression


@pytest.fixture
def csv(tmp_path):
    """Writes a CSV file and returns its path."""

    def write(content, name="data.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


SMALL = "height,width,kind\n1,10,pear\n2,20,apple\n3,30,pear\n4,40,fig\n"


def alone(path, **settings):
    """The file as training and as test data, numbers as they are."""
    return CSV(path, test=path, **{"standardise": False, **settings})


def test_numbers_and_text_labels(csv):
    data = alone(csv(SMALL))
    assert data.task.class_names == ("apple", "fig", "pear")
    assert data.input_shape == (2,)
    assert data.train.X.tolist() == [[1, 10], [2, 20], [3, 30], [4, 40]]
    assert data.train.X.dtype == np.float32
    assert data.train.t.tolist() == [2, 0, 2, 1]
    assert data.train.t.dtype.kind == "i"
    X, t = data.test[np.array([3, 0])]
    assert X.tolist() == [[4, 40], [1, 10]]
    assert t.tolist() == [1, 2]


def test_the_target_by_name(csv):
    data = alone(csv("kind,a,b\nx,1,2\ny,3,4\n"), target="kind")
    assert data.train.X.tolist() == [[1, 2], [3, 4]]
    assert data.train.t.tolist() == [0, 1]
    middle = alone(csv("a,kind,b\n1,x,2\n3,y,4\n"), target="kind")
    assert middle.train.X.tolist() == [[1, 2], [3, 4]]


def test_the_target_is_the_last_column_by_default(csv):
    path = csv("a,b,c\n1,2,3\n4,5,6\n")
    data = alone(path)
    assert data.train.X.tolist() == [[1, 2], [4, 5]]
    assert data.task.class_names == ("3", "6")
    assert alone(path, target="a").train.X.tolist() == [[2, 3], [5, 6]]


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["10", "9", "2"], ("2", "9", "10")),
        (["1", "-1", "0", "-10"], ("-10", "-1", "0", "1")),
        (["b", "B", "a"], ("B", "a", "b")),
        (["10", "9", "x"], ("10", "9", "x")),
        (["1.5", "10", "9"], ("1.5", "10", "9")),
    ],
)
def test_whole_numbers_are_ordered_as_numbers_and_all_else_as_text(csv, labels, classes):
    data = alone(csv("a,kind\n" + "".join(f"0,{label}\n" for label in labels)))
    assert data.task.class_names == classes
    assert [classes[i] for i in data.train.t] == labels


def test_a_class_that_is_in_no_training_row_is_refused(csv):
    train, test = csv("a,kind\n1,x\n2,z\n"), csv("a,kind\n5,x\n6,y\n", "test.csv")
    words = re.escape(f"{test}, line 3: the class 'y' is among the test rows, but in no row to tra")
    with pytest.raises(ValueError, match=f"^{words}"):
        CSV(train, test=test)
    with pytest.raises(ValueError, match="the class 'y' is among the validation rows"):
        CSV(train, test=train, validation=test)
    data = CSV(csv("a,kind\n1,x\n2,z\n3,y\n", "more.csv"), test=test, standardise=False)
    assert data.test.t.tolist() == [0, 1]  # of x, y, z
    assert data.test.X.tolist() == [[5], [6]]


def test_a_class_whose_only_row_falls_to_the_test_share(csv):
    """Split at random, as always; class by class its only row stays."""
    path = csv("a,kind\n" + "".join(f"{i},{'xy'[i % 2]}\n" for i in range(20)) + "20,z\n")
    seed = next(
        seed for seed in range(100) if 20 in np.random.default_rng(seed).permutation(21)[:4]
    )
    with pytest.raises(ValueError, match=r"line 22: the class 'z' .* stratify: true splits"):
        CSV(path, split_seed=seed)
    data = CSV(path, split_seed=seed, stratify=True, standardise=False)
    assert np.bincount(data.train.t).tolist() == [8, 8, 1]
    assert np.bincount(data.test.t).tolist() == [2, 2]
    with pytest.raises(ValueError, match="test_share: 3 of 4 samples cannot be split off"):
        CSV(csv("a,kind\n1,x\n2,x\n3,x\n4,y\n", "b.csv"), stratify=True, test_share=0.75)


def rows(samples):
    return samples.X[:, 0].astype(int).tolist()


def test_a_random_share_is_held_back(csv):
    path = csv("a,kind\n" + "".join(f"{i},{i % 3}\n" for i in range(10)))
    data = CSV(path, test_share=0.3, standardise=False)
    assert len(data.test) == 3
    assert sorted(rows(data.train) + rows(data.test)) == list(range(10))
    for part in (data.train, data.test):
        assert part.t.tolist() == [row % 3 for row in rows(part)]
    assert len(CSV(path).test) == 2


def test_the_seed_decides_the_share(csv):
    path = csv("a,kind\n" + "".join(f"{i},{'xy'[i % 2]}\n" for i in range(50)))
    first, again, other = (CSV(path, split_seed=seed, standardise=False) for seed in (1, 1, 2))
    assert rows(first.test) == rows(again.test)
    assert rows(first.train) == rows(again.train)
    assert sorted(rows(first.test)) != sorted(rows(other.test))


def test_standardised_by_the_training_rows(csv):
    """Mean 2 and deviation 1, 30 and 20: the test row is (5 - 2) / 1 and (20 - 30) / 20."""
    train, test = csv("a,b,kind\n1,10,x\n3,50,y\n"), csv("a,b,kind\n5,20,x\n", "test.csv")
    data = CSV(train, test=test)
    assert data.train.X.tolist() == [[-1, -1], [1, 1]]
    assert data.test.X.tolist() == [[3, -0.5]]
    plain = CSV(train, test=test, standardise=False)
    assert plain.train.X.tolist() == [[1, 10], [3, 50]]
    assert plain.test.X.tolist() == [[5, 20]]


def test_the_test_share_has_no_part_in_the_standardisation(csv):
    path = csv("a,kind\n" + "".join(f"{2**i},{'xy'[i % 2]}\n" for i in range(10)))
    data = CSV(path)
    assert data.train.X.mean() == pytest.approx(0.0, abs=1e-6)
    assert data.train.X.std() == pytest.approx(1.0, rel=1e-6)
    assert abs(data.test.X.mean()) > 1e-3


def test_a_constant_column_becomes_0(csv):
    train, test = csv("a,b,kind\n7,1,x\n7,3,y\n"), csv("a,b,kind\n8,1,x\n", "test.csv")
    data = CSV(train, test=test)
    assert data.train.X[:, 0].tolist() == [0, 0]
    assert data.test.X.tolist() == [[1, -1]]


def test_small_differences_between_large_numbers_survive(csv):
    """In float32 both rows would be 1e9."""
    data = alone(csv("a,kind\n1000000000,x\n1000000002,y\n"), standardise=True)
    assert data.train.X.tolist() == [[-1], [1]]


def test_what_spreadsheets_write(csv):
    """A byte-order mark, Windows line ends, quotes, blank lines, spaces, no last line end."""
    content = (
        "\ufeff a , b,kind \r\n"
        '"1.5",2e1,"said ""no"", twice"\r\n'
        "\r\n"
        " -3 ,+4, Grün \r\n"
        "\r\n"
        '.5,"6.","two\nlines"'
    )
    data = alone(csv(content.encode()), target="kind")
    assert data.task.class_names == ("Grün", 'said "no", twice', "two\nlines")
    assert data.train.X.tolist() == [[1.5, 20], [-3, 4], [0.5, 6]]
    assert data.train.t.tolist() == [1, 0, 2]


def test_a_byte_order_mark_is_no_part_of_the_first_name(csv):
    data = alone(csv("\ufeffkind,a\nx,1\ny,2\n"), target="kind")
    assert data.train.X.tolist() == [[1], [2]]


HEADER = "a,b,kind\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            b"PK\x03\x04\xff\xfe\x00binary",
            ": is no CSV file but an Excel workbook or another zip arch",
        ),
        ("", ": expects a header and at least one row of data"),
        ("\n\n", ": expects a header and at least one row of data"),
        (HEADER, ": expects a header and at least one row of data"),
        ("a,a,kind\n1,2,x\n", ": expects different names in the header, but 'a' stands twice; is"),
        ("a, a,kind\n1,2,x\n", ": expects different names in the header, but 'a' stands twice; is"),
        ("kind\nx\n", ": expects a header of two or more names, got 'kind'"),
        ("a;kind\n1;x\n", ": expects a header of two or more names, got 'a;kind'; are the columns"),
        ("a,kind\n1,x\n2,x\n3,x\n4,x\n5,x\n", ": has only one class, x: nothing to tell apart"),
        (HEADER + "1,2,x\n1,two,x\n", ", line 3: column b: expects a number, got the text 'two'"),
        (HEADER + "1,2,x\n\n3,1 000,x\n", ", line 4: column b: expects a number, got the text"),
        (HEADER + '1,2,x\n3,"1,5",x\n', ", line 3: column b: expects a number, got the text '1,5'"),
        (HEADER + ",2,x\n", ", line 2: column a: expects a value, got nothing; missing: median"),
        (HEADER + "1, ,x\n", ", line 2: column b: expects a value, got nothing; missing: median"),
        (HEADER + "1,2,x\nNaN,2,x\n", ", line 3: column a: expects a value, got nothing (NaN)"),
        (HEADER + "1,-inf,x\n", ", line 2: column b: expects a finite number, got -inf"),
        (HEADER + "1,1e999,x\n", ", line 2: column b: expects a finite number, got 1e999"),
        (HEADER + "1,2,x\n1,2\n", ", line 3: has 2 cells, but the header has 3"),
        (HEADER + "1,2,x,\n", ", line 2: has 4 cells, but the header has 3"),
        (HEADER + "1,2,x\n1,2,\n", ", line 3: column kind: the target is empty"),
        (HEADER + "1,2,  \n", ", line 2: column kind: the target is empty"),
        (HEADER + '1,2,"x\ny"\n1,!,x\n', ", line 4: column b: expects a number, got the text '!'"),
    ],
)
def test_what_is_wrong_in_a_csv_file_is_named(csv, content, words):
    path = csv(content)
    with pytest.raises(ValueError, match=f"^{re.escape(f'{path}{words}')}"):
        alone(path)


def test_a_csv_file_that_is_not_there(tmp_path):
    path = tmp_path / "none.csv"
    with pytest.raises(ValueError, match=r"none\.csv: cannot be read as CSV \(.*No such file"):
        CSV(path)
    with pytest.raises(ValueError, match=r": cannot be read as CSV \("):
        CSV(tmp_path)


def test_an_unknown_target_lists_the_columns(csv):
    path = csv(SMALL)
    words = re.escape(f"{path}: has no column Kind; there are height, width, kind")
    with pytest.raises(ValueError, match=f"^{words}$"):
        CSV(path, target="Kind")


@pytest.mark.parametrize("share", [0, 0.0, 1.0, -0.5, 1.5, 0.1, 0.9])
def test_a_share_that_leaves_nothing_to_train_or_test_on(csv, share):
    """Of 4 rows 0.1 is none and 0.9 is all."""
    path = csv(SMALL)
    said = f"{path}: test_share: expects a share between 0 and 1, got {share};"
    if 0 < share < 1:
        said = f"{path}: a test_share of {share} leaves {4 * (share < 0.5)} of 4 rows"
    with pytest.raises(ValueError, match=f"^{re.escape(said)}.*or a file: test: PATH"):
        CSV(path, test_share=share)


def test_a_test_file_with_other_columns(csv):
    train, test = csv(SMALL), csv("width,height,kind,x\n1,2,fig,3\n", "test.csv")
    words = f"{test}: has the columns height, width, kind, x; expects those of {train}, height, wid"
    with pytest.raises(ValueError, match=f"^{re.escape(words)}"):
        CSV(train, test=test)


def test_columns_of_a_test_file_are_known_by_their_names(csv):
    train, test = csv(SMALL), csv("kind,width,height\nfig,20,2\n", "test.csv")
    data = CSV(train, test=test, standardise=False)
    assert data.test.X.tolist() == [[2, 20]]
    assert data.test.t.tolist() == [1]


def test_what_is_wrong_in_the_test_file_is_named_there(csv):
    train, test = csv(SMALL), csv("height,width,kind\n1,x,fig\n", "test.csv")
    words = re.escape(f"{test}, line 2: column width: expects a number, got the text 'x'; if")
    with pytest.raises(ValueError, match=f"^{words}"):
        CSV(train, test=test)


def test_a_test_file_whose_target_has_another_name(csv):
    train, test = csv(SMALL), csv(SMALL.replace("kind", "sort"), "test.csv")
    with pytest.raises(ValueError, match="has no column kind; there are height, width, sort"):
        CSV(train, test=test)


def test_a_constant_column_that_is_not_exact_becomes_zero(csv):
    rows = "".join(f"0.1,{i},{'ab'[i % 2]}\n" for i in range(10))
    data = CSV(csv(f"x,y,t\n{rows}"))
    assert abs(data.train.X[:, 0]).max() < 1e-6


def test_times_in_nanoseconds_are_no_constant(csv):
    """They lie 900 times as far apart as float64 rounds them, and their mean is rounded as well."""
    times = [1_700_000_000_000_000_000 + 20_000 * i for i in range(60)]
    data = CSV(csv("at,t\n" + "".join(f"{at},{'ab'[at % 7 > 3]}\n" for at in times)))
    assert data.train.X.mean() == pytest.approx(0, abs=1e-2)
    assert data.train.X.std() == pytest.approx(1, rel=1e-3)


def test_numbers_that_differ_by_rounding_alone_become_zero(csv):
    cells = ["0.30000000000000004", "0.3"] * 5
    data = CSV(csv("x,y,t\n" + "".join(f"{c},{i},{'ab'[i % 2]}\n" for i, c in enumerate(cells))))
    assert abs(data.train.X[:, 0]).max() < 1e-6


def test_targets_in_nanoseconds_are_refused_by_float32(csv):
    times = [1_700_000_000_000_000_000 + 20_000 * i for i in range(60)]
    rows = "".join(f"{i},{at}\n" for i, at in enumerate(times))
    with pytest.raises(
        ValueError, match=r"column at: the numbers have deviation 3.46e\+05, and float32"
    ):
        CSV(csv(f"x,at\n{rows}"), task="regression")
    same = "".join(f"{i},{['0.3', '0.30000000000000004'][i % 2]}\n" for i in range(10))
    CSV(csv(f"x,y\n{same}"), task="regression")


def test_labels_that_only_look_like_numbers(csv):
    rows = "".join(f"{i},{label}\n" for i, label in enumerate(["²", "--5", "²", "--5", "²"]))
    assert CSV(csv(f"x,t\n{rows}"), stratify=True).task.class_names == ("--5", "²")


def test_a_number_that_float32_cannot_hold(csv):
    with pytest.raises(
        ValueError, match="line 2: column x: expects at most 1e\\+37 in size, got 1e39"
    ):
        CSV(csv("x,t\n1e39,a\n1,b\n2,a\n3,b\n"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            SMALL.encode("utf-16"),
            "it is no UTF-8 .*: encoding: utf-16 reads 'height,width,kind'; or",
        ),
        (SMALL.encode("utf-16-le"), "line 1: holds zero bytes: no text; save it as UTF-8"),
        (
            "height,kind\n1,Bä\n".encode("latin-1"),
            "encoding: cp1252 reads '1,Bä'; or save it as UTF-8",
        ),
        (f'{SMALL}"5,50,fig\n{"6,60,fig" * 20_000}', "from line 6 on .*; is a quote not closed"),
        (f"a,kind\n1,a\n{'x' * 10_000},b\n", r"line 3: column a: .*, got the text 'x{60}'\.\.\.;"),
        (f"a,kind\n{'9' * 10_000},pear\n", r"line 2: .* a finite number, got 9{60}$"),
        (f"{'a' * 10_000};b\n1;2\n", r"got 'a{60}'\.\.\.; are the columns parted by semicolons"),
    ],
)
def test_hostile_csv_is_one_short_error(csv, content, words):
    with pytest.raises(ValueError, match=words) as raised:
        CSV(csv(content))
    assert len(str(raised.value)) < 500


def test_a_hundred_thousand_columns_are_read_and_refused_in_time(csv):
    """Looking for each name among all those before it took minutes."""
    names = [f"c{i}" for i in range(100_000)]
    row = ",".join("1" for _ in names)
    started = time.process_time()
    assert alone(csv(f"{','.join(names)}\n{row},a\n{row},b\n".replace("\n1", ",k\n1", 1)))
    with pytest.raises(ValueError, match="'c99999' stands twice"):
        CSV(csv(f"{','.join(names)},c99999\n{row},a\n"))
    with pytest.raises(ValueError, match=r"c49, and 99950 more$"):
        CSV(csv(f"{','.join(names)}\n{row}\n"), target="kind")
    assert time.process_time() - started < 5


# What is learned.


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["1", "2", "01"], "the class '1' ({}, line 2) is also spelt '01' ({}, line 4)"),
        (["2", "1.0", "1"], "the class '1.0' ({}, line 3) is also spelt '1' ({}, line 4)"),
        (["1", "+1", "2"], "the class '1' ({}, line 2) is also spelt '+1' ({}, line 3)"),
        (["0", "-0", "2"], "the class '0' ({}, line 2) is also spelt '-0' ({}, line 3)"),
        (["1e2", "100", "2"], "the class '1e2' ({}, line 2) is also spelt '100' ({}, line 3)"),
        (["\u00e9", "e\u0301", "a"], "the class '\u00e9' ({}, line 2) is also spelt 'e\u0301'"),
    ],
)
def test_two_spellings_of_one_class_are_refused(csv, labels, words):
    path = csv("a,kind\n" + "".join(f"0,{label}\n" for label in labels))
    with pytest.raises(ValueError, match=re.escape(words.format(path, path))):
        alone(path)


def test_a_spelling_that_only_the_test_file_has(csv):
    train, test = csv("a,kind\n1,1\n2,2\n"), csv("a,kind\n5,2\n6,1.0\n", "test.csv")
    words = f"column kind: the class '1' ({train}, line 2) is also spelt '1.0' ({test}, line 3)"
    with pytest.raises(ValueError, match=f"^{re.escape(words)}; spell it in one way"):
        CSV(train, test=test)


def test_numbers_that_no_float_can_tell_apart_are_two_classes(csv):
    path = csv("a,kind\n1,10000000000000000001\n2,10000000000000000002\n")
    assert len(alone(path).task.class_names) == 2


def test_the_order_of_classes_does_not_depend_on_the_hash_seed(csv):
    labels = ["b", "10", "a", "Z", "9", "é", "2"]
    path = csv("a,kind\n" + "".join(f"0,{label}\n" for label in labels))
    code = "from lamina.datasets import CSV; "
    code += f"print(CSV({str(path)!r}, test={str(path)!r}).task.facts())"
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in "123"
    }
    assert len(said) == 1


def test_measured_numbers_are_no_classes_unless_that_is_said(csv):
    path = csv("a,y\n" + "".join(f"{i},{i % 50}.5\n" for i in range(100)))
    words = r"column y has 50 different numbers in 100 rows, .* task: regression learns numbers"
    with pytest.raises(ValueError, match=words):
        CSV(path)
    assert len(CSV(path, task="classification", stratify=True).task.class_names) == 50
    few = csv("a,y\n" + "".join(f"{i},{i}.5\n" for i in range(12)), "few.csv")
    with pytest.raises(ValueError, match="column y has 12 different numbers in 12 rows"):
        CSV(few)
    whole = csv("a,y\n" + "".join(f"{i},{i % 6}\n" for i in range(12)), "whole.csv")
    assert len(alone(whole).task.class_names) == 6
    many = csv("a,y\n" + "".join(f"{i},{i % 30}\n" for i in range(300)), "many.csv")
    assert len(alone(many).task.class_names) == 30  # ten rows each
    names = csv("a,y\n" + "".join(f"{i},n{i}\n" for i in range(30)), "names.csv")
    assert len(alone(names).task.class_names) == 30


def test_numbers_to_learn(csv):
    path = csv("x,price,y\n1,10.5,7\n2,-3e1,8\n")
    data = alone(path, task="regression", target="price")
    assert data.task == Regression(["price"])
    assert data.train.t.tolist() == [[10.5], [-30]]
    assert data.train.t.dtype == np.float32
    assert data.train.X.tolist() == [[1, 7], [2, 8]]
    assert data.target_shape == (1,)
    two = alone(path, task="regression", target=("y", "price"))
    assert two.task.target_names == ("y", "price")
    assert two.train.t.tolist() == [[7, 10.5], [8, -30]]
    assert two.input_shape == (1,)
    assert alone(path, task="regression").task == Regression(["y"])
    with pytest.raises(ValueError, match=r"line 3: column y: expects a number, got the text 'b'"):
        alone(csv("x,y\n1,1\n2,b\n"), task="regression")


def test_targets_stay_as_they_are_when_inputs_are_standardised(csv):
    data = alone(csv("x,y\n1,100\n3,300\n"), task="regression", standardise=True)
    assert data.train.X.tolist() == [[-1], [1]]
    assert data.train.t.tolist() == [[100], [300]]


def test_labels_that_hold_or_not(csv):
    path = csv("x,cat,dog\n1,0,1\n2,1.0,1\n")
    data = alone(path, task="multilabel", target=["cat", "dog"])
    assert data.task == MultiLabel(["cat", "dog"])
    assert data.train.t.tolist() == [[0, 1], [1, 1]]
    assert data.train.t.dtype == np.float32
    words = r"line 3: column dog: expects 0 or 1, whether the label holds; got 'yes'"
    with pytest.raises(ValueError, match=words):
        alone(csv("x,cat,dog\n1,0,1\n2,1,yes\n"), task="multilabel", target=["cat", "dog"])


def test_the_inputs_as_targets(csv):
    data = alone(csv("a,b\n1,2\n3,4\n"), task="reconstruction", standardise=True)
    assert data.task == Reconstruction()
    assert data.input_shape == data.target_shape == (2,)
    assert data.train.t is data.train.X
    X, t = data.train[np.array([1])]
    assert X.tolist() == t.tolist() == [[1, 1]]  # as they go in
    without = alone(csv(SMALL), task="reconstruction", target="kind")
    assert without.train.t.tolist() == [[1, 10], [2, 20], [3, 30], [4, 40]]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"task": "regresion"}, r"task: expects classification, .*; did you mean regression\?"),
        ({"task": "language_model"}, "task: expects classification, regression, multilabel, rec"),
        (
            {"target": ("width", "kind")},
            "2 columns .* columns of 0 and 1: task: multilabel; of num",
        ),
        ({"target": ("kind", "kind")}, "target: a column stands twice in kind, kind"),
        ({"target": ()}, "target: expects the name of a column, or a list of names"),
        ({"target": (1,)}, "target: expects the name of a column, or a list of names"),
        (
            {"task": "regression", "target": ("height", "width", "kind")},
            "all its columns are targets, height, width, kind; no inputs are left",
        ),
        ({"validation_share": 0.5, "n_validation": 1}, "both say how many samples"),
        ({"validation_share": 1}, "validation_share: expects a share between 0 and 1, got 1"),
        ({"n_validation": 0}, "n_validation: expects a whole number of at least 1, got 0"),
        ({"n_validation": 4}, r"data.csv: n_validation: 4 leaves 0 of 4"),
        ({"split_seed": -1}, "split_seed: expects a whole number of at least 0, got -1"),
    ],
)
def test_what_cannot_be_asked_for(csv, settings, words):
    with pytest.raises(ValueError, match=words):
        alone(csv(SMALL), **settings)


def test_no_classes_to_stratify_by(csv):
    path = csv("x,y\n" + "".join(f"{i},{i}.5\n" for i in range(10)))
    with pytest.raises(ValueError, match="stratify: true splits class by class, and there are no"):
        CSV(path, task="regression", stratify=True)


def test_an_underscore_makes_no_number(csv):
    with pytest.raises(ValueError, match=r"line 2: column a: expects a number, got the text '1_0'"):
        alone(csv("a,kind\n1_0,x\n2,y\n"))


# Validation.


def test_rows_for_validation_are_taken_class_by_class_from_those_to_train_on(csv):
    path = csv("a,kind\n" + "".join(f"{i},{'xxxxxxy'[i % 7]}\n" for i in range(140)))
    plain = CSV(path, standardise=False)
    data = CSV(path, standardise=False, validation_share=0.25)
    assert rows(data.test) == rows(plain.test)  # the test rows stay what they were
    assert sorted(rows(data.train) + rows(data.validation)) == sorted(rows(plain.train))
    counts = np.bincount(plain.train.t)
    taken = np.bincount(data.validation.t)
    assert taken.sum() == 28
    assert abs(taken - counts / 4).max() < 1
    for part in (data.train, data.validation):
        assert part.t.tolist() == [int(row % 7 == 6) for row in rows(part)]
    for seed in range(1, 20):  # a plain draw would miss it
        part = CSV(path, split_seed=seed, validation_share=0.25)
        counts = np.bincount([*part.train.t, *part.validation.t])
        assert abs(np.bincount(part.validation.t) - counts / 4).max() < 1
    again = CSV(path, standardise=False, validation_share=0.25)
    assert rows(again.validation) == rows(data.validation)
    other = CSV(path, standardise=False, n_validation=28, split_seed=1)
    assert len(other.validation) == 28
    assert sorted(rows(other.validation)) != sorted(rows(data.validation))
    assert plain.validation is None
    assert not plain.has_validation


def test_a_validation_file(csv):
    train, other = csv("a,kind\n1,x\n3,y\n"), csv("a,kind\n5,y\n", "validation.csv")
    data = CSV(train, test=train, validation=other)
    assert data.validation.X.tolist() == [[3]]  # standardised by the training rows
    assert data.validation.t.tolist() == [1]
    with pytest.raises(ValueError, match=r"validation_share and n_validation take rows of the tra"):
        CSV(train, test=train, validation=other, n_validation=1)
    strange = csv("b,kind\n5,y\n", "strange.csv")
    with pytest.raises(ValueError, match=r"strange.csv: lacks the column a; there are b, kind"):
        CSV(train, test=train, validation=strange)


def test_numbers_are_held_back_at_random(csv):
    path = csv("x,y\n" + "".join(f"{i},{i}.5\n" for i in range(40)))
    data = CSV(path, task="regression", validation_share=0.25, standardise=False)
    parts = [rows(part) for part in data.sets().values()]
    assert [len(part) for part in parts] == [24, 8, 8]
    assert sorted(row for part in parts for row in part) == list(range(40))
    assert data.validation.t[:, 0].tolist() == [row + 0.5 for row in rows(data.validation)]


def test_validation_rows_have_no_part_in_the_standardisation(csv):
    path = csv("a,kind\n" + "".join(f"{2**i},{'xy'[i % 2]}\n" for i in range(10)))
    data = CSV(path, n_validation=2)
    assert data.train.X.mean() == pytest.approx(0.0, abs=1e-6)
    assert data.train.X.std() == pytest.approx(1.0, rel=1e-6)


def test_a_large_file_takes_a_few_times_its_numbers(csv):
    n, width = 4000, 50
    row = ",".join(f"{i}.25" for i in range(width))
    path = csv(",".join(f"c{i}" for i in range(width)) + ",k\n" + f"{row},x\n{row},y\n" * (n // 2))
    tracemalloc.start()
    CSV(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 8 * n * width
