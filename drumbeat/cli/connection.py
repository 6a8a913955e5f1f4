"""The one way from a command to a deployed app: by the default credential chain, or kept in a folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from .edge import Refused
from .stacks import stack_names

if TYPE_CHECKING:
    from drumbeat.control import Control

    from .project import Project

_NO_ACCESS = ("AccessDenied", "UnauthorizedOperation", "AuthorizationError")
_NOBODY = ("ExpiredToken", "InvalidClientTokenId", "UnrecognizedClient", "SignatureDoesNotMatch", "InvalidSignature")


@contextmanager
def connected(context: typer.Context) -> Iterator["Control"]:
    """Give a command the app it works on; what AWS refuses inside becomes one sentence."""
    project: Project = context.obj
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        if project.local is None:
            yield connect(project)
        else:
            from .kept import kept

            with kept(project) as control:
                yield control
    except (BotoCoreError, ClientError) as error:
        raise Refused(_sentence(error)) from error


def connect(project: "Project") -> "Control":
    """Find the app's stacks in the account and region of the environment, or under AWS_ENDPOINT_URL."""
    import boto3

    from drumbeat.control import Control, Deployment

    session = boto3.Session(botocore_session=_core())
    names = project.stacks or stack_names(project.folder)
    return Control(Deployment.of_stack(session, *names), session)


def _core() -> Any:
    """A session whose clients give up on an endpoint that isn't there after seconds, not minutes."""
    from botocore.config import Config
    from botocore.session import Session

    core = Session()
    core.set_default_client_config(
        Config(retries={"mode": "standard", "total_max_attempts": 4}, connect_timeout=5, user_agent_extra="drumbeat")
    )
    return core


def _sentence(error: Any) -> str:
    """What to do about an error of botocore's."""
    from botocore import exceptions as known

    if isinstance(error, known.ClientError):
        return _refusal(error)
    remedies: dict[tuple[type[Exception], ...], str] = {
        (known.NoCredentialsError, known.PartialCredentialsError): "log in (aws sso login, aws configure)",
        (known.NoRegionError,): "set AWS_REGION, or a region in the profile",
        (known.ProfileNotFound, known.ConfigParseError, known.ConfigNotFound): "correct AWS_PROFILE, or ~/.aws/config",
        (known.SSOError, known.TokenRetrievalError, known.CredentialRetrievalError): "log in again (aws sso login)",
        (known.HTTPClientError, known.ConnectionError): "check the network, the region and AWS_ENDPOINT_URL",
    }
    remedy = next((remedy for kinds, remedy in remedies.items() if isinstance(error, kinds)), type(error).__name__)
    return f"{_stripped(error)}; {remedy}"


def _refusal(error: Any) -> str:
    code, operation = error.response["Error"].get("Code", ""), error.operation_name
    message = _stripped(error.response["Error"].get("Message", ""))
    if code.startswith(_NO_ACCESS):
        return f"AWS doesn't let you {operation}: {message or code}"
    if code.startswith(_NOBODY):
        return f"AWS doesn't take these credentials ({code}); log in again, or set AWS_PROFILE"
    return f"AWS refused {operation} ({code}): {message}"


def _stripped(error: object) -> str:
    return " ".join(str(error).split()).rstrip(".")
