"""Wrong programs are found: the main ones in every run, all of them at night."""

from __future__ import annotations

import pytest

from tests.statistical.mutants import MUTANTS, TABLE, Mutant, killers, table


def marked(mutant: Mutant) -> object:
    marks = [pytest.mark.slow] if mutant.main else [pytest.mark.slow, pytest.mark.nightly]
    return pytest.param(mutant, id=mutant.name, marks=marks)


@pytest.mark.parametrize("mutant", [marked(mutant) for mutant in MUTANTS])
def test_a_wrong_program_is_found(mutant: Mutant) -> None:
    assert set(killers(mutant)) == set(mutant.tests)


def test_the_table_is_that_of_the_program() -> None:
    assert TABLE.read_text(encoding="utf-8") == table()
