"""The list of seeded defects doesn't rot: each still applies, and names tests that are there."""

from pathlib import Path

import pytest

from tests.faults.mutants.table import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_a_mutant_still_applies(mutant: Mutant) -> None:
    assert 1 == (ROOT / mutant.file).read_text().count(mutant.old)
    assert mutant.old != mutant.new
    assert 1 <= mutant.row <= 35
    for killer in mutant.killers:
        path, _, name = killer.partition("::")
        assert f"def {name}" in (ROOT / path).read_text()


def test_mutants_have_names_of_their_own_and_are_spread_over_the_engine() -> None:
    assert len(MUTANTS) == len({mutant.id for mutant in MUTANTS})
    assert {"ledger", "runtime", "cdk"} < {mutant.file.split("/")[1] for mutant in MUTANTS}
    assert len({mutant.row for mutant in MUTANTS}) > 20
