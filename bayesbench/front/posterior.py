"""``Posterior``: what a fit leaves, as the object that is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from os import PathLike
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from ..answers.affordable import Affordable, Prices, affordable, direction, reaching
from ..answers.calibrated import recalibrated
from ..answers.joint import Kind
from ..answers.predictive import LatentDraws, Target, check_target, fitted_draws, predict_cells
from ..answers.ranking import Gap, Ranking, rank_models, totals
from ..design import decision_information
from ..errors import UnknownIdError, UsageError
from ..low_rank.facts import ModelFacts
from ..posterior.diagnostics import Diagnostics
from ..posterior.file import load, save, to_datatree
from ..posterior.pointwise import with_checks
from ..posterior.stored import StoredPosterior
from ..scores.ids import nearest_ids
from ..shipped import BUNDLED, bundled_path
from .model import Model, comparison_of
from .prediction import CellPrediction, Prediction

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["BUNDLED", "DecidingProbe", "Posterior", "open_posterior"]


@dataclass(frozen=True)
class DecidingProbe:
    """What running a benchmark on one model would tell about which model is best.

    Attributes
    ----------
    benchmark_id : str
    information_nats : float
    mcse : float
        Its Monte Carlo error.
    """

    benchmark_id: str
    information_nats: float
    mcse: float


@dataclass(frozen=True, eq=False, repr=False)
class Posterior(StoredPosterior):
    """A posterior over a (models x benchmarks) score matrix, from which every answer follows.

    Made by `fit` or `open_posterior`; the attributes are those of `StoredPosterior`. What it
    answers is calibrated, everywhere in the same way.

    Examples
    --------
    >>> import bayesbench as bb
    >>> posterior = bb.open_posterior()
    >>> posterior.check().verdict
    'pass'
    >>> posterior.predict("gpt-5", benchmark="GPQA Diamond").benchmark_id
    'gpqa_diamond'
    """

    @classmethod
    def of(cls, stored: StoredPosterior) -> Self:
        """The same posterior, ready to be asked."""
        return cls(**{item.name: getattr(stored, item.name) for item in fields(stored)})

    def to_datatree(
        self,
        *,
        log_likelihood: bool = True,
        predictive: bool = True,
        prior: bool = True,
        prior_draws: int = 100,
        seed: int = 0,
    ) -> xr.DataTree:
        """As an xarray DataTree with the groups ArviZ knows, so that its checks work on it.

        The groups of the file (`posterior.file`), its tables of scores in ``readings``, and for
        every observed cell, dim ``cell`` with the coordinates ``cell_model`` and
        ``cell_benchmark``, a variable ``cell_score`` in ``observed_data``, ``log_likelihood``,
        ``posterior_predictive`` and ``prior_predictive``; ``prior`` holds draws of every
        parameter. The dim ``group`` of the file is called ``model_group`` here, since ArviZ has
        another use for the name. ``arviz_stats.loo(tree)``, ``arviz_plots.plot_ppc_dist(tree)``,
        ``plot_ppc_pit`` and ``plot_loo_pit`` take it as it is. The groups per cell hold 8 bytes
        for every draw of every cell; each can be left out.

        Parameters
        ----------
        log_likelihood : bool
            With the log likelihood of every cell under every draw: what leave-one-out needs.
        predictive : bool
            With scores drawn anew for every cell, of the posterior and (with `prior`) the prior.
        prior : bool
            With draws from the prior.
        prior_draws : int
            Draws from the prior.
        seed : int
            Of the replicated scores and of the prior.

        Raises
        ------
        UsageError
            Fewer than 1 draw from the prior.

        Examples
        --------
        >>> import bayesbench as bb
        >>> tree = bb.open_posterior().thin(40).to_datatree(prior_draws=5)
        >>> tree["log_likelihood"]["cell_score"].dims
        ('chain', 'draw', 'cell')
        """
        return with_checks(
            self,
            to_datatree(self),
            log_likelihood=log_likelihood,
            predictive=predictive,
            prior=prior,
            prior_draws=prior_draws,
            seed=seed,
        )

    def save(self, path: str | PathLike[str], *, pack: bool = False) -> None:
        """Write a netCDF file; it appears whole or not at all.

        Parameters
        ----------
        path : path
        pack : bool
            Round the large quantities to 16-bit integers; the largest rounding error of each, at
            most about 1/256 of its sd, is written in the file's ``packing_error``.

        Raises
        ------
        PosteriorFileError
            The file cannot be written.
        """
        save(self, path, pack=pack)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a file written by `save`; nothing in it is executed.

        Raises
        ------
        PosteriorFileError
            Missing, truncated, foreign, or written by a newer format.
        """
        return load(path, cls)

    def check(self) -> Diagnostics:
        """What the fit says about itself: a verdict, in a sentence with its remedy.

        Returns
        -------
        Diagnostics
        """
        return self.diagnostics

    def model(self, model: str) -> Model:
        """A fitted model, by its id or any unique spelling of it.

        Raises
        ------
        UnknownIdError, AmbiguousIdError
            It is not among the fitted ones.
        """
        return Model.fitted_one(self, model)

    def condition(
        self,
        scores: Mapping[str, float] | None = None,
        *,
        stderr: Mapping[str, float] | None = None,
        facts: ModelFacts | None = None,
        id: str | None = None,
        seed: int = 0,
    ) -> Model:
        """A model known by some scores, without a refit.

        Parameters
        ----------
        scores : mapping of benchmark to score, optional
            On the benchmarks' own scales; names may be spelled freely. One at an end of its scale
            counts as "this or beyond".
        stderr : mapping of benchmark to standard error, optional
            Of given scores, on their scales: a score counts less the larger it is.
        facts : ModelFacts, optional
            What is known beside the scores; what is not is integrated out.
        id : str, optional
            Of a fitted model: its training scores count too. Any other is a new model's, whose
            lineage is read from it.
        seed : int

        Returns
        -------
        Model

        Raises
        ------
        UnknownIdError, AmbiguousIdError
            For a benchmark.
        ScoreError
            A score does not fit its scale; a standard error is not a number of at least 0, or of
            no given score.
        """
        return Model.of(self, scores or {}, stderr=stderr, facts=facts, id=id, seed=seed)

    def predict(
        self,
        model: str | None = None,
        *,
        benchmark: str | None = None,
        raw: bool = False,
        target: Target = "reading",
    ) -> Prediction | CellPrediction:
        """Scores of fitted models: of one model, on one benchmark, of one cell, or of all.

        Parameters
        ----------
        model : str, optional
            By default every fitted model.
        benchmark : str, optional
            By default every benchmark.
        raw : bool
            Without the recalibration.
        target : {"reading", "mean"}
            A new reading, or the mean over readings, not recalibrated; see `Model.predict`.

        Returns
        -------
        Prediction, or CellPrediction where both are named

        Raises
        ------
        UnknownIdError, AmbiguousIdError
            For a name.
        UsageError
            The mean, of a posterior that cannot tell it from a reading.
        """
        check_target(self, target)
        if model is not None:
            whole = self.model(model).predict(raw=raw, target=target)
            return whole if benchmark is None else whole[benchmark]
        columns = np.arange(len(self.benchmark_ids))
        if benchmark is not None:
            columns = columns[[self.transform.index(self.matrix.benchmark_names.find(benchmark))]]
        rows = np.arange(len(self.model_ids))
        cells = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)
        before = predict_cells(self, cells, target=target)
        plain = raw or target == "mean"
        after = before if plain else recalibrated(self, before, new=False)

        def latent() -> list[LatentDraws]:
            return [
                fitted_draws(self, model_id, target=target).take(columns.tolist())
                for model_id in self.model_ids
            ]

        names = self.matrix.model_names, self.matrix.benchmark_names
        return Prediction(after, before, after is not before, *names, latent, target=target)

    def compare(
        self,
        first: str | Model,
        second: str | Model,
        *,
        on: Sequence[str],
        weights: Mapping[str, float] | None = None,
        kind: Kind = "score",
        scale: Literal["score", "latent"] = "score",
        prob: float = 0.9,
    ) -> Gap:
        """How far one model lies above another; see `Model.compare`."""
        one = self._one(first)
        return one.compare(second, on=on, weights=weights, kind=kind, scale=scale, prob=prob)

    def rank(
        self,
        models: Sequence[str | Model] | None = None,
        *,
        on: Sequence[str],
        weights: Mapping[str, float] | None = None,
        kind: Kind = "score",
        scale: Literal["score", "latent"] = "score",
        prob: float = 0.9,
        seed: int = 0,
    ) -> Ranking:
        """Rank models on a benchmark or a weighted set, with the doubt about it.

        Parameters
        ----------
        models : sequence of str or Model, optional
            Fitted ones by their ids, others as made by `condition`; by default all fitted ones.
        on : sequence of str
            Benchmarks.
        weights, kind, scale
            See `ranking.Comparison`.
        prob : float
            Of the rank intervals.
        seed : int

        Raises
        ------
        UsageError
            Fewer than two models, one twice, or one of another posterior.
        """
        chosen = self._several(self.model_ids if models is None else models)
        comparison = comparison_of(self, on, weights, kind, scale, seed)
        draws = [one.score_draws(kind, comparison.benchmarks) for one in chosen]
        return rank_models(draws, self.transform, comparison, prob)

    def affordable(
        self,
        prices: Prices | Mapping[str, float],
        *,
        on: Sequence[str],
        at_least: float,
        models: Sequence[str | Model] | None = None,
        probability: float = 0.9,
        weights: Mapping[str, float] | None = None,
        kind: Kind = "known",
        seed: int = 0,
    ) -> Affordable:
        """The cheapest model that reaches a level, and what more money buys.

        Parameters
        ----------
        prices : Prices, or mapping of model to price
            Names may be spelled freely; see `Prices.from_table` for a file.
        on : sequence of str
            Benchmarks, of one direction.
        at_least : float
            The level, in points of the benchmark or of the weighted average; where lower is
            better, at most this.
        models : sequence of str or Model, optional
            As in `rank`; by default those of `prices`.
        probability : float
            With which the level is to be reached.
        weights, kind
            As in `rank`, but a score that is known counts as it is unless `kind` says otherwise.
        seed : int

        Raises
        ------
        UsageError
            A price twice for one model, no model with price and prediction, or a level that does
            not fit the scale.
        AmbiguousIdError
            A name of `prices` fits several models.
        """
        priced = prices if isinstance(prices, Prices) else Prices(dict(prices))
        chosen = {one.id: one for one in self._distinct(models or ())}
        by_id, _ = self.matrix.model_names.by_id(priced.values, "price", unknown=True, own=chosen)
        fitted = [name for name in by_id if name in self.model_ids and name not in chosen]
        if models is None:
            chosen = {name: self.model(name) for name in fitted}
        comparison = comparison_of(self, on, weights, kind, "score", seed)
        sign = direction(self.transform, comparison, at_least)
        found = {
            name: reaching(
                one.score_draws(kind, comparison.benchmarks), self.transform, comparison, at_least
            )
            for name, one in chosen.items()
        }
        asked = dict.fromkeys((*chosen, *(name for name in by_id if name not in fitted)))
        return affordable(
            [(name, by_id.get(name), found.get(name)) for name in asked],
            comparison,
            at_least=at_least,
            probability=probability,
            unit=priced.unit,
            without_price=[n for n in self.model_ids if n not in by_id] if models is None else (),
            not_asked=[] if models is None else fitted,
            lower_is_better=sign < 0,
        )

    def deciding_probes(
        self,
        models: Sequence[str | Model],
        *,
        on: Sequence[str],
        probed: str,
        weights: Mapping[str, float] | None = None,
        scale: Literal["score", "latent"] = "score",
        candidates: Sequence[str] | None = None,
        seed: int = 0,
        report: Callable[[int, int], None] | None = None,
    ) -> tuple[DecidingProbe, ...]:
        """Benchmarks to run on one model to learn which of several is best, most telling first.

        Which is best is judged by levels, without reading noise.

        Parameters
        ----------
        models, on, weights, scale
            As in `rank`.
        probed : str
            Id of the model that would be run; one of `models`.
        candidates : sequence of str, optional
            By default every benchmark it has no score for.
        seed : int
        report : callable, optional
            Called with (candidates done, candidates in all).

        Raises
        ------
        UnknownIdError
            `probed` is not among the models.
        UsageError
            It has run every candidate.
        """
        chosen = self._several(models)
        ids = [one.id for one in chosen]
        if probed not in ids:
            raise UnknownIdError("compared model", probed, nearest_ids(probed, ids) or ids[:3])
        comparison = comparison_of(self, on, weights, "mu", scale, seed)
        draws = [one.score_draws("mu", comparison.benchmarks) for one in chosen]
        values = totals(draws, self.transform, comparison)
        latent = chosen[ids.index(probed)].latent.in_slots()
        best = np.argmax(values[:, :: values.shape[1] // latent.n_draws], axis=0)
        find, known = self.matrix.benchmark_names.find, np.isfinite(latent.observed)
        names = [find(name) for name in (self.benchmark_ids if candidates is None else candidates)]
        names = [name for name in names if not known[self.transform.index(name)]]
        if not names:
            raise UsageError(f"{probed!r} has run every benchmark: no candidate is left")
        found = []
        for done, name in enumerate(names, start=1):
            estimate = decision_information(latent, best, [name], seed=seed)[0]
            found.append(DecidingProbe(name, estimate.value, estimate.mcse))
            if report is not None:
                report(done, len(names))
        return tuple(sorted(found, key=lambda one: -one.information_nats))

    def _distinct(self, models: Sequence[str | Model]) -> list[Model]:
        chosen = [self._one(one) for one in models]
        ids = [one.id for one in chosen]
        twice = [name for name in ids if ids.count(name) > 1]
        if twice:
            raise UsageError(f"model {twice[0]!r} is named twice; name it once")
        return chosen

    def _several(self, models: Sequence[str | Model]) -> list[Model]:
        chosen = self._distinct(models)
        if len(chosen) < 2:
            raise UsageError(f"comparing needs at least 2 models, got {len(chosen)}; name more")
        return chosen

    def _one(self, model: str | Model) -> Model:
        if isinstance(model, str):
            return self.model(model)
        model.check_is_of(self)
        return model


def open_posterior(path: str | PathLike[str] | None = None) -> Posterior:
    """Open a posterior file; without a path the bundled one (see its model card).

    Parameters
    ----------
    path : path, optional

    Returns
    -------
    Posterior

    Raises
    ------
    PosteriorFileError
        Missing, damaged, foreign, or of a newer format.

    Examples
    --------
    >>> print(open_posterior())  # doctest: +ELLIPSIS
    Posterior of ... models x ... benchmarks (... scores, rank 9)
    ...
    """
    return Posterior.load(bundled_path("models", BUNDLED) if path is None else path)
