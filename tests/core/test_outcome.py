"""What work may raise, and what that is refused."""

import socket
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from drumbeat import Again, Dead
from drumbeat.errors import DrumbeatError, InvalidDelay
from drumbeat.retry import is_unreachable


@pytest.mark.parametrize(
    ("after", "seconds"),
    [(0, 0), (5, 5), (2.5, 2.5), (timedelta(hours=12), 43_200), (timedelta(milliseconds=10), 0.01)],
)
def test_again_takes_seconds_or_a_timedelta(after: Any, seconds: float) -> None:
    assert seconds == Again(after=after).after_s


@pytest.mark.parametrize("after", [-1, 43_201, timedelta(hours=12, seconds=1), timedelta(-1), float("nan")])
def test_again_is_refused_beyond_the_longest_visibility(after: Any) -> None:
    with pytest.raises(InvalidDelay, match=r"0 to 43,200 seconds are allowed, SQS's longest visibility timeout"):
        Again(after=after)


@pytest.mark.parametrize("after", ["5", None, True])
def test_again_is_refused_without_a_time(after: Any) -> None:
    with pytest.raises(InvalidDelay, match="seconds or a timedelta is expected"):
        Again(after=after)


def test_dead_says_why() -> None:
    assert ("no such customer", "no such customer") == (Dead("no such customer").reason, str(Dead("no such customer")))


@pytest.mark.parametrize("signal", [Again(after=1), Dead("gone")])
def test_what_work_raises_on_purpose_is_no_error_of_drumbeat_s(signal: Exception) -> None:
    assert not isinstance(signal, DrumbeatError)


def answered(status: int) -> Exception:
    error = LookupError("an error of requests or httpx")
    error.response = SimpleNamespace(status_code=status)  # type: ignore[attr-defined]
    return error


class ConnectTimeout(OSError):
    """As requests and httpx call it."""


def raised(error: Exception, *, by: Exception | None = None) -> Exception:
    try:
        raise error from by
    except type(error) as seen:
        return seen


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConnectionRefusedError(), True),
        (socket.gaierror("no address"), True),
        (raised(TimeoutError("the socket")), True),
        (TimeoutError("not done within item_timeout_s=2"), False),
        (ConnectTimeout(), True),
        (EndpointConnectionError(endpoint_url="https://bank"), True),
        (ClientError({"ResponseMetadata": {"HTTPStatusCode": 503}}, "Charge"), True),
        (ClientError({"ResponseMetadata": {"HTTPStatusCode": 404}}, "Charge"), False),
        (answered(502), True),
        (answered(422), False),
        (raised(LookupError("no rate"), by=ConnectionResetError()), True),
        (LookupError("no account"), False),
    ],
    ids=repr,
)
def test_nobody_has_answered(error: Exception, expected: bool) -> None:
    assert expected == is_unreachable(error)
