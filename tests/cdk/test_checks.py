"""What AWS's own checkers say: cdk-nag's AwsSolutions, CDK's template validation, cfn-lint."""

import json
import re
import sys

import pytest
from aws_cdk import Validations
from cdk_nag import AwsSolutionsChecks
from cfnlint.api import ManualArgs, lint

from drumbeat import Rate
from drumbeat.cdk import Target
from stacks.drumbeat_stack import DrumbeatStack
from tests.cdk.conftest import inline
from tests.cdk.sample import TASKS, make

ACKNOWLEDGED = {  # rule at construct: reason
    r"AwsSolutions-S1 at .*/Store/Bucket/.*": "access logs need a second bucket: for the account to decide",
    r"AwsSolutions-SQS3 at .*/(DeadFires|DeadChecks)/.*": "holds what couldn't be delivered: dead letters themselves",
    r"AwsSolutions-L1 at .*/Function/.*": "runs on the Python that synthesizes, so that bytecode fits",
    r"AwsSolutions-IAM5\[Resource::<StoreBucket\w+\.Arn>/(results|runs)/[a-z-]+/\*\] at .*": "a task's own prefix",
    r"AwsSolutions-IAM5\[Resource::<StoreBucket\w+\.Arn>/runs/\*\] at .*/Keeper/.*": "the keeper sees to every task",
    r"AwsSolutions-IAM5\[Resource::.*/(in|photos)/\*\] at .*": "the prefix of the task's source",
    r"AwsSolutions-IAM5\[Resource::arn:aws:s3:::(reports|<\w+>/templates)/\*\] at .*/manual/.*": "the author's own",
    r"AwsSolutions-IAM5\[Resource::<\w+DispatcherFunction\w+\.Arn>:\*\] at .*/Fire/.*": "CDK's grant to Scheduler",
    r"AwsSolutions-IAM5\[Resource::\*\] at .*/often/.*": "X-Ray has no resources to name",
}
CHECKED = {name: TASKS[name] for name in ("often", "berlin", "manual", "gallery")}

SEALED = {name: TASKS[name] for name in ("often", "on-order", "after-both", "nightly")}

SNAPSHOTS = {"quick": make("quick", schedule=Rate(hours=1), snap_start=True)}


@pytest.fixture(scope="module")
def checked(new_app, tmp_path_factory):
    """What synth writes when CDK validates and cdk-nag looks on."""
    outdir = tmp_path_factory.mktemp("checked")
    app = new_app(outdir, validation=True)
    DrumbeatStack(app, "Drumbeat", tasks=CHECKED, code=inline())
    DrumbeatStack(app, "Sealed", tasks=SEALED, code=inline(), encryption_key=True, deletion_protection=True)
    DrumbeatStack(app, "Snapshots", tasks=SNAPSHOTS, code=inline(), target=Target(python="3.13"))
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    return outdir


@pytest.fixture(scope="module")
def report(checked):
    plugins = json.loads((checked / "validation-report.json").read_text())["pluginReports"]
    return {plugin["pluginName"]: plugin for plugin in plugins}


@pytest.fixture(scope="module")
def findings(report):
    return {
        f"{violation['ruleName']} at {construct['constructPath']}"
        for violation in report["AwsSolutions"]["violations"]
        for construct in violation["violatingConstructs"]
    }


def test_cdk_nag_finds_nothing_that_is_not_explained(findings):
    assert [] == sorted(found for found in findings if not any(re.fullmatch(rule, found) for rule in ACKNOWLEDGED))


def test_no_explanation_is_stale(findings):
    newest = "L1" if sys.version_info >= (3, 14) else None

    assert [] == [
        rule
        for rule in ACKNOWLEDGED
        if not any(re.fullmatch(rule, found) for found in findings) and not (newest and newest in rule)
    ]


def test_cdk_s_own_validation_finds_nothing(report):
    assert {} == {name: plugin for name, plugin in report.items() if name != "AwsSolutions" and plugin["violations"]}


def test_cfn_lint_finds_nothing(checked):
    but = ManualArgs(ignore_checks=["W3005"])  # CDK itself writes a DependsOn beside a GetAtt
    for stack in ("Drumbeat", "Sealed", "Snapshots"):
        assert [] == lint((checked / f"{stack}.template.json").read_text(), config=but)
