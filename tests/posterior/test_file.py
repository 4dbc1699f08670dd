from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from bayesbench.errors import PosteriorFileError
from bayesbench.front.posterior import Posterior
from bayesbench.low_rank.families import BenchmarkFamilies
from bayesbench.low_rank.spec import ModelSpec, Priors
from bayesbench.posterior.stored import DRAW_DIMS, StoredPosterior
from bayesbench.posterior.unseen import seen_effects
from tests.factories import make_posterior

BARE = ModelSpec(
    rank=0, student_t=False, model_noise=False, covariates=(), groups=(),
    priors=Priors(nu_grid=(3.0, 4.5)),
)  # fmt: skip


@pytest.fixture(scope="module")
def file(posterior: StoredPosterior, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("posterior") / "fit.nc"
    posterior.save(path)
    return path


def assert_same(a: StoredPosterior, b: StoredPosterior) -> None:
    assert set(a.draws) == set(b.draws)
    for name in a.draws:
        np.testing.assert_array_equal(a.draws[name], b.draws[name])
    kept = [{} if one.calibration is None else one.calibration.to_arrays() for one in (a, b)]
    for left, right in ((a.sample_stats, b.sample_stats), kept):
        for name in left:
            np.testing.assert_array_equal(left[name], right[name])
        assert set(left) == set(right)
    if a.calibration is not None:
        assert b.calibration is not None
        for name in ("engine", "features", "version"):
            assert getattr(a.calibration, name) == getattr(b.calibration, name)
    assert a.spec == b.spec
    assert a.provenance.to_json() == b.provenance.to_json()
    assert a.diagnostics.to_json() == b.diagnostics.to_json()
    assert a.matrix.data_hash == b.matrix.data_hash
    assert a.matrix.models.equals(b.matrix.models)
    assert a.matrix.benchmarks.equals(b.matrix.benchmarks)
    for name in ("x", "groups", "group_kind", "location", "scale"):
        np.testing.assert_array_equal(getattr(a.features, name), getattr(b.features, name))
    for name in ("covariate_names", "group_names", "kinds", "model_ids"):
        assert getattr(a.features, name) == getattr(b.features, name)
    z = np.linspace(-2, 2, a.matrix.shape[1])
    np.testing.assert_array_equal(a.transform.to_score(z), b.transform.to_score(z))


def test_file_returns_what_was_saved(posterior: StoredPosterior, file: Path) -> None:
    assert_same(posterior, Posterior.load(file))


def test_bare_model_returns_what_was_saved(tmp_path: Path) -> None:
    posterior = make_posterior(seed=1, spec=BARE, n_draws=6)
    assert set(posterior.draws) & {"weights", "nu", "coefficients", "noise_model"} == set()
    posterior.save(tmp_path / "bare.nc")
    assert_same(posterior, Posterior.load(tmp_path / "bare.nc"))


def test_a_file_from_before_ends_and_item_noise_says_so(tmp_path: Path) -> None:
    """Its fit took every score at face value, whatever is the default now."""
    made = make_posterior(seed=1, n_draws=6)
    spec = replace(made.spec, censored=True, item_noise=0.5)
    replace(made, spec=spec).save(tmp_path / "new.nc")
    assert Posterior.load(tmp_path / "new.nc").spec == spec
    with h5py.File(tmp_path / "new.nc", "r+") as file:
        own = file["bayesbench"].attrs
        stored = json.loads(own["spec"])
        del stored["censored"], stored["item_noise"]
        own["spec"] = json.dumps(stored)
    before = Posterior.load(tmp_path / "new.nc").spec
    assert before == replace(made.spec, censored=False, item_noise=0.0)


def test_opens_in_xarray_with_labels(posterior: StoredPosterior, file: Path) -> None:
    with xr.open_datatree(file, engine="h5netcdf") as tree:
        assert set(tree.children) == {
            "posterior", "sample_stats", "observed_data", "constant_data", "bayesbench",
        }  # fmt: skip
        drawn = tree["posterior"].dataset
        for name, value in posterior.draws.items():
            assert drawn[name].dims == ("chain", "draw", *DRAW_DIMS[name])
            np.testing.assert_array_equal(drawn[name], value)
        assert drawn["model"].to_numpy().tolist() == list(posterior.model_ids)
        score = tree["observed_data"]["score"].sel(model="model_1", benchmark="bench_1")
        assert float(score) == posterior.matrix.values[1, 1]
        rhat = tree["bayesbench"]["diagnostics_rhat_eta"]
        np.testing.assert_array_equal(rhat, posterior.diagnostics.arrays["rhat_eta"])


def test_arviz_summarises_the_tree(posterior: StoredPosterior) -> None:
    stats = pytest.importorskip("arviz_stats", reason="arviz-stats is not installed")
    rhat = stats.rhat(posterior.to_datatree(), var_names=["loading"])
    assert np.isfinite(rhat["loading"]).all()


def test_packing_loses_no_more_than_it_states(tmp_path: Path) -> None:
    posterior = make_posterior(seed=2, n_models=40, n_benchmarks=30, rank=4, n_draws=400)
    posterior.save(tmp_path / "full.nc")
    posterior.save(tmp_path / "packed.nc", pack=True)
    assert os.path.getsize(tmp_path / "packed.nc") < 0.8 * os.path.getsize(tmp_path / "full.nc")
    packed = Posterior.load(tmp_path / "packed.nc")
    with h5py.File(tmp_path / "packed.nc") as raw:
        stated = json.loads(raw["bayesbench"].attrs["packing_error"])
    assert {"weights", "group_benchmark", "factors"} <= set(stated)
    members = posterior.families.members
    seen = seen_effects(posterior.matrix.observed, posterior.features.groups, members)
    for name, value in posterior.draws.items():
        kept = seen.get(name, np.ones(value.shape[2:], dtype=bool))
        error = np.abs(packed.draws[name] - value)[..., kept].max()
        if name in stated:
            assert error <= stated[name] * 1.001
            assert stated[name] <= value.std() / 250
        else:
            assert error == 0
    assert (packed.draws["noise_benchmark"] > 0).all()
    with xr.open_datatree(tmp_path / "packed.nc", engine="h5netcdf") as tree:
        np.testing.assert_allclose(tree["posterior"]["weights"], packed.draws["weights"], atol=1e-6)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.9, 0.999])
def test_truncated_file(file: Path, tmp_path: Path, share: float) -> None:
    content = file.read_bytes()
    cut = tmp_path / "cut.nc"
    cut.write_bytes(content[: int(share * len(content))])
    with pytest.raises(PosteriorFileError, match=r"cut\.nc: ") as caught:
        Posterior.load(cut)
    assert "\n" not in str(caught.value)


def test_flipped_byte_is_found_or_harmless(file: Path, tmp_path: Path) -> None:
    content = bytearray(file.read_bytes())
    damaged = tmp_path / "damaged.nc"
    found = 0
    for at in np.random.default_rng(0).integers(0, len(content), 20):
        changed = bytearray(content)
        changed[at] ^= 0xFF
        damaged.write_bytes(changed)
        try:
            Posterior.load(damaged)
        except PosteriorFileError as error:
            found += 1
            assert "\n" not in str(error)
    assert found > 0


def test_missing_directory_and_foreign_files(tmp_path: Path) -> None:
    with pytest.raises(PosteriorFileError, match="no such file"):
        Posterior.load(tmp_path / "none.nc")
    with pytest.raises(PosteriorFileError, match="not a file"):
        Posterior.load(tmp_path)
    (tmp_path / "text.nc").write_text("model,score\n")
    with pytest.raises(PosteriorFileError, match="not a bayesbench posterior"):
        Posterior.load(tmp_path / "text.nc")
    xr.Dataset({"a": 1}).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    with pytest.raises(PosteriorFileError, match="not a bayesbench posterior"):
        Posterior.load(tmp_path / "other.nc")


def test_newer_format(posterior: StoredPosterior, tmp_path: Path) -> None:
    posterior.save(tmp_path / "new.nc")
    with h5py.File(tmp_path / "new.nc", "a") as raw:
        raw["bayesbench"].attrs["format_version"] = 99
    with pytest.raises(PosteriorFileError, match=r"format 99 is newer than 2.*update bayesbench"):
        Posterior.load(tmp_path / "new.nc")


@pytest.mark.parametrize("gone", ["posterior/loading", "constant_data", "observed_data/score"])
def test_part_missing(posterior: StoredPosterior, tmp_path: Path, gone: str) -> None:
    posterior.save(tmp_path / "part.nc")
    with h5py.File(tmp_path / "part.nc", "a") as raw:
        del raw[gone]
    if gone == "observed_data/score":  # a view for ArviZ; the readings hold the scores
        assert Posterior.load(tmp_path / "part.nc").matrix.n_cells == posterior.matrix.n_cells
    else:
        with pytest.raises(PosteriorFileError, match="truncated, damaged"):
            Posterior.load(tmp_path / "part.nc")


def test_interrupted_save_leaves_the_old_file(
    posterior: StoredPosterior, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "fit.nc"
    posterior.save(path)
    before = path.read_bytes()

    def interrupted(self: Path, held: bytes) -> None:
        with self.open("wb") as stream:
            stream.write(held[:100])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        posterior.save(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["fit.nc"]


def test_save_into_a_missing_directory(posterior: StoredPosterior, tmp_path: Path) -> None:
    with pytest.raises(PosteriorFileError, match="cannot be written"):
        posterior.save(tmp_path / "none" / "fit.nc")


def test_loading_needs_neither_jax_nor_xarray(file: Path) -> None:
    code = (
        "import sys; from bayesbench.front.posterior import Posterior; "
        f"Posterior.load({str(file)!r}); "
        "print([m for m in ('jax', 'numpyro', 'xarray', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_effects_on_families_of_benchmarks_survive_the_file(tmp_path: Path) -> None:
    bare = make_posterior(n_draws=20)
    (m, b), lead = bare.matrix.shape, bare.draws["ability"].shape[:2]
    members = np.zeros((b, 2))
    members[[0, 3], 0] = members[[1, 2], 1] = 1.0
    rng = np.random.default_rng(5)
    fitted = replace(
        bare,
        draws={
            **bare.draws,
            "family": rng.normal(size=(*lead, m, 2)),
            "scale_family": rng.random(lead),
        },
        families=BenchmarkFamilies(("aime", "swe"), members),
    )
    fitted.save(tmp_path / "fit.nc")
    back = Posterior.load(tmp_path / "fit.nc")
    assert_same(fitted, back)
    assert back.families.names == ("aime", "swe")
    np.testing.assert_array_equal(back.families.members, members)


def test_a_calibration_of_the_first_version_is_one_line_with_the_remedy(
    file: Path, tmp_path: Path
) -> None:
    """Files with one do not say how it was learned, and hold other arrays."""
    old = tmp_path / "old.nc"
    old.write_bytes(file.read_bytes())
    with h5py.File(old, "r+") as raw:
        del raw["bayesbench"].attrs["calibration"]
        del raw["bayesbench"]["calibration_cells_shift"]
    with pytest.raises(PosteriorFileError, match=r"old\.nc: .*version 1 is not 2.*fit the post"):
        Posterior.load(old)


@pytest.mark.parametrize("change", [{"version": 99}, {"features": ["log_spread"]}])
def test_a_calibration_of_another_version_is_one_line_with_the_remedy(
    file: Path, tmp_path: Path, change: dict[str, object]
) -> None:
    other = tmp_path / "other.nc"
    other.write_bytes(file.read_bytes())
    with h5py.File(other, "r+") as raw:
        about = json.loads(raw["bayesbench"].attrs["calibration"])
        raw["bayesbench"].attrs["calibration"] = json.dumps({**about, **change})
    with pytest.raises(PosteriorFileError, match=r"other\.nc: .*fit the posterior again") as error:
        Posterior.load(other)
    assert "\n" not in str(error.value)
