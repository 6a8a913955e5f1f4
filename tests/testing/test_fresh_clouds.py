"""Every test has a cloud of its own, and only the first one pays for the deployment."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drumbeat.local import deploy
from drumbeat.local.cloud import LocalCloud
from drumbeat.local.errors import UnsupportedResourceWarning
from drumbeat.testing.cloud import AppCloud


def log_of_a_run(assembly: Path, seed: int) -> str:
    with AppCloud(assembly, seed=seed, start=datetime(2031, 6, 1, tzinfo=UTC)) as cloud:
        cloud.run("plain", items=range(30))
        return cloud.log.text()


def test_a_cloud_from_the_snapshot_has_the_log_of_a_deployed_one(drumbeat_assembly, monkeypatch):
    deployed = log_of_a_run(drumbeat_assembly, seed=1)
    monkeypatch.delattr(deploy, "_deploy")

    assert deployed == log_of_a_run(drumbeat_assembly, seed=1)
    assert deployed != log_of_a_run(drumbeat_assembly, seed=2)


def test_what_a_test_did_is_not_there_in_the_next(drumbeat_assembly):
    def names(cloud: AppCloud) -> list[str]:
        found = cloud.client("s3").list_objects_v2(Bucket=cloud.bucket).get("Contents", [])
        return [entry["Key"] for entry in found]

    with AppCloud(drumbeat_assembly) as cloud:
        cloud.run("plain", items=[1, 2])
        cloud.client("s3").put_object(Bucket=cloud.bucket, Key="mine", Body=b"")
        for function in cloud.functions():
            cloud.client("lambda").put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
            cloud.client("lambda").delete_function(FunctionName=function.name)
        cloud.client("dynamodb").delete_table(TableName=cloud.table)

    with AppCloud(drumbeat_assembly) as cloud:
        assert [] == names(cloud)
        assert [] == cloud.runs()
        assert "SUCCEEDED" == cloud.run("plain", items=[1]).state
        for function in cloud.functions():
            found = cloud.client("lambda").get_function(FunctionName=function.arn)
            assert function.name == found["Configuration"]["FunctionName"]


def test_another_time_is_another_deployment(drumbeat_assembly):
    start = datetime(2031, 5, 1, tzinfo=UTC)
    with AppCloud(drumbeat_assembly, start=start) as cloud:
        created = cloud.client("dynamodb").describe_table(TableName=cloud.table)["Table"]["CreationDateTime"]

    assert start == created


def assembly_of(folder: Path, *types: str) -> Path:
    """A cloud assembly with one resource of each type."""
    template = {"Resources": {f"R{number}": {"Type": kind} for number, kind in enumerate(types)}}
    (folder / "S.template.json").write_text(json.dumps(template))
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "S.template.json"}}
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {"S": stack}}))
    return folder


def test_a_changed_template_is_deployed(tmp_path):
    with LocalCloud(assembly_of(tmp_path, "AWS::SQS::Queue")) as cloud:
        assert 1 == len(cloud.deployment.queues)

    with LocalCloud(assembly_of(tmp_path, "AWS::SQS::Queue", "AWS::SQS::Queue")) as cloud:
        assert 2 == len(cloud.deployment.queues)


def test_what_could_not_be_deployed_is_said_each_time(tmp_path):
    folder = assembly_of(tmp_path, "AWS::SQS::Queue", "AWS::Braket::QuantumTask")
    for _ in range(2):
        with pytest.warns(UnsupportedResourceWarning, match="QuantumTask"), LocalCloud(folder, strict=False):
            pass
