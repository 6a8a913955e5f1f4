"""Deploy a synthesized cloud assembly into moto, and return the facts that the local cloud acts on.

moto's own CloudFormation isn't used: it hangs on custom resources, crashes on some types and drops others in silence.
Here the template is resolved first, then each resource is created in dependency order through boto3, so that the
service's own checks apply.
"""

import functools
import json
import re
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.moto_api._internal import mock_random

from . import assembly as assemblies
from . import snapshot
from .assembly import Assembly, Stack
from .checks import check, refuse
from .clients import Clients
from .deployment import Deployment, Resource
from .dynamic import resolve
from .errors import ResourceRejected, UnsupportedResource, UnsupportedResourceWarning
from .facts import Facts
from .resources import creator
from .resources.context import Context, Declared
from .template import Created, Template, parameter_values
from .uploads import upload

ACCOUNT, REGION = "123456789012", "us-east-1"
_BOOTSTRAP = re.compile(r"^/cdk-bootstrap/[^/]+/version$")
_BOOTSTRAP_VERSION = "30"


def deploy(
    assembly_dir: Path,
    *,
    stacks: Sequence[str] | None = None,
    parameters: Mapping[str, str] = {},
    strict: bool = True,
) -> Deployment:
    """Deploy the stacks of a cloud assembly, in dependency order, into the moto mock that is active.

    Names and ids depend on the template alone, so that clouds of every seed begin with the same one. With strict=False
    a resource of an unknown type gets a placeholder id and an UnsupportedResourceWarning; otherwise it raises
    UnsupportedResource.
    The same once more, in the same process and at the same virtual time, comes from a snapshot of the first time.
    """
    settings = (None if stacks is None else tuple(stacks), tuple(sorted(parameters.items())), strict)
    name = snapshot.key(assembly_dir, *settings, time.time_ns())
    known = snapshot.restore(name)
    if known is not None:
        deployment, notices = known
        for text in notices:
            warnings.warn(text, UnsupportedResourceWarning, stacklevel=2)
        return deployment
    alone = snapshot.is_empty()
    job = _Deployer(assemblies.read(assembly_dir), parameters=parameters, strict=strict)
    deployment = _deploy(job, stacks)
    if alone:
        snapshot.keep(name, deployment, job.notices)
    return deployment


def _deploy(job: "_Deployer", stacks: Sequence[str] | None) -> Deployment:
    mock_random.seed(0)
    chosen = job.assembly.select(stacks)
    for stack in chosen:
        job.deploy(stack)
    deployment = job.facts.freeze(account=ACCOUNT, region=next((job.region(stack) for stack in chosen), REGION))
    problems = check(deployment)
    if job.strict:
        refuse(problems)
    for problem in problems:
        job.notice(problem)
    return deployment


@dataclass
class _Deployer:
    """One call of `deploy`: what its stacks share."""

    assembly: Assembly
    parameters: Mapping[str, str]
    strict: bool
    facts: Facts = field(default_factory=Facts)
    clients: Clients = field(default_factory=Clients)
    exports: dict[str, dict[str, Any]] = field(default_factory=dict)  # by region
    notices: list[str] = field(default_factory=list)

    def region(self, stack: Stack) -> str:
        return stack.region or REGION

    def deploy(self, stack: Stack) -> dict[str, Any]:
        """Create a stack's resources and return its outputs."""
        region = self.region(stack)
        context = Context(
            stack=stack.name,
            account=ACCOUNT,
            region=region,
            clients=self.clients,
            assembly=self.assembly,
            facts=self.facts,
            notice=self.notice,
            nested=functools.partial(self._nested, region=region),
        )
        template = self._template(stack, context)
        active = template.active()
        upload(active, context)
        for logical_id, resource in active.items():
            self._create(template, context, logical_id, resource)
        missing = [logical_id for logical_id in active if not template.created[logical_id].physical_id]
        assert not missing, f"stack {stack.name!r}: no physical id for {missing}"
        outputs = {}
        for name, value, export in template.outputs():
            outputs[name] = value
            if export is not None:
                self.exports.setdefault(region, {})[str(export)] = value
        self.facts.outputs[stack.name] = outputs
        return outputs

    def _template(self, stack: Stack, context: Context) -> Template:
        pseudo = {
            "AWS::AccountId": context.account,
            "AWS::NotificationARNs": [],
            "AWS::Partition": context.partition,
            "AWS::Region": context.region,
            "AWS::StackId": context.arn("cloudformation", f"stack/{stack.name}/{context.uuid('stack')}"),
            "AWS::StackName": stack.name,
            "AWS::URLSuffix": "amazonaws.com",
        }
        declared = stack.template.get("Parameters", {})
        given = {**stack.parameters, **{key: value for key, value in self.parameters.items() if key in declared}}
        lookup = functools.partial(_ssm_value, context)
        values = parameter_values(declared, given, stack=stack.name, ssm=lookup)
        exports = self.exports.setdefault(context.region, {})
        return Template(stack.name, _here(stack), pseudo, values, exports, deployed=self.facts.outputs)

    def _create(self, template: Template, context: Context, logical_id: str, resource: Mapping[str, Any]) -> None:
        kind = resource["Type"]
        which = f"stack {context.stack!r}, {logical_id} ({kind})"
        properties = resolve(template.resolve(resource.get("Properties", {})), context.client, wanted_by=which)
        declared = Declared(context, logical_id, kind, properties)
        try:
            created = creator(kind)(declared)
        except ClientError as error:
            told = error.response["Error"]
            raise ResourceRejected(f"{which}: {told['Message']} ({told['Code']} of {error.operation_name})") from error
        except BotoCoreError as error:
            raise ResourceRejected(f"{which}: {error}") from error
        except UnsupportedResource as error:
            if self.strict:
                raise
            self.notice(str(error))
            created = Created(declared.name(None, limit=64), more=lambda name: f"{logical_id}.{name}")
        template.created[logical_id] = created
        self.facts.resources.append(Resource(context.stack, logical_id, kind, created.physical_id, declared.properties))

    def _nested(self, declared: Declared, path: Path, *, region: str) -> Created:
        name = declared.name(None, limit=128)
        body = json.loads(path.read_text(encoding="utf-8"))
        stack = Stack(name, body, ACCOUNT, region, declared.get("Parameters", {}))
        outputs = self.deploy(stack)
        arn = declared.context.arn("cloudformation", f"stack/{name}/{declared.context.uuid(declared.logical_id)}")
        return Created(arn, {f"Outputs.{key}": value for key, value in outputs.items()})

    def notice(self, text: str) -> None:
        self.notices.append(text)
        warnings.warn(text, UnsupportedResourceWarning, stacklevel=2)


def _here(stack: Stack) -> Mapping[str, Any]:
    """Return the template with the account that the app names replaced by the local one, in ARNs and names alike."""
    if stack.account in {None, ACCOUNT}:
        return stack.template
    moved: dict[str, Any] = json.loads(json.dumps(stack.template).replace(str(stack.account), ACCOUNT))
    return moved


def _ssm_value(context: Context, name: str) -> str | None:
    """Return an SSM parameter's value; of the bootstrap version, which no local stack puts there, a recent one."""
    if _BOOTSTRAP.match(name):
        return _BOOTSTRAP_VERSION
    try:
        value: str = context.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    except ClientError:
        return None
    return value
