"""What a test sees of its cloud, as plain values; of one stack and of several."""

from pathlib import Path

import pytest

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
