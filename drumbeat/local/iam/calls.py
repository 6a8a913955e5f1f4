"""What calls to SQS, SNS, Lambda, EventBridge, Scheduler, Step Functions, STS, Logs and CloudWatch need."""

from collections.abc import Sequence

from .access import ANY, UNKNOWN, Access, Mapper, Params, Place, first_arn, named, passed_role
from .data import dynamodb, kinesis, kms, secretsmanager, ssm
from .objects import s3

_PREFIXES = {
    "application-autoscaling": "application-autoscaling",
    "dynamodbstreams": "dynamodb",
    "sesv2": "ses",
    "service-quotas": "servicequotas",
    "stepfunctions": "states",
}


def accesses(service: str, operation: str, params: Params, place: Place) -> Sequence[Access]:
    """Return all that a call needs; `service` is botocore's name of it, `operation` the API's (SendMessageBatch)."""
    prefix = _PREFIXES.get(service, service)
    mapper = _MAPPERS.get(prefix)
    if mapper is not None:
        return mapper(operation, params, place)
    if prefix == "xray":
        return [Access(f"xray:{operation}", ANY)]
    return [Access(f"{prefix}:{operation}", first_arn(params) or UNKNOWN)]


def _sqs(operation: str, params: Params, place: Place) -> Sequence[Access]:
    if operation == "ListQueues":
        return [Access("sqs:ListQueues", ANY)]
    action = f"sqs:{operation.removesuffix('Batch')}"
    if operation == "StartMessageMoveTask":
        return [Access(action, params["SourceArn"])]
    if "QueueUrl" not in params:
        return [Access(action, named("sqs", params, place, {"QueueName": "{}", "SourceArn": "{}"}) or UNKNOWN)]
    *_, account, name = ["", place.account, *str(params["QueueUrl"]).rsplit("/", 2)]
    return [Access(action, f"arn:aws:sqs:{place.region}:{account if account.isdigit() else place.account}:{name}")]


def _sns(operation: str, params: Params, place: Place) -> Sequence[Access]:
    if operation in {"Publish", "PublishBatch"}:
        return [Access("sns:Publish", params.get("TopicArn") or params.get("TargetArn") or ANY)]
    if operation in {"ListTopics", "ListSubscriptions"}:
        return [Access(f"sns:{operation}", ANY)]
    return [Access(f"sns:{operation}", first_arn(params) or named("sns", params, place, {"Name": "{}"}) or UNKNOWN)]


def _lambda(operation: str, params: Params, place: Place) -> Sequence[Access]:
    action = "InvokeFunction" if operation in {"Invoke", "InvokeWithResponseStream"} else operation
    if operation in {"ListFunctions", "ListEventSourceMappings", "ListLayers", "GetAccountSettings"}:
        return [Access(f"lambda:{action}", ANY)]
    if "UUID" in params:
        return [Access(f"lambda:{action}", place.arn("lambda", f"event-source-mapping:{params['UUID']}"))]
    if operation == "CreateEventSourceMapping" or "FunctionName" not in params:
        return [Access(f"lambda:{action}", ANY if operation == "CreateEventSourceMapping" else UNKNOWN)]
    arn = _function(str(params["FunctionName"]), place)
    if params.get("Qualifier") and arn.count(":") == _UNQUALIFIED:
        arn = f"{arn}:{params['Qualifier']}"
    return [Access(f"lambda:{action}", arn), *passed_role(params.get("Role"), "lambda.amazonaws.com")]


_UNQUALIFIED = 6  # colons in arn:aws:lambda:REGION:ACCOUNT:function:NAME


def _function(name: str, place: Place) -> str:
    """Return a function's ARN from its name, name:alias, partial ARN (account:function:name) or ARN."""
    if ":function:" in name and not name.startswith("arn:"):
        name = name.split(":function:", 1)[1]
    return name if name.startswith("arn:") else place.arn("lambda", f"function:{name}")


def _events(operation: str, params: Params, place: Place) -> Sequence[Access]:
    if operation == "PutEvents":
        return [
            Access(
                "events:PutEvents",
                _bus(entry.get("EventBusName"), place),
                {
                    "events:source": (str(entry.get("Source", "")),),
                    "events:detail-type": (str(entry.get("DetailType", "")),),
                },
            )
            for entry in params["Entries"]
        ]
    rule = params.get("Rule") or params.get("Name")
    if rule and ("Rule" in operation or "Targets" in operation):
        bus = str(params.get("EventBusName") or "default").rsplit("/", 1)[-1]
        arn = place.arn("events", f"rule/{rule}" if bus == "default" else f"rule/{bus}/{rule}")
        roles = [access for one in params.get("Targets", []) for access in passed_role(one.get("RoleArn"), _EVENTS)]
        return [Access(f"events:{operation}", arn), *roles]
    if "Archive" in operation:
        return [Access(f"events:{operation}", named("events", params, place, {"ArchiveName": "archive/{}"}) or ANY)]
    if "Bus" in operation or "Permission" in operation:
        return [Access(f"events:{operation}", _bus(params.get("Name") or params.get("EventBusName"), place))]
    return [Access(f"events:{operation}", first_arn(params) or ANY)]


_EVENTS = "events.amazonaws.com"


def _bus(name: object, place: Place) -> str:
    return str(name) if str(name).startswith("arn:") else place.arn("events", f"event-bus/{name or 'default'}")


def _scheduler(operation: str, params: Params, place: Place) -> Sequence[Access]:
    action = f"scheduler:{operation}"
    if "ScheduleGroup" in operation:
        return [Access(action, named("scheduler", params, place, {"Name": "schedule-group/{}"}) or ANY)]
    if "Name" not in params:
        group = params.get("GroupName", "*")
        return [Access(action, first_arn(params) or place.arn("scheduler", f"schedule/{group}/*"))]
    arn = place.arn("scheduler", f"schedule/{params.get('GroupName', 'default')}/{params['Name']}")
    role = (params.get("Target") or {}).get("RoleArn")
    return [Access(action, arn), *passed_role(role, "scheduler.amazonaws.com")]


def _states(operation: str, params: Params, place: Place) -> Sequence[Access]:
    del place
    if operation == "ListStateMachines" or operation.startswith("SendTask"):
        return [Access(f"states:{operation}", ANY if operation == "ListStateMachines" else UNKNOWN)]
    return [Access(f"states:{operation}", first_arn(params) or UNKNOWN)]


def _sts(operation: str, params: Params, place: Place) -> Sequence[Access]:
    """GetCallerIdentity needs no permission at all."""
    del place
    if operation == "GetCallerIdentity":
        return []
    return [Access(f"sts:{operation}", params.get("RoleArn") or ANY)]


def _logs(operation: str, params: Params, place: Place) -> Sequence[Access]:
    names = [*params.get("logGroupNames", []), *[params[key] for key in ("logGroupName",) if key in params]]
    if not names:
        return [Access(f"logs:{operation}", first_arn(params) or place.arn("logs", "log-group:*"))]
    stream = f":log-stream:{params['logStreamName']}" if "logStreamName" in params else ":*"
    return [Access(f"logs:{operation}", place.arn("logs", f"log-group:{name}{stream}")) for name in names]


def _cloudwatch(operation: str, params: Params, place: Place) -> Sequence[Access]:
    if operation == "PutMetricData":
        return [Access("cloudwatch:PutMetricData", ANY, {"cloudwatch:namespace": (str(params.get("Namespace", "")),)})]
    arn = named("cloudwatch", params, place, {"AlarmName": "alarm:{}"})
    if arn is None and params.get("AlarmNames"):
        return [
            Access(f"cloudwatch:{operation}", place.arn("cloudwatch", f"alarm:{name}")) for name in params["AlarmNames"]
        ]
    return [Access(f"cloudwatch:{operation}", arn or ANY)]


_MAPPERS: dict[str, Mapper] = {
    "cloudwatch": _cloudwatch,
    "dynamodb": dynamodb,
    "events": _events,
    "kinesis": kinesis,
    "kms": kms,
    "lambda": _lambda,
    "logs": _logs,
    "s3": s3,
    "scheduler": _scheduler,
    "secretsmanager": secretsmanager,
    "sns": _sns,
    "sqs": _sqs,
    "ssm": ssm,
    "states": _states,
    "sts": _sts,
}
