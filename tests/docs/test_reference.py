"""The tables of the reference agree with the code."""

import dataclasses
import inspect
import json
import re
from typing import Any

import pytest

from drumbeat import At, Backoff, Cron, DynamoItems, Range, Rate, S3Lines, S3Objects, Task, checks, errors
from drumbeat.ledger import record, tree
from drumbeat.local import LocalCloud
from drumbeat.packer import pack
from drumbeat.run import Run
from drumbeat.runtime.services import Settings
from drumbeat.signal import Finish, Fire, Resume
from drumbeat.testing.cloud import AppCloud, Letter, RunView

from .blocks import ROOT, blocks, first_cells, names, section, table

RUNTIME = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "drumbeat" / "runtime").glob("*.py")))
CDK = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "drumbeat" / "cdk").glob("*.py")))
SETTINGS = {names(row[0])[0]: row for row in table("task.md", "Settings")}
UNLIKE_THEIR_REPR = {
    "name": "required", "module": "the module it stands in", "backoff": "`Backoff()`", "overlap": '`"skip"`',
}  # fmt: skip
FIELDS = [field for field in dataclasses.fields(Task) if not field.name.startswith("_")]


def test_every_setting_of_a_task_is_in_the_reference() -> None:
    assert sorted(field.name for field in FIELDS) == sorted(SETTINGS)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_the_default_of_a_setting_is_in_the_reference(field: "dataclasses.Field[Any]") -> None:
    default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()

    assert UNLIKE_THEIR_REPR.get(field.name, f"`{default!r}`") == SETTINGS[field.name][1]


@pytest.mark.parametrize("name", checks._RANGES)
def test_the_range_of_a_setting_is_in_the_reference(name: str) -> None:
    low, high, _ = checks._RANGES[name]

    assert f"{low:,} to {high:,}" in SETTINGS[name][2]


def test_the_policies_of_overlap_are_in_the_reference() -> None:
    assert ", ".join(f'`"{policy}"`' for policy in checks.OVERLAPS) == SETTINGS["overlap"][2]


def test_the_errors_of_a_declaration_exist() -> None:
    of_stack = re.findall(r"^class (\w+)", CDK, re.MULTILINE)

    for name in first_cells("task.md", "Errors of a declaration"):
        assert hasattr(errors, name) or name in of_stack


@pytest.mark.parametrize("kind", [Cron, Rate, At, S3Lines, S3Objects, Range, DynamoItems, Backoff])
def test_a_constructor_is_shown_with_all_its_parameters(kind: Any) -> None:
    pages = "".join(section(page) for page in ("schedules.md", "sources.md", "task.md"))
    shown = re.findall(rf"`{kind.__name__}\(([^`]*)\)`", pages)
    parameters = {name for name in inspect.signature(kind).parameters if name != "_"}

    assert parameters in [set(re.findall(r"(?:^|, )(\w+)", arguments)) for arguments in shown]


def test_the_metrics_are_those_of_the_code() -> None:
    emitted = set(re.findall(r'"((?:Runs|Chunks|Items|Fires|Malformed|Newer)[A-Z]\w+)"', RUNTIME))
    alarmed = {value for name, value in re.findall(r'^([A-Z_]+) = "(\w+)"$', CDK, re.MULTILINE) if name != "NAMESPACE"}

    assert sorted(emitted) == sorted(first_cells("metrics-and-logs.md", "Metrics"))
    assert {value for value in alarmed if value[0].isupper()} <= emitted
    assert 'NAMESPACE = "drumbeat"' in CDK


def test_the_log_messages_are_those_of_the_code() -> None:
    logged = set(re.findall(r'logger\.(?:info|warning|error)\([^"]*"([^"]+)"', RUNTIME))

    assert sorted(logged) == sorted(first_cells("metrics-and-logs.md", "Log messages"))


def test_the_states_are_those_of_the_ledger() -> None:
    states = set(record.STATES)

    assert states == set(first_cells("wire-formats.md", "States"))


def test_the_fields_of_a_run_are_those_of_the_ledger() -> None:
    fields = {field.name for field in dataclasses.fields(record.RunRecord)} - {"expires_at"}

    assert fields | {"finisher"} == set(first_cells("wire-formats.md", "Fields of a run"))


def test_the_wire_formats_are_those_of_the_code() -> None:
    run = Run.parse("sunrise/2026-11-22T00:00:00Z")
    [chunk] = pack(['{"icao":"EDDB"}'], size=1, max_bytes=1024, number=7, first=700)
    shown = [json.loads(block.text) for block in blocks("json") if '"v": 1' in block.text]

    for signal in (Fire(run), Resume(run, 1), Finish(run)):
        assert f"`{json.dumps(signal.event())}`" in section("wire-formats.md")
    assert [json.loads(chunk.body(run.id))] == shown


def test_the_environment_is_what_functions_read() -> None:
    documented = first_cells("environment.md", "Environment variables")

    assert sorted(f"DRUMBEAT_{name.upper()}" for name in Settings._fields) == sorted(
        name for name in documented if name.startswith("DRUMBEAT_")
    )
    assert {name for name in documented if name.startswith("POWERTOOLS_")} == set(re.findall(r"POWERTOOLS_\w+", CDK))


def test_the_numbers_of_counting_are_those_of_the_tree() -> None:
    text = (ROOT / "docs" / "explanation" / "counting.md").read_text("utf-8")

    assert f"at most {tree.FANOUT} chunks" in text
    assert f"{', '.join(map(str, tree._WIDTHS))} and then {tree._LAST_WIDTH}" in text


@pytest.mark.parametrize("name", first_cells("testing.md", "AppCloud"))
def test_a_member_of_the_cloud_exists(name: str) -> None:
    assert hasattr(AppCloud, name.partition("(")[0])


@pytest.mark.parametrize("name", first_cells("testing.md", "RunView"))
def test_a_member_of_a_run_exists(name: str) -> None:
    known = {field.name for kind in (record.RunRecord, RunView, Letter) for field in dataclasses.fields(kind)}

    assert name in known or hasattr(RunView, name)


def test_the_arguments_of_the_marker_are_those_of_the_cloud() -> None:
    assert set(first_cells("testing.md", "Arguments of the marker")) <= set(inspect.signature(LocalCloud).parameters)
