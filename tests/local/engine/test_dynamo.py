"""Our short way through DynamoDB answers what moto answers, or leaves the call to moto."""

# ruff: noqa: ANN003, E501, COM819  handlers in text, stand-ins for callbacks

import contextlib
import itertools

import pytest
from botocore.exceptions import ClientError

from drumbeat.local import LocalCloud, gateway
from drumbeat.local.dynamo import DynamoApi

ITEM = {
    "pk": {"S": "a"},
    "n": {"N": "5"},
    "s": {"S": "text"},
    "tags": {"SS": ["x", "y"]},
    "nums": {"NS": ["1", "2"]},
    "things": {"L": [{"N": "1"}, {"S": "two"}]},
    "nest": {"M": {"deep": {"N": "1"}, "flag": {"BOOL": True}}},
    "bin1": {"B": b"\x00\x01"},
}
VALUES = {":n": {"N": "5"}, ":m": {"N": "7.5"}, ":s": {"S": "te"}, ":x": {"S": "x"}, ":one": {"N": "1"}}
CONDITIONS = [
    "attribute_exists(pk)",
    "attribute_not_exists(pk)",
    "attribute_not_exists(missing) AND n = :n",
    "n <> :n OR begins_with(s, :s)",
    "NOT contains(tags, :x)",
    "contains(nums, :one)",
    "contains(s, :s)",
    "n BETWEEN :one AND :m",
    "n IN (:one, :n)",
    "n > :m",
    "(n < :m AND s > :x) OR missing = :n",
    "nest.deep = :one",
    "things[0] = :one AND attribute_exists(things[1])",
    "attribute_not_exists(things[7])",
]
UPDATES = [
    ("SET n = n + :one", {":one": {"N": "1"}}),
    ("SET n = n - :v", {":v": {"N": "2.5"}}),
    ("SET fresh = :v, s = :v REMOVE tags", {":v": {"S": "v"}}),
    ("SET n = if_not_exists(n, :v), q = if_not_exists(q, :v)", {":v": {"N": "1"}}),
    ("SET things = list_append(things, :v)", {":v": {"L": [{"S": "three"}]}}),
    ("ADD n :v, total :v", {":v": {"N": "3"}}),
    ("ADD tags :v", {":v": {"SS": ["y", "z"]}}),
    ("ADD other :v", {":v": {"NS": ["1"]}}),
    ("DELETE tags :v", {":v": {"SS": ["x", "q"]}}),
    ("DELETE tags :v", {":v": {"SS": ["x", "y"]}}),
    ("SET nest.deep = :v", {":v": {"N": "9"}}),
    ("REMOVE nest.flag", None),
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory, make_app):
    """One cloud with a table for all tests of this module, and what the short way has served."""
    monkeypatch = pytest.MonkeyPatch()
    served = []
    for name in ("get", "put", "update", "delete"):
        real = getattr(DynamoApi, name)

        def counted(self, call, real=real):
            answer = real(self, call)
            served.append(call.operation)
            return answer

        monkeypatch.setattr(DynamoApi, name, counted)
    app = make_app(tmp_path_factory.mktemp("dynamo"))
    app.table("Table")
    with LocalCloud(app.write()) as cloud:
        yield cloud.client("dynamodb"), served
    monkeypatch.undo()


@pytest.fixture
def table(shared):
    """Call an operation the short way, then on the same item through moto; return both answers."""
    client, served = shared
    served.clear()

    def ask(operation, item=ITEM, **params):
        def once():
            client.delete_item(TableName="Table", Key={"pk": {"S": "a"}})
            if item is not None:
                client.put_item(TableName="Table", Item=item)
            try:
                answer = getattr(client, operation)(TableName="Table", **params)
            except ClientError as error:
                answer = {"Error": error.response["Error"], "Item": error.response.get("Item")}
            found = client.get_item(TableName="Table", Key={"pk": {"S": "a"}}).get("Item")
            return {
                key: comparable(value)
                for key, value in answer.items()
                if key not in ("ResponseMetadata", "ConsumedCapacity")
            }, comparable(found)

        ours = once()
        kept = dict(ask.gateway._answers)
        for key in [key for key in kept if key[0] == "dynamodb"]:
            del ask.gateway._answers[key]
        theirs = once()
        ask.gateway._answers.update(kept)
        return ours, theirs

    ask.gateway = gateway._open[-1]
    ask.client = client
    ask.served = served
    return ask


def comparable(value):
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value)) in ("SS", "NS"):
            return {kind: sorted(members) for kind, members in value.items()}
        if set(value) == {"Code", "Message"} or "Code" in value:
            return {"Code": value["Code"]}
        return {key: comparable(member) for key, member in value.items()}
    return value


@pytest.mark.parametrize("text", CONDITIONS)
def test_conditions_agree_with_moto(table, text):
    values = {name: value for name, value in VALUES.items() if name in text}
    more = {"ExpressionAttributeValues": values} if values else {}
    put = {"pk": {"S": "a"}, "after": {"S": "x"}}
    for item in (ITEM, None):
        ours, theirs = table("put_item", item, Item=put, ConditionExpression=text, **more)
        assert theirs == ours


@pytest.mark.parametrize(("text", "values"), UPDATES)
def test_updates_agree_with_moto(table, text, values):
    more = {"ExpressionAttributeValues": values} if values else {}
    for returned in ("NONE", "ALL_OLD", "ALL_NEW"):
        ours, theirs = table(
            "update_item", Key={"pk": {"S": "a"}}, UpdateExpression=text, ReturnValues=returned, **more
        )
        assert theirs == ours


def test_the_size_of_a_set_text_or_missing_attribute_can_be_compared(table):
    table.client.put_item(TableName="Table", Item=ITEM)

    for name, most in (("tags", "2"), ("s", "4"), ("nest", "2"), ("bin1", "2")):
        table.client.put_item(
            TableName="Table",
            Item=ITEM,
            ConditionExpression=f"size({name}) = :most AND NOT size(absent) = :most",
            ExpressionAttributeValues={":most": {"N": most}},
        )

    assert ["PutItem"] * 5 == table.served


def test_what_was_updated_is_returned_alone(table):
    key = {"pk": {"S": "a"}}
    values = {":v": {"N": "3"}, ":t": {"SS": ["z"]}}
    more = {"UpdateExpression": "ADD n :v, tags :t", "ExpressionAttributeValues": values}
    table.client.put_item(TableName="Table", Item=ITEM)

    new = table.client.update_item(TableName="Table", Key=key, ReturnValues="UPDATED_NEW", **more)["Attributes"]
    old = table.client.update_item(TableName="Table", Key=key, ReturnValues="UPDATED_OLD", **more)["Attributes"]

    assert {"n": {"N": "8"}, "tags": {"SS": ["x", "y", "z"]}} == new == old
    assert ["PutItem", "UpdateItem", "UpdateItem"] == table.served


def test_a_failed_condition_returns_the_item_if_asked(table):
    ours, theirs = table(
        "put_item",
        Item={"pk": {"S": "a"}},
        ConditionExpression="attribute_not_exists(pk)",
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )

    assert ITEM["n"] == ours[0]["Item"]["n"]
    assert theirs[0]["Error"] == ours[0]["Error"]
    assert theirs[1] == ours[1]


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("update_item", {"Key": {"pk": {"S": "a"}}, "UpdateExpression": "SET name = :v", "ExpressionAttributeValues": {":v": {"S": "x"}}}),
        ("update_item", {"Key": {"pk": {"S": "a"}}, "UpdateExpression": "SET q = :v", "ExpressionAttributeValues": {":v": {"S": "x"}, ":w": {"S": "x"}}}),
        ("update_item", {"Key": {"pk": {"S": "a"}}, "UpdateExpression": "SET q = missing", }),
        ("update_item", {"Key": {"pk": {"S": "a"}}, "UpdateExpression": "ADD s :v", "ExpressionAttributeValues": {":v": {"N": "1"}}}),
        ("update_item", {"Key": {"pk": {"S": "a"}}, "UpdateExpression": "SET pk = :v", "ExpressionAttributeValues": {":v": {"S": "b"}}}),
        ("put_item", {"Item": {"other": {"S": "a"}}}),
        ("put_item", {"Item": {"pk": {"S": ""}}}),
        ("put_item", {"Item": {"pk": {"N": "1"}}}),
        ("get_item", {"Key": {"wrong": {"S": "a"}}}),
        ("delete_item", {"Key": {"pk": {"S": "a"}}, "ConditionExpression": "nonsense ="}),
    ],
)  # fmt: skip
def test_what_dynamodb_refuses_is_refused_by_moto(table, operation, params):
    ours, theirs = table(operation, **params)

    assert "Error" in theirs[0]
    assert theirs == ours


def test_an_item_is_no_longer_shared_with_who_gave_or_got_it(table):
    values = {"SS": ["x"]}
    item = {"pk": {"S": "a"}, "tags": values}
    table.client.put_item(TableName="Table", Item=item)
    values["SS"].append("later")
    got = table.client.get_item(TableName="Table", Key={"pk": {"S": "a"}})["Item"]
    got["tags"]["SS"].append("mine")

    assert ["x"] == table.client.get_item(TableName="Table", Key={"pk": {"S": "a"}})["Item"]["tags"]["SS"]
    assert {"PutItem": 1, "GetItem": 2} == {
        name: len(list(found)) for name, found in itertools.groupby(sorted(table.served, reverse=True))
    }


@pytest.mark.parametrize(
    ("given", "kept"),
    [(["0", "17"], ["0", "17"]), (["01", "2"], ["1", "2"]), (["1.50"], ["1.5"]), (["-3", "4"], ["-3", "4"])],
)
def test_the_numbers_of_a_set_are_kept_as_dynamodb_writes_them(table, given, kept):
    table.client.put_item(TableName="Table", Item={"pk": {"S": "a"}, "nums": {"NS": given}})

    assert kept == table.client.get_item(TableName="Table", Key={"pk": {"S": "a"}})["Item"]["nums"]["NS"]
    assert ["PutItem", "GetItem"] == table.served


@pytest.mark.parametrize("given", [["1,2"], ["1", ""], ["x"], ["1", "1"]])
def test_a_set_of_what_isnt_numbers_is_motos(table, given):
    with contextlib.suppress(ClientError):
        table.client.put_item(TableName="Table", Item={"pk": {"S": "a"}, "nums": {"NS": given}})

    assert [] == table.served
