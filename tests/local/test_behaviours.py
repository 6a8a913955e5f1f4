"""What AWS documents, row by row, on the local cloud: a sentence, its source, a check.

The rows are in `behaviours/`, a file per service.
"""

from contextlib import ExitStack

import pytest

from tests.local.behaviours import (
    asynchronous,
    batches,
    deliveries,
    invokes,
    notices,
    permissions,
    pollers,
    queues,
    schedules,
    tables,
)
from tests.local.behaviours.lab import Lab, Row

TABLE = [
    one
    for module in (asynchronous, batches, deliveries, invokes, notices, permissions, pollers, queues, schedules, tables)
    for one in vars(module).values()
    if isinstance(one, Row)
]


@pytest.mark.parametrize("behaviour", TABLE, ids=[one.sentence for one in TABLE])
def test_it_behaves_as_documented(behaviour, tmp_path):
    with ExitStack() as stack:
        behaviour.check(Lab(tmp_path / "cdk.out", stack))


def test_each_row_names_its_page():
    assert all(one.source.startswith("https://docs.aws.amazon.com/") for one in TABLE)
    assert len(TABLE) == len({one.sentence for one in TABLE})
