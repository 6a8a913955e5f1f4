"""Bills: the arithmetic, the tiers, and a price list that says where it has its numbers from."""

import re
from pathlib import Path

import pytest

from drumbeat import Range, Task
from drumbeat.plan.bill import UnknownUsage, bill
from drumbeat.plan.prices import PRICES
from drumbeat.plan.quote import quote

DOCS = Path(__file__).parents[2] / "docs" / "explanation" / "speed-and-cost.md"


def test_a_bill_adds_up_line_by_line():
    account = bill({"sqs_requests": 3_000_000, "lambda_requests": 500_000, "lambda_gb_s": 1000})

    assert [("Lambda", 0.1), ("Lambda", 0.0133334), ("SQS", 1.2)] == [
        (line.service, pytest.approx(line.dollars)) for line in account.lines
    ]
    assert {"Lambda": pytest.approx(0.1133334), "SQS": pytest.approx(1.2)} == account.by_service
    assert pytest.approx(1.3133334) == account.dollars


def test_a_line_shows_its_arithmetic():
    (line,) = bill({"s3_puts": 2500}).lines

    assert "S3 PUT, COPY, POST, LIST: 2,500 x $0.005 per thousand = $0.012500" == str(line)


@pytest.mark.parametrize(
    ("usage", "dollars"),
    [
        ({"dynamodb_write_units": 1e6, "dynamodb_read_units": 1e6}, 0.75),
        ({"events": 1e6}, 1.0),
        ({"s3_gets": 1e6}, 0.4),
        ({"log_bytes": 2e9}, 1.0),
        ({"scheduler_invocations": 14e6}, 0.0),
        ({"scheduler_invocations": 15e6}, 1.0),
        ({"lambda_x86_gb_s": 1e6}, 16.6667),
        # AWS's own example: a month of 1 GB, and 74,400 restores of it, for $4.03 and $10.40
        ({"snap_start_cached_gb_s": 2_678_400}, 4.029921),
        ({"snap_start_restored_gb": 74_400}, 10.401105),
        ({}, 0.0),
    ],
)
def test_prices(usage, dollars):
    assert pytest.approx(dollars) == bill(usage).dollars


def test_a_month_above_a_tier_is_billed_in_two_lines():
    lines = bill({"lambda_gb_s": 8.5e9}).lines

    assert [(7.5e9, 0.0000133334), (1e9, 0.0000120001)] == [(line.quantity, line.unit_price) for line in lines]


def test_what_has_no_price_is_refused():
    with pytest.raises(UnknownUsage, match="no price for sqs_fifo_requests; the price list has lambda_requests"):
        bill({"sqs_fifo_requests": 1})


def test_a_million_items_cost_what_the_bill_says_for_fewer():
    assert pytest.approx(400) == bill({"sqs_requests": 1e6}).per_million(1000)
    assert 0 == bill({"sqs_requests": 1e6}).per_million(0)


def test_each_price_has_a_source_and_a_confidence():
    for name, price in PRICES.items():
        assert price.source.startswith("https://aws.amazon.com/"), name
        assert price.confidence in {"A", "L", "G", "M"}, name
        assert [bound for bound, _ in price.tiers] == sorted(bound for bound, _ in price.tiers), name


@pytest.mark.parametrize(
    ("declared", "item_s"),
    [
        ({"timeout_s": 60}, 0.1),
        ({"timeout_s": 180, "batch_size": 10}, 0.1),
        ({"timeout_s": 300, "chunk_size": 1000, "by_reference": None}, 0.1),
        ({}, 0.001),
        ({"chunk_size": 1000, "batch_size": 10}, 0.001),
    ],
)
def test_handing_out_a_million_items_costs_what_the_docs_say(declared: dict[str, object], item_s: float) -> None:
    by_reference = "by_reference" in declared
    task = Task("million", item_s=item_s, **({"by_reference": False} | declared))
    task.expand(Range(0, 1_000_000))

    found = quote(task, items=1_000_000, item_bytes=None if by_reference else 200)

    share = found.orchestration_dollars / found.work_dollars * 100
    way = "refer to them" if by_reference else "hold their items"
    row = rf"^\| {item_s:g} s.* \| {task.chunk_size:,} \| {way} \| {found.orchestration_dollars:.4f} \| {share:.1f} %"
    assert re.search(row, DOCS.read_text(), re.MULTILINE), row
