"""Blocked Gibbs sampling of the low-rank model: the fast exact engine.

One compiled block of kept draws serves warm-up and sampling, every chain (by ``vmap``), every fold
of a shape, and every seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, random
from numpy.typing import NDArray

from ....config import usable_cores
from ....low_rank.density import TrainingData
from ....low_rank.spec import ModelSpec
from ....progress import Report
from ...chains import run_all
from ...compilation import its_turn, one_compilation, use_compilation_cache
from ..contract import Draws, Problem
from .state import GibbsData, GibbsEnds, GibbsShape, GibbsState, initial_state
from .sweep import sweep

__all__ = [
    "GibbsSampler",
    "compiled_sampler",
    "gibbs_data",
    "gibbs_shape",
    "named_draws",
    "sample_gibbs",
    "sweeps_in_all",
]


BLOCK_DRAWS = 25
"""Kept draws per compiled block: long enough to hide the call, short enough for a progress bar."""
PADDING = 256
"""Readings are padded to a multiple of this, so that folds of a few cells more share a program."""
PADDING_ENDS = 32
"""The same for readings at an end of their scale."""


def gibbs_shape(data: TrainingData, spec: ModelSpec, n_readings: int | None = None) -> GibbsShape:
    """Static shape of a problem; `n_readings` pads the readings so that folds share a shape."""
    kinds: list[tuple[int, int]] = []
    for kind in range(data.n_kinds):
        columns = np.flatnonzero(data.group_kind == kind)
        kinds.append((int(columns[0]), int(columns[-1]) + 1))
    n_ends = int(np.count_nonzero(data.beyond))
    return GibbsShape(
        n_models=data.n_models,
        n_benchmarks=data.n_benchmarks,
        n_readings=n_readings or data.n_cells,
        n_covariates=data.x.shape[1],
        n_families=data.families.shape[1],
        kinds=tuple(kinds),
        missing_covariates=bool(np.isnan(data.x).any()),
        spec=spec,
        errors=bool(data.error.any()),
        n_ends=-(-n_ends // PADDING_ENDS) * PADDING_ENDS,
    )


def gibbs_data(data: TrainingData, shape: GibbsShape) -> GibbsData:
    """Arrays of a problem, its readings padded to the shape's number."""
    pad = shape.n_readings - data.n_cells

    def padded(values: NDArray[Any], dtype: Any) -> Array:
        return jnp.asarray(np.concatenate([values, np.zeros(pad)]).astype(dtype))

    return GibbsData(
        z=padded(data.z, np.float32),
        row=padded(data.row, np.int32),
        col=padded(data.col, np.int32),
        present=padded(np.ones(data.n_cells), np.float32),
        error=padded(data.error, np.float32),
        ends=_ends(data, shape),
        x=jnp.asarray(np.nan_to_num(data.x), jnp.float32),
        x_missing=jnp.asarray(np.isnan(data.x), jnp.float32),
        groups=jnp.asarray(
            np.stack([_codes(data.groups[:, first:last]) for first, last in shape.kinds])
            if shape.kinds
            else np.zeros((0, data.n_models)),
            jnp.int32,
        ),
        families=jnp.asarray(_codes(data.families), jnp.int32),
    )


def _ends(data: TrainingData, shape: GibbsShape) -> GibbsEnds:
    reading = np.flatnonzero(data.beyond)
    pad = (0, shape.n_ends - reading.size)
    return GibbsEnds(
        jnp.asarray(np.pad(reading, pad, constant_values=shape.n_readings), jnp.int32),
        jnp.asarray(np.pad(data.beyond[reading], pad), jnp.float32),
        jnp.asarray(np.pad(data.z[reading], pad), jnp.float32),
    )


def _codes(members: NDArray[np.float64]) -> NDArray[np.int64]:
    """Number of each row's only group; the number of groups where it has none."""
    size = members.shape[1]
    none = np.full((len(members), 1), 0.5)
    return np.asarray(np.argmax(np.concatenate([members, none], axis=1), axis=1).clip(0, size))


def named_draws(states: GibbsState, shape: GibbsShape) -> dict[str, Array]:
    """States under the posterior's names; variances become scales, absent parts are left out."""
    spec = shape.spec
    draws = {
        "benchmark_bias": states.bias,
        "loading": states.slopes[..., 0],
        "ability": states.latents[..., 0],
        "noise_benchmark": jnp.sqrt(states.noise_benchmark),
        "scale_bias": jnp.sqrt(states.var_bias),
        "scale_loading": jnp.sqrt(states.var_loading),
        "mean_loading": states.mean_loading,
        "noise_level": states.noise_level,
    }
    if spec.rank:
        draws |= {
            "weights": states.slopes[..., 1:],
            "factors": states.latents[..., 1:],
            "scale_factor": jnp.sqrt(states.var_factor),
        }
    if shape.n_covariates:
        draws["coefficients"] = states.coefficients
    if shape.kinds and spec.group_latents:
        draws["group_latent"] = states.group_latent
        draws["scale_group_latent"] = jnp.sqrt(states.var_group_latent)
    if shape.kinds and spec.group_benchmarks:
        draws["group_benchmark"] = states.group_benchmark
        draws["scale_group_benchmark"] = jnp.sqrt(states.var_group_benchmark)
    if shape.n_families:
        draws["family"] = states.family
        draws["scale_family"] = jnp.sqrt(states.var_family)
    if spec.model_noise:
        draws["noise_model"] = jnp.sqrt(states.noise_model)
    if spec.student_t:
        draws["nu"] = states.nu
    return draws


@dataclass(frozen=True)
class GibbsSampler:
    """A compiled sampler for one shape.

    Attributes
    ----------
    shape : GibbsShape
    thin : int
        Sweeps per kept draw.
    """

    shape: GibbsShape
    thin: int

    @cached_property
    def _block(self) -> Callable[..., tuple[GibbsState, dict[str, Array]]]:
        shape, thin = self.shape, self.thin

        def one_chain(
            key: Array, state: GibbsState, data: GibbsData
        ) -> tuple[GibbsState, dict[str, Array]]:
            def kept(state: GibbsState, key: Array) -> tuple[GibbsState, dict[str, Array]]:
                def step(
                    carry: tuple[GibbsState, Array], key: Array
                ) -> tuple[tuple[GibbsState, Array], None]:
                    state, info = sweep(key, carry[0], data, shape)
                    return (state, info.log_likelihood), None

                keys = random.split(key, thin)
                (state, log_likelihood), _ = jax.lax.scan(step, (state, jnp.zeros(())), keys)
                draws = named_draws(state, shape)
                return state, {**draws, "log_likelihood": log_likelihood}

            return jax.lax.scan(kept, state, random.split(key, BLOCK_DRAWS))

        return jax.jit(jax.vmap(one_chain, in_axes=(0, 0, None)))

    @cached_property
    def _start(self) -> Callable[[Array], GibbsState]:
        return jax.jit(jax.vmap(partial(initial_state, shape=self.shape)))

    @cached_property
    def _programs(self) -> dict[int, Callable[..., tuple[GibbsState, dict[str, Array]]]]:
        return {}

    def _program(self, chains: int, data: GibbsData) -> Callable[..., Any]:
        """The compiled block for so many chains side by side."""
        if chains not in self._programs:
            with one_compilation():
                if chains not in self._programs:  # another thread may have been first
                    keys = random.split(random.PRNGKey(0), chains)
                    lowered = self._block.lower(keys, self._start(keys), data)  # type: ignore[attr-defined]
                    self._programs[chains] = lowered.compile()
        return self._programs[chains]

    def run(
        self,
        data: GibbsData,
        *,
        seed: int,
        chains: int,
        warmup: int,
        draws: int,
        report: Report | None = None,
    ) -> dict[str, NDArray[np.float32]]:
        """Kept draws by name, (chain, draw, ...).

        Parameters
        ----------
        data : GibbsData
        seed : int
        chains : int
            As many side by side in one program (``vmap``) as the cores leave for each thread.
        warmup : int
            Sweeps thrown away, rounded up to whole blocks.
        draws : int
            Draws kept per chain.
        report : Report, optional
            Told how many sweeps are done, of how many, over all chains.
        """
        use_compilation_cache()
        discarded, kept = _blocks(warmup, draws, self.thin)
        groups = _chain_groups(chains)
        width, size = len(groups[0]), _largest_array(self.shape)
        work = width * sweeps_in_all(warmup, draws, self.thin)

        def one_group(group: list[int], report: Report) -> dict[str, NDArray[np.float32]]:
            report(0, work, "compiling")
            program = self._program(width, data)
            report(0, work)
            keys = [random.fold_in(random.PRNGKey(seed), chain) for chain in group]
            own, fold = jnp.stack(keys), jax.vmap(random.fold_in, in_axes=(0, None))
            with its_turn(size):
                state = jax.block_until_ready(self._start(fold(own, 0)))
            blocks: list[dict[str, NDArray[np.float32]]] = []
            for index in range(discarded + kept):
                step = fold(own, 1 + index)
                with its_turn(size):
                    state, block = jax.block_until_ready(program(step, state, data))
                if index >= discarded:
                    blocks.append({name: np.asarray(value) for name, value in block.items()})
                report((1 + index) * width * BLOCK_DRAWS * self.thin, work)
            return {
                name: np.concatenate([block[name] for block in blocks], axis=1)[:, :draws]
                for name in blocks[0]
            }

        parts = run_all([partial(one_group, group) for group in groups], work=work, report=report)
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _blocks(warmup: int, draws: int, thin: int) -> tuple[int, int]:
    """Blocks thrown away, and blocks kept."""
    return -(-warmup // (BLOCK_DRAWS * thin)), -(-draws // BLOCK_DRAWS)


def sweeps_in_all(warmup: int, draws: int, thin: int) -> int:
    """Sweeps of one chain, warm-up included: whole blocks."""
    return sum(_blocks(warmup, draws, thin)) * BLOCK_DRAWS * thin


@lru_cache(maxsize=8)
def compiled_sampler(shape: GibbsShape, thin: int) -> GibbsSampler:
    """The sampler of a shape, compiled at its first run and kept for the next fits."""
    return GibbsSampler(shape, thin)


def _largest_array(shape: GibbsShape) -> int:
    """Numbers in the largest array of a sweep of one chain."""
    models, benchmarks, latents = shape.n_models, shape.n_benchmarks, shape.n_latents
    precisions = max(models * latents**2, benchmarks * (latents + 1) ** 2)
    return max(models * benchmarks, precisions, 4 * shape.n_readings)


def _chain_groups(chains: int) -> list[list[int]]:
    """Chains of every thread: equal groups, so that one program serves all."""
    threads = min(chains, usable_cores())
    while chains % threads:
        threads -= 1
    size = chains // threads
    return [list(range(start, start + size)) for start in range(0, chains, size)]


def sample_gibbs(
    problem: Problem,
    *,
    chains: int,
    warmup: int,
    draws: int,
    thin: int,
    seed: int,
    report: Report | None = None,
) -> Draws:
    """Draw from the posterior by blocked Gibbs sampling.

    Parameters
    ----------
    problem : Problem
    chains : int
    warmup : int
        Sweeps thrown away.
    draws : int
        Kept per chain, one sweep in `thin`.
    thin : int
    seed : int
    report : Report, optional
        Told the sweeps done, of how many, over all chains.

    Returns
    -------
    Draws
        ``log_likelihood`` of every kept draw among the statistics.
    """
    readings = max(problem.n_readings, problem.data.n_cells)
    shape = gibbs_shape(problem.data, problem.spec, -(-readings // PADDING) * PADDING)
    values = compiled_sampler(shape, thin).run(
        gibbs_data(problem.data, shape),
        seed=seed,
        chains=chains,
        warmup=warmup,
        draws=draws,
        report=report,
    )
    stats = {"log_likelihood": values.pop("log_likelihood")}
    return Draws(values, stats)
