"""Answers as tables and charts to look at, in a terminal and in a notebook, light or dark."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from travelsense._display.activity import adoption, anomalies, engagement, pickup, realtime
from travelsense._display.foretold import (
    backtest,
    churn,
    detect_anomalies,
    forecast,
    next_action,
    predictive,
    value,
)
from travelsense._display.funnel import compare, difference, drop_off, funnel, funnel_groups
from travelsense._display.journey import journey
from travelsense._display.page import page
from travelsense._display.retention import retention
from travelsense._display.table import Table, html, plain

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Table", "html", "page", "plain", "tables"]

_TABLES: dict[str, Callable[[Any], Table]] = {
    "funnel": funnel,
    "drop_off": drop_off,
    "compare": compare,
    "explain_difference": difference,
    "engagement": engagement,
    "adoption": adoption,
    "journey": journey,
    "realtime": realtime,
    "anomalies": anomalies,
    "detect_anomalies": detect_anomalies,
    "pickup": pickup,
    "predictive": predictive,
    "churn": churn,
    "value": value,
    "next_action": next_action,
    "forecast": forecast,
    "backtest": backtest,
}

_INSIGHTS: dict[str, Callable[[Any], Table]] = {
    "engagement_patterns": engagement,
    "conversion_funnel": funnel,
    "drop_off_points": drop_off,
    "feature_adoption": adoption,
    "user_journeys": journey,
}


def tables(word: str, answer: Any) -> list[Table]:
    """The tables that show an answer."""
    if word == "user_insights":
        return [_insight(insight) for insight in answer]
    if word == "retention":
        groups = answer.get("breakdown", {}).get("groups", [])
        return [retention(answer), *(retention({**answer, **group}, group["label"]) for group in groups)]
    if word == "funnel" and "breakdown" in answer:
        return [funnel(answer), funnel_groups(answer)]
    return [_TABLES[word](answer)]


def _insight(insight: dict[str, Any]) -> Table:
    """The table of what an insight speaks of, under its words."""
    table = _INSIGHTS[insight["insightType"]](insight["data"])
    caption = table.caption.partition(", ")[2]
    return replace(table, caption=f"{insight['title']}, {caption}", notes=[insight["description"], *table.notes])
