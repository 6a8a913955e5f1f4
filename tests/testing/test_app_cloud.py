"""What a test sees of its cloud, as plain values; of one stack and of several."""

from datetime import timedelta
from pathlib import Path

import pytest

from drumbeat.errors import UnknownTask
from drumbeat.local.synth import synthesize
from drumbeat.testing import AppCloud, check_invariants


@pytest.fixture(scope="module")
def two_stacks() -> Path:
    return synthesize(Path(__file__).parent / "two")


def test_queues_and_tables_are_plain_values_by_their_ids_in_the_app(cloud):
    cloud.run("plain", items=[1])

    assert (0, 0, 0) == cloud.queues()["plainQueue"]
    [run] = [item for item in cloud.tables()["LedgerTable"] if item.get("state")]
    assert ("plain", "SUCCEEDED", 1) == (run["task"], run["state"], run["items"])


def test_logs_are_asked_for_by_task_or_function(cloud):
    cloud.run("strict", items=[1, 2])

    both = cloud.logs("strict")
    parts = [cloud.logs(cloud.dispatcher("strict")), cloud.logs(cloud.worker("strict"))]
    assert all(parts)
    assert sorted(both, key=lambda line: line.time) == both
    assert len(both) == sum(map(len, parts))
    assert parts[1] == cloud.logs("strictWorkerFunction")
    assert [] == cloud.logs("keeper")


def test_metrics_are_asked_for_by_name(cloud):
    cloud.run("strict", items=[1, 2])

    done = cloud.metrics("ItemsSucceeded")
    assert 2 == sum(metric.value for metric in done)
    assert {("service", "strict")} == {pair for metric in done for pair in metric.dimensions}
    assert len(done) < len(cloud.metrics())


def test_an_assertion_that_fails_says_what_was_expected_what_is_and_how_to_look_further(cloud):
    with pytest.raises(
        UnknownTask, match=r"no task and no function 'strikt' is deployed; there are the tasks .*strict"
    ):
        cloud.logs("strikt")
    with pytest.raises(
        AssertionError, match=r"expected strict/2020-.* in the ledger, .*: none;(.|\n)*cloud.logs\('stri"
    ):
        cloud.show("strict/2020-01-01T00:00:00Z")
    with pytest.raises(AssertionError, match=r"expected rest within 0:00:01 (.|\n)*RUNNING(.|\n)*look further: cloud"):
        cloud.run("plain", items=[1, {"raise": "x"}], within=timedelta(seconds=1))


def test_each_stack_has_its_ledger_and_its_bucket(two_stacks):
    with AppCloud(two_stacks) as cloud:
        assert ["invoices", "reports"] == cloud.tasks
        assert [3, 5] == [cloud.run(task).items for task in cloud.tasks]
        assert ["invoices", "reports"] == [run.task for run in cloud.runs()]
        assert cloud.table_of("invoices") != cloud.table_of("reports")
        assert {"Invoices.LedgerTable", "Reports.LedgerTable"} <= set(cloud.tables())
        check_invariants(cloud)


def test_what_several_stacks_have_must_be_asked_of_a_task(two_stacks):
    with AppCloud(two_stacks) as cloud, pytest.raises(LookupError, match=r"2 stacks .* ask with table_of\(task\)"):
        _ = cloud.table
