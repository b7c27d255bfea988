"""What goes into a store, what it means, and how it is taken out for good."""

from __future__ import annotations

import json
import os
from contextlib import closing
from typing import TYPE_CHECKING, Any

from travelsense._asking import ask, heard
from travelsense._handle import Handle
from travelsense._progress import Progress, lasting
from travelsense._question import each_to_json, question, to_json
from travelsense._source import readable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from travelsense._report import ImportReport, IngestReport
    from travelsense._source import PlatformTable, Table, TimeUnit

# A batch of fewer events takes no second.
_LARGE = 10_000


class Events(Handle):
    """The verbs of events: taking them in, what they mean, and forgetting people."""

    def import_(
        self,
        source: Table,
        *,
        user: str | None = None,
        time: str | None = None,
        name: str | None = None,
        event: str | None = None,
        anonymous: str | None = None,
        session: str | None = None,
        id: str | None = None,  # noqa: A002 - the column of that part of an event
        received: str | None = None,
        sent: str | None = None,
        seq: str | None = None,
        properties: str | None = None,
        timezone: str | None = None,
        time_unit: TimeUnit | None = None,
        table: PlatformTable | None = None,
        strict: bool = False,
        progress: bool | Callable[[int, int | None, int, int | None], object] = True,
    ) -> ImportReport:
        r"""Takes in events, or rows of one of the platform's tables, from a file or from another library.

        Columns that are no part of an event become its properties. A row that is not valid is counted, reported with
        its line and reasons, and left out. Sent twice, rows with an id change nothing.

        Args:
            source: the path of an NDJSON, CSV, Parquet or Arrow file, or any table with an Arrow interface: of pyarrow,
                polars, pandas (2.2 or newer, with pyarrow), DuckDB.
            user: the column with the user's id; `userId` or `user_id` by default.
            time: the column with the time; `ts`, `timestamp` or `time` by default.
            name: the column with the event's name; `name` or `event` by default.
            event: one name for all rows, instead of a column.
            anonymous: the column with the anonymous id.
            session: the column with the session.
            id: the column with the event's id, by which duplicates are known.
            received: the column with the time of receipt.
            sent: the column with the time at which the client sent it.
            seq: the column with its place among the client's events.
            properties: the column with a JSON object of properties.
            timezone: the IANA zone of times without an offset, and of dates.
            time_unit: what times that are bare numbers count since 1970.
            table: the table, where the rows are not events: `profiles`, `payments` and so on.
            strict: stop at the first row that is not valid, and keep nothing.
            progress: whether to show how far it is where it takes long; or a function to tell it, called with the rows
                read and how many there are, and the bytes read and how many there are (`None` where nobody knows).
                Ctrl-C stops the import, and so does an exception of the function, up to the moment in which what was
                read is made durable; then nothing of it is kept. It may ask questions, but what it wrote to the same
                store would wait for the import for ever.

        Raises:
            ValidationError: for a column that is not there, a format nobody knows, or, if `strict`, a row.
            NotFound: for a file that is not there.

        Example:
            >>> import tempfile
            >>> from pathlib import Path
            >>> import travelsense as ts
            >>> with tempfile.TemporaryDirectory() as folder, ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     file = Path(folder) / "visits.csv"
            ...     written = file.write_text("visitor,at,page\nada,2026-02-01,home\nbob,never,home\n")
            ...     report = a.import_(file, user="visitor", time="at", event="view")
            >>> report.accepted, report.refused_by_code
            (1, {'invalid_date': 1})
        """
        if name is not None and event is not None:
            raise TypeError("`name` is the column of names and `event` one name for all rows: give one of them")
        rows = readable(source)
        options = question(
            user=user,
            time=time,
            name=name if event is None else {"constant": event},
            anonymous=anonymous,
            session=session,
            id=id,
            received=received,
            sent=sent,
            seq=seq,
            properties=properties,
            timezone=timezone,
            time_unit=time_unit,
            table=table,
            strict=strict,
        )
        from travelsense._report import ImportReport

        if callable(progress):
            return ImportReport.of_core(self._store.import_(rows, options, heard(progress)))
        with closing(Progress(f"importing {_title(source)}")) as shown:
            watch = shown if progress else None
            return ImportReport.of_core(self._store.import_(rows, options, heard(watch)))

    def ingest(
        self,
        events: Sequence[Mapping[str, Any]],
        *,
        source: str | None = None,
        idempotency_key: str | None = None,
    ) -> IngestReport:
        """Takes in a batch of events, durably, and says for each whether it is accepted, a duplicate, or refused.

        Args:
            events: each with `name` and `ts`, and as wanted `userId`, `anonymousId`, `sessionId`, `eventId` (by which
                duplicates are known), `clientSeq`, `sentAt`, `properties`.
            source: where they come from, for `ingest_status`; at most 100 characters.
            idempotency_key: the same batch that is sent again with it within 24 hours is answered as before and stored
                once.

        Raises:
            ValidationError: for a batch that is too large or no batch at all.

        Example:
            >>> import travelsense as ts
            >>> event = {"userId": "ada", "name": "search", "ts": "2026-02-01T10:00:00Z", "eventId": "1"}
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     [answer["status"] for answer in a.ingest([event, event, {"name": "search"}]).events]
            ['accepted', 'duplicate', 'refused']
        """
        from travelsense._report import IngestReport

        if hasattr(events, "__arrow_c_stream__") or hasattr(events, "__dataframe__"):
            raise TypeError(f"events are dicts; a {type(events).__name__} goes to `import_`")
        with lasting("ingesting", show=hasattr(events, "__len__") and len(events) >= _LARGE):
            batch, faults = each_to_json(events, "events")
            report = IngestReport.of_core(self._store.ingest(batch, source, idempotency_key))
        # Those that cannot be written as JSON were refused in their places, and here is why.
        for place, errors in faults.items():
            report.events[place]["errors"] = errors
        return report

    def catalogue(self) -> dict[str, Any]:
        """What the events mean, in the JSON form: conversions, errors, revenue, the default funnel and so on.

        Raises:
            Forbidden: who acts may not ask questions.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     a.catalogue()["conversions"]
            ['complete_booking']
        """
        catalogue: dict[str, Any] = json.loads(self._store.catalogue())
        return catalogue

    def set_catalogue(self, catalogue: Mapping[str, Any]) -> None:
        """Says what the events mean; a field that is absent gets its default.

        Args:
            catalogue: its fields, as `catalogue` gives them.

        Raises:
            ValidationError: with everything wrong with it.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     a.set_catalogue({**a.catalogue(), "conversions": ["purchase"]})
            ...     a.catalogue()["conversions"]
            ['purchase']
        """
        self._store.set_catalogue(to_json(catalogue))

    def erase(self, user_ids: Sequence[str], *, progress: bool = True) -> dict[str, Any]:
        """Takes everything of users away, for good and before it returns.

        Their events go, also those of devices that were theirs, and all that profiles, aliases, merges, cohorts and the
        platform's tables say of them; whoever was merged with one of them is the same person and goes too. Answers
        change as if these users had never been.

        Args:
            user_ids: at most 10,000 ids.
            progress: whether to show for how long it has gone on, where that is over a second.

        Returns:
            How many ids were known (`users`) and not (`unknown`); the `events`, `records` of tables, `held` events and
            `cohorts` that changed; in `setAside` the files beside the store that nobody can read.

        Raises:
            ValidationError: for an empty id, or too many.
            Forbidden: who acts may not erase.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     report = a.ingest([{"userId": "ada", "name": "search", "ts": "2026-02-01T10:00:00Z"}])
            ...     gone = a.erase(["ada", "nobody"])
            >>> gone["users"], gone["unknown"], gone["events"]
            (1, 1, 1)
        """
        with lasting("erasing", show=progress):
            text = ask("erasing", lambda how: self._store.erase(list(user_ids), how), progress=False)
        report: dict[str, Any] = json.loads(text)
        return report

    def quarantine(self, *, limit: int | None = None, offset: int | None = None) -> dict[str, Any]:
        """Events that were refused but kept: of clocks that cannot be right, or with too large properties.

        Args:
            limit: at most so many, 1 to 1,000; 100 by default.
            offset: how many to leave out before.

        Returns:
            `events`, the latest received first, each with `id`, `event` and its reasons; `total` and `hasMore`.

        Raises:
            ValidationError: with everything wrong with the question.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     report = a.ingest([{"userId": "ada", "name": "search", "ts": "2027-01-01T00:00:00Z"}])
            ...     held = a.quarantine()
            >>> report.quarantined, held["total"], held["events"][0]["event"]["userId"]
            (1, 1, 'ada')
        """
        held: dict[str, Any] = json.loads(self._store.quarantine(question(limit=limit, offset=offset)))
        return held

    def replay_quarantine(self, ids: Sequence[str] | None = None) -> IngestReport:
        """Sends events of the quarantine again, as received now; what is no longer refused leaves it.

        Args:
            ids: the `id`s of events; all by default.

        Raises:
            ValidationError: with everything wrong with the ids.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     report = a.ingest([{"userId": "ada", "name": "search", "ts": "2027-01-01T00:00:00Z"}])
            ...     print(a.replay_quarantine())
            1 sent: 0 accepted, 0 duplicates, 1 refused
        """
        from travelsense._report import IngestReport

        return IngestReport.of_core(self._store.replay_quarantine(question(ids=ids)))

    def replay_parked(self) -> dict[str, int]:
        """Stores batches that could not be stored when they came and were put beside the file.

        Returns:
            `accepted`, the events of them that were new, and `left`, the batches that still cannot be stored.

        Raises:
            Forbidden: who acts may not take in events.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     a.replay_parked()
            {'accepted': 0, 'left': 0}
        """
        report: dict[str, int] = json.loads(self._store.replay_parked())
        return report

    def ingest_status(self) -> dict[str, Any]:
        """How the intake does: what waits, what became of what came, and how fresh each source is.

        Also told where the store cannot be read, as after a full disk: `stored` is None then, and `trouble` says why.
        It also says why events cannot be stored, where the rest can be read.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     a.ingest_status()["accepted"]
            0
        """
        status: dict[str, Any] = json.loads(self._store.ingest_status())
        return status

    def data_version(self) -> int:
        """The version of what is stored; it grows with every change, and an answer asked for now holds at least this.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     before = a.data_version()
            ...     report = a.ingest([{"userId": "ada", "name": "search", "ts": "2026-02-01T10:00:00Z"}])
            ...     a.data_version() > before
            True
        """
        return self._store.data_version()


def _title(source: object) -> str:
    from pathlib import Path

    return Path(source).name if isinstance(source, str | os.PathLike) else "a table"
