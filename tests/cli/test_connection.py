"""The way to a deployed app: stacks by name, credentials, an endpoint; what goes wrong on it is one sentence."""

import json
from pathlib import Path

import boto3
import pytest
from botocore import exceptions
from moto.server import ThreadedMotoServer

from drumbeat.cli import connection
from drumbeat.cli.stacks import stack_names

TEMPLATE = {
    "Resources": {
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
                "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            },
        },
    },
    "Outputs": {
        "TableName": {"Value": {"Ref": "Table"}},
        "BucketName": {"Value": "bucket"},
        "TaskNames": {"Value": "ticker,reader"},
        "ScheduleGroupName": {"Value": "group"},
        "ScheduleRoleArn": {"Value": "arn:aws:iam::123456789012:role/scheduler"},
        "DispatcherTicker": {"Value": "ticker-dispatcher"},
        "DeadFiresTicker": {"Value": "arn:aws:sqs:us-east-1:123456789012:dead"},
    },
}
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nowhere",
    "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
}


@pytest.fixture
def environment(monkeypatch):
    """Nothing of this machine's AWS configuration."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
def endpoint(environment):
    """An AWS on the loopback, with one stack."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        environment.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        boto3.client("scheduler").create_schedule_group(Name="group")
        boto3.client("cloudformation").create_stack(StackName="Tiny", TemplateBody=json.dumps(TEMPLATE))
        yield
    finally:
        server.stop()


@pytest.mark.enable_socket
@pytest.mark.usefixtures("endpoint")
def test_an_endpoint_is_used_by_the_default_chain(app, monkeypatch):
    assert "no such run in the ledger yet\n" == app.run("--stack", "Tiny", "runs").stdout
    added = app.run("--stack", "Tiny", "schedule", "add", "ticker", "--name", "a", "--rate", "5 minutes")
    assert "a of ticker: rate(5 minutes)\n" == added.stdout
    listed = app.run("--stack", "Tiny", "schedule", "list", "ticker", "--json")
    assert ["a"] == [entry["name"] for entry in json.loads(listed.stdout)["schedules"]]

    missing = app.run("runs")
    assert "error: no stack 'Drumbeat' in us-east-1; deploy it, or name another stack or region\n" == missing.stderr
    monkeypatch.setenv("DRUMBEAT_STACK", "Tiny")
    assert 0 == app.run("runs").exit_code


def test_without_a_region_that_is_told(environment, app):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        environment.delenv(name)

    done = app.run("runs")
    assert (2, "error: You must specify a region; set AWS_REGION, or a region in the profile\n") == (
        done.exit_code,
        done.stderr,
    )


def test_without_credentials_that_is_told(environment, app):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        environment.delenv(name)

    done = app.run("runs")
    assert (2, "error: Unable to locate credentials; log in (aws sso login, aws configure)\n") == (
        done.exit_code,
        done.stderr,
    )


def test_a_profile_that_is_not_there_is_told(environment, app):
    environment.setenv("AWS_PROFILE", "work")

    done = app.run("runs")
    assert "error: The config profile (work) could not be found; correct AWS_PROFILE, or ~/.aws/config\n" == done.stderr


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            exceptions.ClientError(
                {"Error": {"Code": "AccessDeniedException", "Message": "User: me is not authorized to perform: x"}},
                "Query",
            ),
            "AWS doesn't let you Query: User: me is not authorized to perform: x",
        ),
        (
            exceptions.ClientError({"Error": {"Code": "ExpiredToken", "Message": "old"}}, "DescribeStacks"),
            "AWS doesn't take these credentials (ExpiredToken); log in again, or set AWS_PROFILE",
        ),
        (
            exceptions.ClientError(
                {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded."}}, "ListSchedules"
            ),
            "AWS refused ListSchedules (ThrottlingException): Rate exceeded",
        ),
        (
            exceptions.EndpointConnectionError(endpoint_url="http://x/"),
            'Could not connect to the endpoint URL: "http://x/"; check the network, the region and AWS_ENDPOINT_URL',
        ),
        (
            exceptions.SSOTokenLoadError(error_msg="expired"),
            "Error loading SSO Token: expired; log in again (aws sso login)",
        ),
        (exceptions.DataNotFoundError(data_path="x"), "Unable to load data for: x; DataNotFoundError"),
    ],
)
def test_what_aws_says_becomes_a_sentence_with_what_to_do(error, sentence):
    assert sentence == connection._sentence(error)


def test_the_stacks_are_those_of_the_synthesized_app(tmp_path: Path):
    assert ("Drumbeat",) == stack_names(tmp_path)
    folder = tmp_path / "cdk.out"
    folder.mkdir()
    artifacts = {}
    for name, outputs in (("Vpc", {}), ("Shop", {"TaskNames": {}}), ("Ops", {"TaskNames": {}})):
        (folder / f"{name}.json").write_text(json.dumps({"Outputs": outputs}))
        properties = {"templateFile": f"{name}.json"} | ({"stackName": "ops-live"} if name == "Ops" else {})
        artifacts[name] = {"type": "aws:cloudformation:stack", "properties": properties}
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))

    assert ("Shop", "ops-live") == stack_names(tmp_path)

    (folder / "manifest.json").write_text("{")
    assert ("Drumbeat",) == stack_names(tmp_path)
