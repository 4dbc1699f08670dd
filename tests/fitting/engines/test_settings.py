"""Settings of the engines, each for itself; what they share is in `test_contract`."""

from __future__ import annotations

import pytest

from bayesbench.errors import UsageError
from bayesbench.fitting.engines.settings import NUTS, SVI, Gibbs


@pytest.mark.parametrize(
    ("n_cells", "warmup", "thin"), [(0, 3200, 100), (20_000, 3200, 100), (40_000, 1600, 50),
                                    (10_000_000, 800, 8)],
)  # fmt: skip
def test_large_matrices_take_fewer_sweeps(n_cells: int, warmup: int, thin: int) -> None:
    suited = Gibbs.suited_to(n_cells)
    assert (suited.warmup, suited.thin) == (warmup, thin)
    assert (suited.chains, suited.draws) == (Gibbs().chains, Gibbs().draws)
    assert Gibbs.suited_to(n_cells, thin=3, chains=1).thin == 3


def test_cross_fits_are_what_recalibrations_were_learned_with() -> None:
    assert Gibbs().lighter() == Gibbs(chains=1, warmup=800, draws=300, thin=8)
    assert NUTS(target_accept=0.9).lighter() == NUTS(
        chains=1, warmup=300, draws=400, target_accept=0.9, max_tree_depth=8
    )
    assert NUTS(max_tree_depth=5).lighter().max_tree_depth == 5
    assert SVI(steps=900).lighter() == SVI(steps=900, draws=400)


@pytest.mark.parametrize("make", [
    lambda: NUTS(target_accept=1.0), lambda: SVI(learning_rate=0.0), lambda: Gibbs(thin=0),
])  # fmt: skip
def test_settings_that_cannot_be_are_refused(make: object) -> None:
    with pytest.raises(UsageError, match=r"target_accept|learning_rate|thin"):
        make()  # type: ignore[operator]
