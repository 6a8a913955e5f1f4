"""Stacks that import, nest, choose by condition, or need something uploaded first: seen through plain boto3."""

import boto3
import pytest

from drumbeat.local.deploy import deploy

pytestmark = pytest.mark.usefixtures("aws")


def named(facts, start):
    return next(fact for fact in facts if fact.logical_id.startswith(start))


def test_a_stack_imports_what_another_exports_whatever_their_order_in_the_manifest(synth):
    deployment = deploy(synth(Zeta="exporting", Alpha="importing"))

    [queue], [function] = deployment.queues, deployment.functions
    assert queue.url == function.environment["Q"]


def test_a_nested_stack_takes_parameters_and_gives_outputs(synth):
    deployment = deploy(synth(Parent="nested_parent", nested={"child": "nested_child"}))

    [queue], [function] = deployment.queues, deployment.functions
    assert queue.url == function.environment["Q"]
    assert function.arn == deployment.outputs["Parent"]["FnArn"]


def test_conditions_mappings_and_parameters_decide_what_is_created(synth):
    root = synth(Cond="conditions")

    assert {"Q": 0, "Q3": 5} == {queue.logical_id: queue.delay_s for queue in deploy(root).queues}


def test_a_parameter_turns_a_condition_on(synth):
    deployment = deploy(synth(Cond="conditions"), parameters={"Stage": "prod"})

    assert {"Q", "OnlyProd", "Q3"} == {queue.logical_id for queue in deployment.queues}
    assert "big" == named(deployment.queues, "Q").name


def test_cdks_handler_of_bucket_notifications_is_done_without_running_it(synth):
    deployment = deploy(synth(Notes="notifying"))
    [bucket] = boto3.client("s3").list_buckets()["Buckets"]
    [seen] = boto3.client("s3").get_bucket_notification_configuration(Bucket=bucket["Name"])[
        "LambdaFunctionConfigurations"
    ]

    assert named(deployment.functions, "F").arn == seen["LambdaFunctionArn"]
    assert [{"Name": "prefix", "Value": "in/"}] == seen["Filter"]["Key"]["FilterRules"]


def test_a_stack_goes_where_its_environment_says_and_its_account_becomes_the_local_one(synth):
    imported = "arn:aws:sqs:eu-north-1:111122223333:theirs"
    template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}, "Outputs": {"Arn": {"Value": imported}}}
    deployment = deploy(synth("aws://111122223333/eu-north-1", Far=template))

    assert 1 == len(boto3.client("sqs", region_name="eu-north-1").list_queues()["QueueUrls"])
    assert "eu-north-1" == deployment.region
    assert "arn:aws:sqs:eu-north-1:123456789012:theirs" == deployment.outputs["Far"]["Arn"]


def test_an_asset_that_a_function_reads_at_run_time_is_uploaded(synth):
    template = {"Resources": {"P": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "notes.zip"}}}}
    deploy(synth(Up=template))

    bucket = "cdk-hnb659fds-assets-123456789012-us-east-1"
    assert ["notes.zip"] == [one["Key"] for one in boto3.client("s3").list_objects_v2(Bucket=bucket)["Contents"]]


def test_a_secret_is_resolved_where_it_is_used_and_is_the_same_every_time(synth):
    secret = {"Type": "AWS::SecretsManager::Secret", "Properties": {"GenerateSecretString": {"PasswordLength": 12}}}
    dynamic = {"Fn::Join": ["", ["{{resolve:secretsmanager:", {"Ref": "Secret"}, ":SecretString:::}}"]]}
    user = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": "/p", "Value": dynamic}}
    deploy(synth(Kept={"Resources": {"Secret": secret, "User": user}}))

    seen = boto3.client("ssm").get_parameter(Name="/p")["Parameter"]["Value"]
    [name] = [one["Name"] for one in boto3.client("secretsmanager").list_secrets()["SecretList"]]
    assert 12 == len(seen)
    assert seen == boto3.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
