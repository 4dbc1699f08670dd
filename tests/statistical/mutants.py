"""Small wrong programs, and which tests find them: ``python -m tests.statistical.mutants``.

Each mutant changes one line of the package in a copy of the repository and runs the tests that
ought to find it there; a mutant that no test finds survives, and the program ends with 1. What
was found by which test is kept in ``tests/statistical/mutants.md``.
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
        Tests of which one must fail.
    main : bool
        Whether ``make test`` tries it too.
    """

    name: str
    file: str
    right: str
    wrong: str
    tests: tuple[str, ...]
    main: bool = False


SWEEP = "tests/fitting/engines/gibbs/test_sweep.py"
MOVES = "tests/fitting/engines/gibbs/test_moves.py"
VARIATES = "tests/fitting/engines/gibbs/test_variates.py"
CONDITION = "tests/answers/test_condition.py"
CALIBRATION = "tests/posterior/test_calibration.py"
MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "latents and slopes drawn with 5 % too little spread",
        "fitting/engines/gibbs/variates.py",
        "math.sqrt(1.0 - a**2) * fresh",
        "0.95 * math.sqrt(1.0 - a**2) * fresh",
        (VARIATES, SWEEP),
    ),
    Mutant(
        "a Jacobian dropped in the stretch of the latents",
        "fitting/engines/gibbs/moves.py",
        "/ priors.mean_loading_sd) ** 2 - log_a[0]",
        "/ priors.mean_loading_sd) ** 2",
        (MOVES, SWEEP),
    ),
    Mutant(
        "a wrong dimension in the stretch of the latents",
        "fitting/engines/gibbs/moves.py",
        "size = shape.n_models + shape.n_covariates",
        "size = shape.n_models + shape.n_covariates - 1",
        (MOVES, SWEEP),
    ),
    Mutant(
        "prior sd of the coefficients x 1.2",
        "fitting/engines/gibbs/sweep.py",
        "/ shape.spec.priors.coefficient_sd**2",
        "/ (1.2 * shape.spec.priors.coefficient_sd) ** 2",
        (SWEEP,),
    ),
    Mutant(
        "residual sum of the benchmarks' noise x 0.9",
        "fitting/engines/gibbs/sweep.py",
        "a * state.noise_level + 0.5 * squares)",
        "a * state.noise_level + 0.45 * squares)",
        (SWEEP,),
    ),
    Mutant(
        "readings at an end taken at face value",
        "fitting/engines/gibbs/sweep.py",
        "        data = _drawn_ends(random.fold_in(key, 10), state, data, shape)",
        "        pass",
        (SWEEP,),
    ),
    Mutant(
        "group effects dropped in conditioning",
        "answers/condition.py",
        'if "group_benchmark" in draws:',
        "if False:",
        (CONDITION,),
        main=True,
    ),
    Mutant(
        "sizes of recalibrated intervals x 0.93",
        "posterior/calibration.py",
        "return np.asarray(middle[:, None] + size * relative)",
        "return np.asarray(middle[:, None] + 0.93 * size * relative)",
        (CALIBRATION,),
        main=True,
    ),
    Mutant(
        "effects left out of a file drawn again with a wrong scale",
        "posterior/unseen.py",
        "filled[..., row, column] = normal * scale",
        "filled[..., row, column] = 1.1 * normal * scale",
        ("tests/posterior/test_unseen.py",),
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
    return [line.split()[1] for line in failed]


def main() -> int:
    """Try the mutants named, or all."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("names", nargs="*", help="parts of names; by default all mutants")
    chosen = parser.parse_args().names
    survivors = 0
    for mutant in MUTANTS:
        if chosen and not any(part in mutant.name for part in chosen):
            continue
        found = killers(mutant)
        survivors += not found
        told = ", ".join(found) if found else "SURVIVES"
        print(f"{mutant.name} ({mutant.file}): {told}", flush=True)
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
