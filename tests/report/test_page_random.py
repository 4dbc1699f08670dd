"""The page's random numbers are the same in Python."""

import json
import subprocess

import numpy as np

from bayesbench.report.page_random import page_normals
from tests.report.test_pack import ENGINE

RUN = """
const { generator } = await import(process.argv[1]);
const draws = [0, 7, 1000099].map((seed) => Array.from(generator(seed).normal(500)));
process.stdout.write(JSON.stringify(draws));
"""


def test_normals_are_those_of_javascript():
    done = subprocess.run(
        ["node", "--input-type=module", "-e", RUN, ENGINE.as_uri()],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    ours = page_normals(np.array([0, 7, 1000099]), 500)
    np.testing.assert_allclose(ours, json.loads(done.stdout), rtol=1e-13, atol=1e-15)


def test_neighbouring_seeds_give_unrelated_normals():
    many = page_normals(1_000_000 + np.arange(200), 400)
    assert many.shape == (200, 400)
    assert abs(many.mean()) < 4 / np.sqrt(many.size)
    assert abs(many.var() - 1) < 4 * np.sqrt(2 / many.size)
    related = np.corrcoef(many)[np.triu_indices(200, 1)]
    assert abs(related.mean()) < 4 / np.sqrt(400 * related.size)
    assert np.abs(related).max() < 6 / np.sqrt(400)
