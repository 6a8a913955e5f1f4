"""`drumbeat local --permissions`, on a tiny app in the real local cloud."""

import json

import pytest

FROM, TO = "2026-11-22T00:00:00Z", "2026-11-22T00:10:00Z"
ASKED = ("local", "--from", FROM, "--to", TO, "--task", "ticker", "--permissions")


@pytest.fixture(scope="module")
def roles(tiny):
    """The roles of the document, by what they are of."""
    done = tiny.run(*ASKED, "--json")
    return {name.partition(" (")[0]: role for role in json.loads(done.stdout)["permissions"] for name in role["of"]}


def actions(found):
    return {one["action"] for one in found}


def test_roles_are_named_by_task_and_kind_of_function(roles):
    assert {"ticker worker", "ticker dispatcher", "reader worker", "reader dispatcher"} <= set(roles)


def test_what_a_worker_called_is_used_and_the_rest_of_its_grants_is_not(roles):
    worker = roles["ticker worker"]

    assert "dynamodb:UpdateItem" in actions(worker["used"])
    assert "dynamodb:UpdateItem" not in actions(worker["unused"])
    assert {"sqs:ChangeMessageVisibility", "s3:PutObject"} <= actions(worker["unused"])
    assert all(one["calls"] > 0 for one in worker["used"])


def test_a_grant_on_a_prefix_is_used_by_an_object_under_it(roles):
    dispatcher = roles["ticker dispatcher"]
    (put,) = [one for one in dispatcher["used"] if one["action"] == "s3:PutObject"]
    [(runs,)] = [one["resources"] for one in dispatcher["unused"] if one["action"] == "s3:PutObject"]

    assert put["resource"].endswith("/results/ticker/*")
    assert runs.endswith("/runs/ticker/*")


def test_what_services_do_themselves_is_explained_and_never_called_unused(roles):
    worker = roles["ticker worker"]
    polls = [one["action"] for one in worker["used_by_services"] if "polls" in one["why"]]

    assert {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"} == set(polls)
    assert "logs:PutLogEvents" in actions(worker["used_by_services"])
    assert not {"logs:PutLogEvents", "sqs:ReceiveMessage"} & actions(worker["unused"])


def test_a_task_that_never_fired_used_none_of_its_grants(roles):
    assert [] == roles["reader worker"]["used"]
    assert "dynamodb:UpdateItem" in actions(roles["reader worker"]["unused"])


def test_the_smallest_policy_is_what_was_used_and_nothing_else(roles):
    worker = roles["ticker worker"]
    allowed = {action for statement in worker["smallest_policy"]["Statement"] for action in statement["Action"]}

    assert actions(worker["used"]) | actions(worker["used_by_services"]) == allowed


def test_the_report_is_for_people_too(tiny):
    text = " ".join(tiny.run(*ASKED).stdout.split())

    assert "ticker worker (" in text
    assert "never used" in text
    assert "the smallest policy that would do" in text
    assert "the event source mapping polls" in text


def test_without_the_option_the_document_has_no_permissions(tiny):
    done = tiny.run("local", "--from", "2026-11-22T00:01:00Z", "--to", "2026-11-22T00:02:00Z", "--json")

    assert "permissions" not in json.loads(done.stdout)
