"""A task's functions can't reach into what is another task's, though all share one ledger."""

import pytest

from drumbeat.testing import AppCloud

TIME = "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("key", "allowed"),
    [
        ("task#plain", True),
        (f"node#plain/{TIME}~1+3^#0#0", True),
        (f"chunk#plain/{TIME}/by-hand#7", True),
        ("task#once", False),
        ("task#plain-too", False),
        (f"node#plain-too/{TIME}#0#0", False),
        (f"dead#once/{TIME}/plain#0", False),
    ],
)
def test_a_task_s_functions_write_to_their_own_part_of_the_ledger(cloud: AppCloud, key: str, allowed: bool) -> None:
    for name in (cloud.worker("plain"), cloud.dispatcher("plain")):
        [role] = [function.role_arn for function in cloud.deployment.functions if function.name == name]
        for operation, what in (("PutItem", "Item"), ("UpdateItem", "Key")):
            asked = {"TableName": cloud.table, what: {"pk": {"S": key}, "sk": {"S": "x"}}}
            assert allowed == cloud.authorizer.check(role, "dynamodb", operation, asked).allowed, (name, operation)
