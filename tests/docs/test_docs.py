"""The docs are true: examples run, links lead somewhere."""

import inspect
import json
import re
import types
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from drumbeat.testing import AppCloud, sweep

from .blocks import PAGES, ROOT, Block, blocks, titled

EXAMPLES = [
    (block, name)
    for block in {block.title: block for block in titled("tests/")}.values()
    for name in re.findall(r"^def (test_\w+)", block.text, re.MULTILINE)
]


def _example(block: Block, name: str) -> Any:
    module = types.ModuleType("example")
    exec(compile(block.text, block.title, "exec"), vars(module))
    return getattr(module, name)


def _settings(example: Any) -> dict[str, Any]:
    return next((mark.kwargs for mark in getattr(example, "pytestmark", ()) if mark.name == "cloud"), {})


def _links() -> Iterator[Any]:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
            if not target.startswith(("http://", "https://")):
                yield pytest.param(page, target, id=f"{page.relative_to(ROOT)}->{target}")


def test_an_example_that_stands_twice_is_the_same() -> None:
    examples: dict[str, str] = {}
    for block in filter(lambda block: block.title, blocks("python")):
        assert examples.setdefault(block.title, block.text) == block.text, block.id


@pytest.mark.parametrize("block", [block for block in blocks("python") if not block.title], ids=lambda block: block.id)
def test_an_example_without_a_title_runs_as_it_stands(block: Block) -> None:
    exec(compile(block.text, block.page, "exec"), {"__name__": "example"})


@pytest.mark.usefixtures("docs_handlers")
def test_examples_of_tests_pass(docs_apps: dict[str, Path]) -> None:
    """All those that leave the cloud as it is, in one: to deploy is what takes time."""
    with AppCloud(docs_apps["app.py"]) as cloud:
        for block, name in EXAMPLES:
            example = _example(block, name)
            if not _settings(example) and "(sweep)" not in block.text:
                example(*([cloud] if inspect.signature(example).parameters else []))
                cloud.advance(minutes=1)


@pytest.mark.parametrize(("block", "name"), [found for found in EXAMPLES if "mark.cloud" in found[0].text])
@pytest.mark.usefixtures("docs_handlers")
def test_an_example_with_a_cloud_of_its_own_passes(block: Block, name: str, docs_apps: dict[str, Path]) -> None:
    example = _example(block, name)
    with AppCloud(docs_apps["app.py"], **_settings(example)) as cloud:
        example(cloud)


@pytest.mark.parametrize(("block", "name"), [found for found in EXAMPLES if "(sweep)" in found[0].text])
@pytest.mark.usefixtures("docs_handlers")
def test_an_example_with_a_sweep_passes(block: Block, name: str, docs_apps: dict[str, Path]) -> None:
    _example(block, name)(partial(sweep, docs_apps["app.py"]))


def test_the_app_with_two_stacks_synthesizes(docs_apps: dict[str, Path]) -> None:
    made = {path.name.partition(".")[0] for path in docs_apps["two_stacks.py"].glob("*.template.json")}

    assert {"Drumbeat", "Reports"} == made


@pytest.mark.parametrize("block", list(blocks("json")), ids=lambda block: block.id)
def test_json_is_json(block: Block) -> None:
    try:
        json.loads(block.text)
    except ValueError:  # JSON Lines
        assert all(map(json.loads, block.text.splitlines()))


@pytest.mark.parametrize(("page", "target"), list(_links()))
def test_a_relative_link_leads_somewhere(page: Path, target: str) -> None:
    path, _, anchor = target.partition("#")
    found = (page.parent / path).resolve() if path else page

    assert found.exists()
    if anchor:
        headings = re.findall(r"^#+ (.+)$", found.read_text("utf-8"), re.MULTILINE)
        assert anchor in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached and page.suffix == ".md":
            reached.add(page)
            targets = re.findall(r"\]\(([^)\s#]+)[^)\s]*\)", page.read_text("utf-8"))
            waiting += [(page.parent / target).resolve() for target in targets if not target.startswith("http")]

    assert set(PAGES) == reached
