"""A worker whose environments are made from a snapshot."""

import pytest
from aws_cdk import aws_lambda as lambda_

from drumbeat import Cron
from drumbeat.cdk import Target
from drumbeat.cdk.capacity import RESOURCES_OF_SNAP_START
from drumbeat.cdk.errors import SnapStartUnsupported, TooManyTasks
from tests.cdk.sample import make

NIGHTLY = Cron("0 0 * * ? *")
NEW = Target(python="3.13")


@pytest.fixture(scope="module")
def synthesized(synthesize):
    """A function that synthesizes the task `a` with some settings, on a Python of which Lambda takes snapshots."""
    return lambda **settings: synthesize({"a": make("a", schedule=NIGHTLY, **settings)}, target=NEW)


@pytest.fixture(scope="module")
def template(synthesized):
    return synthesized(snap_start=True)


def version_of(template):
    return template.only("AWS::Lambda::Version")[0]


def test_both_queues_are_for_the_alias_of_the_version_with_the_snapshot(template):
    worker = template.functions["a", "worker"]
    version, published = template.only("AWS::Lambda::Version")
    alias, live = template.only("AWS::Lambda::Alias")
    fed = {
        template.said(mapping["EventSourceArn"]): template.said(mapping["FunctionName"]["Fn::Join"][1])
        for mapping in template.of("AWS::Lambda::EventSourceMapping").values()
        if "Fn::Join" in mapping["FunctionName"]
    }
    name = {"Fn::Select": [6, {"Fn::Split": [":", f"<{alias}>"]}]}

    assert {"ApplyOn": "PublishedVersions"} == template.function("a", "worker")["SnapStart"]
    assert f"<{worker}>" == template.said(published["FunctionName"]) == template.said(live["FunctionName"])
    assert ("live", f"<{version}.Version>") == (live["Name"], template.said(live["FunctionVersion"]))
    queues = (template.queues_of("a")[0], template.backfill_of("a"))
    assert {f"<{queue}.Arn>": [name, ":live"] for queue in queues} == fed


def test_neither_dispatcher_nor_keeper_has_a_snapshot(template):
    assert [template.functions["a", "worker"]] == [
        name for name, function in template.of("AWS::Lambda::Function").items() if "SnapStart" in function
    ]


@pytest.mark.parametrize("changed", [{"memory_mib": 600}, {"environment": {"GREETING": "hello"}}, {"timeout_s": 61}])
def test_a_change_of_the_function_publishes_another_version(template, synthesized, changed):
    assert version_of(template) != version_of(synthesized(snap_start=True, **changed))


def test_a_change_of_the_code_publishes_another_version_and_nothing_else_does(template, synthesize, synthesized):
    code = lambda_.Code.from_inline("def handler(event, context): return 1")
    task = make("a", schedule=NIGHTLY, snap_start=True)

    assert version_of(template) != version_of(synthesize({"a": task}, target=NEW, code=code))
    assert version_of(template) == version_of(synthesized(snap_start=True, max_concurrency=7, retries=9))


def test_without_it_nothing_is_published_and_the_rest_is_the_same(template, synthesized):
    plain = synthesized()
    added = template.resources.keys() - plain.resources.keys()
    changed = {name for name, resource in plain.resources.items() if template.resources.get(name) != resource}

    assert {"AWS::Lambda::Version", "AWS::Lambda::Alias"} == {template.resources[name]["Type"] for name in added}
    assert RESOURCES_OF_SNAP_START == len(added)
    assert {"AWS::Lambda::Function", "AWS::Lambda::EventSourceMapping"} == {
        plain.resources[name]["Type"] for name in changed
    }
    assert not any("SnapStart" in function for function in plain.of("AWS::Lambda::Function").values())


def test_versions_and_aliases_are_among_what_a_stack_holds(synthesize):
    tasks = {name: make(name, snap_start=True) for name in (f"t{n}" for n in range(19))}

    with pytest.raises(TooManyTasks, match=r"19 tasks need about 517 resources, and .*: 18 tasks; make two packages"):
        synthesize(tasks, target=NEW)


@pytest.mark.parametrize("snapshots", [True, False])
def test_a_python_without_snapshots_is_refused_where_they_are_asked_for(synthesize, snapshots):
    tasks = {"plain": make("plain"), "quick": make("quick", snap_start=snapshots)}
    old = Target(python="3.11")

    if not snapshots:
        assert synthesize(tasks, target=old).functions
        return
    with pytest.raises(SnapStartUnsupported) as refused:
        synthesize(tasks, target=old)
    assert (
        "task 'quick': snap_start=True needs Python 3.12 or newer in Lambda, and the functions run on Python 3.11; "
        'synthesize with a newer one, or give Target(python="3.13") to bundle_code and to the stack, or leave '
        "snap_start out"
    ) == str(refused.value)
