"""What the low-rank model contains: its parts, each with a switch, and their priors.

Priors stand in one place with their reason. All scales are on the latent scale, where every
benchmark has been centred and divided by its (shrunken) spread, so a spread of 1 is typical.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from ..errors import UsageError

__all__ = ["ModelSpec", "Priors"]

READINGS = ("all", "first")


@dataclass(frozen=True)
class Priors:
    """Priors of the low-rank model; ``InvGamma(1, b)`` on each squared scale.

    Attributes
    ----------
    coefficient_sd : float
        Covariates are standardised; a one-sd change moves a latent by at most about one sd.
    mean_loading, mean_loading_sd : float
        Benchmarks share one ability: a standardised column loads near 0.8 on it.
    bias_b, loading_b, factor_b, group_latent_b, group_benchmark_b, family_b : float
        Scale of the inverse-gamma on each squared scale: small, so that a part that does not
        help shrinks to nothing, heavy-tailed, so that one that does is not held back.
    noise_shape : float
        Shape of the inverse-gamma on a benchmark's noise variance: weak pooling to the level.
    noise_level_shape, noise_level_rate : float
        Gamma prior of the shared noise variance (mean 0.25 of a column's variance).
    noise_level_least : float
        The shared noise variance is at least this, whatever the columns: exact or constant ones
        would draw it, and their own noise, to zero. (Above it the gamma has 0.99997 of its mass.)
    noise_model_shape : float
        Shape (= scale) of the inverse-gamma on a model's noise variance; near 1.
    nu_grid : tuple of float
        Degrees of freedom of the Student-t noise, uniform on the grid.

    Examples
    --------
    >>> Priors(nu_grid=(20.0,)).nu_grid  # nearly normal noise
    (20.0,)
    """

    coefficient_sd: float = 0.7
    mean_loading: float = 0.8
    mean_loading_sd: float = 0.3
    bias_b: float = 0.1
    loading_b: float = 0.05
    factor_b: float = 0.05
    group_latent_b: float = 0.1
    group_benchmark_b: float = 0.1
    family_b: float = 0.05
    noise_shape: float = 2.5
    noise_level_shape: float = 2.0
    noise_level_rate: float = 8.0
    noise_level_least: float = 1e-3
    noise_model_shape: float = 6.0
    nu_grid: tuple[float, ...] = (2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 20.0)


@dataclass(frozen=True)
class ModelSpec:
    """Which parts the low-rank model has; every part can be switched off.

    Attributes
    ----------
    rank : int
        Number of latent factors K beside the general ability; 0 gives the one-ability model.
    student_t : bool
        Student-t noise (else normal).
    model_noise : bool
        A noise scale per model beside the one per benchmark.
    heavy_loadings : bool
        Student-t(4) prior on the factor weights (else normal).
    covariates : tuple of str
        Covariates of the latents: ``release_date``, ``reasoning``, ``open_weights``, ``params_b``.
    groups : tuple of str
        Groupings of models whose effects enter: ``provider``, ``lineage`` (read from model ids).
    group_latents, group_benchmarks : bool
        Group effects on the latents, and group x benchmark effects.
    families : bool
        Model x benchmark-family effects (families are read from benchmark ids).
    censored : bool
        A reading within half an item of an end of its scale says "this or beyond" (else it is
        taken at face value).
    item_noise : float
        Share of the binomial variance of a benchmark's items that counts as noise of a reading
        without a standard error of its own, beside the noise that is fitted; 0 is none.
    readings : str
        ``"all"`` readings of a cell enter the fit, with reporting noise that is new in every
        reading (see `low_rank.readings`), or the ``"first"`` alone, without it.
    priors : Priors

    Raises
    ------
    UsageError
        The rank is below 0, `item_noise` is not a finite number of at least 0, or `readings` is
        neither of the two.

    Examples
    --------
    >>> spec = ModelSpec(rank=2, covariates=())
    >>> spec.rank, spec.student_t
    (2, True)
    """

    rank: int = 6
    student_t: bool = True
    model_noise: bool = True
    heavy_loadings: bool = True
    covariates: tuple[str, ...] = ("release_date", "reasoning", "open_weights")
    groups: tuple[str, ...] = ("provider", "lineage")
    group_latents: bool = True
    group_benchmarks: bool = True
    families: bool = True
    censored: bool = True
    item_noise: float = 0.0
    readings: str = "first"
    priors: Priors = field(default_factory=Priors)

    def __post_init__(self) -> None:
        if self.rank < 0:
            raise UsageError(f"rank must be 0 or more, got {self.rank}")
        if not (math.isfinite(self.item_noise) and self.item_noise >= 0):
            raise UsageError(f"item_noise must be 0 or more, got {self.item_noise}")
        if self.readings not in READINGS:
            raise UsageError(f"readings must be {' or '.join(READINGS)}, got {self.readings!r}")
