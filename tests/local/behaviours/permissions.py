"""Who may do what: roles of functions, policies of targets."""

import json
from typing import Any

from .lab import PRINT, S3, Lab, arn, row

IAM = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
GET = """
    import boto3, json
    from botocore.exceptions import ClientError
    s3 = boto3.client("s3")
    def handler(event, context):
        try:
            getattr(s3, event["do"])(Bucket="store", Key="gone")
        except ClientError as error:
            return [error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]]
"""


def allowed(lab: Lab, *statements: Any):
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]}
    lab.resources["Role"]["Properties"]["Policies"][0]["PolicyDocument"] = document


@row("Without s3:ListBucket an absent key is 403 AccessDenied, with it 404 NoSuchKey",
     S3.replace("userguide", "API") + "API_GetObject.html")  # fmt: skip
def absent_key(lab: Lab):
    get = {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::store/*"}
    lab.add("Bucket", "AWS::S3::Bucket", BucketName="store")
    lab.function("one", GET)
    allowed(lab, get)
    lab.add("Own", "AWS::IAM::Role", **lab.resources["Role"]["Properties"])
    lab.function("two", GET)
    lab.resources["two"]["Properties"]["Role"] = arn("Own")
    listing = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::store"}
    both = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **get}, listing]}
    policies = [{"PolicyName": "p", "PolicyDocument": both}]
    lab.resources["Own"]["Properties"] = {**lab.resources["Own"]["Properties"], "Policies": policies}
    cloud = lab.open()

    assert ["AccessDenied", 403] == cloud.invoke("one", {"do": "get_object"}).value()
    assert ["403", 403] == cloud.invoke("one", {"do": "head_object"}).value()
    assert ["NoSuchKey", 404] == cloud.invoke("two", {"do": "get_object"}).value()
    assert ["404", 404] == cloud.invoke("two", {"do": "head_object"}).value()


@row(
    "What no policy allows is denied, in the handler, with action and resource", IAM + "troubleshoot_access-denied.html"
)
def denied(lab: Lab):
    code = """
        import boto3, os
        from botocore.exceptions import ClientError
        def handler(event, context):
            try:
                boto3.client("sqs").send_message(QueueUrl=os.environ["URL"], MessageBody="x")
            except ClientError as error:
                return error.response["Error"]
    """
    lab.queue("Queue")
    lab.function("one", code, env={"URL": {"Ref": "Queue"}})
    allowed(lab, {"Action": "sqs:ReceiveMessage", "Resource": arn("Queue")})
    error = lab.open().invoke("one", {}).value()

    assert "AccessDenied" in error["Code"]
    assert (
        "not authorized to perform: sqs:sendmessage on resource: arn:aws:sqs:us-east-1:123456789012:Queue"
        in (error["Message"])
    )


@row("An explicit deny wins over any allow", IAM + "reference_policies_evaluation-logic.html")
def explicit_deny(lab: Lab):
    code = "import boto3\ndef handler(e, c): boto3.client('s3').put_object(Bucket='store', Key=e, Body=b'')"
    lab.add("Bucket", "AWS::S3::Bucket", BucketName="store")
    lab.function("one", code)
    allowed(
        lab,
        {"Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::store/no/*"},
    )
    cloud = lab.open()

    assert cloud.invoke("one", "yes/a").ok
    assert "AccessDenied" == cloud.invoke("one", "no/a").error_type


@row(
    "A rule may invoke a function only with a permission that names it",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html",
)
def rule_permission(lab: Lab):
    lab.function("one", PRINT)
    lab.rule("Rule", "one", ScheduleExpression="rate(1 hour)")
    lab.rule("Other", "one", ScheduleExpression="rate(1 hour)")
    del lab.resources["OtherPermission"]
    cloud = lab.open()
    cloud.advance(minutes=61)

    assert 1 == len(lab.printed())
    assert ["Other"] == [entry.subject for entry in cloud.log.of("deliver.failed")]


@row(
    "AddPermission at run time lets a rule through",
    "https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html",
)
def added(lab: Lab):
    lab.function("one", PRINT)
    lab.rule("Rule", "one", ScheduleExpression="rate(1 hour)")
    del lab.resources["RulePermission"]
    cloud = lab.open()
    cloud.advance(minutes=61)
    more = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"}
    cloud.client("lambda").add_permission(FunctionName="one", **more)
    cloud.advance(minutes=60)

    assert ["2026-03-01T02:00:00Z"] == [json.loads(line.text)["time"] for line in cloud.logs("one")]
