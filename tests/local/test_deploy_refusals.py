"""What a real deployment would refuse, is refused here, with the remedy."""

from typing import Any

import pytest

from drumbeat.local.deploy import deploy
from drumbeat.local.errors import (
    AssemblyError,
    AssetMissing,
    LocalError,
    ResourceRejected,
    UnsupportedResource,
    UnsupportedResourceWarning,
)

pytestmark = pytest.mark.usefixtures("aws")

TRUST = {
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]
}
ROLE = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}}
DEAD = {"Type": "AWS::SQS::Queue", "Properties": {}}


def function(**properties: Any):
    given = {"Handler": "index.handler", "Runtime": "python3.13", "Role": {"Fn::GetAtt": ["Role", "Arn"]}}
    return {"Type": "AWS::Lambda::Function", "Properties": {**given, "Code": {"ZipFile": ""}, **properties}}


def queue(**properties: Any):
    return {"Type": "AWS::SQS::Queue", "Properties": properties}


def rule(**properties: Any):
    return {"Type": "AWS::Events::Rule", "Properties": {"ScheduleExpression": "rate(5 minutes)", **properties}}


def mapping(**properties: Any):
    ends = {"EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]}, "FunctionName": {"Ref": "Function"}}
    return {"Type": "AWS::Lambda::EventSourceMapping", "Properties": ends | properties}


def schedule(**properties: Any):
    target = {"Arn": {"Fn::GetAtt": ["Queue", "Arn"]}, "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}
    given = {"FlexibleTimeWindow": {"Mode": "OFF"}, "ScheduleExpression": "rate(1 hour)", "Target": target}
    return {"Type": "AWS::Scheduler::Schedule", "Properties": given | properties}


FIFO = {"FifoQueue": True}
TO_DEAD = {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 3}
STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/theirs"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:theirs"
CALL = {"Arn": "arn:aws:scheduler:::aws-sdk:sqs:purgeQueue", "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}
GONE = "arn:aws:sqs:us-east-1:123456789012:gone"


@pytest.mark.parametrize(
    ("resources", "reason"),
    [
        (
            {"Role": ROLE, "Function": function(Timeout=60), "Queue": queue(), "Mapping": mapping()},
            "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds",
        ),
        (
            {"Role": ROLE, "Function": function(), "Queue": queue(), "Mapping": mapping(BatchSize=100)},
            "needs a batching window",
        ),
        (
            {"Role": ROLE, "Function": function(), "Queue": queue(**FIFO), "Mapping": mapping(BatchSize=100)},
            "a FIFO queue takes at most 10",
        ),
        ({"Queue": queue(QueueName="a", **FIFO)}, "FIFO if and only if its name ends in .fifo; it is 'a'"),
        ({"Role": ROLE, "Function": function(Environment={"Variables": {"A": "é" * 2048}})}, "takes 4097 bytes, 4096"),
        ({"Function": function(Role="arn:aws:iam::123456789012:role/gone")}, "role/gone is not in the stacks"),
        ({"Role": ROLE, "Function": function(Code={"ImageUri": "x"})}, "no container images"),
        ({"Role": ROLE, "Function": function(Handler="gone.handler")}, "function Function: there is no module for its"),
        ({"Role": ROLE, "Function": function(Handler="handler")}, "function Function: there is no module for its"),
        (
            {"Role": ROLE, "Queue": queue(), "Schedule": schedule(Target={**CALL, "Input": "no JSON"})},
            "Schedule .*the input of .* is not JSON",
        ),
        ({"Rule": rule(Targets=[{"Arn": MACHINE, "Id": "t"}])}, "rule Rule: the local cloud delivers to fun"),
        ({"Rule": rule(ScheduleExpression="rate(1 minutes)")}, "Rule .AWS::Events::Rule.: .*minute"),
        ({"Rule": rule(ScheduleExpression="cron(0 0 * * * *)")}, "Rule"),
        ({"Rule": rule(EventBusName="mine")}, "only on the default event bus"),
        ({"Rule": rule(Targets=[{"Arn": GONE, "Id": "t"}])}, f"its target {GONE} is not in the stacks"),
        ({"Queue": queue(RedrivePolicy={**TO_DEAD, "deadLetterTargetArn": GONE})}, "Could not find DLQ for"),
        (
            {"Dead": DEAD, "Queue": queue(RedrivePolicy=TO_DEAD, **FIFO)},
            "Fifo queues cannot use non fifo dead letter queues",
        ),
        (
            {"Dead": queue(**FIFO), "Queue": queue(RedrivePolicy=TO_DEAD)},
            "queue Queue: the dead-letter queue of a standard queue must be one, too",
        ),
        (
            {"Role": ROLE, "Queue": queue(), "Schedule": schedule(ScheduleExpressionTimezone="Mars/Olympus")},
            "Schedule .*Mars/Olympus",
        ),
        ({"Role": ROLE, "Queue": queue(), "Schedule": schedule()}, "allow sts:AssumeRole to scheduler.amazonaws.com"),
        (
            {"Role": {**ROLE, "Properties": {"AssumeRolePolicyDocument": {"Statement": []}}}, "Function": function()},
            "allow sts:AssumeRole to lambda.amazonaws.com",
        ),
        ({"Role": {**ROLE, "Properties": {**ROLE["Properties"], "ManagedPolicyArns": ["arn:aws:iam::aws:policy/No"]}}},
            "no managed policy arn:aws:iam::aws:policy/No"),
    ],
)  # fmt: skip
def test_what_aws_refuses_or_loses_is_refused(synth, resources, reason):
    with pytest.raises(ResourceRejected, match=reason):
        deploy(synth(S={"Resources": resources}))


def test_an_unknown_type_is_named_with_its_stack_and_id(synth):
    root = synth(S={"Resources": {"Pipe": {"Type": "AWS::Pipes::Pipe"}}})

    with pytest.raises(
        UnsupportedResource, match=r"stack 'S', Pipe: the local cloud knows no AWS::Pipes::Pipe;.*strict=False"
    ):
        deploy(root)


def test_a_mapping_on_what_is_not_polled_is_named(synth):
    template = {"Resources": {"Role": ROLE, "Function": function(), "Mapping": mapping(EventSourceArn=STREAM)}}
    with pytest.raises(UnsupportedResource, match="Mapping: the local cloud polls queues and DynamoDB streams, not"):
        deploy(synth(S=template))


def test_a_custom_resource_is_named(synth):
    with pytest.raises(UnsupportedResource, match="stack 'S', Mine: Custom::Thing is a custom resource"):
        deploy(synth(S={"Resources": {"Mine": {"Type": "Custom::Thing"}}}))


def test_a_loose_deployment_warns_and_goes_on_with_a_placeholder(synth):
    resources = {"Pipe": {"Type": "AWS::Pipes::Pipe"}, "Queue": queue(Tags=[{"Key": "a", "Value": {"Ref": "Pipe"}}])}

    with pytest.warns(UnsupportedResourceWarning, match="AWS::Pipes::Pipe"):
        deployment = deploy(synth(S={"Resources": resources}), strict=False)

    assert ["S-Pipe-", "https:/"] == [resource.physical_id[:7] for resource in deployment.resources]


def test_a_missing_asset_names_the_function_and_says_to_synthesize_again(synth):
    root = synth(S={"Resources": {"Role": ROLE, "Function": function(Code={"S3Bucket": "b", "S3Key": "gone.zip"})}})
    (root / "asset.gone" / "main.py").unlink()
    (root / "asset.gone").rmdir()

    with pytest.raises(AssetMissing, match=r"stack 'S', Function: asset .*gone is not there; run `cdk synth` again"):
        deploy(root)


def test_a_folder_that_is_no_assembly_says_so(tmp_path):
    with pytest.raises(AssemblyError, match="run `cdk synth`"):
        deploy(tmp_path)


def test_an_unknown_stack_is_named_beside_those_there_are(synth):
    with pytest.raises(AssemblyError, match="no stack 'X'; it has A"):
        deploy(synth(A={"Resources": {}}), stacks=["X"])


def test_importing_from_a_stack_that_is_left_out_says_what_to_deploy(synth):
    with pytest.raises(LocalError, match="deploy the stack that does, too"):
        deploy(synth(Zeta="exporting", Alpha="importing"), stacks=["Alpha"])
