"""Where things are: the outputs of stacks, by name."""

import pytest

from drumbeat.control import Control, DeployedStack, Deployment, NotDrumbeat, StackUnknown
from drumbeat.errors import UnknownTask

OUTPUTS = {
    "TableName": "ledger",
    "BucketName": "bucket",
    "TaskNames": "nightly-invoices,sunrise",
    "DispatcherNightlyInvoices": "app-dispatcher",
    "DeadFiresNightlyInvoices": "arn:aws-cn:sqs:cn-north-1:111122223333:dead",
}


class CloudFormation:
    """Answers DescribeStacks for one stack."""

    class exceptions:  # noqa: N801  (boto3's name)
        class ClientError(Exception):
            response = {"Error": {"Code": "ValidationError"}}  # noqa: RUF012

    class meta:  # noqa: N801  (boto3's name)
        region_name = "eu-west-1"

    def client(self, name):
        assert "cloudformation" == name
        return self

    def describe_stacks(self, *, StackName):  # noqa: N803  (boto3's name)
        if StackName != "App":
            raise self.exceptions.ClientError
        return {"Stacks": [{"Outputs": [{"OutputKey": key, "OutputValue": OUTPUTS[key]} for key in OUTPUTS]}]}


def test_a_stack_is_found_by_name_with_everything_in_it():
    stack = Deployment.of_stack(CloudFormation(), "App").stack_of("nightly-invoices")

    assert ("ledger", "bucket") == (stack.table, stack.bucket)
    assert "app-dispatcher" == stack.dispatcher("nightly-invoices")
    assert "arn:aws-cn:lambda:cn-north-1:111122223333:function:app-dispatcher" == stack.dispatcher_arn(
        "nightly-invoices"
    )


def test_a_stack_that_is_not_there_is_told_with_the_region():
    with pytest.raises(StackUnknown, match="no stack 'Ap' in eu-west-1; deploy it, or name another"):
        Deployment.of_stack(CloudFormation(), "Ap")


def test_a_stack_of_somebody_else_is_refused():
    with pytest.raises(NotDrumbeat, match="has no output TaskNames"):
        DeployedStack("Vpc", {"TableName": "t", "BucketName": "b"})


def test_an_unknown_task_is_told_with_the_nearest():
    deployment = Deployment.of_outputs({"App": OUTPUTS, "Vpc": {}})

    with pytest.raises(UnknownTask, match="no task 'sunrse' in stack App; did you mean sunrise"):
        deployment.stack_of("sunrse")


def test_a_task_that_two_stacks_have_must_be_told_apart():
    deployment = Deployment.of_outputs({"Test": OUTPUTS, "Live": OUTPUTS})

    with pytest.raises(UnknownTask, match="'sunrise' is in stack Test and stack Live; name one"):
        deployment.stack_of("sunrise")


def test_the_deployed_app_tells_its_tasks(control: Control):
    assert {"plain", "strict"} <= set(control.deployment.tasks)
