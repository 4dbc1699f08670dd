"""Arrays that travel in the page come back to the step of their scale."""

import base64
import json
import subprocess

import numpy as np
import pytest

from bayesbench.report.encoding import BYTE, WORD, as_floats, in_steps, seen_only
from tests.report.test_pack import ENGINE

RUN = """
import { readFileSync } from "node:fs";
const engine = await import(process.argv[1]), given = JSON.parse(readFileSync(0, "utf8"));
const values = engine.unpack(given), scale = (s, i) => 10 * (s + 1) + i;
const all = engine.withUnseen(values, given.seen, 2, 6, 40, scale);
process.stdout.write(JSON.stringify({ all: Array.from(all),
  z: [40, 41].map((seed) => Array.from(engine.generator(seed).normal(2))) }));
"""


@pytest.mark.parametrize("kind", [BYTE, WORD])
def test_steps_are_read_back_to_half_a_step(kind):
    value = np.random.default_rng(1).normal(size=(3, 50)).astype(np.float32)
    packed, read = in_steps(value, kind)
    whole = np.frombuffer(base64.b64decode(packed["data"]), kind).reshape(value.shape)
    back = packed["offset"] + packed["scale"] * whole.astype(np.float64)
    np.testing.assert_allclose(back, read, rtol=1e-6, atol=1e-6)
    assert np.abs(read - value).max() <= 0.5001 * packed["scale"]
    again, same = in_steps(read, kind)
    assert again["data"] == packed["data"] and np.abs(same - read).max() < 1e-6
    assert set(as_floats(value)) == {"data"}


def test_effects_without_a_score_are_drawn_again_with_their_scale():
    value = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    seen = np.array([[True, False, True], [False, True, True]])
    packed, read = seen_only(value, seen, WORD)
    assert read.shape == (2, 4)
    done = subprocess.run(
        ["node", "--input-type=module", "-e", RUN, ENGINE.as_uri()],
        input=json.dumps(packed), capture_output=True, text=True, check=True,
    )  # fmt: skip
    got = json.loads(done.stdout)
    everything = np.reshape(got["all"], (2, 2, 3))
    np.testing.assert_allclose(everything[:, seen], value[:, seen], atol=1e-3)
    scale = np.array([[11.0, 13.0], [21.0, 23.0]])
    np.testing.assert_allclose(everything[:, ~seen], np.array(got["z"]) * scale, rtol=1e-6)
