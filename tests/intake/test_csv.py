"""CSV files: encodings, delimiters, decimal signs, quotes, and what is refused by its line."""

import codecs
import gzip
from pathlib import Path

import pytest

from app.errors import WorkFailure
from tests.intake.tables import csv_text, kinds_of, rows_of, take_csv
from worker.intake.raw import CHUNK_BYTES, IntakeLimits
from worker.intake.tables.encodings import _is_text

CHINESE = csv_text(city=["上海", "北京"] * 10)


def refusal(folder: Path, content: str | bytes, name: str = "t.csv", **spec: object) -> WorkFailure:
    with pytest.raises(WorkFailure) as failure:
        take_csv(folder, content, name, **spec)
    return failure.value


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (CHINESE.encode(), "utf-8"),
        (codecs.BOM_UTF8 + CHINESE.encode(), "utf-8-sig"),
        (CHINESE.encode("gb18030"), "gb18030"),
        (CHINESE.encode("utf-16"), "utf-16"),
        (CHINESE.replace(",", "\t").encode("utf-16-be"), "utf-16-be"),
        (gzip.compress(CHINESE.encode("gb18030")), "gb18030"),
    ],
)
def test_encodings(tmp_path: Path, content: bytes, encoding: str) -> None:
    taken = take_csv(tmp_path, content, "t.csv.gz")
    assert rows_of(taken)["city"].to_pylist().count("上海") == 10
    assert f"was read as {encoding}" in taken.profile["files"][0]
    assert rows_of(taken).equals(rows_of(take_csv(tmp_path, CHINESE)))


def test_an_encoding_that_has_to_be_said(tmp_path: Path) -> None:
    content = csv_text(city=["Zürich", "Málaga"] * 10).encode("cp1252")
    assert "got line 2 in another encoding" in refusal(tmp_path, content).detail
    taken = take_csv(tmp_path, content, csv={"encoding": "cp1252"})
    assert set(rows_of(taken)["city"].to_pylist()) == {"Zürich", "Málaga"}
    assert refusal(tmp_path, content, csv={"encoding": "nope"}).reason == "unknown_encoding"
    assert "line 2" in refusal(tmp_path, content, csv={"encoding": "utf-8"}).detail


@pytest.mark.parametrize(
    ("cities", "encoding"),
    [
        (["서울", "부산", "대구", "인천"], "cp949"),
        (["とうきょう", "カナ"], "euc_jp"),
        (["Москва", "Омск"], "cp1251"),
    ],
)
def test_what_could_be_chinese_and_may_be_none_has_to_be_said(
    tmp_path: Path, cities: list[str], encoding: str
) -> None:
    """Bytes that are valid GB18030, too."""
    content = csv_text(city=(cities * 20)[:20]).encode(encoding)
    detail = refusal(tmp_path, content).detail
    assert f'as "gb18030" or "{encoding}"' in detail
    taken = take_csv(tmp_path, content, csv={"encoding": encoding})
    assert set(rows_of(taken)["city"].to_pylist()) == set(cities)


def test_a_character_that_breaks_off_where_a_megabyte_ends(tmp_path: Path) -> None:
    head = csv_text(city=["Lima", "Oslo"] * 10).encode()
    filling = b"x" * (CHUNK_BYTES - len(head) - len("上".encode()))
    for character, encoding in (("上".encode(), "utf-8"), ("上".encode()[:2] + b"x", None)):
        for shift in (0, 1, 2):
            city = filling + b"x" * shift + character + b"x" * (3 - shift)
            content = head + city + b",a\n" + b"Lima,b\n" * CHUNK_BYTES
            path = tmp_path / "t.csv"
            path.write_bytes(content)
            assert _is_text(path, "utf-8") == (encoding is not None)


@pytest.mark.parametrize("line", [3, 19])
def test_mixed_encodings_name_the_line(tmp_path: Path, line: int) -> None:
    lines = csv_text(city=["上海市浦东新区", "北京市海淀区"] * 10).split("\n")
    mixed = [each.encode("gb18030" if at == line else "utf-8") for at, each in enumerate(lines, 1)]
    failure = refusal(tmp_path, b"\n".join(mixed))
    assert failure.reason == "mixed_encodings"
    assert f"line {line} is not in UTF-8" in failure.detail
    other = [each.encode("utf-8" if at == line else "gb18030") for at, each in enumerate(lines, 1)]
    assert f"line {line} is" in refusal(tmp_path, b"\n".join(other)).detail


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(tmp_path: Path, delimiter: str) -> None:
    taken = take_csv(tmp_path, csv_text().replace(",", delimiter))
    assert list(kinds_of(taken)) == ["height", "city", "label"]
    assert any("told apart by" in each for each in taken.profile["files"])


def test_a_delimiter_that_has_to_be_said(tmp_path: Path) -> None:
    text = csv_text().replace(",", "~")
    assert refusal(tmp_path, text).reason == "target_unclear"
    assert take_csv(tmp_path, text, csv={"delimiter": "~"}).schema.classes == ("a", "b")


@pytest.mark.parametrize(
    ("written", "spec", "number"),
    [
        ("1,5", {}, 1.5),
        ("1.234,5", {}, 1234.5),
        ("1 234,5", {}, 1234.5),
        ("1,234", {}, 1234.0),
        ("1,234", {"csv": {"decimal": ","}}, 1.234),
        ("1,234.5", {}, 1234.5),
        ("+1e3", {}, 1000.0),
        (" .5 ", {}, 0.5),
        ("1'234.5", {}, 1234.5),
    ],
)
def test_decimal_signs_and_thousands(
    tmp_path: Path, written: str, spec: dict, number: float
) -> None:
    text = csv_text(height=[written, *("7" for _ in range(19))]).replace(",", ";", 2)
    lines = [f"{written};Rome;a", *(f"{place};Oslo;{'ab'[place % 2]}" for place in range(30, 49))]
    text = "\n".join(["height;city;label", *lines])
    taken = take_csv(tmp_path, text, **spec)
    assert kinds_of(taken)["height"] == ("number", "feature")
    assert number in rows_of(taken)["height"].to_pylist()


def test_separators_are_told(tmp_path: Path) -> None:
    taken = take_csv(tmp_path, csv_text(height=[f'"{place},500"' for place in range(3, 23)]))
    assert "1,234 is read as 1234" in " ".join(taken.profile["warnings"])


def test_quotes(tmp_path: Path) -> None:
    cities = ['"Rome, Italy"', '"the ""old"" town"', '"two\nlines"', "Oslo"] * 5
    rows = rows_of(take_csv(tmp_path, csv_text(city=cities)))
    assert set(rows["city"].to_pylist()) == {"Rome, Italy", 'the "old" town', "two\nlines", "Oslo"}


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n\n"])
def test_ends_of_lines(tmp_path: Path, end: str) -> None:
    taken = take_csv(tmp_path, csv_text().replace("\n", end))
    assert taken.schema.splits == {"train": 16, "test": 4}


def test_a_column_without_a_name(tmp_path: Path) -> None:
    text = csv_text().replace("height", "", 1)
    taken = take_csv(tmp_path, text)
    assert list(kinds_of(taken)) == ["column_1", "city", "label"]
    assert "called by their place: column_1" in " ".join(taken.profile["files"])


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (csv_text() + "1,2\n", "ragged_rows", "got 2 in the row that begins on line 22"),
        (csv_text() + "1,2,3,4\n", "ragged_rows", "got 4 in the row that begins on line 22"),
        ('a,b,label\n1,"x\ny",p\n1,2\n', "ragged_rows", "begins on line 4"),
        (csv_text() + '1,"open,a\n', "ragged_rows", "line 21"),
        (csv_text().replace("city", "height"), "duplicate_column", "`height` more than once"),
        ("", "empty_file", "no bytes"),
        ("\n\n", "empty_file", "blank lines"),
        ("height,city,label\n", "empty_split", "got none"),
        ("1.5,2,3\n1,2,3\n", "missing_header", "got numbers alone"),
        (f"{'x' * 201},label\n1,a\n", "name_too_long", "200 characters"),
        (",".join(f"c{place}" for place in range(10_001)) + "\n", "too_many_columns", "got 10001"),
    ],
)
def test_refused(tmp_path: Path, text: str, code: str, said: str) -> None:
    failure = refusal(tmp_path, text)
    assert failure.reason == code
    assert said in failure.detail
    assert failure.pointer is not None


def test_a_line_of_names_that_is_longer_than_what_is_looked_at_first(tmp_path: Path) -> None:
    """280 kB of names, after which only the rows tell semicolons from commas in numbers."""
    names = [f"{place:0190}" for place in range(1_500)]
    lines = [";".join([*names, "label"])]
    for row in range(20):
        lines.append(
            ";".join([*(f"{row + place / 7:.2f}" for place in range(1_500)), "ab"[row % 2]])
        )
    text = "\n".join([lines[0], *(line.replace(".", ",") for line in lines[1:])]) + "\n"
    taken = take_csv(tmp_path, text)
    kinds = {column.kind for column in taken.schema.columns if column.role == "feature"}
    assert (len(taken.schema.columns), kinds) == (1_501, {"number"})
    [of_fields, of_numbers] = taken.profile["files"][1:]
    assert "semicolon" in of_fields
    assert "a comma as decimal sign" in of_numbers


def test_a_bomb(tmp_path: Path) -> None:
    bomb = gzip.compress(b"a,label\n" + b"0,0\n" * 2**22)
    with pytest.raises(WorkFailure, match="at most 4194304 bytes of text") as failure:
        take_csv(tmp_path, bomb, "t.csv.gz", IntakeLimits(items=10**9, bytes=2**22))
    assert failure.value.reason == "too_large"


def test_a_damaged_gzip(tmp_path: Path) -> None:
    assert refusal(tmp_path, gzip.compress(CHINESE.encode())[:-9], "t.csv.gz").reason == (
        "truncated_file"
    )


def test_too_many_rows(tmp_path: Path) -> None:
    with pytest.raises(WorkFailure, match="at most 10 rows"):
        take_csv(tmp_path, csv_text(), limits=IntakeLimits(items=10, bytes=2**20))


def test_several_files_need_names_that_say_which_is_which(tmp_path: Path) -> None:
    from tests.intake.archives import take

    text = csv_text().encode()
    with pytest.raises(WorkFailure, match="two of which one") as failure:
        take(tmp_path, {"one.csv": text, "two.csv": text})
    assert failure.value.reason == "unknown_files"
    with pytest.raises(WorkFailure, match="none named `city`"):
        take(tmp_path, {"train.csv": text, "test.csv": csv_text(city=None).encode()})
    unlabelled = {"train.csv": text, "test.csv": csv_text(label=None).encode()}
    assert not take(tmp_path, unlabelled).schema.has_labels("test")
