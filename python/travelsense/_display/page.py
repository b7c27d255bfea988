"""Charts and tables as the HTML of a notebook's cell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from travelsense._display.table import Table, html

if TYPE_CHECKING:
    from collections.abc import Sequence

# How notebooks say that they are dark or light, whatever the machine prefers.
_DARK = '[data-jp-theme-light="false"] .travelsense,html[theme=dark] .travelsense,.vscode-dark .travelsense'
_LIGHT = '[data-jp-theme-light="true"] .travelsense,html[theme=light] .travelsense,.vscode-light .travelsense'
_COLOUR = re.compile(r"var\((--travelsense-[a-z0-9-]+),(#[0-9a-f]+)\)")


def page(charts: Sequence[str], tables: Sequence[Table]) -> str:
    """The charts, each above the table of the same answer."""
    shown = list(map(html, tables))
    if not charts:
        return "\n".join(shown)
    drawn = [f'<div style="max-width:760px;overflow-x:auto">{chart}</div>' for chart in charts]
    if len(drawn) == len(shown):
        parts = [part for pair in zip(drawn, shown, strict=True) for part in pair]
    else:
        tiles = f'<div style="display:flex;flex-wrap:wrap;gap:8px">{"".join(drawn)}</div>'
        parts = [tiles if len(drawn) > 1 else drawn[0], *shown]
    return f'<div class="travelsense">{_themes(charts[0])}{"".join(parts)}</div>'


def _themes(chart: str) -> str:
    """The chart's own colours, set for notebooks that say themselves whether they are dark."""
    style = chart.partition("<style>")[2].partition("</style>")[0]
    light, _, dark = style.partition("@media")
    sheets = [(_LIGHT, light), (_DARK, dark)]
    rules = (f"{where}{{{';'.join(sorted(set(map(':'.join, _COLOUR.findall(css)))))}}}" for where, css in sheets)
    return f"<style>{''.join(rules)}</style>"
