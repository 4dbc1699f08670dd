"""The matrix as text: what is asked for, what is shown."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd

from bayesbench.evaluation import export_prompt
from bayesbench.scores.matrix import ScoreMatrix
from bayesbench.scores.splits import per_model_folds


def test_export_prompt(dated_matrix: ScoreMatrix) -> None:
    split = per_model_folds(dated_matrix, 3, 0)[0]
    text = export_prompt(dated_matrix, split)
    back = pd.read_csv(io.StringIO(text), index_col=0, dtype=str, keep_default_na=False)
    assert tuple(back.index) == dated_matrix.model_ids and back.index.name == "model_id"
    asked = back.to_numpy() == "?"
    np.testing.assert_array_equal(asked, split.mask(dated_matrix.shape))
    train = dated_matrix.mask(asked)
    shown = back.mask(back.isin(["?", ""])).astype(float).to_numpy()
    np.testing.assert_allclose(shown, train.values)
    assert "?" not in export_prompt(dated_matrix)
