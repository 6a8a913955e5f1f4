"""A task's queue takes messages from drumbeat alone, whatever else in the account may send."""

from dataclasses import replace

from drumbeat.local.iam import Authorizer
from drumbeat.testing import AppCloud


def test_nobody_else_sends_to_a_task_s_queue(cloud: AppCloud) -> None:
    deployed = cloud.deployment
    authorizer = Authorizer(deployed)
    roles = {function.name: function.role_arn for function in deployed.functions}
    queues = [queue for queue in deployed.queues if queue.dead_letter_arn]
    keeper = next(function for function in deployed.functions if ".keeper." in function.handler)
    everything = {"Statement": [{"Effect": "Allow", "Action": ["sqs:SendMessage", "kms:*"], "Resource": ["*"]}]}
    richer = Authorizer(
        replace(deployed, roles=tuple(replace(r, policies=(*r.policies, everything)) for r in deployed.roles))
    )

    assert len(queues) == len(cloud.tasks)
    for task in cloud.tasks:
        own = next(queue for queue in queues if queue.logical_id.startswith(task.replace("-", "")))
        senders = {cloud.dispatcher(task), keeper.name}
        for name, role in roles.items():
            sent = {"QueueUrl": own.url, "MessageBody": "x"}
            assert (name in senders) == richer.check(role, "sqs", "SendMessage", sent).allowed, (name, own.name)
            assert (name in senders) == authorizer.check(role, "sqs", "SendMessage", sent).allowed
