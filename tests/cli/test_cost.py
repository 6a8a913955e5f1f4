"""`drumbeat cost`: the arithmetic on the screen, and the same as JSON."""

import json

import pytest

from .conftest import Folder


def test_a_row_shows_its_formula_its_price_and_its_dollars(app: Folder) -> None:
    done = app.run("cost", "reader", "--items", "100000")

    assert 0 == done.exit_code
    words = done.stdout
    assert "100,000 items / 100 items a chunk, closed by chunk_size=100: 1,000 chunks" in words
    row = next(line for line in words.splitlines() if "settle each chunk" in line)
    assert "1,000 chunks" in row
    assert "$0.625 per million  0.00062500" in row
    for name in ("MWAA", "Celery on Fargate", "Lambda durable functions", "batches of ten", "one message per item"):
        assert name in words
    assert "https://aws.amazon.com/sqs/pricing/" in words


def test_it_says_how_items_are_packed_once_runs_have_shown_how_quick_they_are(app: Folder) -> None:
    asked = ("cost", "reader", "--items", "1000000", "--item-seconds", "0.001")
    words, found = app.run(*asked).stdout, json.loads(app.run(*asked, "--json").stdout)

    assert "chunk_size is chosen by item_s=0.1, the guess" in words
    assert "if runs like this one show 0.001 s an item: 1,000 items a chunk, 1,0" in words
    assert (100, 1000) == (found["packing"]["per_chunk"], found["later"]["packing"]["per_chunk"])
    assert found["later"]["dollars"] < found["run"]["dollars"]
    assert json.loads(app.run("cost", "ticker", "--items", "1000000", "--json").stdout)["later"] is None
    assert json.loads(app.run(*asked, "--item-bytes", "4000000", "--json").stdout)["later"] is None  # bytes end a chunk


@pytest.mark.parametrize(
    ("seconds", "advice"),
    [
        ("0.001", "a chunk takes 0.1 s of timeout_s=60: chunk_size up to 5,000 leaves"),
        ("0.05", "a chunk takes 5 s of timeout_s=60: chunk_size up to 400 leaves"),
        ("0.2", None),
    ],
)
def test_it_advises_on_the_time_that_was_asked_for(app: Folder, seconds: str, advice: str | None) -> None:
    words = app.run("cost", "reader", "--items", "100000", "--item-seconds", seconds).stdout

    assert ("leaves two thirds" in words) == bool(advice)
    assert (advice or "") in words


def test_it_promises_nothing_to_a_task_that_waits_for_budgets(app: Folder) -> None:
    task = """
        from drumbeat import Budget, Range, Task
        paced = Task("paced", budgets=Budget("api", per_second=10))
        paced.expand(Range(0, 10))
        paced.work(lambda number, run: None)
    """
    app.write("handlers/paced.py", task)

    words = app.run("cost", "paced", "--items", "100000").stdout

    assert "chunk_size is chosen by item_s=0.1, the guess; how long workers wait for budgets says nothing" in words
    assert "until runs have shown" not in words


def test_a_document_adds_up(app: Folder) -> None:
    found = json.loads(app.run("cost", "ticker", "--items", "1000000", "--runs-per-month", "10", "--json").stdout)

    run, month = found["run"], found["month"]
    assert pytest.approx(run["dollars"]) == sum(row["dollars"] for row in run["rows"])
    assert pytest.approx(run["dollars"]) == run["work_dollars"] + run["orchestration_dollars"]
    assert pytest.approx(month["dollars"]) == 10 * run["dollars"] + month["idle_dollars"]
    assert {"service": "sqs", "operation": "SendMessageBatch", "count": 25_000} in run["requests"]
    assert 7 == len(found["alternatives"])


def test_a_schedule_says_how_often_a_task_runs_in_a_month(app: Folder) -> None:
    found = json.loads(app.run("cost", "ticker", "--items", "10", "--json").stdout)

    assert 730 == found["month"]["runs"]


def test_failures_cost_deliveries_and_writes(app: Folder) -> None:
    dollars = [
        json.loads(app.run("cost", "reader", "--items", "10000", "--failure-rate", rate, "--json").stdout)["run"][
            "dollars"
        ]
        for rate in ("0", "0.01", "0.1")
    ]

    assert sorted(dollars) == dollars
    assert 3 == len(set(dollars))


def test_a_snapshot_is_kept_by_the_month_and_restored_by_the_environment(app: Folder) -> None:
    task = """
        from drumbeat import Range, Task
        {name} = Task("{name}", snap_start={snap_start}, memory_mib=2048, max_concurrency=20)
        {name}.expand(Range(0, 10))
        {name}.work(lambda number, run: None)
    """
    for name, snap_start in (("quick", True), ("plain", False)):
        app.write(f"handlers/{name}.py", task.format(name=name, snap_start=snap_start))
    words = app.run("cost", "quick", "--items", "100000").stdout
    quick, plain = (
        json.loads(app.run("cost", name, "--items", "100000", "--json").stdout) for name in ("quick", "plain")
    )

    kept = next(line for line in words.splitlines() if "snapshot of the worker, cached" in line)
    assert "730 h x 3,600 s x 2,048 MiB / 1,024" in kept
    assert "$0.0000015046 per GB-second  7.90817760" in kept
    restored = next(line for line in words.splitlines() if "restored from its snapshot" in line)
    assert "20 environments x 2,048 MiB / 1,024" in restored
    assert "$0.0001397998 per GB  0.00559199" in restored
    assert pytest.approx(7.9081776) == quick["month"]["idle_dollars"] - plain["month"]["idle_dollars"]
    starts = 20 * 0.35 * 2 * 0.0000133334  # which are saved
    assert pytest.approx(0.00559199 - starts, abs=1e-8) == quick["run"]["dollars"] - plain["run"]["dollars"]
    assert not any(row["price"].startswith("snap_start") for row in plain["run"]["rows"] + plain["month"]["idle_rows"])
