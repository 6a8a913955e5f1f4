"""The same template gives the same deployment."""

from moto import mock_aws

from drumbeat.local import snapshot
from drumbeat.local.deploy import deploy


def test_a_deployment_depends_on_the_template_alone(synth, monkeypatch):
    root = synth(Fan="fan")
    monkeypatch.setattr(snapshot, "restore", lambda _: None)

    def again():
        with mock_aws(config={"lambda": {"use_docker": False}}):
            return deploy(root)

    assert again() == again()


def test_names_keep_to_the_limits_of_their_services(synth):
    long = "A" * 90
    policy = {"AssumeRolePolicyDocument": {"Statement": []}}
    resources = {
        f"{long}Queue": {"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": True}},
        f"{long}Bucket": {"Type": "AWS::S3::Bucket"},
        f"{long}Role": {"Type": "AWS::IAM::Role", "Properties": policy},
    }
    with mock_aws():
        deployment = deploy(synth(**{"B" * 90: {"Resources": resources}}))

    [queue], [role] = deployment.queues, deployment.roles
    bucket = next(resource.physical_id for resource in deployment.resources if resource.type == "AWS::S3::Bucket")
    assert (80, 63, 64) == (len(queue.name), len(bucket), len(role.name))
    assert queue.name.endswith(".fifo")
    assert bucket == bucket.lower()
