"""``bayesbench data fetch``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from ..errors import UsageError
from . import completing
from .output import Column, Listing, emit, example, format_option, note, text

__all__ = ["fetch"]

SOURCE_FIELDS = ("name", "licence", "about", "url", "sha256", "licence_url")
FETCHED_FIELDS = ("path", "size", "downloaded", *SOURCE_FIELDS)
MEGABYTE = 1024 * 1024


@click.command(
    epilog=example(
        "bayesbench data fetch",
        "bayesbench data fetch --url https://example.org/scores.csv --sha256 9f86... "
        "--accept-licence",
    )
)
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--url", metavar="URL", help="Address of a file that has no name here.")
@click.option("--sha256", metavar="HEX", help="What its SHA-256 is; with --url.")
@click.option(
    "--registry",
    metavar="FILE",
    shell_complete=completing.file,
    help="Your own list: a CSV name,url,sha256,licence[,licence_url].",
)
@click.option("--accept-licence", is_flag=True, help="I have read its licence and keep to it.")
@click.option(
    "--out",
    metavar="FILE",
    shell_complete=completing.file,
    help="Where to.  [default: the cache, and says where]",
)
@click.option(
    "--most-mb",
    type=click.IntRange(1, 100_000),
    default=256,
    show_default=True,
    metavar="N",
    help="Refuse a larger file.",
)
@format_option()
def fetch(
    name: str | None,
    url: str | None,
    sha256: str | None,
    registry: str | None,
    accept_licence: bool,
    out: str | None,
    most_mb: int,
    output_format: str,
) -> None:
    """Download a public matrix, kept only if its SHA-256 is the stated one.

    Without a name: lists those there are. The licence is shown first; nothing is downloaded
    before --accept-licence.
    """
    from ..scores.fetching import Source, public_matrices, source_of
    from ..scores.fetching import fetch as fetched

    if (url is None) != (sha256 is None):
        raise UsageError("--url and --sha256 go together")
    if url is not None and (name is not None or registry is not None):
        raise UsageError("give a name, or --url and --sha256")
    if name is None and url is None:
        rows = [asdict(source) for source in public_matrices(registry).values()]
        columns = tuple(Column(field, field, text, right=False) for field in SOURCE_FIELDS[:4])
        listing = Listing(f"{len(rows)} matrices by name", columns, rows, SOURCE_FIELDS)
        emit(output_format, {"matrices": rows}, listing)
        return
    if url is not None and sha256 is not None:
        source = Source("the file", url, sha256)
    else:
        source = source_of(str(name), registry)
    licence = source.licence or "not known here; see the page it comes from"
    more = f" ({source.licence_url})" if source.licence_url else ""
    note(f"note: licence of {source.name}: {licence}{more}")
    if not accept_licence:
        raise UsageError("nothing was downloaded: read the licence, then --accept-licence")
    found = fetched(source, out, most_bytes=most_mb * MEGABYTE)
    row: dict[str, Any] = {
        **asdict(source), "path": str(found.path), "size": found.size,
        "downloaded": found.downloaded,
    }  # fmt: skip
    columns = (
        Column("path", "file", text, right=False),
        Column("size", "bytes", str),
        Column("downloaded", "downloaded", text),
    )
    title = "Fetched" if found.downloaded else "Already there"
    emit(output_format, row, Listing(title, columns, [row], FETCHED_FIELDS))
