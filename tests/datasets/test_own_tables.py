"""Tables as people have them: texts, missing cells, other signs and encodings; what is learned of
them, and the cure in each error."""

import random
import re

import numpy as np
import pytest

from lamina.datasets import CSV, NPZ

TABLE = """\
id,colour,size,weight,kind
1,red,1.5,10,a
2,blue,2.5,20,b
3,red,3.5,30,a
4,green,4.5,40,b
"""


@pytest.fixture
def table(tmp_path):
    def write(content, name="data.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def alone(path, **settings):
    """The file as training and as test data, numbers as they are."""
    return CSV(path, test=path, **{"standardise": False, **settings})


def refused(path, words, **settings):
    with pytest.raises(ValueError, match=words) as raised:
        CSV(path, **settings)
    assert "\n" not in str(raised.value)
    return str(raised.value)


# Texts.


def test_a_column_of_texts_becomes_one_hot_in_its_place(table):
    data = alone(table(TABLE), ignore="id")
    assert data.train.X.tolist() == [
        [0, 0, 1, 1.5, 10],  # blue, green, red
        [1, 0, 0, 2.5, 20],
        [0, 0, 1, 3.5, 30],
        [0, 1, 0, 4.5, 40],
    ]
    assert data.train.X.dtype == np.float32


def test_numbers_that_are_categories_if_that_is_said(table):
    data = alone(table("room,x,kind\n10,1,a\n9,2,b\n10,3,a\n"), categories=["room"])
    assert data.train.X.tolist() == [[0, 1, 1], [1, 0, 2], [0, 1, 3]]  # 9 before 10
    mixed = "cabin,x,kind\nC85,1,a\n12,2,b\n"
    refused(table(mixed), r"column cabin: expects a number, got the text 'C85'; .*\[cabin\]")
    assert alone(table(mixed), categories="cabin").input_shape == (3,)


def test_categories_are_those_of_the_training_rows(table, capsys):
    """What is in other rows alone is 0 in all columns, and a line says so."""
    train = table("c,x,kind\nred,1,a\nblue,2,b\n")
    test = table("c,x,kind\nblue,3,a\ngreen,4,b\ngreen,5,b\n", "test.csv")
    data = CSV(train, test=test, standardise=False)
    assert data.test.X.tolist() == [[1, 0, 3], [0, 0, 4], [0, 0, 5]]
    said = capsys.readouterr().err
    assert f"{test}, line 3 and 1 more (test): column c: the category 'green' is in no row" in said
    test = table(
        "c,x,kind\nblue,3,a\ngreen,4,b\nred,5,b\npink,6,b\ngreen,7,b\nold,7,b\n", "test.csv"
    )
    CSV(train, test=test, standardise=False)
    several = "line 3 and 3 more (test): column c: the category 'green' and 2 others are in no row"
    assert several in capsys.readouterr().err


def test_of_a_split_file_the_test_rows_give_no_category(table):
    rows = "".join(f"{'rare' if i == 7 else 'often'},{i},{'ab'[i % 2]}\n" for i in range(20))
    path = table(f"c,x,kind\n{rows}")
    seeds = [s for s in range(60) if 7 in CSV(path, split_seed=s, standardise=False).test.X[:, -1]]
    assert seeds
    for seed in seeds:
        assert CSV(path, split_seed=seed).input_shape == (2,)  # "often", x
    assert CSV(path, split_seed=next(s for s in range(60) if s not in seeds)).input_shape == (3,)


def test_one_category_in_two_spellings(table):
    path = table("room,x,kind\n1,1,a\n1.0,2,b\n1,3,a\n1,4,b\n")
    words = r"column room: the category '1' \(.*, line 2\) is also spelt '1.0' \(.*, line 3\)"
    refused(path, words, categories=["room"])


def test_texts_that_only_name_the_rows(table):
    rows = "".join(f"n{i},{i % 3},{'ab'[i % 2]}\n" for i in range(12))
    path = table(f"name,x,kind\n{rows}")
    said = refused(path, "column name holds 12 different texts in 12 rows; if they only name the")
    assert "ignore: [name]" in said
    assert "categories: [name]" in said
    assert alone(path, ignore=["name"]).input_shape == (1,)
    assert alone(path, categories=["name"]).input_shape == (13,)


def test_numbers_that_may_only_name_the_rows_are_said(table, capsys):
    rows = "".join(f"{100 - 3 * i},{i % 3},{'ab'[i % 2]}\n" for i in range(12))
    for name in ("id", "userId", "user_id", "순번", "No."):
        alone(table(f"{name},x,kind\n{rows}"))
        assert f"column {name} has another number in every row; if it" in capsys.readouterr().err
    alone(table(f"width,x,kind\n{rows}"))
    alone(table(f"id,x,kind\n{rows}"), ignore=["id"])
    assert capsys.readouterr().err == ""


def test_codes_with_zeros_before_them_are_said(table, capsys):
    rows = "".join(f"{code},{'ab'[i % 2]}\n" for i, code in enumerate(["90210", "01234"] * 6))
    alone(table(f"zip,kind\n{rows}"))
    said = capsys.readouterr().err
    assert (
        "column zip: 01234 is read as the number 1234; if it is a code: categories: [zip]" in said
    )
    assert alone(table(f"zip,kind\n{rows}"), categories=["zip"]).input_shape == (2,)
    months = "".join(f"{i + 1:02},{0.25 * i},{'ab'[i % 2]}\n" for i in range(12))
    alone(table(f"month,x,kind\n{months}"))
    assert capsys.readouterr().err == ""


def test_texts_that_differ_in_capitals_alone_are_said(table, capsys):
    rows = "".join(f"{i},{c},{k}\n" for i, (c, k) in enumerate([("red", "a"), ("blue", "b")] * 6))
    alone(table(f"x,colour,kind\n{rows}"))
    assert capsys.readouterr().err == ""
    alone(table(f"x,colour,kind\n{rows}{99},Red,B\n"))
    lines = capsys.readouterr().err.splitlines()
    assert "column colour: 'Red' and 'red' differ in capitals alone, and are two" in lines[0]
    assert "column kind: 'B' and 'b' differ in capitals alone, and are two" in lines[1]
    numbers = "".join(f"{i},{'1e5' if i % 2 else '1E5'}\n" for i in range(12))
    alone(table(f"x,price\n{numbers}"), task="regression")
    assert capsys.readouterr().err == ""


def test_a_column_to_ignore_may_hold_anything(table):
    path = table('note,x,kind\n"?, so\nwhat",1,a\n,2,b\n')
    assert alone(path, ignore=["note"]).train.X.tolist() == [[1], [2]]
    refused(path, "ignore: has no column nota; there are note, x, kind", ignore=["nota"])
    refused(path, "the target kind is ignored", ignore=["kind"])
    refused(path, "no inputs are left", ignore=["note", "x"])
    refused(path, "ignore: 'x' is among categories too", ignore="x", categories="x")


# Missing cells.

HOLES = "a,c,kind\n1,x,p\n,y,q\n3,,p\n8,x,q\n"


@pytest.mark.parametrize(
    ("settings", "filled"),
    [
        ({"missing": "mean"}, 4),
        ({"missing": "median"}, 3),
        ({"missing": "constant", "fill": -1}, -1),
    ],
)
def test_cells_are_filled_where_that_is_asked_for(table, settings, filled):
    data = alone(table(HOLES), **settings)
    # x, y, and the cells that hold nothing as a category of their own, the last one
    assert data.train.X.tolist() == [[1, 1, 0, 0], [filled, 0, 1, 0], [3, 0, 0, 1], [8, 1, 0, 0]]


def test_without_it_they_are_refused(table):
    refused(table(HOLES), "line 3: column a: expects a value, got nothing; missing: median")
    refused(table(HOLES.replace("\n,y", "\n2,y")), "line 4: column c: expects a value, got nothing")
    refused(table("a,kind\nN/A,x\n1,y\n"), r"line 2: column a: expects a value, got nothing \(N/A")
    refused(table(HOLES), "missing: expects mean, median, constant, got 'mode'", missing="mode")
    refused(table(HOLES), "fill: the number for missing: constant", missing="mean", fill=1)
    refused(table(HOLES), "fill: the number for missing: constant", missing="constant")
    refused(table("a,kind\n1,x\n2,NA\n"), r"line 3: column kind: the target is empty \(NA\)")


def test_fills_are_learned_from_the_training_rows_alone(table):
    rows = "".join(f"{i * i if i % 5 else ''},{i},{'ab'[i % 2]}\n" for i in range(40))
    data = CSV(table(f"a,x,kind\n{rows}"), missing="mean", standardise=False, n_validation=8)
    there = data.train.X[:, 1] % 5 != 0
    mean = np.square(data.train.X[there, 1]).mean()
    holes = 0
    for samples in data.sets().values():
        filled = samples.X[samples.X[:, 1] % 5 == 0, 0]
        holes += len(filled)
        assert filled == pytest.approx(mean)
    assert holes == 8
    assert data.preparation["columns"][0]["fill"] == pytest.approx(mean)


def test_a_column_with_nothing_to_fill_from(table):
    refused(table("a,x,kind\n,1,p\n,2,q\n,3,p\n,4,q\n,5,p\n"), r"ignore: \[a\]", missing="mean")


def test_what_else_marks_a_missing_cell(table):
    path = table("a,x,kind\n1,1,p\n-,2,q\n")
    refused(path, r"column a: expects a number, got the text '-'; .* missing_marks: \[\"-\"\]")
    data = alone(path, missing="mean", missing_marks="-")
    assert data.train.X[:, 0].tolist() == [1, 1]


@pytest.mark.parametrize("other", ["2", "x"])  # with it, or not, all cells of a row are numbers
@pytest.mark.parametrize(
    ("mark", "cell", "settings"),
    [
        ("-999", "-999", {}),
        ("-999", " -999.0", {}),
        ("-999,0", "-999", {"decimal": ","}),
        ("9.999", "9999", {"decimal": ",", "thousands": "."}),
        ("inf", "inf", {}),
    ],
)
def test_a_number_that_marks_a_missing_cell(table, other, mark, cell, settings):
    """As weather stations write them: nowhere is it a measurement."""
    path = table(f"a;b;kind\n1;1;p\n{cell};{other};q\n3;1;p\n")
    settings = {"separator": ";", "missing_marks": mark, "categories": "b", **settings}
    refused(path, rf"line 3: column a: expects a value, got nothing \({cell.strip()}\)", **settings)
    data = alone(path, missing="mean", **settings)
    assert data.train.X[:, 0].tolist() == [1, 2, 3]
    words = table(path.read_text().replace("1;1", "p;1").replace("3;1", "p;1"), "words.csv")
    if cell.strip() == mark:  # of texts too
        kinds = alone(words, missing="mean", **settings).preparation["columns"][0]["categories"]
        assert kinds == ["p", "(missing)"]


def test_a_number_that_marks_a_missing_target(table):
    path = table("a,y\n1,0.5\n2,-999.0\n3,0.7\n")
    words = r"line 3: column y: the target is empty \(-999.0\)"
    refused(path, words, task="regression", missing_marks="-999")


# How numbers are written.


@pytest.mark.parametrize(
    ("cells", "cure", "settings", "values"),
    [
        (["3,14", "2,5"], 'decimal: ","', {"decimal": ","}, [3.14, 2.5]),
        (["1,234", "2,500"], 'thousands: ","', {"thousands": ","}, [1234, 2500]),
        (["1,234", "2,500"], 'decimal: ","', {"decimal": ","}, [1.234, 2.5]),
        (["1,234.5", "12"], 'thousands: ","', {"thousands": ","}, [1234.5, 12]),
        (
            *(["1.234,5", "7"], 'decimal: "," and thousands: "."'),
            *({"decimal": ",", "thousands": "."}, [1234.5, 7]),
        ),
        (["1 234", "5"], 'thousands: " "', {"thousands": " "}, [1234, 5]),
        (["12%", "3 %"], 'signs: ["%"]', {"signs": "%"}, [12, 3]),
        (["$12", "$3"], 'signs: ["$"]', {"signs": ("$",)}, [12, 3]),
        (["12원", "3원"], "signs: [원]", {"signs": ("원",)}, [12, 3]),
        (["5 kg", "7 kg"], "signs: [kg]", {"signs": ("kg",)}, [5, 7]),
    ],
)
def test_numbers_as_people_write_them(table, cells, cure, settings, values):
    """Refused with the cure, and read with it."""
    path = table("a,kind\n" + "".join(f'"{c}",{k}\n' for c, k in zip(cells, "xy", strict=True)))
    assert cure in refused(path, "line 2: column a: expects a number, got the text")
    assert alone(path, **settings).train.X[:, 0] == pytest.approx(values)


@pytest.mark.parametrize(
    ("settings", "cell", "cure"),
    [
        ({"thousands": ","}, "0,125", "a comma parts thousands here; if it is decimal in all"),
        ({"thousands": ","}, "-0,500", "if in some: write it as a point there"),
        ({"thousands": ","}, "1,23", "a comma parts thousands here"),
        ({"thousands": ",", "signs": "%"}, "0,125%", "a comma parts thousands here"),
        ({"signs": "%"}, "0,125 %", 'if that is a decimal comma: decimal: ","'),
        ({"thousands": ".", "decimal": ","}, "0.125", 'decimal: "." without thousands; if in some'),
        ({"thousands": ".", "decimal": ","}, "00.125", "write it as a comma there"),
        ({"thousands": " "}, "0 125", "got the text '0 125'"),
        ({"thousands": "'"}, "1,5", 'if that is a decimal comma: decimal: ","'),
        ({}, "0,125", 'if that is a decimal comma: decimal: ","'),
    ],
)
def test_a_fraction_is_no_number_of_thousands(table, settings, cell, cure):
    """No thousands begin with 0; and a column of such is one of numbers, not of categories."""
    for first in ("7", cell):
        path = table(f"a;kind\n{first};x\n{cell};y\n{cell};x\n")
        if first == cell == "0 125":
            continue  # a text, as far as one can tell
        said = refused(path, "column a: expects a number, got the text", separator=";", **settings)
        assert cure in said


def test_signs_that_contradict_each_other(table):
    path = table("a,kind\n1,x\n2,y\n")
    refused(path, 'decimal: expects "." or ","', decimal=";")
    refused(path, "thousands: is '.', as decimal is", thousands=".")
    refused(path, "signs: expects signs without digits", signs=["m2"])
    refused(path, "separator: expects one sign", separator="ab")
    refused(path, "encoding: there is no 'utf-99'", encoding="utf-99")
    refused(path, "quote: expects one sign", quote="ab")
    refused(path, "skip_lines: expects 0 or more", skip_lines=-1)
    commas = table("a;kind\n1.5;x\n2;y\n")
    words = r"got the text '1.5'; if points part thousands: thousands: \"\.\"; if they are decimal"
    refused(commas, words, separator=";", decimal=",")
    words = r"line 3: column a: two units in one column, '%' and none; write it in one"
    refused(table("a,kind\n12%,x\n0.12,y\n"), words, signs="%")


def test_a_row_stands_in_the_line_in_which_it_begins(table):
    text = 'x,note,kind\n1,"two\nlines",a\n\n2,one,b\n1O5,"two\nlines",a\n'
    refused(table(text), r"line 6: column x: expects a number, got the text '1O5'", ignore="note")


@pytest.mark.parametrize("role", ["test", "validation"])
@pytest.mark.parametrize(("unit", "other"), [("%", ""), ("", "%"), ("%", "$")])
def test_other_files_have_the_units_of_the_training(table, role, unit, other):
    path = table(f"a,kind\n1{unit},x\n2{unit},y\n3{unit},x\n4{unit},y\n")
    same = table(f"a,kind\n4{unit},x\n", "same.csv")
    CSV(path, signs=["%", "$"], **{role: same})
    said = re.escape(" and ".join(repr(u) if u else "none" for u in (unit, other)))
    words = rf"other.csv, line 2: column a: two units in one column, {said}; write it in one"
    refused(path, words, signs=["%", "$"], **{role: table(f"a,kind\n1{other},x\n", "other.csv")})


def test_a_target_has_one_unit_in_all_files(table):
    settings = {"task": "regression", "target": "y", "signs": ["$", "€"]}
    words = r"line 3: column y: two units in one column, '\$' and '€'"
    refused(table("x,y\n1,$2\n2,€3\n3,$4\n"), words, **settings)
    path, other = table("x,y\n1,$2\n2,$3\n"), table("x,y\n1,€2\n", "other.csv")
    words = r"other.csv, line 2: column y: two units in one column, '\$' and '€'"
    refused(path, words, test=other, **settings)


@pytest.mark.parametrize(("one", "other"), [("1", "1.0"), ("é", "e\u0301"), ("01", "1")])
def test_a_category_is_known_in_another_spelling_in_another_file(table, one, other, capsys):
    """As pandas writes whole numbers beside missing ones, and macOS letters."""
    path = table(f"a,kind\n{one},x\n7,y\n{one},x\n7,y\n")
    test = table(f"a,kind\n{other},x\n7,y\n", "test.csv")
    data = CSV(path, test=test, categories="a")
    assert data.test.X.tolist() == data.train.X[:2].tolist()
    assert capsys.readouterr().err == ""


def test_regressions_read_their_targets_so_too(table):
    data = alone(
        table("x;y\n1,5;2,5\n2;3\n"), separator=";", decimal=",", task="regression", target="y"
    )
    assert data.train.t.tolist() == [[2.5], [3]]


DATES = "2024-01-31|31.01.2024|1/2/24|2024-01-31T10:00:00Z|10:30|2024. 1. 5.|Jan 2020|5 Jan 2020"
DATES += "|2024년 1월 5일|January 5, 2020|2020-01-05 10:00|Jan-1-1995"


@pytest.mark.parametrize("cell", DATES.split("|"))
def test_dates_are_known(table, cell):
    said = refused(table(f'day,x,kind\n"{cell}",1,a\n"{cell}",2,b\n'), "column day holds '")
    assert "these are dates" in said
    assert "ignore: [day]" in said


def test_dates_that_come_late_are_known_too(table):
    refused(table("a,kind\n1,x\n2024-01-31,y\n"), "line 3: column a: .* these are dates")


# How the file is written.


@pytest.mark.parametrize(("sign", "name"), [(";", '";"'), ("\t", "tab"), ("|", '"|"')])
def test_other_separators(table, sign, name):
    path = table(TABLE.replace(",", sign))
    assert f"separator: {name}" in refused(path, "expects a header of two or more names")
    data = alone(path, separator=name.strip('"'), ignore=["id"])
    assert data.train.X.tolist() == alone(table(TABLE), ignore=["id"]).train.X.tolist()


def test_columns_parted_by_spaces(table):
    path = table("  a   b kind\n1   2  x  \n 3 4    y\n")
    assert "separator: space" in refused(path, "expects a header of two or more names")
    assert alone(path, separator="space").train.X.tolist() == [[1, 2], [3, 4]]


KOREAN = "이름,성별,키,반\n김,여,160,가\n이,남,175,나\n박,여,158,가\n최,남,180,나\n"


@pytest.mark.parametrize(
    ("text", "encoding", "said"),
    [
        (KOREAN, "cp949", "encoding: cp949 reads '이름,성별,키,반'"),
        ("größe,art\n1,süß\n2,grün\n", "cp1252", "encoding: cp1252 reads 'größe,art'"),
        ("高さ,種類\n1,あか\n2,あお\n", "cp932", "encoding: cp932 reads '高さ,種類'"),
        (KOREAN, "utf-16", "encoding: utf-16 reads '이름,성별,키,반'"),
    ],
)
def test_other_encodings(table, text, encoding, said):
    path = table(text.encode(encoding))
    assert said in refused(path, "it is no UTF-8")
    names = {"ignore": ["이름"]} if text is KOREAN else {}
    data = alone(path, encoding=encoding, **names)
    assert data.task.class_names == (("가", "나") if text is KOREAN else data.task.class_names)
    assert len(data.train) == text.count("\n") - 1


def test_utf_8_that_is_said_to_be_another(table):
    words = "it is no CP949 .*; it is UTF-8: encoding: utf-8 reads '이름,성별,키,반'"
    refused(table(KOREAN), words, encoding="cp949")
    assert alone(table("\ufeff" + KOREAN), ignore="이름").input_shape == (3,)


def test_what_is_no_csv_file(table):
    refused(table(b"PK\x03\x04rest", "a.xlsx"), "is no CSV file but an Excel workbook")
    refused(table(b"\x1f\x8b\x08\x00rest"), "is no CSV file but packed with gzip; unpack it")
    refused(table(b"\x89PNG\r\n\x1a\n"), "is no CSV file but a picture")


def test_a_file_without_a_header(table):
    path = table("5.1,3.5,setosa\n4.9,3.0,setosa\n6.2,2.9,other\n")
    said = refused(path, "line 1: the first line has the number '5.1' where names are expected")
    assert "header: false" in said
    data = alone(path, header=False)
    assert data.preparation["target"] == ["column3"]
    assert len(data.train) == 3
    named = alone(path, header=False, names=["length", "width", "kind"], target="kind")
    assert named.preparation["columns"][0]["name"] == "length"
    assert len(alone(path, header=True).train) == 2  # if it is one all the same
    refused(path, "names: say header: false too", names=["a", "b", "c"])
    refused(path, "line 1: 3 cells, but 2 names, a, b$", names=["a", "b"], header=False)
    twice = table("vhigh,2,small,unacc\nvhigh,3,big,acc\nlow,2,small,acc\n")
    refused(twice, "the first line has the number '2'")
    texts = table("vhigh,small,unacc\nvhigh,big,acc\nlow,small,acc\n")
    refused(texts, "the name vhigh is a value of its own column too; is there no header")
    counted = table("0,1,2\n1.5,2.5,a\n1.5,2.5,b\n")  # as pandas calls columns without names
    assert alone(counted).input_shape == (2,)


@pytest.mark.parametrize("role", ["test", "validation"])
def test_without_a_header_other_files_have_as_many_columns(table, role):
    """They are known by their places: of fewer, nobody knows which one is missing."""
    path = table("1,a,5,0\n2,b,6,0\n3,a,7,1\n4,b,8,1\n5,a,9,0\n")
    settings = {"header": False, "target": "column2", "ignore": "column4"}
    for row, n in (("5,6,a", 3), ("5,a,6,0,1", 5)):
        words = f"other.csv, line 1: {n} cells, but 4 names, column1, column2, column3, column4$"
        refused(path, words, **settings, **{role: table(f"{row}\n{row}\n", "other.csv")})


def test_a_first_line_that_is_replaced(table):
    """scikit-learn's iris.csv begins with the numbers of rows and columns."""
    path = table("150,2,setosa\n5.1,3.5,0\n4.9,3.0,1\n")
    data = alone(path, header=True, names=["length", "width", "kind"])
    assert data.train.X.tolist() == pytest.approx(np.array([[5.1, 3.5], [4.9, 3.0]]))


@pytest.mark.parametrize("role", ["test", "validation"])
def test_names_that_were_replaced_are_found_in_any_order(table, role, capsys):
    path = table("a,b,c\n1,10,x\n2,20,y\n3,30,x\n4,40,y\n5,50,x\n")
    settings = {"header": True, "names": ["A", "B", "kind"], "standardise": False}
    turned = table("c,a,b\nx,1,10\ny,2,20\n", "turned.csv")
    data = CSV(path, **settings, **{role: turned})
    assert data.sets()[role].X.tolist() == [[1, 10], [2, 20]]
    assert "places" not in capsys.readouterr().err
    named = table("kind,B,A\nx,10,1\ny,20,2\n", "named.csv")  # by the names that took their place
    data = CSV(path, **settings, **{role: named})
    assert data.sets()[role].X.tolist() == [[1, 10], [2, 20]]
    assert "places" not in capsys.readouterr().err
    other = table("p,q,kinds\n1,10,x\n2,20,y\n", "other.csv")
    data = CSV(path, **settings, **{role: other})
    assert data.sets()[role].X.tolist() == [[1, 10], [2, 20]]
    said = (
        "other.csv, line 1: begins otherwise than the file that was trained on, with 'p, q, kinds'"
    )
    assert said in capsys.readouterr().err
    words = "without.csv, line 1: the first line has the number '1' where names are expected"
    refused(path, words, **settings, **{role: table("1,10,x\n2,20,y\n", "without.csv")})


def test_names_for_a_first_line_that_lacks_one(table, capsys):
    """As R writes it: each row begins with its name, which has none itself."""
    path = table("a,kind\nr1,1,x\nr2,2,y\n")
    data = alone(path, header=True, names=["row", "a", "kind"], ignore="row")
    assert data.train.X.tolist() == [[1], [2]]
    assert not capsys.readouterr().err
    words = "line 2: has 3 cells, but the header has 2"
    refused(path, words, header=True, names=["a", "kind"])


def test_lines_above_the_header(table):
    path = table("A title\nof two lines\na,kind\n1,x\n2,y,z\n")
    refused(path, "expects a header of two or more names, got 'A title'; .* separator: space")
    refused(path, "line 5: has 3 cells, but the header has 2", skip_lines=2)


@pytest.mark.parametrize("first", ["", "Unnamed: 0"])
def test_the_index_that_pandas_and_r_write(table, first):
    path = table(f"{first},a,kind\n0,1,x\n1,2,y\n")
    assert 'ignore: ["Unnamed: 0"]' in refused(
        path, "column 1 has no name, like the numbers of row"
    )
    assert alone(path, ignore=["Unnamed: 0"]).train.X.tolist() == [[1], [2]]


def test_a_row_that_is_longer_as_r_writes_it(table):
    said = refused(table("a,kind\nr1,1,x\nr2,2,y\n"), "line 2: has 3 cells, but the header has 2")
    assert "begins with the name of the row" in said


def test_single_quotes(table):
    path = table("'a','kind'\n1,'x, or so'\n2,'y'\n")
    refused(path, 'all names are in single quotes: quote: "\'"')
    assert alone(path, quote="'").task.class_names == ("x, or so", "y")


def test_rows_of_empty_cells_are_passed_over(table):
    assert len(alone(table("a,kind\n1,x\n,\n2,y\n , \n")).train) == 2


# Nothing is a traceback, whatever is done to a file.

SEEDS = (TABLE, TABLE, HOLES, KOREAN, TABLE.replace(",", ";").replace(".", ","))
SEEDS += ("a b kind\n1 2 x\n3 4 y\n",)
PIECES = ("", ",", ";", "\t", '"', "'", "\n", "\r", "\0", "1e999", "nan", "NA", "?", "-", "1,5")
PIECES += ("1.234,5", "12%", "$3", "2024-01-31", "1_000", "\ufeff", "é", "한", "0x10", "=1+1")
PIECES += ("7", "8", "0", "x", "a", "\x1b[0m")
WAYS = (
    {},
    {"missing": "mean"},
    {"missing": "constant", "fill": 0},
    {"separator": ";", "decimal": ","},
    {"header": False},
    {"task": "regression"},
    {"task": "reconstruction", "missing": "median"},
    {"separator": "space"},
    {"thousands": ",", "signs": ["%", "$"]},
    {"encoding": "cp949"},
    {"task": "multilabel", "target": ["kind"]},
)


FITTING = [
    *((seed, {"missing": "mean"}) for seed in SEEDS[:4]),
    (SEEDS[4], {"separator": ";", "decimal": ",", "missing": "median"}),
    (SEEDS[5], {"separator": "space"}),
]


def test_mutated_files_are_read_or_refused_in_one_line(table):
    rng = random.Random(17)
    read, refusals = 0, []
    for n in range(600):
        text, way = rng.choice(FITTING)
        for _ in range(rng.randint(1, 4)):
            at, length = rng.randrange(len(text) + 1), rng.choice((0, 0, 1, 2, 9))
            text = text[:at] + rng.choice(PIECES) + text[at + length :]
        content = text.encode(rng.choice(("utf-8", "utf-8", "utf-8", "cp949", "utf-16")), "replace")
        if n % 7 == 0:
            content = content[: rng.randrange(len(content) + 1)]
        try:
            data = alone(table(content), **(way if n % 3 else rng.choice(WAYS)))
        except ValueError as error:
            refusals.append(str(error))
            continue
        read += 1
        assert np.isfinite(data.train.X).all()
    assert read > 40
    assert len(refusals) > 300
    for said in refusals:
        assert "\n" not in said
        assert len(said) < 1000
        assert re.search(r"data\.csv", said)


def test_numbers_to_learn_that_float32_would_round_to_one_another(tmp_path):
    """Seconds since 1970 of one minute: 1.7e9 and 1.7e9 + 60 are the same number in float32."""
    t = 1.7e9 + 23.0 * np.random.default_rng(0).standard_normal(50)
    path, apart = (
        tmp_path / "t.csv",
        r"the numbers have deviation 2\S+, and float32 rounds them",
    )

    def written(numbers):
        path.write_text("a,t\n" + "".join(f"{i},{x:.3f}\n" for i, x in enumerate(numbers)))
        return path

    with pytest.raises(ValueError, match=f"t.csv: column t: {apart} by up to .*; take 1700"):
        CSV(written(t), target="t", task="regression")
    X = np.zeros((50, 1))
    np.savez(tmp_path / "t.npz", x_train=X, t_train=t, x_test=X, t_test=t)
    with pytest.raises(ValueError, match=f"t_train: {apart}"):
        NPZ(tmp_path / "t.npz", task="regression")
    for fine in (t - 1.7e9, np.full(50, 0.1)):
        CSV(written(fine), target="t", task="regression")


def test_a_minus_as_it_is_typeset_is_one(table):
    data = alone(table("lon,t,kind\n\u2212122.4,\u22121,a\n-3,2,b\n"), target="kind")
    assert data.train.X.tolist() == pytest.approx(np.array([[-122.4, -1.0], [-3.0, 2.0]]))


@pytest.mark.parametrize("cell", ["\u20135", "(7)", "7-", "\u20145"])
def test_other_ways_to_write_a_negative_number_are_said(table, cell):
    path = table(f"a,kind\n1,x\n{cell},y\n2,x\n3,y\n")
    words = "if that is a negative number: write it with a - in front"
    assert "signs" not in refused(path, words)
    for sign in ("\u2212", "\u2013", "(", "-"):
        refused(path, "signs: expects signs without digits and dashes", signs=[sign])


def test_points_that_may_part_thousands_are_asked_for(table):
    path = table("people;cars\n950;480\n1.234;601\n12.345;6.009\n")
    settings = {"separator": ";", "task": "regression"}
    words = "column people: each point has three digits behind it, as in 1.234, and other numbers"
    refused(path, words, **settings)
    german = alone(path, decimal=",", thousands=".", **settings)
    assert german.train.X.tolist() == [[950], [1234], [12345]]
    assert alone(path, decimal=".", **settings).train.X[0] == 950
    assert alone(table("a;b\n1.234;1\n2.500;2\n"), **settings)  # as a program writes three digits
    assert alone(table("a;b\n1.25;1\n2.500;2\n7;3\n"), **settings)
    refused(table("a;b\n1;2.000\n2;3.500\n3;700\n"), "column b: each point has three", **settings)


@pytest.mark.parametrize(
    "text",
    [
        "a;b\n1.234;1\n;2\n2.500;3\n",  # the others are missing
        "a;b\n1.234;0.25\n950;1\n2.500;3\n",  # another column says what a point is
        "a;kind\n1;v1.234\n2;x\n3;v1.234\n",  # texts part nothing
    ],
)
def test_points_that_part_no_thousands_are_decimal(table, text):
    task = "classification" if "kind" in text else "regression"
    assert alone(table(text), separator=";", missing="median", task=task)


def test_names_take_the_places_of_a_first_line_that_has_them_in_another_order(table):
    path = table("a,b,kind\n1,10,x\n2,20,y\n3,30,x\n")
    data = alone(path, names=["b", "a", "kind"], header=True, ignore=["a"])
    assert data.train.X[:].tolist() == [[1], [2], [3]]


def test_a_sharp_s_is_no_capital(table, capsys):
    alone(table("x,word,kind\n" + "1,Maße,a\n2,Masse,b\n" * 3))
    assert capsys.readouterr().err == ""


def test_texts_that_look_alike_are_said(table, capsys):
    """They become two classes, and nobody sees in print that they are."""
    for one, other, said in (
        ("a b", "a\u00a0b", "NO-BREAK SPACE, SPACE"),
        ("a b", "a  b", "blanks, or their order"),
        ("ab", "a\u200bb", "ZERO WIDTH SPACE"),
        ("a-b", "a\u2010b", "HYPHEN, HYPHEN-MINUS"),
        ("A", "\uff21", "FULLWIDTH LATIN CAPITAL LETTER A, LATIN CAPITAL LETTER A"),
    ):
        alone(table("x,kind\n" + f"1,{one}\n2,{other}\n" * 6))
        assert f"look alike in print ({said}), and are two" in capsys.readouterr().err
    for one, other in (("a-b", "ab"), ("m2", "m\u00b2"), ("\uac00", "\ub098")):
        alone(table("x,kind\n" + f"1,{one}\n2,{other}\n" * 6))
        assert capsys.readouterr().err == ""


def test_one_text_in_two_forms_of_unicode_is_one_and_no_matter_of_capitals(table, capsys):
    with pytest.raises(ValueError, match="is also spelt"):
        alone(table("x,kind\n" + "1,A\u00c5\n2,A\u212b\n" * 6))
    assert capsys.readouterr().err == ""


def test_inputs_that_float32_would_round_to_one_another(table):
    """Taken as they are; their deviations from the mean differ well enough."""
    rows = "".join(f"1,{1_700_000_000 + i},{'ab'[i % 2]}\n" for i in range(40))
    path = table(f"x,time,kind\n{rows}")
    with pytest.raises(ValueError, match=r"column time: .* float32 rounds .*standardise: true"):
        alone(path, standardise=False)
    assert len(np.unique(alone(path, standardise=True).train.X[:, 1])) == 40
