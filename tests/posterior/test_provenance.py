from __future__ import annotations

import json
import math

import numpy as np

from bayesbench.posterior.provenance import Provenance


def test_it_comes_back_from_json_as_plain_data() -> None:
    config = {"steps": np.int64(5), "rates": (0.1,)}
    made = Provenance("svi", config, 1, "ab", {"jax": "0.7"}, "2026-01-02", 2.5)
    again = Provenance.from_json(made.to_json())
    assert (again.method, again.seed, again.data_hash, again.wall_s) == ("svi", 1, "ab", 2.5)
    assert again.config == {"steps": 5, "rates": [0.1]}
    assert (again.versions, again.created) == ({"jax": "0.7"}, "2026-01-02")


def test_a_time_that_is_not_finite_is_null_and_nan_again() -> None:
    made = Provenance("svi", {}, 1, "ab", wall_s=math.inf)
    assert json.loads(made.to_json())["wall_s"] is None
    assert math.isnan(Provenance.from_json(made.to_json()).wall_s)
