"""A bank's file: comes back equal, stays whole, says what is wrong in one line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from bayesbench.errors import DataError
from bayesbench.items.bank import ItemBank
from bayesbench.items.bank_file import DIMS, open_bank, save_bank
from bayesbench.items.forms import select_forms
from bayesbench.items.full_score import full_scores
from bayesbench.items.given import of_one
from bayesbench.items.simulator import simulate_items
from bayesbench.items.variational import fit_bank
from tests.conftest import REPOSITORY


@pytest.fixture(scope="module")
def bank() -> ItemBank:
    return fit_bank(simulate_items(20, 9, benchmarks=2, seed=3).responses, factors=2)


def test_a_bank_comes_back_equal(bank: ItemBank, tmp_path: Path) -> None:
    save_bank(bank, tmp_path / "bank.nc")
    found = open_bank(tmp_path / "bank.nc")
    for name in DIMS:
        np.testing.assert_array_equal(getattr(found, name), getattr(bank, name))
    assert found.items.equals(bank.items[["benchmark_id"]])
    assert found.model_ids == bank.model_ids
    assert found.easiness_prior == bank.easiness_prior
    assert (found.iterations, found.converged) == (bank.iterations, bank.converged)
    assert [file.name for file in tmp_path.iterdir()] == ["bank.nc"]
    with xr.open_dataset(tmp_path / "bank.nc", engine="h5netcdf") as labelled:
        assert labelled["slope"].sel(item="item_3").shape == (2,)


def test_a_file_of_an_earlier_version_is_read_and_says_the_same() -> None:
    """Written once, with format version 1: whatever is changed, this file must be readable."""
    bank = open_bank(REPOSITORY / "tests" / "data" / "items" / "simulated_bank.nc")
    assert (len(bank.items), bank.factors, len(bank.model_ids)) == (30, 2, 80)
    assert set(bank.categories) == {"easy", "hard"} and bank.width_factors == {5: 1.2, 20: 1.5}
    given = of_one(bank, {"item_0": (1, 1), "item_3": (0, 1), "item_17": (2, 3)})
    (found,) = full_scores(bank, given)
    assert (found.score, found.sd) == pytest.approx((56.470179385426505, 17.92978711646379))
    assert select_forms(bank, 3)[0].item_ids == ("item_27", "item_18", "item_1")


def test_categories_and_width_factors_come_back(bank: ItemBank, tmp_path: Path) -> None:
    kinds = bank.items.assign(category=["a", "b", "a"] * 3)
    rich = replace(bank, items=kinds, width_factors={5: 1.25, 10: 1.5})
    save_bank(rich, tmp_path / "bank.nc")
    found = open_bank(tmp_path / "bank.nc")
    assert found.categories == tuple(kinds["category"]) and found.items.equals(kinds)
    assert found.width_factors == {5: 1.25, 10: 1.5}
    assert bank.categories == tuple(bank.items["benchmark_id"]) and bank.width_factors == {}
    with pytest.raises(DataError, match="a width factor is not a number above 0"):
        replace(bank, width_factors={5: 0.0})


def test_what_is_no_bank_is_one_line(bank: ItemBank, tmp_path: Path) -> None:
    file = tmp_path / "bank.nc"
    with pytest.raises(DataError, match="no such file"):
        open_bank(file)
    file.write_text("hello")
    with pytest.raises(DataError, match="damaged or no item bank"):
        open_bank(file)
    save_bank(bank, file)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="damaged or no item bank") as caught:
        open_bank(file)
    assert "\n" not in str(caught.value)
    for name, value, message in (("format_version", 9, "newer than 1"), ("format", "x", "not an")):
        file.write_bytes(whole)
        with h5py.File(file, "r+") as held:
            held.attrs[name] = value
        with pytest.raises(DataError, match=message):
            open_bank(file)
    file.write_bytes(whole)
    with h5py.File(file, "r+") as held:
        held["slope"][0, 0] = np.nan
    with pytest.raises(DataError, match=r"bank\.nc: slope holds a number that is not finite"):
        open_bank(file)


def test_what_stood_there_stays_when_it_cannot_be_written(bank: ItemBank, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be written"):
        save_bank(bank, tmp_path)
    with pytest.raises(DataError, match="cannot be written"):
        save_bank(bank, tmp_path / "none" / "bank.nc")
    assert list(tmp_path.iterdir()) == []
