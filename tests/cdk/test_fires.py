import json

import pytest

from drumbeat.outputs import output
from tests.cdk.sample import TASKS

RULES = {"nightly": "cron(0 0 * * ? *)", "often": "rate(5 minutes)"}
SCHEDULES = {"berlin": "cron(0 3 * * ? *)", "once": "at(2030-01-01T00:00:00)", "relaxed": "rate(1 hour)"}


def rule(template, function):
    """The rule that invokes a function, and its one target."""
    target = {"Fn::GetAtt": [function, "Arn"]}
    found = [rule for rule in template.of("AWS::Events::Rule").values() if rule["Targets"][0]["Arn"] == target]
    return found[0] if found else None


def schedule(template, function):
    target = {"Fn::GetAtt": [function, "Arn"]}
    found = [made for made in template.of("AWS::Scheduler::Schedule").values() if made["Target"]["Arn"] == target]
    return found[0] if found else None


@pytest.mark.parametrize("task", TASKS)
def test_a_rule_serves_where_it_can_and_a_schedule_where_it_must(template, task):
    dispatcher = template.functions[task, "dispatcher"]
    by_rule, by_schedule = rule(template, dispatcher), schedule(template, dispatcher)

    assert RULES.get(task) == (by_rule and by_rule.get("ScheduleExpression"))
    assert SCHEDULES.get(task) == (by_schedule and by_schedule["ScheduleExpression"])


def test_a_rule_passes_the_time_of_the_event(template):
    target = rule(template, template.functions["nightly", "dispatcher"])["Targets"][0]

    assert {
        "InputPathsMap": {"time": "$.time"},
        "InputTemplate": '{"task":"nightly","scheduled_at":<time>}',
    } == target["InputTransformer"]


def test_a_schedule_passes_its_scheduled_time(template):
    made = schedule(template, template.functions["berlin", "dispatcher"])

    assert {"task": "berlin", "scheduled_at": "<aws.scheduler.scheduled-time>"} == json.loads(made["Target"]["Input"])
    assert "Europe/Berlin" == made["ScheduleExpressionTimezone"]
    assert {"Mode": "OFF"} == made["FlexibleTimeWindow"]


def test_a_schedule_keeps_its_start_and_its_window(template):
    made = schedule(template, template.functions["relaxed", "dispatcher"])

    assert made["StartDate"].startswith("2030-01-01T00:00:00")
    assert {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 10} == made["FlexibleTimeWindow"]


def test_all_schedules_are_in_one_group_that_is_made_first(template):
    group, properties = template.only("AWS::Scheduler::ScheduleGroup")
    for made in template.resources.values():
        if made["Type"] == "AWS::Scheduler::Schedule":
            assert properties["Name"] == made["Properties"]["GroupName"]
            assert group in made["DependsOn"]


def test_every_fire_is_tried_for_hours_and_then_kept(template):
    targets = [made["Targets"][0] for made in template.of("AWS::Events::Rule").values()]
    targets += [made["Target"] for made in template.of("AWS::Scheduler::Schedule").values()]
    for target in targets:
        queue = target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0]

        assert "AWS::SQS::Queue" == template.resources[queue]["Type"]
        assert 900 <= target["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 86_400
        assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0


def test_only_its_rule_may_invoke_a_function_and_fill_its_dead_letters(template):
    rules = {f"<{key}.Arn>" for key in template.of("AWS::Events::Rule")}
    invoking = [template.said(made)["SourceArn"] for made in template.of("AWS::Lambda::Permission").values()]
    filling = [
        template.said(statement["Condition"]["ArnEquals"]["aws:SourceArn"])
        for policy in template.of("AWS::SQS::QueuePolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]

    assert rules == set(invoking) == set(filling)


def test_scheduler_assumes_a_role_for_this_account_s_group_only(template):
    _, group = template.only("AWS::Scheduler::ScheduleGroup")
    roles = [made["Target"]["RoleArn"] for made in template.of("AWS::Scheduler::Schedule").values()]
    for arn in [*roles, template.outputs["ScheduleRoleArn"]]:
        role = template.resources[arn["Fn::GetAtt"][0]]["Properties"]
        (statement,) = template.said(role["AssumeRolePolicyDocument"]["Statement"])
        only = statement["Condition"]["StringEquals"]

        assert "<AWS::AccountId>" == only["aws:SourceAccount"]
        assert only["aws:SourceArn"].endswith(f":schedule-group/{group['Name']}")


def test_schedules_added_at_run_time_may_fire_every_dispatcher_and_nothing_else(template):
    role = template.outputs["ScheduleRoleArn"]["Fn::GetAtt"][0]
    invoking = {("lambda:InvokeFunction", f"<{template.functions[task, 'dispatcher']}.Arn>") for task in TASKS}
    keeping = {("sqs:SendMessage", template.said(template.outputs[output("DeadFires", task)])) for task in TASKS}

    assert invoking | keeping == {
        (said["Action"], resource) for said in template.statements(role) for resource in said["Resource"]
    }


def test_the_outputs_name_what_an_operator_needs(template):
    _, group = template.only("AWS::Scheduler::ScheduleGroup")

    assert ",".join(TASKS) == template.outputs["TaskNames"]
    assert group["Name"] == template.outputs["ScheduleGroupName"]
    assert {"Ref": template.functions["nightly", "dispatcher"]} == template.outputs["DispatcherNightly"]


def test_the_keeper_checks_every_quarter_of_an_hour(template):
    made = rule(template, template.functions["keeper", "keeper"])

    assert "rate(15 minutes)" == made["ScheduleExpression"]
    assert {"keeper": "check"} == json.loads(made["Targets"][0]["Input"])


def test_a_task_after_others_hears_of_their_ends_only(template):
    (rule,) = (made for key, made in template.of("AWS::Events::Rule").items() if key.startswith("afterboth"))
    target = rule["Targets"][0]

    assert ["drumbeat"] == rule["EventPattern"]["source"]
    assert ["nightly", "often"] == rule["EventPattern"]["detail"]["task"]
    assert not {"RUNNING", "WAITING"} & set(rule["EventPattern"]["detail"]["state"])
    assert '{"task":"after-both","follow":<detail-run>}' == target["InputTransformer"]["InputTemplate"]


def test_a_task_after_others_reads_what_they_left(template):
    read = {resource for action, resource in template.may("after-both", "dispatcher") if action == "s3:GetObject"}

    assert all(any(part in resource for resource in read) for part in ("/results/nightly/*", "/runs/often/*"))


def test_an_event_pattern_is_the_author_s_own(template):
    (rule,) = (made for key, made in template.of("AWS::Events::Rule").items() if key.startswith("onorder"))

    assert {
        "source": ["my.shop"],
        "detail-type": ["Order placed"],
        "detail": {"size": [{"numeric": [">", 1]}]},
    } == rule["EventPattern"]
    assert "InputTransformer" not in rule["Targets"][0]
    assert "Input" not in rule["Targets"][0]
