"""Tables to look at, in a terminal and in a notebook, light or dark."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any

from travelsense._display.text import percent

MOST_ROWS = 60
# A date or a name stands in one line; sentences and ways may take several.
_SHORT = 24


@dataclass(frozen=True)
class Cell:
    """A cell: its text, what more there is to say of it, and a share that is drawn as a bar or as a shade."""

    text: str
    title: str = ""
    bar: float | None = None
    shade: float | None = None
    unfinished: bool = False


@dataclass(frozen=True)
class Table:
    """A table: its caption, its columns (the first `words` of them are not numbers), its rows, and notes to it."""

    caption: str
    header: list[str]
    rows: list[list[Cell]]
    words: int = 1
    notes: list[str] = field(default_factory=list)


def plain(table: Table) -> str:
    """The table as text, its columns aligned."""
    rows = [table.header, *([_plain_text(cell) for cell in row] for row in table.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            text.ljust(width) if i < table.words else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([table.caption, *lines, *table.notes])


def html(table: Table) -> str:
    """The table as HTML for light and dark pages alike: it sets no colours but shades that let both through."""
    edge = "border-bottom:1px solid rgba(128,128,128,.35);padding:.25em .6em"
    align = ["left" if i < table.words else "right" for i in range(len(table.header))]
    head = "".join(
        f'<th scope="col" style="text-align:{side};{edge}">{escape(name)}</th>'
        for side, name in zip(align, table.header, strict=True)
    )
    body = "".join(
        "<tr>" + "".join(_html_cell(cell, side, edge) for side, cell in zip(align, row, strict=True)) + "</tr>"
        for row in table.rows
    )
    notes = "".join(f'<p style="margin:.3em 0;opacity:.75">{escape(note)}</p>' for note in table.notes)
    return (
        '<div style="overflow-x:auto"><table style="border-collapse:collapse;font-variant-numeric:tabular-nums">'
        f'<caption style="text-align:left;font-weight:600;padding:.3em 0">{escape(table.caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}</div>"
    )


def _html_cell(cell: Cell, side: str, edge: str) -> str:
    whole = side == "right" or len(cell.text) <= _SHORT
    style = f"text-align:{side};{edge}" + (";white-space:nowrap" if whole else "")
    text = escape(cell.text)
    if cell.shade is not None:
        # At most so opaque that dark text on a light page and light text on a dark one can be read.
        style += f";background:rgba(37,99,235,{0.5 * cell.shade:.3f})"
    if cell.unfinished:
        style += ";font-style:italic;opacity:.75;border:1px dashed rgba(128,128,128,.6)"
    if cell.bar is not None:
        text = (
            '<div style="width:10em;background:rgba(128,128,128,.2)" aria-hidden="true">'
            f'<div style="width:{100 * cell.bar:.1f}%;height:1em;background:rgba(37,99,235,.75)"></div></div>'
        )
    title = f' title="{escape(cell.title)}"' if cell.title else ""
    return f'<td style="{style}"{title}>{text}</td>'


def _plain_text(cell: Cell) -> str:
    return cell.text if cell.bar is None else ("█" * round(20 * cell.bar)).ljust(20)


def rate(rate: dict[str, Any]) -> Cell:
    if rate["value"] is None:
        return Cell("–")
    return Cell(percent(rate["value"]), title=f"{rate['k']:,} of {rate['n']:,}{interval(rate)}")


def interval(rate: dict[str, Any]) -> str:
    if rate["low"] is None:
        return ""
    return f", 95 % interval {percent(rate['low'])} to {percent(rate['high'])}"
