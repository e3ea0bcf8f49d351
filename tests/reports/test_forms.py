"""The same report in every form: what stands in the file is what was in the table, with its type."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import date, datetime
from xml.etree import ElementTree as ET

import pytest
from pyarrow import parquet

from tests.reports.tables import AT, BARS, LINES, every_kind, report
from zccvoice.reports.flat import flat
from zccvoice.reports.forms import BINARY, FORMS, OF_ONE_TABLE, table_of, write_report
from zccvoice.reports.table import Column, Table

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def written(form: str, table: str | None = None) -> bytes:
    file = io.BytesIO()
    write_report(report(every_kind(), Table("more", "More", (Column("x", "X"),), ())), form, file, table)
    return file.getvalue()


def test_what_a_target_adds_becomes_columns() -> None:
    whole = flat(every_kind())
    names = [column.name for column in whole.columns]
    at = names.index("talk_share_agent")
    assert names[at + 1 : at + 4] == [
        "talk_share_agent_target_low",
        "talk_share_agent_target_high",
        "talk_share_agent_standing",
    ]
    assert whole.rows[0][at : at + 4] == (0.42, 0.5, 0.6, "below")
    assert set(whole.rows[1]) == {None}
    assert {len(row) for row in whole.rows} == {len(names)}


def test_csv() -> None:
    rows = list(csv.DictReader(io.StringIO(written("csv").decode(), newline="")))
    first, second = rows
    assert first["agent_name"] == "'=1+1 <b>Ada</b>", "no formula for a spreadsheet"
    assert first["hold_time_ms"] == "3723000"
    assert first["started_at"] == "2026-10-31T23:30:05+01:00"
    assert datetime.fromisoformat(first["started_at"]) == AT
    assert (first["damaged"], first["day"], first["value"]) == ("true", "2026-10-31", "90500.0")
    assert set(second.values()) == {""}


def test_json() -> None:
    document = json.loads(written("json"))
    table = document["tables"]["kinds"]
    first, second = table["rows"]
    assert first["agent_name"] == "=1+1 <b>Ada</b>"
    assert (first["started_at"], first["day"]) == ("2026-10-31T22:30:05Z", "2026-10-31")
    assert (first["damaged"], first["talk_share_agent_standing"]) == (True, "below")
    assert set(second.values()) == {None}
    assert [column["name"] for column in table["columns"]] == list(first)
    assert document["tables"]["more"]["rows"] == []


def test_parquet_has_types_that_do_not_depend_on_what_is_in_it() -> None:
    table = parquet.read_table(io.BytesIO(written("parquet")))
    types = {field.name: str(field.type) for field in table.schema}
    assert types["started_at"] == "timestamp[us, tz=Europe/Madrid]"
    assert types["hold_time_ms"] == types["calls_count"] == "int64"
    assert types["talk_share_agent"] == types["talk_share_agent_target_low"] == types["value"] == "double"
    assert (types["day"], types["damaged"], types["agent_name"]) == ("date32[day]", "bool", "string")
    assert table.schema.field("hold_time_ms").metadata[b"unit"] == b"ms"
    first, second = table.to_pylist()
    assert (first["started_at"], first["hold_time_ms"], first["day"]) == (AT, 3_723_000, date(2026, 10, 31))
    assert set(second.values()) == {None}
    empty = Table("kinds", "Every kind", every_kind().columns, ())
    file = io.BytesIO()
    write_report(report(empty), "parquet", file)
    assert parquet.read_table(file).schema == table.schema.with_metadata(
        {**table.schema.metadata, b"note": b""}
    )


def test_a_workbook_has_true_numbers_times_and_moments() -> None:
    book = zipfile.ZipFile(io.BytesIO(written("xlsx")))
    texts = [
        "".join(part.text or "" for part in one.iter(f"{SHEET}t"))
        for one in ET.fromstring(book.read("xl/sharedStrings.xml"))
    ]
    sheet = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))
    cells = {}
    for cell in sheet.iter(f"{SHEET}c"):
        value = cell.find(f"{SHEET}v")
        assert cell.find(f"{SHEET}f") is None, "a name is no formula"
        if value is not None and value.text:
            cells[cell.get("r")] = texts[int(value.text)] if cell.get("t") == "s" else float(value.text)
    assert cells["A1"] == "Agent"
    assert cells["A2"] == "=1+1 <b>Ada</b>"
    assert cells["B1"] == "Talk share (%)"
    assert (cells["B2"], cells["C2"], cells["E2"]) == (0.42, 0.5, "below")
    assert cells["F1"] == "Hold (h:mm:ss)"
    assert cells["F2"] == pytest.approx(3_723 / 86_400)
    assert cells["G2"] == 1.25
    moment = cells["J2"]
    assert isinstance(moment, float)
    assert moment % 1 == pytest.approx((23 * 3600 + 30 * 60 + 5) / 86_400), "the reader's time"
    assert cells["O2"] == "open"
    assert not any(place.endswith("3") for place in cells if place), "what is not known is empty"
    assert sheet.find(f".//{SHEET}pane").get("ySplit") == "1"  # type: ignore[union-attr]
    assert sheet.find(f"{SHEET}autoFilter").get("ref") == "A1:O3"  # type: ignore[union-attr]
    names = [one.get("name") for one in ET.fromstring(book.read("xl/workbook.xml")).iter(f"{SHEET}sheet")]
    assert names == ["kinds", "more", "about"]
    assert "Time on hold." in texts


def test_text() -> None:
    text = written("text").decode()
    assert "Kinds & more" in text
    assert "42 ▼ 50–60" in text
    assert "1:02:03" in text
    assert "None." in text, "a table without rows says so"
    assert "\x1b" not in text


def test_a_narrow_form_names_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    text = written("text").decode()
    assert max(map(len, text.splitlines())) <= 60
    assert "Talk share" in text
    assert "No room for:" in text
    assert "Side" in text[text.index("No room for:") :].replace("\n", " ")


def test_a_table_by_name() -> None:
    assert written("csv", "more") == b"x\r\n"
    assert table_of(report(), None).name == "kinds"
    with pytest.raises(KeyError):
        table_of(report(), "nothing")


def test_forms_of_one_table_and_binary_ones_are_forms() -> None:
    assert set(FORMS) > OF_ONE_TABLE | BINARY
    for form in FORMS:
        assert written(form), form


def test_a_page_needs_nothing_else_and_escapes_what_came_from_outside() -> None:
    file = io.BytesIO()
    write_report(report(every_kind(), charts=(BARS, LINES)), "html", file)
    page = file.getvalue().decode()
    assert page.count("<svg") == 2
    assert "<b>Ada" not in page
    assert "=1+1 &lt;b&gt;Ada&lt;/b&gt;" in page
    assert '<a href="https://calls.example/call-1.html">open</a>' in page
    assert "▼ 50–60" in page
    assert "Time on hold." in page
    assert not any(word in page for word in ("<script", "<img", "@import", "url(http"))
    assert "size: A4 landscape" in page
    ids = [part.split('"')[0] for part in page.split(' id="')[1:]]
    assert len(ids) == len(set(ids)), "charts of a page do not share names"
