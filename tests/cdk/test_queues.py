import pytest

from drumbeat import limits
from tests.cdk.sample import TASKS


@pytest.mark.parametrize("task", TASKS.values(), ids=str)
def test_a_message_stays_hidden_for_six_timeouts_and_the_window(template, task):
    queue, _ = template.queues_of(task.name)
    timeout = template.function(task.name, "worker")["Timeout"]

    assert 6 * timeout + task.batch_window_s == template.resources[queue]["Properties"]["VisibilityTimeout"]


def test_a_dead_letter_stays_hidden_for_six_timeouts_of_the_keeper(template):
    timeout = template.function("keeper", "keeper")["Timeout"]
    for task in TASKS:
        _, dead = template.queues_of(task)

        assert 6 * timeout <= template.resources[dead]["Properties"]["VisibilityTimeout"]


def test_every_queue_is_encrypted(template):
    assert all(queue["SqsManagedSseEnabled"] for queue in template.of("AWS::SQS::Queue").values())


def test_every_queue_refuses_what_comes_without_tls(template):
    refusing = {
        template.said(policy["Queues"][0])
        for policy in template.of("AWS::SQS::QueuePolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }

    assert {f"<{queue}>" for queue in template.of("AWS::SQS::Queue")} == refusing


def test_dead_letters_outlive_their_source(template):
    for task in TASKS:
        queue, dead = (template.resources[key]["Properties"] for key in template.queues_of(task))

        assert limits.SQS_RETENTION_S == dead["MessageRetentionPeriod"]
        assert queue["MessageRetentionPeriod"] <= 4 * 86_400


@pytest.mark.parametrize("task", TASKS.values(), ids=str)
def test_the_worker_takes_what_the_task_says(template, task):
    queue, _ = template.queues_of(task.name)
    (mapping,) = mappings_of(template, queue)

    assert {"Ref": template.functions[task.name, "worker"]} == mapping["FunctionName"]
    assert task.batch_size == mapping["BatchSize"]
    assert task.batch_window_s == mapping.get("MaximumBatchingWindowInSeconds", 0)
    assert {"MaximumConcurrency": task.max_concurrency} == mapping["ScalingConfig"]
    assert ["ReportBatchItemFailures"] == mapping["FunctionResponseTypes"]
    assert task.max_receives == template.resources[queue]["Properties"]["RedrivePolicy"]["maxReceiveCount"]


def test_backfills_have_a_queue_of_their_own_that_is_polled_only_when_asked(template):
    for task in TASKS.values():
        if task.schedule is None:
            continue
        queue = template.backfill_of(task.name)
        live, dead = template.queues_of(task.name)
        (mapping,) = mappings_of(template, queue)

        assert mapping["Enabled"] is False
        assert {"Ref": template.functions[task.name, "worker"]} == mapping["FunctionName"]
        found, like = (template.resources[key]["Properties"] for key in (queue, live))
        assert like["VisibilityTimeout"] == found["VisibilityTimeout"]
        assert dead == found["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]


def test_the_keeper_takes_the_dead_letters_of_all_lanes_from_one_queue(template):
    (dead,) = {template.queues_of(task)[1] for task in TASKS}
    (mapping,) = mappings_of(template, dead)

    assert {"Ref": template.functions["keeper", "keeper"]} == mapping["FunctionName"]
    assert ["ReportBatchItemFailures"] == mapping["FunctionResponseTypes"]


def test_no_queue_keeps_an_order_in_which_one_item_holds_up_others(template):
    assert [] == [queue for queue in template.of("AWS::SQS::Queue").values() if queue.get("FifoQueue")]


def mappings_of(template, queue):
    return [
        mapping
        for mapping in template.of("AWS::Lambda::EventSourceMapping").values()
        if mapping["EventSourceArn"] == {"Fn::GetAtt": [queue, "Arn"]}
    ]
