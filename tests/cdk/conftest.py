"""Synthesized once per session, with inline code: what is asserted is the template, not the bundle."""

import json
import os
from pathlib import Path

import pytest

os.environ.pop("CDK_VALIDATION", None)  # it overrules the app's own choice, and is read when aws_cdk is imported

from aws_cdk import App
from aws_cdk import aws_lambda as lambda_

from stacks.drumbeat_stack import DrumbeatStack
from tests.cdk.sample import TASKS
from tests.cdk.template import Template

ROOT = Path(__file__).parents[2]


def inline():
    return lambda_.Code.from_inline("def handler(event, context): ...")


@pytest.fixture(scope="session")
def new_app():
    """A function that makes a CDK app as the command line would: with the context of cdk.json."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"]

    def make(outdir, *, validation=False):
        return App(
            outdir=str(outdir),
            context=context,
            analytics_reporting=False,
            builtin_cloud_formation_validation=validation,
        )

    return make


@pytest.fixture(scope="session")
def synthesize(new_app, tmp_path_factory):
    """A function that synthesizes tasks into a template."""

    def run(tasks, **stack: object):
        outdir = tmp_path_factory.mktemp("cdk.out")
        app = new_app(outdir)
        DrumbeatStack(app, "Drumbeat", tasks=tasks, **{"code": inline(), **stack})
        app.synth()
        return Template(outdir / "Drumbeat.template.json")

    return run


@pytest.fixture(scope="session")
def template(synthesize):
    return synthesize(TASKS)
