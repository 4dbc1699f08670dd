"""One HTML file that holds everything: data, scripts, style; its policy forbids any connection."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from os import PathLike
from typing import Any

from ..files import write_text
from ..jsonable import json_text
from ..posterior.stored import StoredPosterior
from .about import about
from .fitted import fitted
from .pack import MOST_DRAWS, packed, quantised

__all__ = ["MODULES", "page", "write_page"]

MODULES = (
    "engine", "words", "state", "widgets", "joint", "mine", "models", "benchmarks", "matrix",
    "map", "checks", "main",
)  # fmt: skip
"""The page's own scripts, each after those that it imports."""
LIBRARIES = ("d3", "plot")
PLOT_STYLE = """:where(.plot-d6a7b5) {
  --plot-background: white;
  display: block;
  height: auto;
  height: intrinsic;
  max-width: 100%;
}
:where(.plot-d6a7b5 text),
:where(.plot-d6a7b5 tspan) {
  white-space: pre;
}"""
"""The style sheet that the pinned version of Plot writes into every chart."""

_IMPORT = re.compile(r'^import \* as \w+ from "\./\w+\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:const|function\*?) (\w+))", re.MULTILINE)


def write_page(
    path: str | PathLike[str],
    posterior: StoredPosterior,
    *,
    models: Sequence[str] | None = None,
    campaign: Mapping[str, Any] | None = None,
    n_draws: int = MOST_DRAWS,
) -> int:
    """Write the page, whole or not at all; its size in bytes.

    Parameters
    ----------
    path : path
    posterior, models, campaign, n_draws
        As in `page`.

    Raises
    ------
    DataError
        The file cannot be written.
    UsageError
        As `page`.
    """
    text = page(posterior, models=models, campaign=campaign, n_draws=n_draws)
    write_text(path, text)
    return len(text.encode("utf-8"))


def page(
    posterior: StoredPosterior,
    *,
    models: Sequence[str] | None = None,
    campaign: Mapping[str, Any] | None = None,
    n_draws: int = MOST_DRAWS,
) -> str:
    """The page as text.

    Parameters
    ----------
    posterior : StoredPosterior
    models : sequence of str, optional
        Ids of the fitted models that it shows; by default all.
    campaign : mapping, optional
        From `about.campaign_state`: what *My model* starts with.
    n_draws : int
        Draws that travel in it.

    Raises
    ------
    UsageError
        The posterior has fewer than 3 draws.
    """
    small = quantised(posterior, n_draws)
    data = {
        "engine": packed(small),
        "about": about(posterior),
        "fitted": fitted(posterior, small, models),
        "campaign": campaign,
    }
    libraries = [_asset(f"vendor/{name}.min.js") for name in LIBRARIES]
    own = script({name: _asset(f"{name}.js") for name in MODULES})
    style = _asset("style.css")
    licences = "\n\n".join(_asset(f"vendor/LICENSE.{name}.txt").strip() for name in LIBRARIES)
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_hashes([*libraries, own])}",
            f"style-src {_hashes([style, PLOT_STYLE])}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    parts = {
        "POLICY": policy,
        "STYLE": style,
        "LICENCES": _escaped(licences),
        "DATA": data_text(data),
        "SCRIPTS": "\n".join(f"<script>{text}</script>" for text in (*libraries, own)),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _asset("page.html"))


def data_text(data: Any) -> str:
    """JSON that cannot end the element it stands in: no ``<`` is left in it."""
    return json_text(data).replace("<", "\\u003c")


def script(modules: Mapping[str, str]) -> str:
    """Modules as one script: each a constant of its name with what it exports.

    They import one another as ``import * as name from "./name.js";`` only.
    """
    parts = []
    for name, text in modules.items():
        exported = ", ".join(found[1] for found in _EXPORT.finditer(text))
        body = _EXPORT.sub("", _IMPORT.sub("", text))
        parts.append(f"const {name} = (() => {{\n{body}\nreturn {{ {exported} }};\n}})();")
    return '"use strict";\n' + "\n".join(parts)


def _asset(name: str) -> str:
    return files(__package__).joinpath("assets", name).read_text(encoding="utf-8")


def _hashes(texts: Iterable[str]) -> str:
    return " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in texts
    )


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
