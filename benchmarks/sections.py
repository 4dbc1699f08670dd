"""Sections of RESULTS.md, each from the records of one protocol or comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from records import METHODS, Record, labelled, named, of
from tables import FOLDS, SHORT, figures_table, number, table, with_interval

# published figures and first trials of the project, measured elsewhere
PUBLISHED_P1 = (
    ("*published: logit bias ALS*, intervals by 12 MLPs", {
        "medae": 4.60, "medape": 7.76, "within3": 36.6, "within5": 52.8, "coverage90": 0.899,
        "width90": 27.2, "spearman": 0.536, "top20_medape": 2.71,
    }),
    ("*first trial of this model, 30 folds*", {
        "medae": 3.77, "medape": 6.42, "within3": 42.9, "within5": 58.9, "coverage90": 0.899,
        "width90": 24.5, "spearman": 0.560, "top20_medape": 1.8,
    }),
)  # fmt: skip
PUBLISHED_P3 = (
    "published, revealed cells counted as errors of 0, ALS: 10.2 / 5.0 / 2.8 at k = 1, 5, 10"
)
PUBLISHED_P4 = (
    "published (greedy on the error itself, revealed cells counted as errors of 0): 3.93 from all "
    "benchmarks, 4.55 from the low-cost list"
)
STRATA = {
    "level": "tenth of the predicted level",
    "n_model": "third by scores of the model",
    "n_benchmark": "third by scores of the benchmark",
    "scale": "scale",
}
PARTS = {
    "development": "development seeds",
    "other": "other splits of the same cells, seeds",
    "untouched": "other splits of the same cells, seeds",  # its name in older records
}
NOT_MEASURED = "not measured at this commit"
LOW, HIGH = 0.87, 0.93
"""Coverage of a stratum outside of this is called over- or under-confident."""


def folds_section(
    found: Sequence[Record],
    published: Sequence[tuple[str, Record]],
    again: Sequence[Record] = (),
) -> str:
    """Methods side by side, `again` from other seeds, calibration of those with intervals."""
    rows = [(record["method"], record) for record in found]
    parts = [figures_table([*rows, *published], FOLDS)]
    split = [
        (f"{record['method']}, {title} {min(seeds)}-{max(seeds)}", record[part])
        for record in found
        for part, title in PARTS.items()
        if part in record
        for seeds in [record[part]["seeds"]]
    ]
    if split:
        parts.append(
            "Settings were chosen on the development seeds. The other seeds split the same cells "
            "again, so they test nothing new.\n"
        )
        parts.append(figures_table(split, ("medae", "medape", "within5", "coverage90", "width90")))
    if again:
        parts.append(other_seeds(again))
    parts.append(sure_section(found))
    parts.append(ranking_section(found))
    parts.extend(calibration_section(record) for record in found if record.get("calibration"))
    return "\n".join(parts)


def sure_section(found: Sequence[Record]) -> str:
    """Intervals of the headline over models, and percentages apart from ratings."""
    rows = []
    for record in found:
        for scale, part in {"all": record, **record.get("by_scale", {})}.items():
            pooled = scale == "all"
            rows.append(
                [
                    record["method"],
                    scale,
                    with_interval(part, "medae"),
                    with_interval(part, "medape"),
                    with_interval(part, "coverage90", 3),
                    with_interval(part, "width90", 1),
                    "-" if pooled else number(part.get("winkler90"), 1),
                    "-" if pooled else number(part.get("crps")),
                ]
            )
    head = [
        "method", "scale", "MedAE", "MedAPE %", "90 % coverage", "median width", "interval score",
        "CRPS",
    ]  # fmt: skip
    measured = any("medae_interval95" in record for record in found)
    note = "" if measured else f"Intervals: {NOT_MEASURED}.\n\n"
    return (
        "In brackets bootstrap 95 % intervals over models; interval score and CRPS are means of "
        f"points, so each scale has its own.\n\n{note}{table(head, rows)}"
    )


def ranking_section(found: Sequence[Record]) -> str:
    """Pairs in the right order and best models found, as published."""
    known = [record for record in found if record.get("ranking_published")]
    if not known:
        return f"Ranking as published: {NOT_MEASURED}.\n"
    rows = []
    for record in known:
        ranking = record["ranking_published"]
        for which in ("scored", "held_out"):
            pairs = [number(_percent(v[which]), 1) for v in ranking["pairs"].values()]
            top = [number(_percent(v[which]), 1) for v in ranking["top"].values()]
            rows.append([record["method"], which.replace("_", " "), *pairs, *top])
    first = known[0]["ranking_published"]
    head = [
        "method", "pairs", *(f"gap >= {m}" for m in first["pairs"]),
        *(f"top {share} %" for share in first["top"]),
    ]  # fmt: skip
    return f"Ranking as published (%, median over benchmarks):\n\n{table(head, rows)}"


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def other_seeds(found: Sequence[Record]) -> str:
    """The same methods from other seeds: how far chance moves them."""
    parts = []
    for method in sorted({record["method"] for record in found}, key=METHODS.index):
        own = [record for record in found if record["method"] == method]
        figures = ", ".join(f"{number(r['medae'])} / {number(r['medape'])}" for r in own)
        parts.append(f"{method}: {figures}")
    return f"From other seeds, the same folds (MedAE / MedAPE %): {'; '.join(parts)}.\n"


def calibration_section(record: Record) -> str:
    """Coverage by level and stratum, PIT, trust, sharpness, in words where it is off."""
    found, method = record["calibration"], record["method"]
    parts = [f"### {method}: calibration\n"]
    head = ["nominal", *found["coverage"]]
    parts.append(table(head, [["held-out", *(number(v, 3) for v in found["coverage"].values())]]))
    parts.append(
        table(
            ["stratum", "part", "cells", "MedAE", "90 % coverage", "median width"],
            (
                [
                    STRATA.get(row["stratum"], row["stratum"]),
                    str(row["part"]),
                    number(row["n"], 0),
                    number(row["medae"]),
                    number(row["coverage90"], 3),
                    number(row["width90"], 1),
                ]
                for row in record["strata"]
            ),
        )
    )
    parts.append(words(record))
    pit = found["pit"]
    mean = sum(pit) / len(pit)
    parts.append(
        f"PIT histogram ({len(pit)} bins, share of the even height): "
        + " ".join(f"{count / mean:.2f}" for count in pit)
        + "\n"
    )
    parts.append(trust(record))
    if "certainty" in record:
        rows = [(f"fifth {row['fifth']}, surest first", row) for row in record["certainty"]]
        parts.append(figures_table(rows, SHORT).replace("| method |", "| certainty |", 1))
    if "sharpness" in record:
        ends = record["sharpness"]
        parts.append(
            table(
                ["benchmark", "cells", "MedAE", "90 % coverage", "median width"],
                (
                    [
                        f"{row['benchmark_id']} ({end})",
                        number(row["n_cells"], 0),
                        number(row["medae"]),
                        number(row["coverage90"], 3),
                        number(row["width90"], 1),
                    ]
                    for end in ("narrowest", "widest")
                    for row in ends[end]
                ),
            )
        )
    return "\n".join(parts)


def words(record: Record) -> str:
    """Where the intervals are over- or under-confident."""
    covered = record["coverage90"]
    if covered is None:
        return ""
    off = {
        "over-confident (too narrow)": [r for r in record["strata"] if r["coverage90"] < LOW],
        "under-confident (too wide)": [r for r in record["strata"] if r["coverage90"] > HIGH],
    }
    parts = [f"Pooled, 90 % intervals hold {100 * covered:.1f} % of the held-out scores."]
    for name, rows in off.items():
        if len(rows) == len(record["strata"]):
            parts.append(f"They are {name} in every stratum.")
        elif rows:
            where = "; ".join(
                f"{STRATA.get(r['stratum'], r['stratum'])}: {r['part']} "
                f"({r['coverage90']:.3f}, {r['n']:,} cells)"
                for r in rows
            )
            parts.append(f"They are {name} in {where}.")
    if len(parts) == 1:
        parts.append(f"No stratum lies outside {LOW}-{HIGH}.")
    return " ".join(parts) + "\n"


def trust(record: Record) -> str:
    """Quality of the probability of an error of at most 10 points."""
    within = record["calibration"]["within"]
    base = within["base_rate"]
    text = (
        f"P(error <= {within['points']:g} points): Brier score {within['brier']:.4f} (always "
        f"saying the mean rate {base:.3f}: {base * (1 - base):.4f})."
    )
    published = record.get("published_trust")
    if published:
        text += (
            f" The published trust of the same cells against these errors: "
            f"{published['brier_published_trust']:.4f} "
            f"(mean {published['mean_published_trust']:.3f}). "
            "The published predictions are those of one fit of the whole matrix and repeat the "
            "known score there, so their trust was not made for held-out cells: no more than an "
            "indication."
        )
    return text + "\n"


def release_section(found: Sequence[Record]) -> str:
    """P3 by the number of scores shown, then by family, tails apart."""
    rows, families = [], []
    for record in found:
        for k, entry in record["by_k"].items():
            percent = entry.get("by_scale", {}).get("percent", {})
            over_families = {
                "medae": entry["medae"], "medae_interval95": entry.get("medae_by_family_interval95")
            }  # fmt: skip
            rows.append(
                [
                    named(record),
                    k,
                    with_interval(over_families, "medae"),
                    number(percent.get("medae")),
                    number(entry.get("medae_family_median")),
                    number(entry["medape"]),
                    with_interval(entry, "coverage90", 3),
                    *tail_cells(entry),
                    number(entry["width90"], 1),
                    number(percent.get("winkler90"), 1),
                    number(percent.get("crps")),
                    number(entry["n_cells"], 0),
                    number(entry["not_predictable"], 3),
                    number(entry["medae_counted"]),
                ]
            )
        for family, by_k in record.get("by_family", {}).items():
            families.extend(
                [
                    named(record), family, k, with_interval(entry, "medae"),
                    number(entry["coverage90"], 3), *tail_cells(entry),
                    number(entry["n_cells"], 0), number(entry["not_predictable"], 3),
                ]
                for k, entry in by_k.items()
            )  # fmt: skip
    head = [
        "method", "k", "MedAE (over families)", "MedAE, percent scales", "median over families",
        "MedAPE %", "90 % coverage", "below", "above", "above the median", "median width",
        "interval score, percent", "CRPS, percent", "cells", "not predictable",
        "MedAE counted as published",
    ]  # fmt: skip
    own = [
        "method", "family", "k", "MedAE", "90 % coverage", "below", "above", "above the median",
        "cells", "not predictable",
    ]  # fmt: skip
    by_family = table(own, families) if families else f"By family: {NOT_MEASURED}.\n"
    return (
        f'{table(head, rows)}\n"below" and "above": shares of true scores outside the interval '
        f"on either side. {PUBLISHED_P3}.\n\n{by_family}"
    )


def tail_cells(entry: Mapping[str, Any]) -> list[str]:
    """Shares below and above the interval, and above the median."""
    return [number(entry.get(name), 3) for name in ("below90", "above90", "above_median")]


def matched_section(found: Sequence[Record]) -> str:
    """P4 at equal numbers of revealed scores."""
    rows = [
        [
            policy_name(policy, by_k),
            k,
            with_interval(entry, "medae"),
            with_interval(entry, "coverage90", 3),
            number(entry["n_models"], 0),
            *(difference(entry.get("against", {}).get(name)) for name in ("random", "popularity")),
        ]
        for record in found
        for policy, by_k in record.get("matched", {}).items()
        for k, entry in by_k.items()
    ]
    if not rows:
        return f"At equal numbers of revealed scores: {NOT_MEASURED}.\n"
    head = [
        "policy", "scores revealed", "MedAE", "90 % coverage", "models", "MedAE minus random",
        "MedAE minus popularity-first",
    ]  # fmt: skip
    return (
        "At equal numbers of revealed scores (the first k that a model has in the order of the "
        "policy; random ones and popularity-first drawn among what it has), with bootstrap 95 % "
        "intervals over models, differences paired, over the models that both can show so many "
        f"of:\n\n{table(head, rows)}"
    )


def probes_section(found: Sequence[Record]) -> str:
    """P4 by policy: at equal numbers of scores, then by number of probes."""
    rows, sets = [], []
    for record in found:
        for policy, by_k in record["policies"].items():
            for k, entry in by_k.items():
                against = entry.get("against", {})
                as_many = entry.get("against_matched", {})
                rows.append(
                    [
                        policy_name(policy, by_k),
                        k,
                        number(entry.get("revealed"), 1),
                        number(entry["medae"]),
                        number(entry["medape"]),
                        number(entry["coverage90"], 3),
                        number(entry["width90"], 1),
                        number(entry.get("ranking_margin0"), 3),
                        number(entry["n_cells"], 0),
                        number(entry["medae_counted"]),
                        difference(as_many.get("random")),
                        difference(as_many.get("popularity")),
                        difference(against.get("random")),
                    ]
                )
            last = by_k[max(by_k, key=int)]
            if last.get("probes"):
                sets.append(f"* {policy}: {', '.join(last['probes'])}")
            for one in last.get("probe_sets", []):
                sets.append(f"* {policy}, {one['n_models']} models: {', '.join(one['probes'])}")
    head = [
        "policy", "k", "revealed", "MedAE", "MedAPE %", "90 % coverage", "median width", "ranking",
        "cells", "MedAE counted as published", "minus random, as many scores",
        "minus popularity-first, as many scores", "minus random sets, unmatched",
    ]  # fmt: skip
    listed = "\n".join(sets)
    return (
        f"{matched_section(found)}\nBy number of probes, of which a model shows those it has a "
        "score for. Unmatched figures compare policies that reveal different numbers of scores: a "
        f"random set reveals few.\n\n{table(head, rows)}\nDifferences of MedAE with bootstrap 95 % "
        "intervals over models (and over the sets, for random ones: their mean); negative is "
        "better; others, low-cost ones against their own list among them, are in the JSON file."
        f"\n\nOrders:\n\n{listed}\n\n{PUBLISHED_P4}.\n"
    )


def honest_section(found: Sequence[Record], part: str, levels: Sequence[str]) -> str:
    """P7 or P8: coverage, tails, width and error by what sets the rows apart, scale first."""
    rows = []
    for record in found:
        for path, entry in leaves(record[part], 1 + len(levels)):
            rows.append(
                [
                    named(record), *path, with_interval(entry, "medae"),
                    with_interval(entry, "coverage50", 3), with_interval(entry, "coverage90", 3),
                    *tail_cells(entry), number(entry.get("width90"), 1),
                    number(entry.get("winkler90"), 1), number(entry.get("winkler90_raw"), 1),
                    number(entry["n_cells"], 0), number(entry["n_clusters"], 0),
                ]
            )  # fmt: skip
    if not rows:
        return f"{NOT_MEASURED.capitalize()}.\n"
    head = [
        "method", "scale", *levels, "MedAE", "50 % coverage", "90 % coverage", "below", "above",
        "above the median", "median width", "interval score", "interval score, raw", "cells",
        "clusters",
    ]  # fmt: skip
    return f"95 % intervals are clustered, by model or by table.\n\n{table(head, rows)}"


def leaves(tables: Mapping[str, Any], depth: int) -> list[tuple[list[str], Mapping[str, Any]]]:
    """Entries of nested tables with the keys that lead to them."""
    if not depth:
        return [([], tables)]
    return [
        ([key, *path], entry)
        for key, inner in tables.items()
        for path, entry in leaves(inner, depth - 1)
    ]


def policy_name(policy: str, by_k: Mapping[str, Any]) -> str:
    """Name of a policy; whether it was chosen on the errors it is measured by."""
    in_sample = any(entry.get("in_sample") for entry in by_k.values())
    return f"{policy} (chosen on the error)" if in_sample else policy


def difference(found: Mapping[str, Any] | None) -> str:
    """A difference with its interval."""
    if not found:
        return "-"
    low, high = found["interval95"]
    return f"{found['difference']:+.2f} ({low:+.2f} to {high:+.2f})"


def skillinfer_section(found: Sequence[Record]) -> str:
    """Conditioning beside skillinfer on one table."""
    rows = []
    for record in found:
        rows.extend(
            [
                method,
                k,
                number(entry["medae"]),
                number(entry["within5"], 1),
                number(entry["coverage90"], 3),
                number(entry["width90"], 1),
                number(entry["winkler90"], 1),
                number(1000 * entry["seconds_per_model"], 1),
                number(record["fit_s"][method], 1),
            ]
            for k, by_method in record["by_k"].items()
            for method, entry in by_method.items()
        )
    head = [
        "method", "scores shown", "MedAE", "<= 5 %", "90 % coverage", "median width",
        "interval score", "ms per model", "fit s",
    ]  # fmt: skip
    sizes = "; ".join(
        f"{record['training_models']:,} training models, {record['tested_models']:,} tested"
        for record in found
    )
    return (
        f"{sizes}; makers are in one part only. skillinfer 0.1.1: Gaussian intervals from its "
        f"means and spreads.\n\n{table(head, rows)}"
    )


def conditioning_section(found: Sequence[Record]) -> str:
    """Conditioning against refits."""
    rows = []
    for record in found:
        asked = record["provenance"]["options"]
        engine = asked["engine"] + (", protocol P4" if asked.get("probes") else "")
        for k, part in {**record["by_k"], "all": record["summary"]}.items():
            again = part.get("refits", {})
            rows.append(
                [
                    engine,
                    k,
                    str(part["n_cases"]),
                    number(part["conditioning"]["median_difference"]),
                    number(part["conditioning"]["width_ratio"], 3),
                    number(again.get("median_difference")),
                    number(again.get("width_ratio"), 3),
                    number(part.get("medae_conditioning")),
                    number(part.get("medae_refit")),
                ]
            )
    head = [
        "engine", "scores shown", "cases", "difference of medians (points)", "ratio of widths",
        "two refits: difference", "two refits: ratio", "MedAE conditioned", "MedAE refitted",
    ]  # fmt: skip
    return table(head, rows)


def engines_section(found: Sequence[Record]) -> str:
    """Effective draws per second of the two engines."""
    rows = [
        [
            name,
            number(entry["seconds"], 0),
            number(entry["ess_median"], 0),
            number(entry["ess_q01"], 0),
            number(entry["ess_median_per_s"], 1),
            number(entry["ess_q01_per_s"], 1),
        ]
        for record in found
        for name, entry in record["engines"].items()
    ]
    head = [
        "engine", "seconds", "effective draws of eta, median", "1 % quantile", "median per second",
        "1 % quantile per second",
    ]  # fmt: skip
    ratios = ", ".join(
        f"{record['ratio_median']:.1f} (median), {record['ratio_q01']:.1f} (1 % quantile)"
        for record in found
    )
    return f"{table(head, rows)}\nGibbs over NUTS, per second: {ratios}.\n"


def floor_section(found: Sequence[Record]) -> str:
    """How far repeated readings lie apart, by matrix and scale."""
    rows, silent = [], []
    for record in found:
        for name, entry in record["matrices"].items():
            if not entry["by_scale"]:
                silent.append(f"{name} matrix: no cell has a second reading, its floor is unknown")
            for scale, one in entry["by_scale"].items():
                low, high = one["medae_interval95"]
                rows.append(
                    [
                        name,
                        scale,
                        number(one["n_cells"], 0),
                        number(100 * one["agree"], 0),
                        number(one["difference"]),
                        *(number(one["quantiles"][level]) for level in ("0.75", "0.9", "0.95")),
                        f"{number(one['medae'])} ({number(low)} to {number(high)})",
                    ]
                )
    head = [
        "matrix", "scale", "cells read again", "pairs equal, %", "median difference", "75 %",
        "90 %", "95 %", "floor of a MedAE (95 % interval)",
    ]  # fmt: skip
    parts = [
        "Two readings of one cell differ, and no prediction of a reading can be better than that. "
        "All readings count, those that agree too (some are copies, so the noise is no smaller "
        "than it seems); the floor is the median difference over the square root of 2.\n",
        table(head, rows),
        *(f"{text[0].upper()}{text[1:]}.\n" for text in silent),
    ]
    return "\n".join(parts)


def contradictions_section(found: Sequence[Record]) -> str:
    """False alarms of the warnings, and the slips they find."""
    parts = []
    for record in found:
        alarms = [
            [
                row["told"],
                str(row["k"]),
                number(row["n"], 0),
                f"{100 * row['rate']:.1f} ± {100 * row['mcse']:.1f}",
            ]
            for row in record["false_alarms"]
        ]
        total = record["pooled"]
        parts += [
            table(["told", "scores given", "models", "with a warning, %"], alarms),
            f"Over all of them {100 * total['rate']:.1f} ± {100 * total['mcse']:.1f} % (standard "
            "errors; the last one between models). One of five given scores spoiled by 30 points "
            "or more, and reported:\n",
            table(
                ["slip", "models", "found, %"],
                (
                    [
                        slip,
                        number(one["n"], 0),
                        f"{100 * one['rate']:.0f} ± {100 * one['mcse']:.0f}",
                    ]
                    for slip, one in record["found"].items()
                ),
            ),
        ]
    return "\n".join(parts)


def speed_section(found: Sequence[Record]) -> str:
    """Times on the bundled posterior."""
    rows = [
        [
            name,
            number(entry["min_s"], 3),
            number(entry["median_s"], 3),
            number(entry.get("peak_mb"), 0),
        ]
        for record in found
        for name, entry in record["times"].items()
    ]
    return table(["step", "least s", "median s", "peak MB"], rows)


def made_on(found: Sequence[Record]) -> str:
    """Commits, data and machines behind the figures."""
    rows = []
    for record in found:
        made = record["provenance"]
        asked = made["options"]
        parts = (
            record["name"],
            asked.get("engine"),
            "probes" if asked.get("probes") else None,
            record.get("method"),
            record.get("label"),
        )
        name = "-".join(part for part in parts if part)
        changed = " (package changed)" if made["package_changed"] else ""
        rows.append(
            [
                name,
                f"{(made['commit'] or 'unknown')[:10]}{changed}",
                made["created"],
                made["data_hash"][:12],
                f"{made['machine']['cpu']}, {made['machine']['cores']} cores, "
                f"Python {made['machine']['python']}, jax {made['machine']['jax']}",
            ]
        )
    return table(["result", "commit", "date", "data", "machine"], rows)


SECTIONS = (
    ("p1", "P1: published folds of the public 84 x 133 matrix"),
    ("p2", "P2: the bundled matrix, per-model 3-fold, seed 42"),
    ("p3", "P3: new releases (hidden cells only)"),
    ("p4", "P4: probes (hidden cells only)"),
    ("p7", "P7: as shipped, models that the shipped posterior never saw"),
    ("p8", "P8: small tables, fitted as users do"),
    ("noise-floor", "The floor"),
    ("contradictions", "Warnings about given scores (models held out of the fit)"),
    ("skillinfer-table", "Conditioning beside skillinfer (4,574 x 6 table)"),
    ("conditioning", "Conditioning against full refits (raw intervals)"),
    ("engines", "Gibbs and NUTS: effective draws of eta per second, same matrix"),
    ("speed", "Times on the bundled posterior"),
)


def section(name: str, found: Sequence[Record]) -> str:
    """Body of one section."""
    if name == "p1":
        labels = sorted({str(r["label"]) for r in found if str(r.get("label")).startswith("seed-")})
        again = [record for label in labels for record in labelled(found, name, label)]
        return folds_section(of(found, name), PUBLISHED_P1, again)
    if name == "p2":
        return folds_section(of(found, name), ())
    if name == "p3":
        return release_section([*of(found, name), *labelled(found, name, "conditioned")])
    if name == "p4":
        return probes_section(of(found, name))
    chosen = [record for record in found if record["name"] == name]
    if name in ("p7", "p8"):
        whole = [r for r in chosen if r["provenance"]["options"]["max_folds"] is None]
        levels = ("input", "reveal", "k") if name == "p7" else ("size",)
        return honest_section(whole, "crossed" if name == "p7" else "by_size", levels)
    write = {
        "noise-floor": floor_section,
        "contradictions": contradictions_section,
        "skillinfer-table": skillinfer_section,
        "conditioning": conditioning_section,
        "engines": engines_section,
        "speed": speed_section,
    }
    return write[name](chosen)
