"""Functions, and what hangs on them: permissions, versions, aliases, layers, URLs, settings of asynchronous invokes.

moto gets a stand-in for the code (it only hashes it); the code itself is `Function.code`.
Limits and defaults: "Lambda quotas" in the Lambda developer guide, AWS::Lambda::Function in the template reference.
"""

import io
import zipfile
from dataclasses import replace
from typing import Any

from drumbeat.local.deployment import Function, Permission
from drumbeat.local.template import Created

from .code import directory
from .context import Creator, Declared, number, tags

_NAME_LIMIT = 64
_ENVIRONMENT_BYTES = 4096
_PROVISIONED = ("ProvisionedConcurrencyConfig", "ProvisionedConcurrentExecutions")
_ROLE_ADVICE = "give it a role of these stacks (CDK makes one if you leave `role` out)"


def create_function(declared: Declared) -> Created:
    context = declared.context
    name = declared.name(declared.get("FunctionName"), limit=_NAME_LIMIT)
    environment = {key: str(value) for key, value in _inner(declared, "Environment", "Variables", {}).items()}
    _check_environment(declared, environment)
    role_arn = declared.properties["Role"]
    if all(role.arn != role_arn for role in context.facts.roles.values()):
        declared.reject(f"its role {role_arn} is not in the stacks deployed here; {_ROLE_ADVICE}")
    code = directory(declared, declared.properties["Code"])
    spec = declared.pick(
        "Architectures",
        "DeadLetterConfig",
        "Description",
        "EphemeralStorage",
        "Handler",
        "LoggingConfig",
        "MemorySize",
        "Runtime",
        "Timeout",
        "TracingConfig",
    )
    client = context.client("lambda")
    layers = [arn for arn in declared.get("Layers", []) if arn in context.facts.layers]
    for arn in declared.get("Layers", []):
        if arn not in layers:
            context.notice(
                f"stack {context.stack!r}, {declared.logical_id}: layer {arn} is not in these stacks and is left out;"
                " install what it holds where the tests run"
            )
    if "KmsKeyArn" in declared.properties:
        spec["KMSKeyArn"] = declared.get("KmsKeyArn")
    for key in ("Timeout", "MemorySize"):
        if key in spec:
            spec[key] = number(spec[key])
    reply = client.create_function(
        FunctionName=name,
        Role=role_arn,
        Code={"ZipFile": _stand_in(code.name)},
        Environment={"Variables": environment},
        Layers=layers,
        Tags={tag["Key"]: tag["Value"] for tag in tags(declared)},
        **spec,
    )
    reserved = declared.get("ReservedConcurrentExecutions")
    if reserved is not None:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=number(reserved))
    context.facts.functions[reply["FunctionArn"]] = Function(
        logical_id=declared.logical_id,
        name=name,
        arn=reply["FunctionArn"],
        handler=declared.get("Handler", ""),
        runtime=declared.get("Runtime", ""),
        code=code,
        environment=environment,
        timeout_s=number(declared.get("Timeout", 3)),
        memory_mib=number(declared.get("MemorySize", 128)),
        role_arn=role_arn,
        reserved_concurrency=None if reserved is None else number(reserved),
        dead_letter_arn=_inner(declared, "DeadLetterConfig", "TargetArn"),
        recursive_loop=declared.get("RecursiveLoop", Function.recursive_loop),
        log_group=_inner(declared, "LoggingConfig", "LogGroup", f"/aws/lambda/{name}"),
        layers=tuple(context.facts.layers[arn] for arn in layers),
        layers_missing=len(layers) < len(declared.get("Layers", [])),
        snap_start=_inner(declared, "SnapStart", "ApplyOn") == "PublishedVersions",
    )
    return Created(name, {"Arn": reply["FunctionArn"]})


def create_event_invoke_config(declared: Declared) -> Created:
    """Settings of asynchronous invokes; the local cloud keeps one set per function, whatever the qualifier."""
    facts, name = declared.context.facts, declared.properties["FunctionName"]
    function = facts.function(name)
    if function is None:
        declared.reject(f"there is no function {name!r}")
    settings = declared.pick("MaximumEventAgeInSeconds", "MaximumRetryAttempts", "DestinationConfig")
    declared.context.client("lambda").put_function_event_invoke_config(FunctionName=function.name, **settings)
    destinations = declared.get("DestinationConfig", {})
    facts.functions[function.arn] = replace(
        function,
        max_event_age_s=number(declared.get("MaximumEventAgeInSeconds", Function.max_event_age_s)),
        max_retry_attempts=number(declared.get("MaximumRetryAttempts", Function.max_retry_attempts)),
        on_failure_arn=destinations.get("OnFailure", {}).get("Destination"),
        on_success_arn=destinations.get("OnSuccess", {}).get("Destination"),
    )
    return Created(declared.name(None, limit=_NAME_LIMIT))


def create_permission(declared: Declared) -> Created:
    context, name = declared.context, declared.properties["FunctionName"]
    function = context.facts.function(name)
    if function is None:
        declared.reject(f"there is no function {name!r} in the stacks deployed here")
    statement_id = declared.name(None, limit=100)
    context.client("lambda").add_permission(
        FunctionName=function.name,
        StatementId=statement_id,
        **declared.pick(
            "Action",
            "Principal",
            "SourceArn",
            "SourceAccount",
            "EventSourceToken",
            "PrincipalOrgID",
            "FunctionUrlAuthType",
        ),
    )
    qualifier = name.removeprefix(function.arn) if name.startswith("arn:") else name.removeprefix(function.name)
    context.facts.permissions.append(
        Permission(
            function_arn=function.arn + qualifier,
            principal=declared.properties["Principal"],
            action=declared.properties["Action"],
            source_arn=declared.get("SourceArn"),
            source_account=declared.get("SourceAccount"),
        )
    )
    return Created(statement_id, {"Id": statement_id})


def create_version(declared: Declared) -> Created:
    reply = declared.context.client("lambda").publish_version(FunctionName=declared.properties["FunctionName"])
    function = declared.context.facts.function(declared.properties["FunctionName"])
    arn = reply["FunctionArn"] if function is None else f"{function.arn}:{reply['Version']}"
    provisioned = _inner(declared, *_PROVISIONED)
    if function is not None and provisioned is not None:
        facts = declared.context.facts
        facts.functions[function.arn] = replace(function, provisioned_concurrency=number(provisioned))
    return Created(arn, {"Version": reply["Version"], "FunctionArn": arn})


def create_alias(declared: Declared) -> Created:
    facts = declared.context.facts
    reply = declared.context.client("lambda").create_alias(
        **declared.pick("FunctionName", "FunctionVersion", "Name", "Description")
    )
    function, provisioned = facts.function(reply["AliasArn"]), _inner(declared, *_PROVISIONED)
    if function is not None:
        facts.functions[function.arn] = replace(
            function,
            aliases={**function.aliases, reply["Name"]: reply["FunctionVersion"]},
            provisioned_concurrency=function.provisioned_concurrency if provisioned is None else number(provisioned),
        )
    return Created(reply["AliasArn"], {"AliasArn": reply["AliasArn"]})


def create_layer(declared: Declared) -> Created:
    context = declared.context
    name = declared.name(declared.get("LayerName"), limit=_NAME_LIMIT)
    code = directory(declared, declared.properties["Content"])
    reply = context.client("lambda").publish_layer_version(
        LayerName=name,
        Content={"ZipFile": _stand_in(code.name)},
        **declared.pick("CompatibleRuntimes", "CompatibleArchitectures", "Description", "LicenseInfo"),
    )
    arn = reply["LayerVersionArn"]
    context.facts.layers[arn] = code
    return Created(arn, {"LayerVersionArn": arn})


def create_url(declared: Declared) -> Created:
    reply = declared.context.client("lambda").create_function_url_config(
        FunctionName=declared.properties["TargetFunctionArn"], **declared.pick("AuthType", "Cors", "InvokeMode")
    )
    arn = reply["FunctionArn"]
    return Created(arn, {"FunctionArn": arn, "FunctionUrl": reply["FunctionUrl"]})


def _check_environment(declared: Declared, environment: dict[str, str]) -> None:
    size = sum(len(key.encode()) + len(value.encode()) for key, value in environment.items())
    if size > _ENVIRONMENT_BYTES:
        declared.reject(
            f"its environment takes {size} bytes, {_ENVIRONMENT_BYTES} allowed in all;"
            " move the large values to an SSM parameter or to S3"
        )


def _inner(declared: Declared, outer: str, inner: str, default: Any = None) -> Any:
    return (declared.get(outer) or {}).get(inner, default)


def _stand_in(content: str) -> bytes:
    """Return a zip of a few bytes that differs when the code's folder does."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("asset"), content)
    return buffer.getvalue()


CREATORS: dict[str, Creator] = {
    "AWS::Lambda::Alias": create_alias,
    "AWS::Lambda::EventInvokeConfig": create_event_invoke_config,
    "AWS::Lambda::Function": create_function,
    "AWS::Lambda::LayerVersion": create_layer,
    "AWS::Lambda::Permission": create_permission,
    "AWS::Lambda::Url": create_url,
    "AWS::Lambda::Version": create_version,
}
