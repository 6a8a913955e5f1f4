"""The threat model is true to the tests: each one that it names is there."""

import re

from .blocks import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
TESTS = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))


def test_every_test_that_the_threat_model_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))

    assert len(named) > 10
    assert [] == sorted(name for name in named if f"def {name}(" not in TESTS)
