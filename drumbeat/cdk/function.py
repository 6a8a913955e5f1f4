"""A Lambda function with a role and a log group of its own."""

from collections.abc import Mapping

from aws_cdk import Annotations, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .encryption import allow_key
from .guard import acknowledge
from .platform import Platform

MAX_AGE = Duration.hours(6)
"""How long a fire or an asynchronous invoke is tried.

Six hours is the most that Lambda keeps an asynchronous event.  A late fire is still the right run, because it carries
its scheduled time; the keeper reports it missing long before that.
"""
LIVE = "live"  # the alias of the version that is invoked
LAMBDA_RETRIES = 2  # the most that Lambda offers for asynchronous invokes


class Function(Construct):
    """Logs go to a group with retention; the role may write there and do what is granted later, nothing else."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  (CDK's name)
        *,
        platform: Platform,
        handler: str,
        service: str,
        description: str,
        memory_mib: int,
        timeout: Duration,
        environment: Mapping[str, str],
        tracing: bool = False,
        snap_start: bool = False,
        on_failure: sqs.IQueue | None = None,
    ) -> None:
        """on_failure: where asynchronous invokes go after their retries; None for a function that gets none.

        snap_start: publish a version, whose environments are made from a snapshot; whoever invokes `live` gets those.
        """
        super().__init__(scope, id)
        log_group = logs.LogGroup(
            self,
            "Logs",
            retention=platform.log_retention,
            removal_policy=RemovalPolicy.DESTROY,
            encryption_key=platform.encryption_key,
        )
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(self.role)
        allow_key(self.role, platform.encryption_key, "sqs", "s3", "dynamodb")
        self.function = lambda_.Function(
            self,
            "Function",
            code=platform.code,
            runtime=platform.target.runtime,
            architecture=platform.target.lambda_architecture,
            handler=handler,
            description=description,
            memory_size=memory_mib,
            timeout=timeout,
            role=self.role,
            log_group=log_group,
            tracing=lambda_.Tracing.ACTIVE if tracing else lambda_.Tracing.DISABLED,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snap_start else None,
            # A run of many chunks is a long, legal chain of function, queue, function: drumbeat counts its own hops.
            recursive_loop=lambda_.RecursiveLoop.ALLOW,
            environment_encryption=platform.encryption_key,
            environment={
                **environment,
                "POWERTOOLS_SERVICE_NAME": service,
                "POWERTOOLS_METRICS_NAMESPACE": "drumbeat",
                "POWERTOOLS_LOG_LEVEL": "INFO",
            },
        )
        self.live: lambda_.IFunction = self._published() if snap_start else self.function
        if tracing:
            acknowledge(
                self.role.node.find_child("DefaultPolicy"),
                "resource-wildcard",
                "X-Ray has no resources to name: xray:PutTraceSegments, xray:PutTelemetryRecords",
            )
        if on_failure is not None:
            self._keep_what_fails(on_failure)

    def _published(self) -> lambda_.Alias:
        """Name the version that CDK publishes anew whenever code or settings change; the one before is removed."""
        Annotations.of(self.function).acknowledge_warning("@aws-cdk/aws-lambda:snapStartRequirePublish")
        return self.function.add_alias(LIVE)

    def _keep_what_fails(self, queue: sqs.IQueue) -> None:
        """Let Lambda put what fails for good into a queue, under the function's role, which may do just that.

        CDK's own destination would let the role look at the queue's attributes, too, and use its key in any way.
        """
        self.allow("sqs:SendMessage", on=queue.queue_arn)
        made = lambda_.CfnEventInvokeConfig(
            self,
            "Asynchronous",
            function_name=self.function.function_name,
            qualifier="$LATEST",
            maximum_event_age_in_seconds=MAX_AGE.to_seconds(),
            maximum_retry_attempts=LAMBDA_RETRIES,
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=queue.queue_arn)
            ),
        )
        made.node.add_dependency(self.role)

    def allow(self, *actions: str, on: str, **conditions: Mapping[str, object]) -> None:
        """Grant actions on one resource, where CDK has no narrower grant of its own."""
        self.role.add_to_principal_policy(
            iam.PolicyStatement(actions=list(actions), resources=[on], conditions=conditions or None)
        )
