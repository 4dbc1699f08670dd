"""Small wrong programs, and which tests find them: ``python -m tests.statistical.mutants``.

Each mutant changes one line of the package in a copy of the repository and runs the tests that
ought to find it there; one that a test does not find survives it, and the program ends with 1.
The table is ``tests/statistical/mutants.md``, written with ``--write``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TABLE = Path(__file__).resolve().parent / "mutants.md"


@dataclass(frozen=True)
class Mutant:
    """One wrong program.

    Attributes
    ----------
    name : str
        What is wrong.
    file : str
        Below ``bayesbench/``.
    right, wrong : str
        The text that is there, once, and what takes its place.
    tests : tuple of str
        Tests that must fail.
    main : bool
        Whether ``make test`` tries it too; its tests run there on the right program anyway.
    """

    name: str
    file: str
    right: str
    wrong: str
    tests: tuple[str, ...]
    main: bool = False


SWEEP = "tests/fitting/engines/gibbs/test_sweep.py"
MOVES = "tests/fitting/engines/gibbs/test_moves.py"
BLOCK = f"{SWEEP}::test_every_block_draws_from_its_conditional"
STRETCH = f"{MOVES}::test_acceptance_is_the_ratio_of_the_joint_density[stretch]"
SHEAR = f"{MOVES}::test_a_shear_is_drawn_from_the_joint_density"
JOINT = f"{SWEEP}::test_every_conditional_and_move_leaves_the_joint_law_unchanged"
CONDITION = "tests/answers/test_condition.py"
CALIBRATION = "tests/posterior/test_calibration.py"
UNSEEN = "tests/posterior/test_unseen.py"
MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "latents drawn with 5 % too little spread",
        "fitting/engines/gibbs/sweep.py",
        "gaussian(key, precision, linear, state.latents)",
        "gaussian(key, precision / 0.95**2, linear / 0.95**2, state.latents)",
        (f"{BLOCK}[latents-latents]",),
    ),
    Mutant(
        "latents and slopes drawn with 5 % too little spread",
        "fitting/engines/gibbs/variates.py",
        "math.sqrt(1.0 - a**2) * fresh",
        "0.95 * math.sqrt(1.0 - a**2) * fresh",
        (
            f"{BLOCK}[latents-latents]",
            f"{BLOCK}[slopes-slopes]",
        ),
    ),
    Mutant(
        "a Jacobian dropped in the stretch of the latents",
        "fitting/engines/gibbs/moves.py",
        "/ priors.mean_loading_sd) ** 2 - log_a[0]",
        "/ priors.mean_loading_sd) ** 2",
        (STRETCH,),
        main=True,
    ),
    Mutant(
        "a wrong dimension in the stretch of the latents",
        "fitting/engines/gibbs/moves.py",
        "size = shape.n_models + shape.n_covariates",
        "size = shape.n_models + shape.n_covariates - 1",
        (STRETCH,),
        main=True,
    ),
    Mutant(
        "the mean loading left out of the shear of the latents",
        "fitting/engines/gibbs/moves.py",
        "(weight * (slopes[:, source] - mean[source])).sum()",
        "(weight * slopes[:, source]).sum()",
        (f"{SHEAR}[1]",),
    ),
    Mutant(
        "the shear of the latents drawn with 5 % too little spread",
        "fitting/engines/gibbs/moves.py",
        "amount = linear / total + noise[step] / jnp.sqrt(total)",
        "amount = linear / total + 0.95 * noise[step] / jnp.sqrt(total)",
        (
            f"{SHEAR}[0]",
            f"{SHEAR}[1]",
        ),
    ),
    Mutant(
        "prior sd of the coefficients x 1.2",
        "fitting/engines/gibbs/sweep.py",
        "/ shape.spec.priors.coefficient_sd**2",
        "/ (1.2 * shape.spec.priors.coefficient_sd) ** 2",
        (f"{BLOCK}[coefficients-coefficients]",),
    ),
    Mutant(
        "residual sum of the benchmarks' noise x 0.9",
        "fitting/engines/gibbs/sweep.py",
        "a * state.noise_level + 0.5 * squares)",
        "a * state.noise_level + 0.45 * squares)",
        (f"{BLOCK}[noise-benchmarks]",),
    ),
    Mutant(
        "readings at an end taken at face value",
        "fitting/engines/gibbs/sweep.py",
        "        data = _drawn_ends(random.fold_in(key, 10), state, data, shape)",
        "        pass",
        (f"{JOINT}[errors and ends]",),
    ),
    Mutant(
        "group effects dropped in conditioning",
        "answers/condition.py",
        'if "group_benchmark" in draws:',
        "if False:",
        (
            f"{CONDITION}::test_reweighting_is_bayes_rule[families-True]",
            f"{CONDITION}::test_normal_noise_is_the_closed_form[families-scores1-True]",
        ),
        main=True,
    ),
    Mutant(
        "sizes of recalibrated intervals x 0.93",
        "posterior/calibration.py",
        "return np.asarray(middle[:, None] + size * relative)",
        "return np.asarray(middle[:, None] + 0.93 * size * relative)",
        (
            f"{CALIBRATION}::test_strata_are_right_where_the_size_of_errors_depends_on_a_feature",
            f"{CALIBRATION}::test_coverage_is_the_nominal_one_whatever_was_claimed[1.0]",
        ),
        main=True,
    ),
    Mutant(
        "effects left out of a file drawn again with a wrong scale",
        "posterior/unseen.py",
        "filled[..., row, column] = normal * scale",
        "filled[..., row, column] = 1.1 * normal * scale",
        (f"{UNSEEN}::test_what_scores_depend_on_stays_and_the_rest_has_its_prior",),
        main=True,
    ),
)


def applied(mutant: Mutant, folder: Path) -> None:
    """A copy of the repository's code and tests with the mutant in it."""
    for name in ("bayesbench", "tests", "data", "models"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".*")
        )
    shutil.copy(ROOT / "pyproject.toml", folder)
    path = folder / "bayesbench" / mutant.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.right) != 1:
        raise SystemExit(f"{mutant.name}: {mutant.file} does not hold once: {mutant.right!r}")
    path.write_text(text.replace(mutant.right, mutant.wrong), encoding="utf-8")


def killers(mutant: Mutant) -> list[str]:
    """The tests that fail on it; an error in collecting them is no kill."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        applied(mutant, folder)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *mutant.tests],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(folder)},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode not in (0, 1):
        raise SystemExit(f"{mutant.name}: its tests cannot run\n{done.stdout[-2000:]}")
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED ")]
    return [line.removeprefix("FAILED ").partition(" - ")[0] for line in failed]


def table() -> str:
    """The whole of ``mutants.md``."""
    lines = [
        "# Mutants",
        "",
        "Small wrong programs, and the tests that find them: written by `python -m "
        "tests.statistical.mutants --write`. Without the option the program makes every mutant in "
        "a copy of the repository and runs these tests there: each must fail. "
        "`tests/statistical/test_mutants.py` does so too, for those of `make test` and, at night "
        "(`make slow`), for all. The tests themselves run in `make test`.",
        "",
        "| mutant | in `bayesbench/` | right | wrong | found by | tried in |",
        "|---|---|---|---|---|---|",
    ]
    for mutant in MUTANTS:
        right, wrong = (f"`{text.strip()}`" for text in (mutant.right, mutant.wrong))
        found = "<br>".join(f"`{test}`" for test in mutant.tests)
        tried = "make test" if mutant.main else "nightly"
        lines.append(f"| {mutant.name} | {mutant.file} | {right} | {wrong} | {found} | {tried} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Try the mutants named, or all; or write the table."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("names", nargs="*", help="parts of names; by default all mutants")
    parser.add_argument("--write", action="store_true", help="write the table instead")
    given = parser.parse_args()
    if given.write:
        TABLE.write_text(table(), encoding="utf-8")
        return 0
    survivors = 0
    for mutant in MUTANTS:
        if given.names and not any(part in mutant.name for part in given.names):
            continue
        missed = sorted(set(mutant.tests) - set(killers(mutant)))
        survivors += bool(missed)
        told = f"SURVIVES {', '.join(missed)}" if missed else "found by " + ", ".join(mutant.tests)
        print(f"{mutant.name} ({mutant.file}): {told}", flush=True)
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
