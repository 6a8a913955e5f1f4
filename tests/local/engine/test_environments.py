"""What environments of one process share, and what they don't."""

import dataclasses
import importlib
import logging
import sys

import pytest

from drumbeat.local.code import Importer
from drumbeat.local.errors import UnsupportedResourceWarning

POWERTOOLS = "arn:aws:lambda:us-east-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python311-x86_64:27"
CODE = """
    import sys
    from dataclasses import dataclass
    import aws_lambda_powertools
    from aws_lambda_powertools.utilities.data_classes import SQSEvent

    @dataclass
    class Point:
        x: int
        y: int = 2

    calls = []
    def handler(event, context):
        calls.append(1)
        modules = (aws_lambda_powertools, sys.modules["aws_lambda_powertools.utilities.data_classes"])
        return [len(calls), Point(1) == Point(1, 2), *(id(module) for module in modules), id(SQSEvent), id(Point)]
"""


def test_a_cold_environment_has_everything_of_its_own_but_classes_without_state(app, open_cloud):
    app.function("one", CODE, Layers=[POWERTOOLS])
    with pytest.warns(UnsupportedResourceWarning, match="left out"):  # and so the code may import what is installed
        cloud = open_cloud(app)
    first = cloud.invoke("one", {}).value()
    warm = cloud.invoke("one", {}).value()
    cloud.advance(hours=1)
    cold = cloud.invoke("one", {}).value()

    assert [2, *first[1:]] == warm
    assert [1, True] == cold[:2]
    assert [False, True, True, False] == [a == b for a, b in zip(first[2:], cold[2:], strict=True)]


def test_a_closed_cloud_leaves_dataclasses_as_they_were(app, open_cloud):
    cloud = open_cloud(app)
    assert "exec" in vars(dataclasses)
    cloud.__exit__(None, None, None)

    assert "exec" not in vars(dataclasses)


@pytest.fixture
def environments(tmp_path):
    """Two environments of one bundle: what the second is given that the first has made."""
    for name, text in {
        "drumbeat/__init__.py": "",
        "drumbeat/task.py": "from .errors import Wrong",
        "drumbeat/errors.py": "class Wrong(Exception): ...",
        "drumbeat/ledger/__init__.py": "from . import table",
        "drumbeat/ledger/table.py": "",
        "drumbeat/runtime/__init__.py": "",
        "drumbeat/unasked.py": "",
        "drumbeat/runtime/worker.py": """
from drumbeat import ledger, task
from .. import errors
from ..errors import Wrong
import drumbeat.ledger.table
state = []
""",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    importer = Importer(logging.NullHandler())
    importer.open()
    found = []
    for _ in range(2):
        importer.activate(importer.namespace(tmp_path, ()))
        importlib.import_module("drumbeat.runtime.worker")
        found.append({name: module for name, module in sys.modules.items() if name.partition(".")[0] == "drumbeat"})
        importer.activate(None)
    importer.close()
    return found


def test_drumbeats_core_and_ledger_are_made_once_and_its_runtime_for_each_environment(environments):
    first, second = environments

    assert first.keys() == second.keys()  # also what only a shared module has imported
    assert {name for name in first if first[name] is second[name]} == {
        "drumbeat.errors",
        "drumbeat.task",
        "drumbeat.ledger",
        "drumbeat.ledger.table",
    }


def test_a_package_has_the_modules_of_its_own_environment(environments):
    for modules in environments:
        package = modules["drumbeat"]

        assert (package.runtime, package.task) == (modules["drumbeat.runtime"], modules["drumbeat.task"])
        assert package.runtime.worker is modules["drumbeat.runtime.worker"]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("import moto", "Runtime.ImportModuleError"),
        ("from xmltodict import parse", "Runtime.ImportModuleError"),
        ("import aws_lambda_powertools", "Runtime.ImportModuleError"),
        ("import boto3, botocore.config, dateutil.tz, urllib3, jmespath, six, json, xml.etree.ElementTree", ""),
        ("import sys, types\nsys.modules['payments'] = types.ModuleType('payments')\nimport payments", ""),
        ("import nobody_has_this", "Runtime.ImportModuleError"),
    ],
)
def test_code_imports_only_what_it_would_find_on_lambda(app, open_cloud, line, kind):
    app.function("one", f"{line}\ndef handler(event, context): return 1")
    outcome = open_cloud(app).invoke("one", {})

    assert kind == outcome.error_type
    assert (kind != "" and "nobody" not in line) == ("it is installed here, but neither in the" in outcome.message)


def test_an_optional_import_falls_back_as_on_lambda(app, open_cloud):
    code = """
        try:
            import yaml
        except ImportError:
            yaml = None
        def handler(event, context):
            import importlib
            return [yaml, importlib.import_module("json").dumps(1)]
    """
    app.function("one", code)

    assert [None, "1"] == open_cloud(app).invoke("one", {}).value()


def test_a_folder_that_the_code_puts_on_its_path_counts(app, open_cloud, tmp_path):
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "vendored.py").write_text("N = 7")
    code = f"import sys\nsys.path.insert(0, {str(tmp_path / 'vendor')!r})\nimport vendored\n"
    app.function("one", code + "def handler(event, context): return vendored.N")

    assert 7 == open_cloud(app).invoke("one", {}).value()


def test_what_code_does_to_botocores_sessions_stays_in_its_environment(app, open_cloud):
    changing = """
        import boto3, botocore
        made = []
        botocore.register_initializer(made.append)
        boto3.setup_default_session(region_name="eu-west-1")
        def handler(event, context):
            botocore.session.Session()
            return [len(made), boto3.client("sqs").meta.region_name]
    """
    plain = """
        import boto3
        def handler(event, context):
            region, session = boto3.client("sqs").meta.region_name, boto3.DEFAULT_SESSION
            session.calls = getattr(session, "calls", 0) + 1
            return [session.calls, region]
    """
    app.function("changing", changing)
    app.function("plain", plain)
    cloud = open_cloud(app)
    warm = [cloud.invoke(name, {}).value() for name in ("changing", "plain") * 2]
    cloud.advance(hours=1)
    cold = [cloud.invoke(name, {}).value() for name in ("changing", "plain")]

    assert [[2, "eu-west-1"], [1, "us-east-1"], [3, "eu-west-1"], [2, "us-east-1"]] == warm  # the default is one more
    assert [[2, "eu-west-1"], [1, "us-east-1"]] == cold
    assert "us-east-1" == cloud.client("sqs").meta.region_name


def test_what_is_shared_is_imported_in_every_form(environments):
    for modules in environments:
        worker = modules["drumbeat.runtime.worker"]

        assert worker.task is modules["drumbeat.task"] is modules["drumbeat"].task
        assert worker.ledger.table is modules["drumbeat.ledger.table"]
        assert worker.errors is modules["drumbeat.errors"] is modules["drumbeat"].errors
        assert worker.Wrong is modules["drumbeat.errors"].Wrong
        assert not hasattr(modules["drumbeat"], "unasked")
