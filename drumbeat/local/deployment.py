"""What a template declares, with every reference resolved: the facts that the local cloud acts on.

`deploy` makes these from the synthesized template; the actors (`lambda`, event source mappings, schedules, buses)
read them.  moto keeps the state that boto3 shows; a property that moto drops is kept here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

LATEST = "$LATEST"


@dataclass(frozen=True)
class Function:
    """An AWS::Lambda::Function with its EventInvokeConfig."""

    logical_id: str
    name: str
    arn: str
    handler: str
    runtime: str
    code: Path  # a directory: the asset, unpacked; inline code is written to index.py in one
    environment: Mapping[str, str]
    timeout_s: int
    memory_mib: int
    role_arn: str
    reserved_concurrency: int | None = None
    max_event_age_s: int = 6 * 3600
    max_retry_attempts: int = 2
    on_failure_arn: str | None = None
    on_success_arn: str | None = None
    dead_letter_arn: str | None = None
    recursive_loop: str = "Terminate"
    log_group: str = ""
    layers: tuple[Path, ...] = ()
    layers_missing: bool = False  # some aren't in these stacks, and are left out
    provisioned_concurrency: int = 0  # of its alias or version
    aliases: Mapping[str, str] = field(default_factory=dict)  # with the version of each
    snap_start: bool = False

    def version(self, qualifier: str) -> str:
        """The version that an alias, a version or nothing means."""
        return self.aliases.get(qualifier, qualifier) or LATEST

    def is_snapshot(self, version: str) -> bool:
        """Whether environments of this version are restored from a snapshot."""
        return self.snap_start and version != LATEST


@dataclass(frozen=True)
class Queue:
    """An AWS::SQS::Queue. Times in seconds, sizes in bytes."""

    logical_id: str
    name: str
    url: str
    arn: str
    fifo: bool = False
    content_based_deduplication: bool = False
    visibility_timeout_s: int = 30
    delay_s: int = 0
    retention_s: int = 4 * 86400
    max_message_bytes: int = 1024 * 1024
    receive_wait_s: int = 0
    dead_letter_arn: str | None = None
    max_receive_count: int | None = None
    policy: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class EventSourceMapping:
    """An AWS::Lambda::EventSourceMapping on a queue or a DynamoDB stream; what follows `filters` is of streams only."""

    logical_id: str
    uuid: str
    source_arn: str
    function_arn: str
    batch_size: int = 10
    window_s: int = 0
    max_concurrency: int | None = None
    min_pollers: int | None = None
    max_pollers: int | None = None
    report_batch_item_failures: bool = False
    enabled: bool = True
    filters: tuple[Mapping[str, Any], ...] = ()
    starting_position: str = "LATEST"
    parallel: int = 1
    bisect: bool = False
    max_retries: int | None = None  # None is without end
    max_record_age_s: int | None = None
    on_failure_arn: str | None = None


@dataclass(frozen=True)
class Target:
    """Where a rule or schedule sends: `input` is literal, `input_paths` and `input_template` are the transformer."""

    id: str
    arn: str
    input: str | None = None
    input_path: str | None = None
    input_paths: Mapping[str, str] = field(default_factory=dict)
    input_template: str | None = None
    role_arn: str | None = None
    max_event_age_s: int = 24 * 3600
    max_retry_attempts: int = 185
    dead_letter_arn: str | None = None
    message_group_id: str | None = None


@dataclass(frozen=True)
class Rule:
    """An AWS::Events::Rule: `expression` is cron(...) or rate(...) in UTC, `pattern` an event pattern."""

    logical_id: str
    name: str
    arn: str
    bus: str = "default"
    expression: str | None = None
    pattern: Mapping[str, Any] | None = None
    enabled: bool = True
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True)
class Schedule:
    """An AWS::Scheduler::Schedule: `expression` is cron(...), rate(...) or at(...), evaluated in `timezone`."""

    logical_id: str
    name: str
    arn: str
    group: str
    expression: str
    target: Target
    timezone: str = "UTC"
    start: datetime | None = None
    end: datetime | None = None
    window_minutes: int = 0
    enabled: bool = True
    delete_after_completion: bool = False


@dataclass(frozen=True)
class Permission:
    """An AWS::Lambda::Permission: who may invoke a function, and on behalf of what."""

    function_arn: str
    principal: str
    action: str = "lambda:InvokeFunction"
    source_arn: str | None = None
    source_account: str | None = None


@dataclass(frozen=True)
class Role:
    """An AWS::IAM::Role with all its policies: documents as IAM JSON, inline and attached alike."""

    logical_id: str
    name: str
    arn: str
    trust: Mapping[str, Any]
    policies: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Resource:
    """One resource of a template as it was created: its physical id and what `Fn::GetAtt` answers."""

    stack: str
    logical_id: str
    type: str
    physical_id: str
    properties: Mapping[str, Any]  # resolved


@dataclass(frozen=True)
class Deployment:
    """One or several stacks, deployed."""

    account: str
    region: str
    functions: tuple[Function, ...]
    queues: tuple[Queue, ...]
    mappings: tuple[EventSourceMapping, ...]
    rules: tuple[Rule, ...]
    schedules: tuple[Schedule, ...]
    permissions: tuple[Permission, ...]
    roles: tuple[Role, ...]
    resource_policies: Mapping[str, Mapping[str, Any]]  # by ARN: queue, bucket, key and topic policies
    resources: tuple[Resource, ...]
    outputs: Mapping[str, Mapping[str, str]]  # by stack, then output
