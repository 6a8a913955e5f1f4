"""When a failed item is tried again, and what isn't a failure at all."""

from dataclasses import dataclass

from .errors import InvalidTask, ResultNotJson
from .limits import SQS_VISIBILITY_S

THROTTLES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
"""The error codes that botocore's own standard retry mode takes for throttling (botocore/retries/standard.py)."""

UNREACHABLE = frozenset(
    {
        "ClientConnectionError",  # aiohttp
        "ConnectError",  # httpx
        "ConnectTimeout",  # httpx, requests
        "ConnectTimeoutError",  # botocore, urllib3
        "ConnectionClosedError",  # botocore
        "ConnectionError",  # built in, requests, redis
        "EndpointConnectionError",  # botocore
        "MaxRetryError",  # urllib3
        "NewConnectionError",  # urllib3
        "ReadTimeout",  # httpx, requests
        "ReadTimeoutError",  # botocore, urllib3
        "gaierror",  # no address: socket
    }
)
"""Types of errors, by their names, that mean: nobody answered.  Their libraries needn't be here."""
BORNE = 12
"""How many deliveries of a chunk bear that without using up attempts: with the default back-off, about half an hour."""
_SERVER_ERROR = 500


@dataclass(frozen=True)
class Backoff:
    """Exponential backoff with full jitter: attempt n waits up to `first_s` x `factor`^(n-1), at most `cap_s`.

    Full jitter spreads retries best of the schemes compared in
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
    """

    first_s: float = 2
    factor: float = 2
    cap_s: float = 900

    def __post_init__(self) -> None:
        if not (0 <= self.first_s <= self.cap_s <= SQS_VISIBILITY_S and self.factor >= 1):
            raise InvalidTask(
                f"{self!r}: 0 <= first_s <= cap_s <= {SQS_VISIBILITY_S} (SQS's longest visibility) and factor >= 1 "
                "are allowed; choose a smaller cap_s or a larger factor"
            )

    def delay_s(self, attempt: int, *, draw: float) -> float:
        """Seconds to wait after failed attempt `attempt` (1, 2, ...); `draw` is uniform in [0, 1)."""
        ceiling = min(self.cap_s, self.first_s * self.factor ** min(attempt - 1, 64))
        return ceiling * draw


def gives_up(
    error: BaseException,
    *,
    retry_on: tuple[type[BaseException], ...] | None,
    give_up_on: tuple[type[BaseException], ...],
) -> bool:
    """Whether a failed item isn't tried again: its error is in `give_up_on`, or isn't in the `retry_on` that was given.

    A result that isn't JSON won't be JSON the next time.
    """
    if isinstance(error, (*give_up_on, ResultNotJson)):
        return True
    return retry_on is not None and not isinstance(error, retry_on)


def is_throttle(error: BaseException) -> bool:
    """Whether AWS refused for its rate, in this error or one that it was raised from: such a try burns no attempt."""
    seen: BaseException | None = error
    for _ in range(8):
        if seen is None:
            return False
        response = getattr(seen, "response", None)
        if isinstance(response, dict) and response.get("Error", {}).get("Code") in THROTTLES:
            return True
        seen = seen.__cause__
    return False


def is_unreachable(error: BaseException) -> bool:
    """Whether what an item needs couldn't be reached, in this error or one that it was raised from.

    An error that was never raised is drumbeat's own, of an item that took too long: that is the item's failure.
    """
    seen: BaseException | None = error
    for _ in range(8):
        if seen is None:
            return False
        names = {kind.__name__ for kind in type(seen).__mro__}
        if names & UNREACHABLE or (isinstance(seen, TimeoutError) and seen.__traceback__ is not None):
            return True
        response = getattr(seen, "response", None)
        if isinstance(response, dict):  # botocore's
            status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        else:  # requests', httpx's
            status = getattr(response, "status_code", None)
        if isinstance(status, int) and status >= _SERVER_ERROR:
            return True
        seen = seen.__cause__
    return False
