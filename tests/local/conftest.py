"""A cloud assembly from templates, as `cdk synth` would have written it, and a mock to deploy it into."""

import functools
import json
import re
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from drumbeat.local.deploy import deploy

pytest.register_assert_rewrite("tests.local.behaviours")
_TEMPLATES = Path(__file__).parent / "templates"
_ASSET_KEY = re.compile(r'"(\w+)\.zip"')
HANDLER = "def handler(event, context):\n    return event\n"


@contextmanager
def mocked():
    """Activate moto, with credentials that lead nowhere."""
    with mock_aws(config={"lambda": {"use_docker": False}}), pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield


@pytest.fixture
def aws():
    with mocked():
        yield


@pytest.fixture(scope="module")
def fan(tmp_path_factory):
    """Deploy the realistic stack once, for the tests of a module that only look."""
    with mocked():
        yield deploy(write(tmp_path_factory.mktemp("fan"), Fan="fan"))


@pytest.fixture
def synth(tmp_path):
    return functools.partial(write, tmp_path)


def write(root, environment="aws://unknown-account/unknown-region", nested=None, **stacks: Any):
    """Write an assembly: each stack's template is a mapping, or the name of a file in templates/; in order."""
    artifacts, files, before = {}, {}, None
    for name, given in stacks.items():
        template = _template(given)
        (root / f"{name}.template.json").write_text(json.dumps(template))
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": environment,
            "properties": {"templateFile": f"{name}.template.json"},
            "dependencies": [before] if before else [],
        }
        before = name
        for key in _ASSET_KEY.findall(json.dumps(template)):
            (root / f"asset.{key}").mkdir()
            (root / f"asset.{key}" / "main.py").write_text(HANDLER)
            files[f"{key}.zip"] = f"asset.{key}"
    for key, given in (nested or {}).items():
        files[f"{key}.json"] = f"{key}.json"
        (root / f"{key}.json").write_text(json.dumps(_template(given)))
    _write_assets(root, artifacts, files)
    # the reverse of the order they deploy in, to show that the dependencies decide
    (root / "manifest.json").write_text(json.dumps({"artifacts": dict(reversed(artifacts.items()))}))
    return root


def _template(given):
    return json.loads((_TEMPLATES / f"{given}.json").read_text()) if isinstance(given, str) else given


def _write_assets(root, artifacts, files):
    artifacts["Assets"] = {"type": "cdk:asset-manifest", "properties": {"file": "assets.json"}}
    bucket = "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"
    assets = {
        key: {
            "source": {"path": path, "packaging": "zip" if key.endswith(".zip") else "file"},
            "destinations": {"here": {"bucketName": bucket, "objectKey": key}},
        }
        for key, path in files.items()
    }
    (root / "assets.json").write_text(json.dumps({"files": assets}))
