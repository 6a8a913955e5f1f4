"""A builder of small apps: a template written by hand, deployed into a local cloud."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from drumbeat.local import LocalCloud

START = datetime(2026, 3, 1, tzinfo=UTC)
ALLOW_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": ["lambda.amazonaws.com", "scheduler.amazonaws.com", "events.amazonaws.com"]},
        }
    ],
}


class App:
    """A template in the making."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.resources: dict[str, Any] = {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": TRUST,
                    "Policies": [{"PolicyName": "all", "PolicyDocument": ALLOW_ALL}],
                },
            }
        }

    def add(self, name: str, kind: str, **properties: Any) -> None:
        self.resources[name] = {"Type": kind, "Properties": properties}

    def function(
        self, name: str, code: str, *, timeout: int = 30, env: dict[str, Any] | None = None, **more: Any
    ) -> None:
        self.add(
            name,
            "AWS::Lambda::Function",
            FunctionName=name,
            Handler="index.handler",
            Runtime="python3.11",
            Role={"Fn::GetAtt": ["Role", "Arn"]},
            Timeout=timeout,
            Code={"ZipFile": dedent(code)},
            Environment={"Variables": env or {}},
            **more,
        )

    def queue(self, name: str, **properties: Any) -> None:
        self.add(name, "AWS::SQS::Queue", QueueName=name, **properties)

    def mapping(self, queue: str, function: str, **properties: Any) -> None:
        self.add(
            f"{queue}{function}",
            "AWS::Lambda::EventSourceMapping",
            EventSourceArn={"Fn::GetAtt": [queue, "Arn"]},
            FunctionName={"Ref": function},
            **properties,
        )

    def rule(self, name: str, target: str, /, **properties: Any) -> None:
        more = properties.pop("target", {})
        self.add(
            name,
            "AWS::Events::Rule",
            Name=name,
            Targets=[{"Id": "t", "Arn": {"Fn::GetAtt": [target, "Arn"]}, **more}],
            **properties,
        )
        if self.resources[target]["Type"] == "AWS::Lambda::Function":
            self.add(
                f"{name}Permission",
                "AWS::Lambda::Permission",
                Action="lambda:InvokeFunction",
                FunctionName={"Ref": target},
                Principal="events.amazonaws.com",
                SourceArn={"Fn::GetAtt": [name, "Arn"]},
            )

    def table(self, name: str) -> None:
        self.add(
            name,
            "AWS::DynamoDB::Table",
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )

    def write(self) -> Path:
        manifest = {
            "version": "43.0.0",
            "artifacts": {
                "App": {
                    "type": "aws:cloudformation:stack",
                    "environment": "aws://123456789012/us-east-1",
                    "properties": {"templateFile": "App.template.json"},
                }
            },
        }
        self._directory.mkdir(exist_ok=True)
        (self._directory / "manifest.json").write_text(json.dumps(manifest))
        (self._directory / "App.template.json").write_text(json.dumps({"Resources": self.resources}))
        return self._directory


@pytest.fixture(scope="session")
def make_app() -> type[App]:
    return App


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(tmp_path / "cdk.out")


@pytest.fixture
def open_cloud() -> Iterator[Callable[..., LocalCloud]]:
    """Open a cloud until the end of the test."""
    with ExitStack() as stack:

        def enter(app: App, **options: Any) -> LocalCloud:
            return stack.enter_context(LocalCloud(app.write(), **{"start": START, **options}))

        yield enter
