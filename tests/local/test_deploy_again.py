"""The same template and seed give the same deployment; only another seed gives other names."""

from moto import mock_aws

from drumbeat.local.deploy import deploy


def test_a_deployment_depends_on_the_template_and_the_seed_alone(synth):
    root = synth(Fan="fan")

    def again(seed):
        with mock_aws(config={"lambda": {"use_docker": False}}):
            return deploy(root, seed=seed)

    first, second, other = again(0), again(0), again(1)

    assert first == second
    assert set() == {queue.name for queue in first.queues} & {queue.name for queue in other.queues}


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
