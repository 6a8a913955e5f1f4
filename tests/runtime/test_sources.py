"""Where items come from."""

import json
from datetime import UTC, datetime

import pytest

from drumbeat.testing.cloud import AppCloud

START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.cloud(start=START)
def test_lines_of_an_object_named_by_the_run(cloud: AppCloud) -> None:
    body = b'{"id": 1}\n\n"two"\r\n3'
    cloud.client("s3").put_object(Bucket=cloud.bucket, Key="inputs/2026-03-01.jsonl", Body=body)

    run = cloud.run("lines")

    assert ("SUCCEEDED", 3) == (run.state, run.record.succeeded)


def test_an_object_that_is_absent_fails_the_run_with_the_remedy(cloud: AppCloud) -> None:
    run = cloud.run("lines")

    assert ("FAILED", 0) == (run.state, run.items)
    assert "can't be read (AccessDenied from GetObject); create it" in run.reason


def test_objects_under_a_prefix(cloud: AppCloud) -> None:
    for number in range(5):
        cloud.client("s3").put_object(Bucket=cloud.bucket, Key=f"inputs/objects/{number}.txt", Body=b"x" * number)
    cloud.client("s3").put_object(Bucket=cloud.bucket, Key="inputs/other.txt", Body=b"")

    run = cloud.run("objects")

    assert ("SUCCEEDED", 5, 3) == (run.state, run.record.succeeded, run.chunks)


def test_items_of_a_table(cloud: AppCloud) -> None:
    dynamodb = cloud.client("dynamodb")
    dynamodb.create_table(
        TableName="customers",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    for number in range(9):
        item = {"id": {"S": str(number)}, "name": {"SS": ["b", "a"]}, "secret": {"S": "x"}}
        dynamodb.put_item(TableName="customers", Item=item)

    run = cloud.run("records")

    assert ("SUCCEEDED", 9) == (run.state, run.record.succeeded)


def test_a_table_that_is_absent_fails_the_run_with_the_remedy(cloud: AppCloud) -> None:
    run = cloud.run("records")

    assert "FAILED" == run.state
    assert "ResourceNotFoundException from Scan" in run.reason


def test_items_given_by_hand_stand_in_for_the_source(cloud: AppCloud) -> None:
    run = cloud.run("plain", items=["x", "y"])

    assert ["x", "y"] == json.loads(cloud.published(run)["all.json"])
