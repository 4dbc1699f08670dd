"""The low-rank model as it ships: fitted with the defaults of `fit`, as a user would."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ...errors import BayesbenchWarning, UsageError
from ...fitting.engines.settings import ENGINES
from ...fitting.fit import fit
from ...front.posterior import Posterior
from ...low_rank.spec import ModelSpec
from ...scores.matrix import ScoreMatrix
from .options import field_names, only_known

__all__ = ["UserFit"]

ENGINE_OF: Mapping[str, str] = {
    "low-rank": "gibbs",
    "low-rank-nuts": "nuts",
    "low-rank-svi": "svi",
}


@dataclass(frozen=True)
class UserFit:
    """How a user fits: `fit` with its defaults, but for what the options of a method say.

    Attributes
    ----------
    engine : str
        As ``bayesbench fit --method``.
    settings : tuple of (str, int)
        Of the engine; what is not named suits the number of scores.
    spec : ModelSpec
    calibrate : bool
    seed : int
    """

    engine: str = "gibbs"
    settings: tuple[tuple[str, Any], ...] = ()
    spec: ModelSpec = field(default_factory=ModelSpec)
    calibrate: bool = True
    seed: int = 0

    @classmethod
    def built(cls, name: str, options: Mapping[str, Any]) -> UserFit:
        """That of ``low-rank``, ``low-rank-nuts`` or ``low-rank-svi`` with options.

        Raises
        ------
        UsageError
            If an option belongs neither to the engine nor to `ModelSpec` nor to `fit`.
        """
        engine = ENGINE_OF[name]
        kind: Any = ENGINES[engine]
        of_engine, of_spec = field_names(kind), field_names(ModelSpec)
        only_known(name, options, (*of_spec, *of_engine, "calibrate", "seed"))
        chosen = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in options.items()
            if key in of_spec
        }
        settings = tuple(sorted((k, v) for k, v in options.items() if k in of_engine))
        try:
            kind.suited_to(1, **dict(settings))  # a bad value is told now, not in the first fit
            spec = ModelSpec(**chosen)  # type: ignore[arg-type]
        except TypeError as error:
            raise UsageError(f"method {name!r}: {error}; check the values of its options") from None
        calibrate, seed = options.get("calibrate", True), options.get("seed", 0)
        if not isinstance(calibrate, bool) or isinstance(seed, bool) or not isinstance(seed, int):
            raise UsageError(f"method {name!r}: calibrate is true or false, seed a whole number")
        return cls(engine, settings, spec, calibrate, seed)

    def of(
        self, scores: ScoreMatrix, seed: int | None = None, least: int | None = None
    ) -> Posterior:
        """The posterior a user would have; what `fit` warns of is as it is.

        Parameters
        ----------
        scores : ScoreMatrix
        seed : int, optional
            By default that of the options.
        least : int, optional
            Least scores of a model and a benchmark; by default what suits the table.

        Raises
        ------
        DataError
            Too little data for a fit.
        """
        kind: Any = ENGINES[self.engine]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BayesbenchWarning)
            return fit(
                scores,
                engine=partial(kind.suited_to, **dict(self.settings)),
                spec=self.spec,
                calibrate=self.calibrate,
                seed=self.seed if seed is None else seed,
                min_model=least,
                min_benchmark=least,
            )
