"""A ledger table in moto."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from drumbeat.ledger.table import Table


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    """An empty ledger."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield new_table()


def new_table() -> Table:
    """Make a table of the ledger's shape inside an active mock."""
    client = boto3.client("dynamodb", region_name="us-east-1")
    existing = client.list_tables()["TableNames"]
    client.create_table(
        TableName=f"Ledger{len(existing)}",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
    )
    return Table(client, f"Ledger{len(existing)}")
