"""Event source mappings: batches, failures, concurrency."""

# ruff: noqa: ANN002, ANN003, ARG005  handlers in text, stand-ins for callbacks

import json

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


def test_an_idle_queue_costs_no_events(app, open_cloud):
    cloud = worker(app, open_cloud)
    before = cloud._world.loop.events
    cloud.advance(days=365)

    assert before == cloud._world.loop.events
    assert 365 * 86400 // 20 * 5 == cloud.service_requests["sqs", "ReceiveMessage"]
