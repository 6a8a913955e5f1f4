"""A plain Query has a short way: what it answers is what moto answers, and the rest is left to moto."""

import itertools

import pytest
from botocore.exceptions import ClientError

from drumbeat.local import LocalCloud, gateway
from drumbeat.local.dynamo import DynamoApi

SORT_KEYS = ("run#1", "run#2", "run#\uffff", "run#\U0001f600", "run", "fire#1", "é")


@pytest.fixture(scope="module")
def sorted_table(tmp_path_factory, make_app):
    """A client with a table of two partitions, and what the short way has served."""
    served, real = [], DynamoApi.query

    def counted(self, call):
        answer = real(self, call)
        served.append(call.operation)
        return answer

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(DynamoApi, "query", counted)
        with LocalCloud(make_app(tmp_path_factory.mktemp("queries")).write()) as cloud:
            yield filled(cloud.client("dynamodb")), served


def filled(client):
    names = ("pk", "sk")
    client.create_table(
        TableName="Sorted",
        KeySchema=[
            {"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"), strict=True)
        ],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        BillingMode="PAY_PER_REQUEST",
    )
    for pk, sk in itertools.product(("a", "b"), SORT_KEYS):
        client.put_item(TableName="Sorted", Item={"pk": {"S": pk}, "sk": {"S": sk}, "n": {"N": str(len(sk))}})
    return client


def both_ways(sorted_table, **params: object):
    """The short way's answer and moto's; whether the short way was taken."""
    client, served = sorted_table
    answers = gateway._open[-1]._answers
    served.clear()
    ours = answered(client, params)
    ours_only = answers.pop(("dynamodb", "Query"))
    theirs = answered(client, params)
    answers[("dynamodb", "Query")] = ours_only
    return ours, theirs, served == ["Query"]


def answered(client, params):
    try:
        answer = client.query(TableName="Sorted", **params)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return {key: answer.get(key) for key in ("Items", "Count", "ScannedCount", "LastEvaluatedKey")}


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        ("pk = :pk", {}),
        ("pk = :pk AND begins_with(sk, :p)", {":p": "run#"}),
        ("pk = :pk AND begins_with(sk, :p)", {":p": "nothing"}),
        ("pk = :pk AND sk BETWEEN :l AND :h", {":l": "run", ":h": "run#2"}),
    ],
)
@pytest.mark.parametrize("forward", [True, False])
def test_a_plain_query_is_answered_as_by_moto(sorted_table, condition, values, forward):
    given = {name: {"S": value} for name, value in {":pk": "a", **values}.items()}
    ours, theirs, short = both_ways(
        sorted_table,
        KeyConditionExpression=condition,
        ExpressionAttributeValues=given,
        ScanIndexForward=forward,
        ConsistentRead=True,
    )

    assert short
    assert ours == theirs


@pytest.mark.parametrize(
    "params",
    [
        {"Limit": 2},
        {"ProjectionExpression": "n"},
        {"FilterExpression": "n = :n", "ExpressionAttributeValues": {":pk": {"S": "a"}, ":n": {"N": "5"}}},
        {"ExpressionAttributeValues": {":pk": {"N": "1"}}},
        {"ExpressionAttributeValues": {":pk": {"S": "a"}, ":unused": {"S": "x"}}},
        {"KeyConditionExpression": "sk = :pk"},
        {"KeyConditionExpression": "pk = :pk AND sk > :pk"},
        {"IndexName": "none"},
    ],
    ids=str,
)
def test_any_other_query_is_left_to_moto(sorted_table, params):
    plain = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "a"}}}
    ours, theirs, short = both_ways(sorted_table, **{**plain, **params})

    assert not short
    assert ours == theirs


def test_more_than_a_page_is_left_to_moto(sorted_table):
    client, _ = sorted_table
    for number in range(4):
        item = {"pk": {"S": "large"}, "sk": {"S": str(number)}, "text": {"S": "x" * 300_000}}
        client.put_item(TableName="Sorted", Item=item)
    ours, theirs, short = both_ways(
        sorted_table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": "large"}}
    )

    assert not short
    assert ours == theirs
    assert ours["LastEvaluatedKey"]
