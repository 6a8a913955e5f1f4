"""What reading a task's source takes; a source that only the author's function returns is granted with `Allow`."""

from string import Formatter

from aws_cdk import Stack
from aws_cdk import aws_s3 as s3

from drumbeat.source import DynamoItems, S3Csv, S3Lines, S3Objects, is_lined
from drumbeat.task import Task

from .function import Function


def grant_source(task: Task, *, dispatcher: Function, worker: Function, bucket: s3.IBucket) -> None:
    """Let the dispatcher read where the items come from, and the worker read the objects that are the items."""
    match task.source:
        case (S3Lines() | S3Csv()) as source:
            _allow_lines(source, bucket, dispatcher)
            if task.by_reference is not False and is_lined(source):
                _allow_lines(source, bucket, worker)
        case S3Objects() as source:
            arn, pattern = _bucket_arn(source.bucket, bucket), f"{fixed_part(source.prefix).rstrip('*')}*"
            dispatcher.allow("s3:ListBucket", on=arn, StringLike={"s3:prefix": pattern})
            worker.allow("s3:GetObject", on=f"{arn}/{pattern}")
        case DynamoItems() as source:
            arn = Stack.of(dispatcher).format_arn(service="dynamodb", resource="table", resource_name=source.table)
            dispatcher.allow("dynamodb:DescribeTable", "dynamodb:Scan", on=arn)


def grant_lines(task: Task, function: Function, bucket: s3.IBucket) -> None:
    """Let a function read the lines that a task's chunks refer to."""
    source = task.source
    if isinstance(source, S3Lines | S3Csv) and task.by_reference is not False and is_lined(source):
        _allow_lines(source, bucket, function)


def _allow_lines(source: S3Lines | S3Csv, bucket: s3.IBucket, function: Function) -> None:
    function.allow("s3:GetObject", on=f"{_bucket_arn(source.bucket, bucket)}/{fixed_part(source.key)}")


def fixed_part(template: str) -> str:
    """Return a key up to its first field of the run, with `*` for the rest: `in/{run.task}.jsonl` is `in/*`."""
    head = ""
    for text, field, *_ in Formatter().parse(template):
        head += text
        if field is not None:
            return f"{head}*"
    return head


def _bucket_arn(name: str | None, own: s3.IBucket) -> str:
    return (
        own.bucket_arn if name is None else Stack.of(own).format_arn(service="s3", region="", account="", resource=name)
    )
