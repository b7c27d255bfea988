"""What became of the events that were sent: accepted + duplicates + refused = sent, always."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Literal, NotRequired, Self, TypedDict

from travelsense._names import field_of, message_of

if TYPE_CHECKING:
    from travelsense._errors import FieldError


class Refusal(TypedDict):
    """Why a row was refused: its line in a text file, or its number in another source, from 1."""

    line: int
    errors: list[FieldError]


class EventAnswer(TypedDict):
    """What became of one event of a batch; `index` is its place in it, from 0."""

    index: int
    status: Literal["accepted", "duplicate", "refused"]
    errors: NotRequired[list[FieldError]]


@dataclass(frozen=True)
class Report:
    """How many rows were sent, and what became of them.

    Attributes:
        sent: how many were read.
        accepted: how many were new.
        duplicates: how many were there already, by their id.
        refused: how many were not valid.
        quarantined: how many of the refused were kept aside, because their time lies in the future.
        conflicts: how many rows of a known id and another content were kept out.
        replaced: how many stored rows gave way to one of these.
        version: the data version afterwards; unchanged where nothing was new.
    """

    sent: int
    accepted: int
    duplicates: int
    refused: int
    quarantined: int
    conflicts: int
    replaced: int
    version: int

    @classmethod
    def of_core(cls, text: str) -> Self:
        """Reads the core's report."""
        known = {f.name for f in fields(cls)}
        report = {field_of(name): value for name, value in json.loads(text).items()}
        # Of an import they speak of its arguments, of a batch of the events as they were given.
        for error in (error for refusal in report.get("refusals", ()) for error in refusal["errors"]):
            error["message"] = message_of(error["message"])
        return cls(**{name: value for name, value in report.items() if name in known})

    def __str__(self) -> str:
        return (
            f"{self.sent:,} sent: {self.accepted:,} accepted, {self.duplicates:,} duplicates, {self.refused:,} refused"
        )

    def _repr_html_(self) -> str:
        """What notebooks show."""
        return f"<p>{self}</p>"


@dataclass(frozen=True)
class ImportReport(Report):
    """The report of an import.

    Attributes:
        refused_by_code: how many were refused for which reason.
        refusals: the first 1,000 refusals.
    """

    refused_by_code: dict[str, int]
    refusals: list[Refusal] = field(repr=False)


@dataclass(frozen=True)
class IngestReport(Report):
    """The report of a batch.

    Attributes:
        events: what became of each event, in the order sent.
    """

    events: list[EventAnswer] = field(repr=False)
