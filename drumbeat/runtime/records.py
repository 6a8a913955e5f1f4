"""Comma-separated values: the names in the first line, and each line's record by them."""

import csv
from collections.abc import Iterator

from drumbeat.errors import RecordMalformed

_BOM = "\ufeff"  # what spreadsheets write before the first name


def columns_of(line: bytes, delimiter: str) -> tuple[str, ...]:
    """The names of the fields; raises RecordMalformed if they can't name anything."""
    return _names(_fields(line, delimiter, first=True))


def record_of(line: bytes, columns: tuple[str, ...], delimiter: str) -> dict[str, str]:
    """One line as a dict; raises RecordMalformed, without quoting the line."""
    fields = _fields(line, delimiter)
    if len(fields) != len(columns):
        raise RecordMalformed(f"the line has {len(fields)} fields, and the first line names {len(columns)}")
    return dict(zip(columns, fields, strict=True))


def multiline_records(lines: Iterator[str], delimiter: str) -> Iterator[dict[str, str]]:
    """The records of a text whose quoted fields may hold line breaks."""
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    columns = _names(next(rows, []))
    for row in filter(None, rows):
        if len(row) != len(columns):
            raise RecordMalformed(f"the record up to line {rows.line_num} has {len(row)} fields, not {len(columns)}")
        yield dict(zip(columns, row, strict=True))


def _names(fields: list[str]) -> tuple[str, ...]:
    names = tuple(map(str.strip, fields))
    if not all(names) or len(set(names)) < len(names):
        raise RecordMalformed(f"the first line must name each of the {len(names)} columns, once; is it there?")
    return names


def _fields(line: bytes, delimiter: str, *, first: bool = False) -> list[str]:
    try:
        text = line.decode().rstrip("\r\n")
        return next(csv.reader([text.removeprefix(_BOM) if first else text], delimiter=delimiter, strict=True), [])
    except UnicodeDecodeError:
        raise RecordMalformed("the line isn't UTF-8; save the file as UTF-8") from None
    except csv.Error:
        raise RecordMalformed(
            "the line's quotes don't match; if a field may hold line breaks, say S3Csv(..., multiline=True)"
        ) from None
