"""Read a cloud assembly, the folder that `cdk synth` writes: stacks in the order they deploy, templates, assets.

The format is the cloud-assembly schema of the AWS CDK
(https://github.com/aws/aws-cdk-cli/tree/main/packages/%40aws-cdk/cloud-assembly-schema): manifest.json lists artifacts;
a stack names its template and what it depends on; an asset manifest names each asset's file and its object key.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import AssemblyError, AssetMissing

_STACK, _ASSETS, _NESTED_ASSEMBLY = "aws:cloudformation:stack", "cdk:asset-manifest", "cdk:cloud-assembly"


@dataclass(frozen=True)
class Stack:
    """A stack of the assembly. `account` and `region` are None where the app left them open."""

    name: str
    template: Mapping[str, Any]
    account: str | None = None
    region: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    artifact_id: str = ""


@dataclass(frozen=True)
class Asset:
    """A file or folder that was to be uploaded to a bucket of the bootstrap stack; `bucket` is still a template."""

    path: Path
    bucket: str
    zipped: bool


@dataclass(frozen=True)
class Assembly:
    """The stacks in dependency order, and every file asset by its object key."""

    root: Path
    stacks: tuple[Stack, ...]
    assets: Mapping[str, Asset]

    def asset(self, key: str, *, wanted_by: str) -> Path:
        """Return the file or folder that was to be uploaded as `key`."""
        asset = self.assets.get(key)
        if asset is None:
            raise AssetMissing(f"{wanted_by}: no asset manifest of {self.root} has {key!r}; run `cdk synth` again")
        if not asset.path.exists():
            raise AssetMissing(f"{wanted_by}: asset {asset.path} is not there; run `cdk synth` again")
        return asset.path

    def select(self, names: Sequence[str] | None) -> tuple[Stack, ...]:
        """Return the named stacks and, as `cdk deploy` does, nothing else; None means all."""
        if names is None:
            return self.stacks
        known = [stack.name for stack in self.stacks]
        for name in names:
            if name not in known:
                raise AssemblyError(f"{self.root}: no stack {name!r}; it has {', '.join(known) or 'none'}")
        return tuple(stack for stack in self.stacks if stack.name in names)


def read(root: Path) -> Assembly:
    """Read the assembly in `root`, with the nested assemblies of its stages."""
    found = list(_read(root))
    assets: dict[str, Asset] = {}
    for _, of_folder in found:
        assets |= of_folder
    return Assembly(root, tuple(stack for stacks, _ in found for stack in stacks), assets)


def _read(root: Path) -> Iterator[tuple[list[Stack], dict[str, Asset]]]:
    artifacts = _artifacts(root)
    assets: dict[str, Asset] = {}
    stacks: list[Stack] = []
    for artifact_id in _in_order(artifacts):
        artifact = artifacts[artifact_id]
        properties = artifact.get("properties", {})
        if artifact["type"] == _STACK:
            stacks.append(_stack(root, artifact_id, artifact))
        elif artifact["type"] == _ASSETS:
            assets |= _asset_files(root, properties["file"])
        elif artifact["type"] == _NESTED_ASSEMBLY:
            yield from _read(root / properties["directoryName"])
    yield stacks, assets


def _artifacts(root: Path) -> Mapping[str, Any]:
    try:
        manifest = _json(root / "manifest.json")
    except FileNotFoundError:
        raise AssemblyError(f"{root} has no manifest.json: it is no cloud assembly; run `cdk synth`") from None
    artifacts: Mapping[str, Any] = manifest.get("artifacts", {})
    return artifacts


def _in_order(artifacts: Mapping[str, Any]) -> list[str]:
    """Return the artifacts' ids, each after those it depends on, otherwise in the manifest's order."""
    order: dict[str, None] = {}

    def visit(artifact_id: str) -> None:
        if artifact_id in order or artifact_id not in artifacts:
            return
        for needed in artifacts[artifact_id].get("dependencies", ()):
            visit(needed)
        order[artifact_id] = None

    for artifact_id in artifacts:
        visit(artifact_id)
    return list(order)


def _stack(root: Path, artifact_id: str, artifact: Mapping[str, Any]) -> Stack:
    properties = artifact["properties"]
    path = root / properties["templateFile"]
    try:
        template = _json(path)
    except FileNotFoundError:
        raise AssemblyError(f"stack {artifact_id!r}: {path} is not there; run `cdk synth` again") from None
    account, region = _environment(artifact.get("environment", ""))
    return Stack(
        name=properties.get("stackName", artifact_id),
        template=template,
        account=account,
        region=region,
        parameters=properties.get("parameters", {}),
        artifact_id=artifact_id,
    )


def _environment(text: str) -> tuple[str | None, str | None]:
    """Split `aws://account/region`; CDK writes unknown-account and unknown-region for what the app left open."""
    account, _, region = text.removeprefix("aws://").partition("/")
    return (None if account in {"", "unknown-account"} else account), (
        None if region in {"", "unknown-region"} else region
    )


def _asset_files(root: Path, manifest: str) -> dict[str, Asset]:
    files = _json(root / manifest).get("files", {})
    return {
        destination["objectKey"]: Asset(
            root / asset["source"]["path"], destination["bucketName"], asset["source"].get("packaging") == "zip"
        )
        for asset in files.values()
        if "path" in asset["source"]
        for destination in asset["destinations"].values()
    }


def _json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
