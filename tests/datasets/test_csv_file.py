"""People's own CSV and NPZ files: what is read, and the row and column of what is wrong."""

import re
import time
import tracemalloc
import zipfile

import numpy as np
import pytest

from lamina.datasets import CSV, NPZ


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
    assert data.class_names == ("apple", "fig", "pear")
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
    assert data.class_names == ("3", "6")
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
    assert data.class_names == classes
    assert [classes[i] for i in data.train.t] == labels


def test_a_label_that_only_the_test_file_has_is_a_class_too(csv):
    train, test = csv("a,kind\n1,x\n2,z\n"), csv("a,kind\n5,y\n6,x\n", "test.csv")
    data = CSV(train, test=test, standardise=False)
    assert data.class_names == ("x", "y", "z")
    assert data.train.t.tolist() == [0, 2]
    assert data.test.t.tolist() == [1, 0]
    assert data.test.X.tolist() == [[5], [6]]
    assert len(data.train) == 2


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
    first, again, other = (CSV(path, seed=seed, standardise=False) for seed in (1, 1, 2))
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
    assert data.class_names == ("Grün", 'said "no", twice', "two\nlines")
    assert data.train.X.tolist() == [[1.5, 20], [-3, 4], [0.5, 6]]
    assert data.train.t.tolist() == [1, 0, 2]


def test_a_byte_order_mark_is_no_part_of_the_first_name(csv):
    data = alone(csv("\ufeffkind,a\nx,1\ny,2\n"), target="kind")
    assert data.train.X.tolist() == [[1], [2]]


HEADER = "a,b,kind\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04\xff\xfe\x00binary", ": cannot be read as CSV ("),
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
        (HEADER + ",2,x\n", ", line 2: column a: expects a number, got nothing"),
        (HEADER + "1, ,x\n", ", line 2: column b: expects a number, got nothing"),
        (HEADER + "1,2,x\nNaN,2,x\n", ", line 3: column a: expects a finite number, got NaN"),
        (HEADER + "1,-inf,x\n", ", line 2: column b: expects a finite number, got -inf"),
        (HEADER + "1,1e999,x\n", ", line 2: column b: expects a finite number, got 1e999"),
        (HEADER + "1,2,x\n1,2\n", ", line 3: has 2 cells, but the header has 3"),
        (HEADER + "1,2,x,\n", ", line 2: has 4 cells, but the header has 3"),
        (HEADER + "1,2,x\n1,2,\n", ", line 3: column kind: the label is empty"),
        (HEADER + "1,2,  \n", ", line 2: column kind: the label is empty"),
        (HEADER + '1,2,"x\ny"\n1,?,x\n', ", line 4: column b: expects a number, got the text '?'"),
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
    words = re.escape(f"{path}: a test_share of {share} leaves")
    with pytest.raises(ValueError, match=f"^{words}.*of 4 rows.*or a file: test: PATH"):
        CSV(path, test_share=share)


def test_a_test_file_with_other_columns(csv):
    train, test = csv(SMALL), csv("width,height,kind\n1,2,fig\n", "test.csv")
    words = re.escape(f"{test}: has the columns width, height, kind; expects those of {train}, hei")
    with pytest.raises(ValueError, match=f"^{words}"):
        CSV(train, test=test)


def test_what_is_wrong_in_the_test_file_is_named_there(csv):
    train, test = csv(SMALL), csv("height,width,kind\n1,x,fig\n", "test.csv")
    words = re.escape(f"{test}, line 2: column width: expects a number, got the text 'x'")
    with pytest.raises(ValueError, match=f"^{words}$"):
        CSV(train, test=test)


# NPZ.


def arrays(**changed):
    """Two training and three test samples of two numbers; None leaves an array out."""
    whole = {
        "x_train": np.array([[1.0, 2.0], [3.0, 4.0]]),
        "t_train": np.array([0, 2]),
        "x_test": np.array([[5.0, 6.0], [7.0, 8.0], [9.0, 10.0]]),
        "t_test": np.array([1, 0, 3]),
        **changed,
    }
    return {name: array for name, array in whole.items() if array is not None}


@pytest.fixture
def npz(tmp_path):
    def write(**changed):
        path = tmp_path / "data.npz"
        np.savez(path, **arrays(**changed))
        return path

    return write


def test_arrays_from_npz(npz):
    data = NPZ(npz())
    assert data.class_names == ("0", "1", "2", "3")
    assert data.input_shape == (2,)
    X, t = data.train[np.array([1, 0])]
    assert X.tolist() == [[3, 4], [1, 2]]
    assert X.dtype == np.float32
    assert t.tolist() == [2, 0]
    assert t.dtype == np.intp
    assert data.test.t.tolist() == [1, 0, 3]


def test_images_of_bytes_stay_bytes_and_are_scaled(npz):
    images = np.array([0, 51, 255, 0, 0, 0, 0, 102], np.uint8).reshape(2, 1, 2, 2)
    path = npz(x_train=images, x_test=np.zeros((3, 1, 2, 2), np.uint8))
    data = NPZ(path, scale=1 / 255)
    assert data.input_shape == (1, 2, 2)
    assert data.train.X.dtype == np.uint8
    X, _ = data.train[np.array([0, 1])]
    assert X.dtype == np.float32
    np.testing.assert_allclose(X.ravel(), [0, 0.2, 1, 0, 0, 0, 0, 0.4], rtol=1e-6)
    plain, _ = NPZ(path).train[np.array([0])]
    assert plain.dtype == np.float32
    assert plain.ravel().tolist() == [0, 51, 255, 0]


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.float16, np.float64])
def test_any_numbers_will_do(npz, dtype):
    x = np.array([[1, 2], [3, 4]], dtype)
    data = NPZ(npz(x_train=x), scale=0.5)
    assert data.train[np.array([1])][0].tolist() == [[1.5, 2.0]]
    assert NPZ(npz(x_train=x, t_train=np.array([1, 0], np.uint8))).train.t.tolist() == [1, 0]


def test_compressed_files_and_further_arrays_are_fine(tmp_path):
    np.savez_compressed(tmp_path / "data.npz", **arrays(names=np.array(["a", "b"])))
    assert len(NPZ(tmp_path / "data.npz").test) == 3


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\x93NUMPX" * 20])
def test_what_is_no_npz_file(tmp_path, content):
    path = tmp_path / "data.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))}: is no whole \.npz file \("):
        NPZ(path)


def test_an_npz_file_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match=r"none\.npz: cannot be read \(No such file"):
        NPZ(tmp_path / "none.npz")


def test_pickled_objects_are_refused_and_never_run(npz, tmp_path):
    class Harmful:
        def __reduce__(self):
            return (open, (str(tmp_path / "harm"), "w"))

    for changed in ({"x_train": np.array([Harmful()])}, {"more": np.array([Harmful()])}):
        with pytest.raises(ValueError, match="got object; objects would be pickled"):
            NPZ(npz(**changed))
    assert not (tmp_path / "harm").exists()


def test_missing_arrays_are_listed_with_those_that_are_there(npz):
    words = "expects x_train, t_train, x_test, t_test; t_train, x_test missing, there are x_train, "
    with pytest.raises(ValueError, match=f": {words}t_test$"):
        NPZ(npz(t_train=None, x_test=None))
    nothing = dict.fromkeys(("x_train", "t_train", "x_test", "t_test"))
    with pytest.raises(ValueError, match="x_train, t_train, x_test, t_test missing, there are no"):
        NPZ(npz(**nothing))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"x_train": np.array([["a"], ["b"]])}, "x_train: expects numbers (N, ...), got <U1 (2, 1"),
        ({"x_train": np.ones((2, 2), bool)}, "x_train: expects numbers (N, ...), got bool (2, 2)"),
        ({"x_test": np.ones((3, 2), complex)}, "x_test: expects numbers (N, ...), got complex128"),
        ({"x_train": np.ones(2)}, "x_train: expects numbers (N, ...), got float64 (2,)"),
        ({"x_test": np.ones((0, 2))}, "x_test: expects numbers (N, ...), got float64 (0, 2)"),
        (
            {"x_train": np.array([[1.0, 2.0], [3.0, np.nan]])},
            "x_train: row 1 holds NaN or infinity",
        ),
        (
            {"x_test": np.array([[1.0, 2.0], [np.inf, 0.0], [np.nan, 0.0]])},
            "x_test: row 1 holds NaN or infinity",
        ),
        ({"t_train": np.array([0.0, 1.0])}, "t_train: expects class indices (2,), got float64 (2,"),
        ({"t_train": np.array(["0", "1"])}, "t_train: expects class indices (2,), got <U1 (2,)"),
        ({"t_test": np.array([0, 1])}, "t_test: expects class indices (3,), got int64 (2,)"),
        ({"t_train": np.eye(2, dtype=int)}, "t_train: expects class indices (2,), got int64 (2, 2"),
        ({"t_test": np.array([0, -1, 1])}, "t_test: expects class indices (3,), got int64 (3,)"),
        (
            {"x_test": np.ones((3, 5))},
            "x_train and x_test have different shapes, (2, 2) and (3, 5)",
        ),
        (
            {"x_test": np.ones((3, 2, 1))},
            "x_train and x_test have different shapes, (2, 2) and (3, 2, 1)",
        ),
    ],
)
def test_the_array_that_is_wrong_is_named(npz, changed, words):
    path = npz(**changed)
    with pytest.raises(ValueError, match=f"^{re.escape(f'{path}: {words}')}"):
        NPZ(path)


def test_a_test_file_whose_target_has_another_name(csv):
    train, test = csv(SMALL), csv(SMALL.replace("kind", "sort"), "test.csv")
    with pytest.raises(ValueError, match="has the columns height, width, sort; expects those of"):
        CSV(train, test=test)


def test_a_constant_column_that_is_not_exact_becomes_zero(csv):
    rows = "".join(f"0.1,{i},{'ab'[i % 2]}\n" for i in range(10))
    data = CSV(csv(f"x,y,t\n{rows}"))
    assert abs(data.train.X[:, 0]).max() < 1e-6


def test_labels_that_only_look_like_numbers(csv):
    rows = "".join(f"{i},{label}\n" for i, label in enumerate(["²", "--5", "²", "--5", "²"]))
    assert CSV(csv(f"x,t\n{rows}")).class_names == ("--5", "²")


def test_a_number_that_float32_cannot_hold(csv):
    with pytest.raises(ValueError, match="line 2: column x: expects a finite number, got 1e39"):
        CSV(csv("x,t\n1e39,a\n1,b\n2,a\n3,b\n"))


def test_damaged_npz_files_are_named(tmp_path):
    np.save(tmp_path / "array.npy", np.zeros(3))
    arrays = {f"{n}_{p}": np.zeros((4, 2)[: 2 if n == "x" else 1]) for n in "xt" for p in "ab"}
    np.savez_compressed(tmp_path / "whole.npz", **arrays)
    whole = (tmp_path / "whole.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[:-30])
    (tmp_path / "spoilt.npz").write_bytes(whole[:60] + b"XXXXXXXX" + whole[68:])
    with zipfile.ZipFile(tmp_path / "raw.npz", "w") as file:
        file.writestr("x_train", b"no array")
    for name in ("array.npy", "cut.npz", "spoilt.npz", "raw.npz"):
        with pytest.raises(ValueError, match=re.escape(str(tmp_path / name))):
            NPZ(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (SMALL.encode("utf-16"), r"cannot be read as CSV \('utf-8' codec .*; save it as UTF-8"),
        (SMALL.encode("utf-16-le"), "line 1: holds zero bytes: no text; save it as UTF-8"),
        ("height,kind\n1,Bä\n".encode("latin-1"), "cannot be read as CSV .*; save it as UTF-8"),
        (f'{SMALL}"5,50,fig\n{"6,60,fig" * 20_000}', "after line 5 .*; is a quote not closed"),
        (f"a,kind\n{'x' * 10_000},pear\n", r"line 2: column a: .*, got the text 'x{60}'\.\.\.$"),
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
    started = time.perf_counter()
    assert alone(csv(f"{','.join(names)}\n{row},a\n{row},b\n".replace("\n1", ",k\n1", 1)))
    with pytest.raises(ValueError, match="'c99999' stands twice"):
        CSV(csv(f"{','.join(names)},c99999\n{row},a\n"))
    with pytest.raises(ValueError, match=r"c49, and 99950 more$"):
        CSV(csv(f"{','.join(names)}\n{row}\n"), target="kind")
    assert time.perf_counter() - started < 5


def test_arrays_that_nobody_asked_for_are_not_read(npz):
    path = npz(more=np.zeros(8 << 20, np.uint8))
    tracemalloc.start()
    NPZ(path)
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()
