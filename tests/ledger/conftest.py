"""A ledger table in a local cloud: its DynamoDB answers the ledger's calls in a fraction of moto's time."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from drumbeat.ledger.table import Table
from drumbeat.local import LocalCloud

_numbers = itertools.count()


@pytest.fixture(scope="session")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The assembly of an app without resources."""
    folder = tmp_path_factory.mktemp("nothing")
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "Nothing.template.json"}}
    (folder / "Nothing.template.json").write_text(json.dumps({"Resources": {}}))
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {"Nothing": stack}}))
    return folder


@pytest.fixture
def table(nothing: Path) -> Iterator[Table]:
    """An empty ledger."""
    with LocalCloud(nothing):
        yield new_table()


def new_table() -> Table:
    """Make a table of the ledger's shape in the open cloud."""
    client, name = boto3.client("dynamodb", region_name="us-east-1"), f"Ledger{next(_numbers)}"
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
    )
    return Table(client, name)
