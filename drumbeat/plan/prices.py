"""What AWS charges: us-east-1, US dollars, as of 2026-11-22. Correct a number here, and every bill follows.

Each price has the page that AWS publishes it on, and how we know it: L, the price list as others quoted it in 2026; G,
one guide only; M, memory.  None was measured on a bill of ours.  Free tiers of new accounts, reserved capacity, data
transfer and taxes are left out.
"""

from dataclasses import dataclass
from datetime import date
from math import inf

AS_OF = date(2026, 11, 22)
REGION = "us-east-1"

_LAMBDA = "https://aws.amazon.com/lambda/pricing/"
_SQS = "https://aws.amazon.com/sqs/pricing/"
_EVENTBRIDGE = "https://aws.amazon.com/eventbridge/pricing/"
_DYNAMODB = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
_S3 = "https://aws.amazon.com/s3/pricing/"
_CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"
_STEP_FUNCTIONS = "https://aws.amazon.com/step-functions/pricing/"
_MWAA = "https://aws.amazon.com/managed-workflows-for-apache-airflow/pricing/"
_FARGATE = "https://aws.amazon.com/fargate/pricing/"


@dataclass(frozen=True)
class Price:
    """What a counted thing costs: dollars for each `per` of it, in tiers of a month's use.

    `tiers` are pairs of an upper bound, in counted things, and the dollars for `per` of those below it.
    """

    service: str
    what: str
    per: float
    unit: str
    tiers: tuple[tuple[float, float], ...]
    source: str
    confidence: str


def _flat(dollars: float) -> tuple[tuple[float, float], ...]:
    return ((inf, dollars),)


MILLION, BILLION, GB = 1e6, 1e9, 1e9

PRICES: dict[str, Price] = {
    "lambda_requests": Price("Lambda", "requests", MILLION, "million", _flat(0.20), _LAMBDA, "L"),
    "lambda_gb_s": Price(
        *("Lambda", "GB-seconds, Arm", 1, "GB-second"),
        ((7.5 * BILLION, 0.0000133334), (18.75 * BILLION, 0.0000120001), (inf, 0.0000106667)),
        *(_LAMBDA, "L"),
    ),
    "lambda_x86_gb_s": Price(
        *("Lambda", "GB-seconds, x86", 1, "GB-second"),
        ((6 * BILLION, 0.0000166667), (15 * BILLION, 0.000015), (inf, 0.0000133334)),
        *(_LAMBDA, "L"),
    ),
    "snap_start_cached_gb_s": Price(  # of Python; while the version is published, for three hours at least
        *("Lambda", "SnapStart, GB-seconds cached", 1, "GB-second"), _flat(0.0000015046), *(_LAMBDA, "L")
    ),
    "snap_start_restored_gb": Price("Lambda", "SnapStart, GB restored", 1, "GB", _flat(0.0001397998), _LAMBDA, "L"),
    "sqs_requests": Price(  # each 64 KiB of payload is one request; where the tiers begin is from memory
        *("SQS", "standard requests", MILLION, "million"),
        ((100 * BILLION, 0.40), (200 * BILLION, 0.30), (inf, 0.24)),
        *(_SQS, "L"),
    ),
    "events": Price("EventBridge", "custom events, each 64 KB", MILLION, "million", _flat(1.00), _EVENTBRIDGE, "L"),
    "scheduler_invocations": Price(
        "Scheduler", "invocations", MILLION, "million", ((14 * MILLION, 0.0), (inf, 1.00)), _EVENTBRIDGE, "G"
    ),
    "dynamodb_write_units": Price("DynamoDB", "write units of 1 KB", MILLION, "million", _flat(0.625), _DYNAMODB, "L"),
    "dynamodb_read_units": Price("DynamoDB", "read units of 4 KB", MILLION, "million", _flat(0.125), _DYNAMODB, "L"),
    "s3_puts": Price("S3", "PUT, COPY, POST, LIST", 1000, "thousand", _flat(0.005), _S3, "L"),
    "s3_gets": Price("S3", "GET and others", 1000, "thousand", _flat(0.0004), _S3, "L"),
    "log_bytes": Price("CloudWatch", "logs taken in", GB, "GB", _flat(0.50), _CLOUDWATCH, "L"),
    "metric_months": Price("CloudWatch", "custom metrics", 1, "metric and month", _flat(0.30), _CLOUDWATCH, "L"),
    "alarm_months": Price("CloudWatch", "alarms", 1, "alarm and month", _flat(0.10), _CLOUDWATCH, "L"),
    "step_transitions": Price(
        "Step Functions", "standard state transitions", MILLION, "million", _flat(25.00), _STEP_FUNCTIONS, "L"
    ),
    "step_express_requests": Price(
        "Step Functions", "express requests", MILLION, "million", _flat(1.00), _STEP_FUNCTIONS, "L"
    ),
    "step_express_gb_s": Price(
        "Step Functions", "express GB-seconds", 1, "GB-second", _flat(0.00001667), _STEP_FUNCTIONS, "L"
    ),
    "durable_operations": Price("Lambda", "durable operations", MILLION, "million", _flat(8.00), _LAMBDA, "L"),
    "durable_bytes": Price("Lambda", "durable data written", GB, "GB", _flat(0.25), _LAMBDA, "L"),
    "mwaa_hours": Price("MWAA", "small environment", 1, "hour", _flat(0.49), _MWAA, "G"),
    "fargate_vcpu_hours": Price("Fargate", "vCPU, x86", 1, "hour", _flat(0.04048), _FARGATE, "L"),
    "fargate_gb_hours": Price("Fargate", "GB of memory, x86", 1, "hour", _flat(0.004445), _FARGATE, "L"),
}
"""By the names under which `drumbeat.local` counts and `drumbeat.plan.forecast` forecasts."""
