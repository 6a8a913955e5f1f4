import json
import re
import sys
from textwrap import dedent

import pytest
from aws_cdk import Duration

from drumbeat import Rate
from drumbeat.cdk.capacity import RESOURCES_PER_APP, RESOURCES_PER_TASK, STACK_RESOURCES, _keeper_environment
from drumbeat.cdk.errors import NoTasks, TooManyTasks
from drumbeat.discovery import discover
from drumbeat.errors import DuplicateTask, InvalidTask
from drumbeat.task import Task
from tests.cdk.sample import TASKS, make


def test_a_new_task_in_one_file_is_synthesized_without_a_change_elsewhere(synthesize, tmp_path, monkeypatch):
    package = tmp_path / "newcomers"
    package.mkdir()
    (package / "greetings.py").write_text(
        dedent("""
            from drumbeat import Cron, Task

            greetings = Task("greetings", schedule=Cron("0 9 ? * MON *"), memory_mib=256)

            @greetings.expand
            def people(run):
                yield from ("ann", "bob")

            @greetings.work
            def greet(person, run):
                return f"hello {person}"
        """)
    )
    monkeypatch.syspath_prepend(str(tmp_path))

    template = synthesize(discover("newcomers"), handlers="newcomers")

    assert ["cron(0 9 ? * MON *)", "rate(15 minutes)"] == sorted(
        rule["ScheduleExpression"] for rule in template.of("AWS::Events::Rule").values()
    )
    assert 256 == template.function("greetings", "worker")["MemorySize"]
    told = template.function("greetings", "worker")["Environment"]["Variables"]
    assert "newcomers.greetings" == told["DRUMBEAT_MODULE"]
    assert not template.of("AWS::Scheduler::Schedule")
    sys.modules.pop("newcomers.greetings")


def test_the_keeper_s_pace_is_a_parameter(synthesize):
    template = synthesize({"a": make("a")}, keeper_every=Duration.minutes(5))

    assert ["rate(5 minutes)"] == [rule["ScheduleExpression"] for rule in template.of("AWS::Events::Rule").values()]


def test_an_app_without_tasks_says_what_to_add(synthesize):
    with pytest.raises(NoTasks, match="add a module"):
        synthesize({})


def test_a_task_without_work_is_refused_by_name(synthesize):
    task = Task("lazy", module="handlers.lazy")
    task.expand(lambda run: [run.id])

    with pytest.raises(InvalidTask, match="'lazy' has no work"):
        synthesize({"lazy": task})


def test_tasks_that_would_share_an_output_are_refused(synthesize):
    with pytest.raises(DuplicateTask, match="'a-1' and 'a1'"):
        synthesize({"a-1": make("a-1"), "a1": make("a1")})


def test_more_tasks_than_a_stack_holds_are_refused_with_the_number_that_fits(synthesize):
    fit = (STACK_RESOURCES - RESOURCES_PER_APP) // RESOURCES_PER_TASK
    tasks = {f"t{n}": make(f"t{n}", schedule=Rate(hours=1)) for n in range(fit + 1)}

    with pytest.raises(TooManyTasks, match=f"{fit} tasks"):
        synthesize(tasks)


def test_tasks_whose_names_do_not_fit_into_the_keeper_s_environment_are_refused(synthesize):
    tasks = {name: make(name, schedule=Rate(hours=1)) for name in (f"{'t' * 46}{n:02}" for n in range(17))}

    with pytest.raises(TooManyTasks, match="5,020 bytes, and Lambda takes 4,096; give the tasks shorter names"):
        synthesize(tasks)


def test_the_estimate_of_the_keeper_s_environment_is_never_too_low(template):
    told = template.function("keeper", "keeper")["Environment"]["Variables"]
    text = json.dumps({name: template.said(value) for name, value in told.items()})
    names = re.findall("<[^>]*>", text)

    at_most = len(text) - sum(map(len, names)) + 64 * len(names)
    assert at_most <= _keeper_environment(TASKS)


def test_the_estimate_of_resources_is_never_too_low(template, synthesize):
    one = synthesize({"a": make("a", schedule=Rate(hours=1, window_minutes=5), idempotent_by="id", tracing=True)})
    two = synthesize(
        {n: make(n, schedule=Rate(hours=1, window_minutes=5), idempotent_by="id", tracing=True) for n in ("a", "b")}
    )
    per_task = len(two.resources) - len(one.resources)

    assert per_task <= RESOURCES_PER_TASK
    assert len(one.resources) - per_task <= RESOURCES_PER_APP
    assert len(template.resources) <= RESOURCES_PER_APP + RESOURCES_PER_TASK * len(TASKS)
