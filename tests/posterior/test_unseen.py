"""Effects that no score depends on are left out and drawn again with their law."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy import stats

from bayesbench.front.posterior import Posterior
from bayesbench.posterior.unseen import LEFT_OUT, drawn_again, left_out, seen_effects
from tests.factories import make_posterior

OBSERVED = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0]], dtype=bool)
GROUPS = np.array([[1, 0], [1, 0], [0, 1]], dtype=float)
FAMILIES = np.array([[1, 0], [0, 1], [0, 1]], dtype=float)
SEEN = seen_effects(OBSERVED, GROUPS, FAMILIES)


def test_an_effect_is_seen_where_a_member_has_a_score() -> None:
    assert SEEN["group_benchmark"].tolist() == [[True, True, False], [False] * 3]
    assert SEEN["family"].tolist() == [[True, False], [False, True], [False, False]]


@pytest.fixture(scope="module")
def draws() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    lead = (4, 500)
    return {
        "group_benchmark": rng.normal(size=(*lead, 2, 3)).astype(np.float32),
        "family": rng.normal(size=(*lead, 3, 2)).astype(np.float32),
        "scale_group_benchmark": rng.uniform(1, 3, (*lead, 2)).astype(np.float32),
        "noise_benchmark": rng.uniform(0.5, 2, (*lead, 3)).astype(np.float32),
        "scale_family": rng.uniform(0.2, 0.4, lead).astype(np.float32),
    }


def test_what_scores_depend_on_stays_and_the_rest_has_its_prior(
    draws: dict[str, np.ndarray],
) -> None:
    fewer = left_out(draws, SEEN)
    kind = np.array([1, 0])
    again = drawn_again(fewer, SEEN, kind)
    scale = draws["scale_group_benchmark"][..., kind, None] * draws["noise_benchmark"][..., None, :]
    standard = {
        "group_benchmark": again["group_benchmark"] / scale,
        "family": again["family"] / draws["scale_family"][..., None, None],
    }
    for name in LEFT_OUT:
        mask = SEEN[name]
        np.testing.assert_array_equal(again[name][..., mask], draws[name][..., mask])
        assert np.isnan(fewer[name][..., ~mask]).all()
        drawn = standard[name][..., ~mask].ravel()
        # 6,000 draws and more: a scale wrong by 5 % gives p below 0.001
        assert stats.kstest(drawn, "norm").pvalue > 0.001
        assert stats.kstest(1.1 * drawn, "norm").pvalue < 0.001
    np.testing.assert_array_equal(
        drawn_again(fewer, SEEN, kind)["family"], again["family"]
    )  # the same every time
    assert drawn_again(draws, SEEN, kind)["family"] is draws["family"]  # nothing was left out


def test_a_packed_file_leaves_them_out_and_opens_whole(tmp_path: Path) -> None:
    posterior = make_posterior(n_models=30, n_draws=300)
    posterior.save(tmp_path / "packed.nc", pack=True)
    again = Posterior.load(tmp_path / "packed.nc")
    features, families = posterior.features, posterior.families
    seen = seen_effects(posterior.matrix.observed, features.groups, families.members)
    with h5py.File(tmp_path / "packed.nc") as raw:
        for name in LEFT_OUT:
            if name not in posterior.draws:
                continue
            assert np.isfinite(again.draws[name]).all()
            unseen = ~seen[name]
            values = raw["posterior"][name][...]
            empty = np.isnan(values) if values.dtype.kind == "f" else values == -32_768
            assert empty[..., unseen].all() and not empty[..., ~unseen].any()
