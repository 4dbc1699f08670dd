from __future__ import annotations

import json

import pandas as pd

from bayesbench.jsonable import json_text
from bayesbench.scores import open_scores
from bayesbench.scores.plain_tables import from_plain, to_plain


def test_a_table_comes_back_with_its_types() -> None:
    matrix = open_scores()
    for key, frame in (("model_id", matrix.models), ("benchmark_id", matrix.benchmarks)):
        plain = json.loads(json_text(to_plain(frame)))
        again = from_plain(plain, [str(own) for own in frame.index], key)
        pd.testing.assert_frame_equal(again, frame)


def test_kinds() -> None:
    frame = pd.DataFrame(
        {
            "a": pd.array(["x", None], dtype="str"),
            "b": [1.0, float("nan")],
            "c": pd.array([True, None], dtype="boolean"),
            "d": [True, False],
        },
        index=pd.Index(["i", "j"], name="key", dtype="str"),
    )
    assert to_plain(frame) == {
        "a": {"kind": "text", "values": ["x", None]},
        "b": {"kind": "float", "values": [1.0, None]},
        "c": {"kind": "boolean", "values": [True, None]},
        "d": {"kind": "bool", "values": [True, False]},
    }
