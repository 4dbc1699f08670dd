from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayesbench.errors import DataError, UsageError
from bayesbench.posterior.stored import StoredPosterior
from tests.factories import make_matrix


def test_stacked_lays_chains_end_to_end(posterior: StoredPosterior) -> None:
    stacked = posterior.stacked("weights")
    assert stacked.shape == (posterior.n_draws, 5, 2)
    np.testing.assert_array_equal(stacked[20], posterior.draws["weights"][1, 0])
    with pytest.raises(UsageError, match="no 'eta'"):
        posterior.stacked("eta")


def test_thin_keeps_every_chain(posterior: StoredPosterior) -> None:
    thinned = posterior.thin(10)
    assert (thinned.sizes["chain"], thinned.sizes["draw"]) == (2, 5)
    np.testing.assert_array_equal(
        thinned.draws["ability"], posterior.draws["ability"][:, [2, 6, 10, 14, 18]]
    )
    assert thinned.sample_stats["energy"].shape == (2, 5)
    assert thinned.sample_stats["loss"].shape == (7,)
    assert posterior.thin(1).n_draws == 2
    assert posterior.thin(1000) is posterior
    with pytest.raises(UsageError, match="at least 1"):
        posterior.thin(0)


def test_faulty_draws_are_named(posterior: StoredPosterior) -> None:
    def changed(**draws: object) -> dict[str, object]:
        return {k: v for k, v in {**posterior.draws, **draws}.items() if v is not None}

    short = posterior.draws["loading"][..., :-1]
    bad = posterior.draws["loading"].copy()
    bad[0, 0, 0] = np.inf
    for draws, message in (
        (changed(loading=None), "no draws of loading"),
        (changed(loading=short), r"loading has shape \(2, 20, 4\), expected \(2, 20, 5\)"),
        (changed(eta=short), "unknown quantity 'eta'"),
        (changed(loading=bad), "loading holds numbers that are not finite"),
    ):
        with pytest.raises(DataError, match=message):
            replace(posterior, draws=draws)
    with pytest.raises(DataError, match="different benchmarks"):
        replace(posterior, matrix=make_matrix(0, 6, 4))


def test_the_repr_is_short_and_says_what_it_is(posterior: StoredPosterior) -> None:
    text = repr(posterior)
    assert len(text) < 2000
    assert "6 models x 5 benchmarks" in text and "cross-fits (nuts)" in text and "slow" in text
    assert "not recalibrated" in repr(replace(posterior, calibration=None))
