"""Event source mappings: batches, failures, concurrency."""

# ruff: noqa: ANN002, ANN003, ARG005  handlers in text, stand-ins for callbacks

import json

import pytest

from drumbeat.local.errors import ResourceRejected

ECHO = """
    import json
    def handler(event, context):
        bodies = [record["body"] for record in event["Records"]]
        print(json.dumps(bodies))
        if "boom" in bodies:
            raise RuntimeError("boom")
        return json.loads(next((body[7:] for body in bodies if body.startswith("answer:")), "null"))
"""


def worker(app, open_cloud, code=ECHO, *, timeout=30, queue=None, function=None, cloud=None, **mapping):
    app.queue("Dead")
    redrive = {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 3}
    app.queue("Work", **{"VisibilityTimeout": 60, "RedrivePolicy": redrive, **(queue or {})})
    app.function("worker", code, timeout=timeout, **(function or {}))
    app.mapping("Work", "worker", **mapping)
    return open_cloud(app, **(cloud or {}))


def send(cloud, *bodies, **more):
    url = next(queue.url for queue in cloud.deployment.queues if queue.name == "Work")
    for body in bodies:
        cloud.client("sqs").send_message(QueueUrl=url, MessageBody=body, **more)


def batches(cloud):
    return [
        json.loads(line.text) for line in cloud.logs("worker") if line.text.startswith("[") and "ERROR" not in line.text
    ]


def test_a_batch_has_at_most_its_size(app, open_cloud):
    cloud = worker(app, open_cloud, BatchSize=4)
    send(cloud, *(str(n) for n in range(10)))
    cloud.run_until_idle()

    assert [2, 4, 4] == sorted(len(batch) for batch in batches(cloud))
    assert 3 == cloud.meter.service_requests["sqs", "ReceiveMessage"]
    assert 3 == cloud.service_requests["sqs", "DeleteMessageBatch"]


def test_a_window_gathers_messages_until_it_ends_or_the_batch_is_full(app, open_cloud):
    cloud = worker(app, open_cloud, BatchSize=50, MaximumBatchingWindowInSeconds=20)
    send(cloud, "1")
    cloud.advance(seconds=10)
    send(cloud, "2")
    cloud.advance(seconds=5)
    assert [] == batches(cloud)
    cloud.advance(seconds=6)
    assert [["1", "2"]] == batches(cloud)
    send(cloud, *(str(n) for n in range(50)))
    cloud.advance(seconds=3)
    assert 50 == len(batches(cloud)[1])


def test_a_failed_batch_returns_after_its_visibility_and_ends_as_dead_letters(app, open_cloud):
    cloud = worker(app, open_cloud, BatchSize=10)
    send(cloud, "boom", "good")
    began = cloud.now
    cloud.run_until_idle()

    assert [["boom", "good"]] * 3 == batches(cloud)
    assert (2, 0, 0) == cloud.queue_depth("Dead")
    assert 180 <= (cloud.now - began).total_seconds() < 185


@pytest.mark.parametrize(
    ("answer", "tried_again"),
    [
        ("null", 0),
        ("{}", 0),
        ('{"batchItemFailures": []}', 0),
        ('{"batchItemFailures": null}', 0),
        ('{"batchItemFailures": [{"itemIdentifier": "unknown"}]}', 2),
        ('{"batchItemFailures": [{"itemIdentifier": ""}]}', 2),
        ('{"batchItemFailures": [{"itemIdentifier": null}]}', 2),
        ('{"batchItemFailures": [{"id": "x"}]}', 2),
        ('"a string"', 2),
    ],
)
def test_malformed_partial_responses_fail_the_whole_batch(app, open_cloud, answer, tried_again):
    cloud = worker(app, open_cloud, BatchSize=10, FunctionResponseTypes=["ReportBatchItemFailures"])
    send(cloud, f"answer:{answer}", "other")
    cloud.run_until_idle()

    assert 1 + tried_again == len(batches(cloud))
    assert (2 if tried_again else 0) == cloud.queue_depth("Dead")[0]


def test_without_partial_responses_the_answer_does_not_matter(app, open_cloud):
    cloud = worker(app, open_cloud)
    send(cloud, 'answer:{"batchItemFailures": [{"itemIdentifier": ""}]}')
    cloud.run_until_idle()

    assert 1 == len(batches(cloud))


def test_a_timeout_returns_the_batch(app, open_cloud):
    cloud = worker(app, open_cloud, "import time\ndef handler(e, c): time.sleep(20)", timeout=10)
    send(cloud, "x")
    cloud.run_until_idle()

    assert 3 == cloud.meter.errors["worker"]
    assert (1, 0, 0) == cloud.queue_depth("Dead")


def test_concurrency_ramps_up_from_five_and_stops_at_its_maximum(app, open_cloud):
    slow = {"durations": lambda function, event, rng: 10.0}
    cloud = worker(app, open_cloud, BatchSize=1, ScalingConfig={"MaximumConcurrency": 12}, cloud=slow)
    send(cloud, *("x" for _ in range(60)))
    cloud.advance(seconds=0.1)
    first = cloud.samples["worker"][-1][1]
    cloud.run_until_idle()

    assert 5 == first
    assert 12 == max(active for _, active in cloud.samples["worker"])
    assert 60 == cloud.invocations["worker"]


def test_throttled_batches_wait_and_count_as_received(app, open_cloud):
    slow = {"durations": lambda function, event, rng: 8.0}
    cloud = worker(
        app,
        open_cloud,
        BatchSize=1,
        function={"ReservedConcurrentExecutions": 1},
        queue={"VisibilityTimeout": 300},
        cloud=slow,
    )
    send(cloud, *("x" for _ in range(6)))
    cloud.run_until_idle()

    assert cloud.meter.throttles["worker"] > 0
    assert 1 == max(active for _, active in cloud.samples["worker"])
    assert 6 == cloud.invocations["worker"]


def test_a_disabled_mapping_pauses_and_resumes_without_loss(app, open_cloud):
    cloud = worker(app, open_cloud)
    uuid = cloud.deployment.mappings[0].uuid
    cloud.client("lambda").update_event_source_mapping(UUID=uuid, Enabled=False)
    send(cloud, "x")
    cloud.advance(minutes=5)
    assert [] == batches(cloud)
    assert cloud.run_until_idle()
    cloud.client("lambda").update_event_source_mapping(UUID=uuid, Enabled=True)
    cloud.run_until_idle()
    assert [["x"]] == batches(cloud)


def test_a_reserved_concurrency_of_zero_pauses_a_worker(app, open_cloud):
    cloud = worker(
        app,
        open_cloud,
        queue={"RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 100}},
    )
    client = cloud.client("lambda")
    client.put_function_concurrency(FunctionName="worker", ReservedConcurrentExecutions=0)
    send(cloud, "x")
    cloud.advance(minutes=5)
    assert [] == batches(cloud)
    client.delete_function_concurrency(FunctionName="worker")
    cloud.run_until_idle()
    assert [["x"]] == batches(cloud)


def test_messages_that_no_filter_lets_through_are_deleted_unseen(app, open_cloud):
    pattern = json.dumps({"body": {"kind": ["good"]}})
    cloud = worker(app, open_cloud, FilterCriteria={"Filters": [{"Pattern": pattern}]})
    send(cloud, '{"kind": "good"}', '{"kind": "bad"}', "no json")
    cloud.run_until_idle()

    assert [['{"kind": "good"}']] == batches(cloud)
    assert (0, 0, 0) == cloud.queue_depth("Work")


def test_a_fifo_queue_keeps_the_order_of_each_group(app, open_cloud):
    app.add("Fifo", "AWS::SQS::Queue", QueueName="work.fifo", FifoQueue=True, ContentBasedDeduplication=True)
    app.function("worker", ECHO)
    app.mapping("Fifo", "worker", BatchSize=1)
    cloud = open_cloud(app, durations=lambda function, event, rng: rng.random())
    url = next(queue.url for queue in cloud.deployment.queues if queue.fifo)
    for n in range(6):
        for group in "ab":
            cloud.client("sqs").send_message(QueueUrl=url, MessageBody=f"{group}{n}", MessageGroupId=group)
    cloud.run_until_idle()

    seen = [batch[0] for batch in batches(cloud)]
    assert [f"a{n}" for n in range(6)] == [one for one in seen if one[0] == "a"]
    assert [f"b{n}" for n in range(6)] == [one for one in seen if one[0] == "b"]


def test_a_role_that_may_not_read_the_queue_is_refused_at_once(app, open_cloud):
    app.resources["Role"]["Properties"]["Policies"] = []

    with pytest.raises(ResourceRejected, match="may not call ReceiveMessage"):
        worker(app, open_cloud)


def test_an_idle_queue_costs_no_events(app, open_cloud):
    cloud = worker(app, open_cloud)
    before = cloud._world.loop.events
    cloud.advance(days=365)

    assert before == cloud._world.loop.events
    assert 365 * 86400 // 20 * 5 == cloud.service_requests["sqs", "ReceiveMessage"]


def test_a_loop_through_a_queue_is_stopped_after_sixteen_turns(app, open_cloud):
    code = """
        import os, boto3
        sqs = boto3.client("sqs")
        def handler(event, context):
            sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody="again")
    """
    function = {"env": {"QUEUE": {"Ref": "Work"}}}
    cloud = worker(app, open_cloud, code, function=function)
    send(cloud, "x")
    cloud.run_until_idle()

    assert 16 == cloud.invocations["worker"]
    assert (1, 0, 0) == cloud.queue_depth("Dead")
