"""One switch encrypts all that an app stores with a key of the customer's, and lets nobody use it for anything else."""

import pytest
from aws_cdk import Stack
from aws_cdk import aws_kms as kms

from tests.cdk.sample import TASKS
from tests.cdk.template import as_list

KEYED = {name: TASKS[name] for name in ("often", "berlin", "on-order")}


@pytest.fixture(scope="module")
def keyed(synthesize):
    return synthesize(KEYED, encryption_key=True, deletion_protection=True)


@pytest.fixture(scope="module")
def key(keyed):
    return f"<{keyed.only('AWS::KMS::Key')[0]}.Arn>"


def test_all_that_is_stored_is_encrypted_with_the_key(keyed, key):
    said = keyed.said
    assert {key} == {said(queue.get("KmsMasterKeyId")) for queue in keyed.of("AWS::SQS::Queue").values()}
    assert {key} == {said(group.get("KmsKeyId")) for group in keyed.of("AWS::Logs::LogGroup").values()}
    assert {key} == {said(function.get("KmsKeyArn")) for function in keyed.of("AWS::Lambda::Function").values()}
    assert [key] * 2 == [
        said(table["SSESpecification"].get("KMSMasterKeyId")) for table in keyed.of("AWS::DynamoDB::Table").values()
    ]
    [rule] = keyed.only("AWS::S3::Bucket")[1]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert (key, True) == (said(rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]), rule["BucketKeyEnabled"])


def test_roles_encrypt_and_decrypt_with_that_key_through_the_services_that_store(keyed, key):
    found = [
        statement
        for policy in keyed.of("AWS::IAM::Policy").values()
        for statement in keyed.said(policy["PolicyDocument"]["Statement"])
        if any(action.startswith("kms:") for action in as_list(statement["Action"]))
    ]

    roles = {role["Ref"] for policy in keyed.of("AWS::IAM::Policy").values() for role in policy["Roles"]}
    assert roles == set(keyed.of("AWS::IAM::Role"))
    assert len(found) == len(roles)
    for statement in found:
        assert ({"kms:GenerateDataKey", "kms:Decrypt"}, key) == (set(statement["Action"]), statement["Resource"])
        services = {via.partition(".")[0] for via in as_list(statement["Condition"]["StringEquals"]["kms:ViaService"])}
        assert services in ({"sqs", "s3", "dynamodb"}, {"sqs"})


def test_only_eventbridge_and_logs_of_this_account_use_the_key_without_a_role(keyed):
    logical_id, made = keyed.only("AWS::KMS::Key")
    root, *services = keyed.said(made["KeyPolicy"]["Statement"])

    assert ("kms:*", "arn:<AWS::Partition>:iam::<AWS::AccountId>:root") == (root["Action"], root["Principal"]["AWS"])
    assert {"events.amazonaws.com", "logs.<AWS::Region>.amazonaws.com"} == {
        statement["Principal"]["Service"] for statement in services
    }
    assert all("<AWS::AccountId>" in str(statement["Condition"]) for statement in services)
    assert (True, "Retain") == (made["EnableKeyRotation"], keyed.resources[logical_id]["DeletionPolicy"])


def test_a_key_that_the_customer_has_is_used_and_not_changed(synthesize, new_app):
    arn = "arn:aws:kms:eu-west-1:111122223333:key/abc"

    outer = Stack(new_app("unused"), "Keys")
    template = synthesize({"often": TASKS["often"]}, encryption_key=kms.Key.from_key_arn(outer, "Given", arn))

    assert {} == template.of("AWS::KMS::Key")
    assert {arn} == {queue["KmsMasterKeyId"] for queue in template.of("AWS::SQS::Queue").values()}


def test_the_ledger_can_be_protected_from_deletion(keyed, template):
    ledger = next(made for key, made in keyed.of("AWS::DynamoDB::Table").items() if key.startswith("Ledger"))

    assert ledger["DeletionProtectionEnabled"]
    assert not any(table.get("DeletionProtectionEnabled") for table in template.of("AWS::DynamoDB::Table").values())
