"""The ways that users take, as a table."""

from __future__ import annotations

from typing import Any

from travelsense._display.table import MOST_ROWS, Cell, Table, rate
from travelsense._display.text import length, node, span


def journey(answer: dict[str, Any]) -> Table:
    noun = "sessions" if answer["switches"]["unit"] == "sessions" else "paths"
    notes = [f"{answer['paths']:,} {noun} of {answer['users']:,} users."]
    if "sequences" not in answer:
        shown = next((part for part in ("sankey", "transitions", "nodes") if part in answer), "sankey")
        return {"sankey": _links, "transitions": _transitions, "nodes": _nodes}[shown](answer, notes)
    sequences = answer["sequences"]
    rows = [
        [
            Cell(" → ".join(map(node, way["nodes"]))),
            Cell(f"{way['occurrences']:,}"),
            Cell(f"{way['users']:,}"),
            rate(way["share"]),
            Cell(length(way["medianSeconds"])),
            Cell("", bar=way["share"]["value"] or 0.0),
        ]
        for way in sequences["top"]
    ]
    if sequences["truncated"]:
        rest = sequences["distinct"] - len(rows)
        notes.append(f"{rest:,} more ways, taken {sequences['other']['occurrences']:,} times.")
    return Table(
        f"Ways of {sequences['length']} steps, {span(answer)}",
        ["way", "times", "users", "share", "median time", ""],
        rows,
        notes=notes,
    )


def _links(answer: dict[str, Any], notes: list[str]) -> Table:
    links = answer.get("sankey", {}).get("links", [])
    rows = [
        [
            Cell(str(link["step"])),
            Cell(node(link["source"])),
            Cell(node(link["target"])),
            Cell(f"{link['users']:,}"),
            Cell(f"{link['transitions']:,}"),
            Cell(length(link["meanSeconds"])),
        ]
        for link in links[:MOST_ROWS]
    ]
    if len(links) > MOST_ROWS:
        notes.append(f"{len(links) - MOST_ROWS:,} more links are in the answer.")
    return Table(
        f"Links, {span(answer)}",
        ["step", "from", "to", "users", "times", "mean time"],
        rows,
        words=3,
        notes=notes,
    )


def _transitions(answer: dict[str, Any], notes: list[str]) -> Table:
    top = answer["transitions"]["top"]
    rows = [
        [
            Cell(node(way["from"])),
            Cell(node(way["to"])),
            Cell(f"{way['users']:,}"),
            Cell(f"{way['transitions']:,}"),
            rate(way["share"]),
            Cell(length(way["meanSeconds"])),
            Cell("", bar=way["share"]["value"] or 0.0),
        ]
        for way in top[:MOST_ROWS]
    ]
    _more(answer["transitions"]["distinct"] - len(rows), "transitions", notes)
    header = ["from", "to", "users", "times", "of those from there", "mean time", ""]
    return Table(f"Transitions, {span(answer)}", header, rows, words=2, notes=notes)


def _nodes(answer: dict[str, Any], notes: list[str]) -> Table:
    """What occurs, the most frequent first."""
    top = answer["nodes"]["top"]
    most = max((found["users"] for found in top), default=1)
    rows = [
        [
            Cell(node(found["node"])),
            Cell(f"{found['users']:,}"),
            Cell(f"{found['events']:,}"),
            Cell(f"{found['starts']:,}"),
            Cell(f"{found['ends']:,}"),
            Cell("", bar=found["users"] / most),
        ]
        for found in top[:MOST_ROWS]
    ]
    _more(answer["nodes"]["distinct"] - len(rows), "nodes", notes)
    header = ["node", "users", "events", "begin with it", "end with it", ""]
    return Table(f"Nodes, {span(answer)}", header, rows, notes=notes)


def _more(count: int, what: str, notes: list[str]) -> None:
    if count > 0:
        notes.append(f"{count:,} more {what}.")
