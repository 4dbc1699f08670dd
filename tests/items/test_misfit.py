"""The audit: what was planted is found, what is in order is not, p-values are level on the null."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayesbench.errors import DataError, UsageError
from bayesbench.items.choice import attenuated
from bayesbench.items.misfit import (
    AuditedItem,
    _adjusted,
    _fit,
    _worst,
    audit_bank,
    audit_items,
)
from bayesbench.items.reconstruction import estimate_scores
from bayesbench.items.responses import ItemResponses
from bayesbench.items.simulator import SimulatedItems, simulate_items
from bayesbench.items.variational import fit_bank

MODELS, ITEMS = 400, 80
FAMILY = [f"family_{n % 8}" for n in range(MODELS)]


def drawn(seed: int) -> SimulatedItems:
    return simulate_items(MODELS, ITEMS, factors=2, slope_scales=(1.2, 0.5), seed=seed)


def turned(responses: ItemResponses, item: int, models: np.ndarray) -> ItemResponses:
    """An item whose answers of some models are counted the wrong way round."""
    correct = responses.correct.copy()
    correct[models, item] = 1 - correct[models, item]
    return replace(responses, correct=correct)


def said(found: tuple[AuditedItem, ...]) -> dict[str, tuple[str, ...]]:
    return {one.item_id: one.verdicts for one in found if one.verdicts}


def best(truth: SimulatedItems) -> int:
    """An item of middling difficulty that tells good models from bad ones."""
    middling = np.abs(truth.probability.mean(axis=0) - 0.5) < 0.15
    return int(np.argmax(np.where(middling, truth.slope[:, 0], -np.inf)))


def test_items_that_follow_the_model_are_left_alone() -> None:
    """60 statistics of each kind and four data sets: the false share is that of the level."""
    z: dict[str, list[float]] = {"fit_z": [], "group_z": []}
    flagged = 0
    for seed in range(4):
        found = audit_items(drawn(seed).responses, groups=FAMILY, factors=2, seed=seed, least_gap=0)
        flagged += len(said(found))
        z["fit_z"] += [one.fit_z for one in found if one.fit_z is not None]
        z["group_z"] += [one.group_z for one in found if one.group_z is not None]
    assert flagged <= 3
    fit, group = np.array(z["fit_z"]), np.abs(z["group_z"])
    assert len(fit) > 280
    # one-sided 5 % of 300: standard error 0.013; the largest of 8 groups in absolute value
    assert abs((fit > 1.645).mean() - 0.05) < 0.045
    assert abs((group > 2.73).mean() - 0.05) < 0.045
    assert abs(fit.std() - 1) < 0.15


def test_a_mis_keyed_item_is_found() -> None:
    truth = drawn(5)
    item = best(truth)
    found = audit_items(turned(truth.responses, item, np.arange(MODELS)), factors=2, seed=1)
    assert found[0].item_id == f"item_{item}" and "mis-keyed" in found[0].verdicts
    assert found[0].key_z is not None and found[0].key_z < -4
    assert found[0].group == "" and found[0].group_q is None
    bank = fit_bank(turned(truth.responses, item, np.arange(MODELS)), factors=2)
    alone = audit_bank(bank)
    assert alone[0].item_id == f"item_{item}" and alone[0].verdicts == ("mis-keyed",)
    assert alone[0].share is None and alone[0].fit_q is None


def test_an_item_that_one_family_knows_is_found() -> None:
    truth = drawn(6)
    item, correct = best(truth), truth.responses.correct.copy()
    correct[np.array(FAMILY) == "family_3", item] = 1
    frame = truth.responses.models.assign(family=FAMILY)
    leaked = replace(truth.responses, models=frame, correct=correct)
    found = audit_items(leaked, factors=2, seed=1)
    assert found[0].item_id == f"item_{item}" and found[0].group == "family_3"
    assert "differs between groups" in found[0].verdicts
    assert found[0].group_z is not None and found[0].group_z > 4


def test_an_item_that_does_not_rise_with_ability_is_found() -> None:
    truth = drawn(7)
    item = best(truth)
    theta = truth.ability[:, 0]
    bent = np.random.default_rng(0).random(MODELS) < np.where(np.abs(theta) < 0.7, 0.95, 0.15)
    correct = truth.responses.correct.copy()
    correct[:, item] = bent
    found = audit_items(replace(truth.responses, correct=correct), factors=1, seed=1)
    assert "does not fit its curve" in said(found).get(f"item_{item}", ())


def test_an_item_that_changed_since_the_bank_is_found() -> None:
    truth = drawn(8)
    old, new = np.arange(250), np.arange(250, MODELS)
    bank = fit_bank(truth.responses.subset(models=old), factors=2)
    mine = truth.responses.subset(models=new)
    assert not any("changed" in " ".join(what) for what in said(audit_items(mine, bank)).values())
    item, correct = best(truth), mine.correct.copy()
    correct[:, item] = np.maximum(correct[:, item], np.random.default_rng(0).random(150) < 0.6)
    found = audit_items(replace(mine, correct=correct), bank)
    assert found[0].item_id == f"item_{item}"
    assert "changed since the bank" in found[0].verdicts
    assert found[0].change_z is not None and found[0].change_z > 3
    # it changed for everybody alike: no group of models stands out
    changed = replace(mine, correct=correct)
    by_group = said(audit_items(changed, bank, groups=[f"g{n % 3}" for n in range(150)]))
    assert "differs between groups" not in by_group[f"item_{item}"]
    assert "changed since the bank" in by_group[f"item_{item}"]


def test_gaps_are_the_differences_of_shares() -> None:
    """By hand, from the probabilities of a bank that is known exactly."""
    truth = drawn(9)
    bank = fit_bank(truth.responses, factors=2)
    correct = truth.responses.correct.copy()
    mine = np.array(FAMILY) == "family_2"
    correct[mine, 5] = 0
    given = replace(truth.responses, correct=correct)
    found = {one.item_id: one for one in audit_items(given, bank, groups=FAMILY)}
    b, a = attenuated(bank)
    p = 1 / (1 + np.exp(-(b + estimate_scores(bank, given).ability @ a.T)))
    off = given.correct - p
    item = found["item_5"]
    assert item.change_gap == pytest.approx(100 * off[:, 5].mean())
    assert item.group == "family_2" and "differs between groups" in item.verdicts
    assert item.group_gap == pytest.approx(100 * (off[mine, 5].mean() - off[~mine, 5].mean()))
    none = audit_items(given, bank, groups=FAMILY, least_gap=100)
    assert set(sum(said(none).values(), ())) <= {"mis-keyed"}
    with pytest.raises(UsageError, match="least gap must be from 0 to 100"):
        audit_items(given, bank, least_gap=-1)


def test_the_gap_of_the_fit_is_free_of_chance() -> None:
    """Observed shares 20 points off in every group: 20 whatever the number of answers."""
    rng = np.random.default_rng(3)
    for number in (200, 5000):
        p = rng.uniform(0.3, 0.7, size=number)
        off, fine = np.zeros(40), np.zeros(40)
        for at in range(40):
            y = rng.random(number) < p + 0.2
            off[at] = _fit(p, y - p, p * (1 - p), np.ones(number))[1]
            y = rng.random(number) < p
            fine[at] = _fit(p, y - p, p * (1 - p), np.ones(number))[1]
        # 40 gaps of sd 3.5 or less: standard error 0.55
        assert abs(off.mean() - 20) < 1.7 and fine.mean() < 60 / np.sqrt(number)


def test_same_seed_same_answer_and_what_is_refused() -> None:
    answers = drawn(1).responses
    assert audit_items(answers, factors=1, seed=3) == audit_items(answers, factors=1, seed=3)
    with pytest.raises(UsageError, match="level must lie in"):
        audit_items(answers, level=0)
    bank = fit_bank(answers.subset(items=np.arange(9)), factors=1)
    with pytest.raises(DataError, match="not those of the bank"):
        audit_items(answers, bank)


def test_q_values_are_those_of_benjamini_and_hochberg() -> None:
    p = np.array([0.01, np.nan, 0.04, 0.03, 0.5])
    np.testing.assert_allclose(_adjusted(p), [0.04, np.nan, 0.16 / 3, 0.16 / 3, 0.5])


def test_the_worst_of_several_groups_pays_for_the_choice() -> None:
    z, p, names = _worst(np.array([[1.0, np.nan], [-1.96, np.nan], [0.5, np.nan]]), ["a", "b", "c"])
    assert z[0] == -1.96 and names == ["b", ""]
    assert p[0] == pytest.approx(1 - 0.95**3, abs=1e-4) and np.isnan(p[1])
