"""The picture: steps, round axes, and text that can't break it."""

from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from drumbeat.cli.chart import Panel, clock, document


def panel(**changes: object):
    given = {
        "title": "run",
        "subtitle": "",
        "span_s": 10.0,
        "first": [(1.0, 5.0), (9.0, 48.0)],
        "first_label": "items",
        "second": [(0.0, 2.0), (9.5, 0.0)],
        "second_label": "workers",
    }
    return Panel(**{**given, **changes})


def words(svg):
    return [element.text for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_axes_end_at_round_numbers():
    assert {"0", "12", "24", "36", "48", "1", "2", "3", "4"} <= set(words(document([panel()])))


def test_a_line_keeps_its_value_until_the_next():
    line = next(element for element in ET.fromstring(document([panel()])).iter() if element.get("class") == "first")
    points = [tuple(map(float, point.split(","))) for point in line.get("points").split()]

    assert all(x0 == x1 or y0 == y1 for (x0, y0), (x1, y1) in pairwise(points))


def test_names_are_text_and_never_markup():
    assert "<b>&" in words(document([panel(title="<b>&")]))


def test_a_run_without_items_has_a_picture_too():
    assert "run" in words(document([panel(first=[], second=[], span_s=0.0)]))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (15, "15 s"), (60, "1 min"), (90, "1:30 min"), (149, "2:29 min"), (7200, "2 h"), (5400, "1:30 h")],
)
def test_clock(seconds, text):
    assert text == clock(seconds)
