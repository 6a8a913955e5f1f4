"""The dead letters of an app's lanes: messages that SQS has delivered too often."""

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from .function import Function
from .grants import allow_poll
from .queue import safe_queue

KEEPER_TIMEOUT_S = 300
"""The keeper consumes them; their visibility follows from this."""
_BATCH = 10
_CONCURRENCY = 10  # dead letters are rare, but for an outage: then all lanes have them at once


class DeadLetters(Construct):
    """One queue for all lanes: its messages say which run they are of, and polling an empty queue costs by the queue.

    An item that fails ends in the ledger; only chunks whose workers died, or were never reached, come here.
    """

    def __init__(self, scope: Construct, id: str, *, encryption_key: kms.IKey | None = None) -> None:  # noqa: A002
        super().__init__(scope, id)
        self.queue = safe_queue(self, "Queue", key=encryption_key, visibility=Duration.seconds(6 * KEEPER_TIMEOUT_S))

    def feed(self, keeper: Function) -> None:
        """Let the keeper have them."""
        allow_poll(keeper, self.queue)
        lambda_.EventSourceMapping(
            self,
            "Mapping",
            target=keeper.function,
            event_source_arn=self.queue.queue_arn,
            batch_size=_BATCH,
            max_concurrency=_CONCURRENCY,
            report_batch_item_failures=True,
        )
