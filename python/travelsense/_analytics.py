"""A store of events that answers questions about them."""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, TypeAlias

from travelsense._alerts import Alerts
from travelsense._asking import ask
from travelsense._models import Models
from travelsense._native import Store
from travelsense._predictions import Predictions
from travelsense._progress import Progress
from travelsense._question import question, to_json
from travelsense._report import ImportReport, IngestReport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType

    from travelsense._asking import Watch
    from travelsense._question import (
        ClockStart,
        ClockUnit,
        CohortMetric,
        CohortPeriod,
        Criterion,
        Date,
        EngagementMetric,
        Event,
        ExportMetric,
        ExportType,
        Feature,
        Format,
        InsightType,
        JourneyPart,
        Length,
        Maturity,
        Metric,
        Mode,
        Period,
        Pooling,
        Preset,
        Property,
        Segment,
        Status,
        TimeRange,
        Weekday,
    )
    from travelsense._result import Result


class ArrowStream(Protocol):
    """A table that other libraries can read as a stream of Arrow batches."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """The stream, as a capsule."""


class ArrowArray(Protocol):
    """A batch that other libraries can read as an Arrow array."""

    def __arrow_c_array__(self, requested_schema: Any = None) -> Any:
        """The schema and the array, as capsules."""


Table: TypeAlias = str | os.PathLike[str] | ArrowStream | ArrowArray
PlatformTable: TypeAlias = Literal[
    "profiles", "aliases", "merges", "trips", "bookings", "reviews", "payments", "performance", "rates"
]
TimeUnit: TypeAlias = Literal["s", "ms", "us"]


def open(  # noqa: A001 - `travelsense.open` reads as what it does
    path: str | os.PathLike[str],
    *,
    read_only: bool = False,
    threads: int | None = None,
    memory_limit: int | None = None,
    timeout: Length | None = None,
    now: str | datetime | None = None,
) -> Analytics:
    """Opens a file of events, creating it where it is absent, or `":memory:"` for a store that ends with its handle.

    Args:
        path: the file.
        read_only: leave the file as it is; several processes may do so at once.
        threads: how many threads to use; all cores by default.
        memory_limit: the most bytes to use; no limit by default.
        timeout: how long a behavioural question may take before it is given up as `Cancelled`: seconds, `"30s"`, or a
            `timedelta`; no limit by default.
        now: answers as if it were that instant, so that a notebook gives the same numbers tomorrow. An aware
            `datetime`, or ISO 8601 with an offset.

    Raises:
        Locked: somebody else has the file open for writing.
        NotFound: the folder does not exist, or for `read_only` the file.
        Corrupt: the file is damaged, is something else, or is from a newer version.
        StorageError: the file system refuses.
    """
    where = os.fspath(path)
    options = question(
        path=where, read_only=read_only, threads=threads, memory_limit=memory_limit, timeout=timeout, now=now
    )
    return Analytics(Store(options), where)


class Analytics(Alerts, Models, Predictions):
    """A store of events; `travelsense.open` opens one.

    Threads may share it: questions run in parallel and without Python's lock.
    """

    def __init__(self, store: Store, path: str) -> None:
        self._store = store
        self._path = path

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
        """Takes in events, or rows of one of the platform's tables, from a file or from another library.

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
                Ctrl-C stops the import, and so does an exception of the function. It may ask questions, but what it
                wrote to the same store would wait for the import for ever.

        Raises:
            ValidationError: for a column that is not there, a format nobody knows, or, if `strict`, a row.
            NotFound: for a file that is not there.
        """
        options = question(
            user=user,
            time=time,
            name={"constant": event} if name is None and event is not None else name,
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
        if callable(progress):
            return ImportReport.of_core(self._store.import_(source, options, progress))
        with closing(Progress(f"importing {_title(source)}")) as shown:
            watch = shown if progress else None
            return ImportReport.of_core(self._store.import_(source, options, watch))

    def ingest(self, events: Sequence[Mapping[str, Any]]) -> IngestReport:
        """Takes in a batch of events, durably, and says for each whether it is accepted, a duplicate, or refused.

        Args:
            events: each with `name` and `ts`, and as wanted `userId`, `anonymousId`, `sessionId`, `eventId` (by which
                duplicates are known), `clientSeq`, `sentAt`, `properties`.
        """
        return IngestReport.of_core(self._store.ingest(to_json(events)))

    def catalogue(self) -> dict[str, Any]:
        """What the events mean, in the JSON form: conversions, errors, revenue, the default funnel and so on."""
        catalogue: dict[str, Any] = json.loads(self._store.catalogue())
        return catalogue

    def set_catalogue(self, catalogue: Mapping[str, Any]) -> None:
        """Says what the events mean; a field that is absent gets its default.

        Raises:
            ValidationError: with everything wrong with it.
        """
        self._store.set_catalogue(to_json(catalogue))

    def funnel(
        self,
        steps: Sequence[Event] | None = None,
        *,
        start_date: Date,
        end_date: Date,
        window: Length | None = None,
        timezone: str | None = None,
        segment: Segment | None = None,
        strict_increase: bool | None = None,
        time_between: tuple[int, int] | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result:
        """How far do the users of a range get through a series of steps?

        A user enters with the first step within the range, and has converted when all steps follow in order within the
        window; of several tries the deepest counts. Rows: `step`, `event`, `count`, `rate`, `dropped`, times.

        Args:
            steps: 1 to 64 events in order; the catalogue's default funnel where there are none.
            start_date: the first day, or instant, of the entries.
            end_date: the last day, included whole, or the instant before which they end.
            window: the time from the first step to the last, both ends included; 14 days by default.
            timezone: the IANA zone of the dates; UTC by default.
            segment: only users of this segment.
            strict_increase: whether a step must be later than the one before, and not only not earlier.
            time_between: the pair of steps, from 1, whose time is measured; first to last by default.
            as_of: nothing after this instant is seen; now by default.
            timeout: how long it may take before it is given up as `Cancelled`: seconds, `"30s"`, or a `timedelta`; as
                long as the store says by default.
            progress: whether to show how far it is where it takes over a second and somebody may look; or a function to
                tell it, called with the share of the pass at hand that is done, 0 to 1. Its exception gives the
                question up.

        Raises:
            ValidationError: with everything wrong with the question.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     funnel = a.funnel(["search", "book"], start_date="2026-01-01", end_date="2026-01-31", window="7d")
            >>> funnel.to_dict()["converted"]
            0
        """
        asked = question(
            steps=steps,
            start_date=start_date,
            end_date=end_date,
            window=window,
            timezone=timezone,
            segment=segment,
            strict_increase=strict_increase,
            time_between=time_between,
            as_of=as_of,
        )
        return self._result("funnel", self._store.funnel, asked, timeout, progress)

    def drop_off(
        self,
        steps: Sequence[Event] | None = None,
        *,
        start_date: Date,
        end_date: Date,
        properties: Sequence[str | Mapping[str, Any]] | None = None,
        properties_at: Literal["entry", "step"] | None = None,
        within: Length | None = None,
        min_support: int | None = None,
        limit: int | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
        **funnel: Any,
    ) -> Result:
        """Where do the users of a funnel stop, what do they do next, and what separates them from those who go on?

        For each step, and for the whole funnel, every event on the way and every value of the properties is tried: the
        shares with and without it, their difference with its interval, and a p-value adjusted for all that were tried.
        Only users whose window is over are compared.

        Args:
            steps: as `funnel`.
            start_date: as `funnel`.
            end_date: as `funnel`.
            properties: the properties whose values are tried: a name, `{"user": name}` or `{"cohort": name}`.
            properties_at: whether the value of the entry counts, as by default, or that of the step.
            within: events count for so long after the entry; for the whole window by default.
            min_support: what fewer users have, or lack, is not tried; 30 by default.
            limit: at most so many next events and factors of each step; 20 by default.
            timeout: as `funnel`.
            progress: as `funnel`.
            funnel: any other option of a funnel, for example `window="7d"` or `order="any"`.

        Rows, one a step: `step`, `event`, `reached`, `dropped`, `open`, `rate`, `exit_rate`, `next_event`, `factor` and
        more; all factors, and those of the whole funnel in `conversion`, are in `to_dict()`.

        Raises:
            ValidationError: with everything wrong with the question.
        """
        asked = question(
            steps=steps,
            start_date=start_date,
            end_date=end_date,
            properties=properties,
            properties_at=properties_at,
            within=within,
            min_support=min_support,
            limit=limit,
            **funnel,
        )
        return self._result("drop_off", self._store.drop_off, asked, timeout, progress)

    def compare(
        self,
        steps: Sequence[Event] | None = None,
        *,
        start_date: Date,
        end_date: Date,
        between: Sequence[Segment | Mapping[str, str]] | None = None,
        breakdown: str | Sequence[Any] | Mapping[str, Any] | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
        **funnel: Any,
    ) -> Result:
        """Do the groups of a funnel differ, each from the rest, in the whole and at each step?

        Args:
            steps: as `funnel`.
            start_date: as `funnel`.
            end_date: as `funnel`.
            between: the groups: segments, and cohorts as `{"cohort": name}`.
            breakdown: the property whose groups are compared, in the place of `between`.
            timeout: as `funnel`.
            progress: as `funnel`.
            funnel: any other option of a funnel, for example `window="7d"`.

        Rows, of each group one for the whole funnel and one a step: `group`, `step`, `event`, `k`, `n`, `rate`,
        `rest_k`, `rest_n`, `rest_rate`, `difference` with its interval, `p_value`, and `adjusted_p_value` for all of
        them.

        Raises:
            ValidationError: with everything wrong with the question.
        """
        asked = question(
            steps=steps,
            start_date=start_date,
            end_date=end_date,
            between=between,
            breakdown=breakdown,
            **funnel,
        )
        return self._result("compare", self._store.compare, asked, timeout, progress)

    def explain_difference(
        self,
        a: Mapping[str, Any],
        b: Mapping[str, Any],
        *,
        word: Literal["funnel", "retention"] = "funnel",
        cell: Mapping[str, Any] | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result:
        """Why do two questions have different answers?

        Args:
            a: the first question, its fields named as in JSON.
            b: the second.
            word: what is asked.
            cell: the number whose users are compared; the converters of a funnel by default.
            timeout: as `funnel`.
            progress: as `funnel`.

        Rows, one a switch that differs: `switch`, `rules`, `sentence`, `a`, `b`, `users_a`, `users_alone`, `only_a`,
        `only_alone`; the numbers of both and the users that only one counts are in `to_dict()`.
        `people("explain_difference", …)` lists the users.

        Raises:
            ValidationError: with everything wrong with the questions.

        Example:
            >>> import travelsense as ts
            >>> asked = {"steps": ["search", "book"], "startDate": "2026-01-01", "endDate": "2026-01-31"}
            >>> with ts.open(":memory:") as a:
            ...     answer = a.explain_difference(asked, {**asked, "preset": "amplitude"})
            >>> [row["switch"] for row in answer]
            ['window', 'grace']
        """
        asked = question(word=word, a=a, b=b, cell=cell)
        return self._result("explain_difference", self._store.explain_difference, asked, timeout, progress)

    def query(
        self,
        word: str,
        question: Mapping[str, Any],
        *,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Any:
        """Asks any word of travelsense, with everything that it can be asked.

        Args:
            word: `funnel`, `drop_off`, `compare`, `explain_difference`, `retention`, `journey`, `engagement`,
                `adoption`, `realtime`, `user_insights`, `churn`, `value`, `next_action`, `predictive`, `forecast`,
                `backtest`, `score` or `feedback`.
            question: the fields of the question, named as in JSON (`startDate`, `steps`, …).
            timeout: as `funnel`.
            progress: as `funnel`.

        Returns:
            The answer as it stands in JSON: dicts, lists, numbers and text.

        Raises:
            ValidationError: with everything wrong with the question.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     answer = a.query("funnel", {"steps": ["a"], "startDate": "2026-01-01", "endDate": "2026-01-31"})
            >>> answer["entered"]
            0
        """
        asked = to_json(question)
        answer = ask(word, lambda how: self._store.query(word, asked, how), timeout=timeout, progress=progress)
        return json.loads(answer)

    def people(
        self,
        word: str,
        question: Mapping[str, Any],
        cell: Mapping[str, Any],
        *,
        limit: int = 100,
        offset: int = 0,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> dict[str, Any]:
        """Who are the users behind a number?

        Args:
            word: what was asked, for example `funnel`.
            question: its question, as `query` takes it.
            cell: the number of its answer, for example `{"cell": "reached", "step": 2}`.
            limit: at most so many users, 1 to 10,000.
            offset: how many to leave out before.
            timeout: as `funnel`.
            progress: as `funnel`.

        Returns:
            `total` (always the number itself), `users` in the order of their ids, each with `userId`, `firstSeen`,
            `lastSeen`, `events`, `plan` and `properties`, and `hasMore`.

        Raises:
            ValidationError: with everything wrong with the question, or for a cell that its answer does not have.
        """
        request = {"word": word, "question": question, "cell": cell, "limit": limit, "offset": offset}
        asked = to_json(request)
        found = ask(word, lambda how: self._store.people(asked, how), timeout=timeout, progress=progress)
        answer: dict[str, Any] = json.loads(found)
        return answer

    def export(
        self,
        export_type: ExportType,
        format: Format,  # noqa: A002 - as the specification calls it
        *,
        start_date: Date,
        end_date: Date,
        timezone: str | None = None,
        dashboard_id: str | None = None,
        metrics: Sequence[ExportMetric] | None = None,
    ) -> dict[str, Any]:
        """Exports a dashboard, a report or the events themselves as a file.

        A small export is complete when this returns; `export_job` says how far a larger one is. `save_export` gets the
        file, which is kept for a day.

        Args:
            export_type: `"dashboard"` for the widgets of `dashboard_id` (without one, for the figures of the moment),
                `"report"` for the figures of the range, the funnel and retention, `"dataset"` for events, one a row.
            format: `"csv"`, `"json"`, `"xlsx"` or `"pdf"`.
            start_date: where the range begins.
            end_date: where it ends; a date is included whole.
            timezone: the zone of dates and of every time that people read; UTC by default.
            dashboard_id: the dashboard.
            metrics: the only metrics it holds.

        Returns:
            The job, with `_id`, `status`, `rows`, `fileSize` and the rest in camelCase.

        Raises:
            ValidationError: with everything wrong with the request.
        """
        dates = {"start_date": start_date, "end_date": end_date, "timezone": timezone}
        request = question(
            export_type=export_type,
            format=format,
            date_range=json.loads(question(**dates)),
            dashboard_id=dashboard_id,
            metrics=metrics,
        )
        job: dict[str, Any] = json.loads(self._store.export(request))
        return job

    def exports(
        self, *, limit: int | None = None, offset: int | None = None, status: Status | None = None
    ) -> dict[str, Any]:
        """Exports, the latest first: `exports`, `total` and `hasMore`."""
        asked = question(limit=limit, offset=offset, status=status)
        found: dict[str, Any] = json.loads(self._store.exports(asked))
        return found

    def export_job(self, id: str) -> dict[str, Any]:  # noqa: A002 - the job's `_id`
        """An export, and how far it is.

        Raises:
            NotFound: where there is none of that id.
        """
        job: dict[str, Any] = json.loads(self._store.export_job(id))
        return job

    def cancel_export(self, id: str) -> dict[str, Any]:  # noqa: A002 - the job's `_id`
        """Gives up an export that is not over; it is then `failed`, for the reason `cancelled`.

        Raises:
            Conflict: where it is over.
        """
        job: dict[str, Any] = json.loads(self._store.cancel_export(id))
        return job

    def save_export(self, id: str, path: str | os.PathLike[str]) -> int:  # noqa: A002 - the job's `_id`
        """Copies the file of a complete export to a path, and gives its size in bytes.

        Raises:
            Conflict: where the export is not complete yet.
            NotFound: where it failed, or its file has expired.
        """
        return self._store.save_export(id, os.fspath(path))

    def cohorts(self) -> list[dict[str, Any]]:
        """All cohorts, each with `name`, `definition` and `createdAt`."""
        cohorts: list[dict[str, Any]] = json.loads(self._store.cohorts())
        return cohorts

    def create_cohort(self, name: str, definition: Mapping[str, Any]) -> None:
        """Makes a cohort: a named set of users, which never changes its definition.

        It is a property of every question then: `{"property": {"cohort": name}, "value": True}`, which asks for its
        members as of the question, or with `"at": "at_event"` as of each event.

        Args:
            name: 1 to 100 characters.
            definition: `{"users": [id, …]}`, `{"did": event, "atLeast": 1, "last": "30d"}`, `{"profile": [filter, …]}`,
                `{"all": […]}`, `{"any": […]}` or `{"not": …}`.

        Raises:
            ValidationError: with everything wrong with the definition.
            Conflict: where there is a cohort of that name.
        """
        self._store.create_cohort(name, json.dumps(definition))

    def remove_cohort(self, name: str) -> None:
        """Removes a cohort.

        Raises:
            NotFound: where there is none of that name.
        """
        self._store.remove_cohort(name)

    def acting(self, id: str, role: str) -> Analytics:  # noqa: A002 - the id of a principal
        """The same store for somebody else of a role (`admin`, `analyst`, `viewer`).

        What they may not do is refused with `Forbidden`, and the record holds their name. The file is closed once every
        handle of it is.
        """
        return Analytics(self._store.acting(id, role), self._path)

    def dashboards(
        self,
        *,
        search: str | None = None,
        limit: int | None = None,
        offset: int | None = None,
        sort_by: Literal["createdAt", "name"] | None = None,
        sort_order: Literal["asc", "desc"] | None = None,
    ) -> dict[str, Any]:
        """The dashboards that are one's own, shared or public, page by page: `dashboards`, `total`, `hasMore`.

        Args:
            search: something in their name or description, taken literally.
            limit: at most so many, 1 to 50; 20 by default.
            offset: how many to leave out before.
            sort_by: by when they were made, or by name.
            sort_order: the latest first, or names from A to Z, by default.

        Raises:
            ValidationError: with everything wrong with the question.
        """
        asked = question(search=search, limit=limit, offset=offset, sort_by=sort_by, sort_order=sort_order)
        listed: dict[str, Any] = json.loads(self._store.dashboards(asked))
        return listed

    def create_dashboard(
        self,
        name: str,
        widgets: Sequence[Mapping[str, Any]],
        *,
        description: str | None = None,
        is_public: bool | None = None,
    ) -> dict[str, Any]:
        """Makes a dashboard and gives it as it is kept.

        Args:
            name: 1 to 100 characters.
            widgets: 1 to 20, each with `type`, `title`, `dataSource`, `visualization` and `config`.
            description: at most 500 characters.
            is_public: whether every admin may read it.

        Raises:
            ValidationError: with everything wrong with it.
        """
        body = {"name": name, "widgets": list(widgets), "description": description, "isPublic": is_public}
        made: dict[str, Any] = json.loads(self._store.create_dashboard(json.dumps(body)))
        return made

    def create_dashboard_from(self, template: str, **changes: Any) -> dict[str, Any]:
        """Makes a dashboard of a template; `name`, `description` and `isPublic` stand in place of the template's own.

        Raises:
            NotFound: where there is no such template.
        """
        made: dict[str, Any] = json.loads(self._store.create_dashboard_from(template, json.dumps(changes)))
        return made

    def dashboard_templates(self) -> list[dict[str, Any]]:
        """The templates that dashboards can be made of, each with `key`, `name`, `description` and `widgets`."""
        templates: list[dict[str, Any]] = json.loads(self._store.dashboard_templates())
        return templates

    def dashboard(self, id: str) -> dict[str, Any]:  # noqa: A002 - the id of a dashboard
        """A dashboard.

        Raises:
            ValidationError: for what is no id.
            NotFound: where there is none of that id.
            Forbidden: for one that is neither one's own nor public, and not shared.
        """
        found: dict[str, Any] = json.loads(self._store.dashboard(id))
        return found

    def update_dashboard(
        self,
        id: str,  # noqa: A002 - the id of a dashboard
        changes: Mapping[str, Any],
        *,
        revision: int | None = None,
    ) -> dict[str, Any]:
        """Changes a dashboard: what is left out stays as it is.

        Args:
            id: the dashboard's id.
            changes: any of `name`, `description`, `widgets`, `isPublic`.
            revision: change it only if it is still that one.

        Raises:
            Conflict: where somebody else was faster.
        """
        changed: dict[str, Any] = json.loads(self._store.update_dashboard(id, json.dumps(changes), revision))
        return changed

    def delete_dashboard(self, id: str, *, revision: int | None = None) -> None:  # noqa: A002 - as above
        """Removes a dashboard; with a revision, only if it is still that one."""
        self._store.delete_dashboard(id, revision)

    def dashboard_data(
        self,
        id: str,  # noqa: A002 - the id of a dashboard
        *,
        start_date: Date | None = None,
        end_date: Date | None = None,
        timezone: str | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> list[dict[str, Any]]:
        """A dashboard's widgets with their data, over a range or as far back as each widget says.

        Args:
            id: the dashboard's id.
            start_date: where the range begins.
            end_date: where it ends; a date is included whole.
            timezone: the IANA zone of the dates.
            timeout: as `funnel`.
            progress: as `funnel`.
        """
        asked = question(start_date=start_date, end_date=end_date, timezone=timezone)
        found = ask(
            "dashboard", lambda how: self._store.dashboard_data(id, asked, how), timeout=timeout, progress=progress
        )
        data: list[dict[str, Any]] = json.loads(found)
        return data

    def dashboard_sharing(self, id: str) -> dict[str, Any]:  # noqa: A002 - the id of a dashboard
        """With whom a dashboard is shared: `users` and `roles`, each with `access`."""
        sharing: dict[str, Any] = json.loads(self._store.dashboard_sharing(id))
        return sharing

    def share_dashboard(self, id: str, sharing: Mapping[str, Any]) -> dict[str, Any]:  # noqa: A002 - as above
        """Shares a dashboard with these users and roles and nobody else.

        Args:
            id: the dashboard's id.
            sharing: `{"users": [{"id": …, "access": "view"}], "roles": [{"role": …, "access": "edit"}]}`.
        """
        shared: dict[str, Any] = json.loads(self._store.share_dashboard(id, json.dumps(sharing)))
        return shared

    def audit(self, **conditions: Any) -> dict[str, Any]:
        """The record of who did what, the latest entry first: `entries`, `total`, `hasMore`.

        Args:
            **conditions: any of `who`, `action`, `object`, `outcome`, `from`, `to`, `limit`, `offset`.
        """
        listed: dict[str, Any] = json.loads(self._store.audit(json.dumps(conditions)))
        return listed

    def verify_audit(self) -> dict[str, Any]:
        """Checks the record: `entries`, `head`, and in `broken` the first entry that is not what it was."""
        found: dict[str, Any] = json.loads(self._store.verify_audit())
        return found

    def retention(
        self,
        cohort_period: CohortPeriod,
        *,
        start_date: Date,
        end_date: Date,
        start: Event = None,
        return_: Event = None,
        analysis_metric: CohortMetric = "retention_rate",
        property: Property | None = None,  # noqa: A002 - as the question names it
        mode: Mode | None = None,
        unit: ClockUnit | None = None,
        clock_start: ClockStart | None = None,
        criterion: Criterion | None = None,
        brackets: Sequence[tuple[int, int]] | None = None,
        minimum_occurrences: int | None = None,
        maturity: Maturity | None = None,
        filters: Sequence[Mapping[str, Any]] | None = None,
        hold_constant: Property | None = None,
        breakdown: Property | None = None,
        pooling: Pooling | None = None,
        week_start: Weekday | None = None,
        periods: int | None = None,
        timezone: str | None = None,
        segment: Segment | None = None,
        preset: Preset | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result:
        """Who comes back, by the period in which they started?

        A cell counts the users of a cohort who returned in exactly that period, of those for whom it is over. Rows:
        `cohort`, `size`, `period`, `value`, `count`, `eligible`, `complete`, `partial_count`, `low`, `high`, `total`,
        `per_returning`; the groups of a breakdown are in `to_dict()`.

        Args:
            cohort_period: `hourly`, `daily`, `weekly` or `monthly`, by the calendar of the zone.
            start_date: the first day, or instant, of the starts.
            end_date: the last day, included whole, or the instant before which they end.
            start: the event that starts a user; any by default.
            return_: the event that brings a user back; any by default.
            analysis_metric: the figure in the cells, for each eligible user: `retention_rate`, `revenue`, `engagement`
                (return events), `feature_usage` (distinct features), `property_sum` or `property_average`.
            property: the numeric property of the last two.
            mode: `first_time` (a user joins once, at the first start ever; the default), `first_ever_then_filter`
                (once, if the first event of the start's name meets its filters), or `recurring` (in every period with
                a start).
            unit: how columns count time: by the `calendar` (the default), or from each start by `24h`, `7d`, `30d` or
                `month_anniversary`.
            clock_start: from when on a unit of hours or days counts: the start's `event` (the default), its full
                `hour`, or its `day`.
            criterion: which returns a column counts: `on` the period (the default), `on_or_after`, `on_or_before`, or
                a `streak` of all periods up to it.
            brackets: columns of several periods, half-open pairs such as `[(0, 1), (1, 7)]`, in the place of a
                criterion.
            minimum_occurrences: the return events that a period needs to count one; 1 by default.
            maturity: whether a period counts users for whom it is not over: `elapsed` (no, the default) or `ignored`.
            filters: only events that meet all of these are seen.
            hold_constant: a return counts only with the start's value of this property.
            breakdown: the same table for each value that starts have of a property; `{"property": …, "limit": 10}` for
                at most so many groups.
            pooling: which cohorts the averages pool: `all`, or the `common_cohorts` of all columns.
            week_start: the first day of weeks; Monday by default.
            periods: how many periods after the first to show; all that have begun by default.
            timezone: the IANA zone of dates and calendar; UTC by default.
            segment: only users of this segment.
            preset: the peer whose switches stand where none are given; `exact` by default.
            as_of: nothing after this instant is seen; now by default.
            timeout: as `funnel`.
            progress: as `funnel`.

        Raises:
            ValidationError: with everything wrong with the question.
        """
        asked = question(
            cohort_period=cohort_period,
            start_date=start_date,
            end_date=end_date,
            start=start,
            return_=return_,
            analysis_metric=analysis_metric,
            property=property,
            mode=mode,
            unit=unit,
            clock_start=clock_start,
            criterion=criterion,
            brackets=brackets,
            minimum_occurrences=minimum_occurrences,
            maturity=maturity,
            filters=filters,
            hold_constant=hold_constant,
            breakdown=breakdown,
            pooling=pooling,
            week_start=week_start,
            periods=periods,
            timezone=timezone,
            segment=segment,
            preset=preset,
            as_of=as_of,
        )
        return self._result("retention", self._store.retention, asked, timeout, progress)

    def engagement(
        self,
        *,
        start_date: Date,
        end_date: Date,
        metrics: Sequence[EngagementMetric] | None = None,
        event: Event = None,
        filters: Sequence[Mapping[str, Any]] | None = None,
        period: Period | None = None,
        week_start: Weekday | None = None,
        min_events: int | None = None,
        session_timeout: Length | None = None,
        preset: Literal["exact", "posthog"] | None = None,
        timezone: str | None = None,
        segment: Segment | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result:
        """How often do users come, and when?

        Active users by day, week and month; stickiness (on how many days, DAU/MAU); lifecycle (new, returning,
        resurrected, dormant); sessions; and a heat map by weekday and hour. Rows: `start`, `end`, `partial`,
        `complete`, `active_users`, `active`, `new`, `returning`, `resurrected`, `dormant`; the rest is in `to_dict()`.

        Args:
            start_date: the first day, or instant, of the range.
            end_date: the last day, included whole, or the instant before which it ends.
            metrics: the parts of the answer; all five by default.
            event: the events that are activity; any by default.
            filters: only events that meet all of these are seen.
            period: `daily` (the default), `weekly` or `monthly`: the period of lifecycle and stickiness.
            week_start: the first day of weeks; Monday by default.
            min_events: how many events a period needs for stickiness to count it; 1 by default.
            session_timeout: the longest pause within a session; 30 minutes by default.
            preset: whose rules to follow; `exact` by default.
            timezone: the IANA zone of dates and calendar; UTC by default.
            segment: only users of this segment.
            as_of: nothing after this instant is seen; now by default.
            timeout: as `funnel`.
            progress: as `funnel`.

        Raises:
            ValidationError: with everything wrong with the question.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     report = a.ingest([{"userId": "ada", "name": "search", "ts": "2026-02-01T10:00:00Z"}])
            ...     february = a.engagement(start_date="2026-02-01", end_date="2026-02-02")
            >>> [(row["active"], row["new"], row["dormant"]) for row in february]
            [(1, 1, 0), (0, 0, 1)]
        """
        asked = question(
            start_date=start_date,
            end_date=end_date,
            metrics=metrics,
            event=event,
            filters=filters,
            period=period,
            week_start=week_start,
            min_events=min_events,
            session_timeout=session_timeout,
            preset=preset,
            timezone=timezone,
            segment=segment,
            as_of=as_of,
        )
        return self._result("engagement", self._store.engagement, asked, timeout, progress)

    def adoption(
        self,
        features: Sequence[Feature] | None = None,
        *,
        start_date: Date,
        end_date: Date,
        within: Length | None = None,
        min_uses: int | None = None,
        filters: Sequence[Mapping[str, Any]] | None = None,
        period: Period | None = None,
        week_start: Weekday | None = None,
        frequencies: Sequence[int] | None = None,
        timezone: str | None = None,
        segment: Segment | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result:
        """Which features do users take up, how soon and how many of them?

        Of the users active in the range after they were exposed to a feature (their first event ever or its release,
        whichever is later), those are adopters who use it often enough in time. Rows: `feature`, `exposed`,
        `adopters`, `rate`, `rate_low`, `rate_high`, `open`, `matured_rate`, `users`, `uses`,
        `median_seconds_to_adopt`, `kaplan_meier_median_seconds`.

        Args:
            features: names of features, or mappings with `name`, `event`, `where`, `released`; the catalogue's
                features where there are none.
            start_date: the first day, or instant, of the range.
            end_date: the last day, included whole, or the instant before which it ends.
            within: the time from exposure in which the uses must be; 30 days by default.
            min_uses: how many uses make an adopter; 1 by default.
            filters: only events that meet all of these are seen.
            period: by which first uses are counted; `weekly` by default.
            week_start: the first day of weeks; Monday by default.
            frequencies: from how many uses on each column of the breadth table counts; 1, 2, 5, 10, 20 by default.
            timezone: the IANA zone of dates and calendar; UTC by default.
            segment: only users of this segment.
            as_of: nothing after this instant is seen; now by default.
            timeout: as `funnel`.
            progress: as `funnel`.

        Raises:
            ValidationError: with everything wrong with the question.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     report = a.ingest([{"userId": "ada", "name": "map", "ts": "2026-02-01T10:00:00Z"}])
            ...     map_, chat = a.adoption(["map", "chat"], start_date="2026-02-01", end_date="2026-02-28")
            >>> map_["adopters"], chat["adopters"], chat["exposed"]
            (1, 0, 1)
        """
        asked = question(
            features=features,
            start_date=start_date,
            end_date=end_date,
            within=within,
            min_uses=min_uses,
            filters=filters,
            period=period,
            week_start=week_start,
            frequencies=frequencies,
            timezone=timezone,
            segment=segment,
            as_of=as_of,
        )
        return self._result("adoption", self._store.adoption, asked, timeout, progress)

    def journey(
        self,
        *,
        start_date: Date,
        end_date: Date,
        start: Event = None,
        end: Event = None,
        occurrence: Literal["first", "last", "each"] | None = None,
        unit: Literal["users", "sessions"] | None = None,
        session_timeout: Length | None = None,
        filters: Sequence[Mapping[str, Any]] | None = None,
        include: Sequence[Event] | None = None,
        exclude: Sequence[Event] | None = None,
        node_by: str | Mapping[str, Any] | None = None,
        rename: Sequence[str | Mapping[str, str]] | None = None,
        collapse: bool | None = None,
        collapsed_at: Literal["first", "last"] | None = None,
        max_steps: int | None = None,
        steps_from: Literal["first", "last"] | None = None,
        length: int | None = None,
        limit: int | None = None,
        nodes_per_step: int | None = None,
        around: Event = None,
        parts: Sequence[JourneyPart] | None = None,
        medians: bool | None = None,
        preset: Literal["exact", "posthog"] | None = None,
        timezone: str | None = None,
        segment: Segment | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result:
        """Which ways do users take?

        A path is the nodes of a user, or of a session, in the order of their events, between START and END; where the
        question cuts it, by its range or by `max_steps`, TRUNCATED stands in the place of either. Rows are the links of
        the Sankey: `step`, `source`, `source_kind`, `target`, `target_kind`, `users`, `transitions`, `mean_seconds`;
        nodes, sequences, transitions, the matrix, neighbours and loops are in `to_dict()`.

        Args:
            start_date: the first day, or instant, of the events.
            end_date: the last day, included whole, or the instant before which they end.
            start: the event that paths begin at; anywhere by default.
            end: the event that paths end at.
            occurrence: whether the `first`, the `last` or `each` such event of a unit begins or ends a path.
            unit: whether a path is of all events of a user (the default) or of those of a session.
            session_timeout: the longest pause within a session; 30 minutes by default.
            filters: only events that meet all of these are nodes.
            include: only these events are nodes; all by default.
            exclude: these events are no nodes.
            node_by: the property whose value names a node; the event's name by default.
            rename: names taken for one, where `*` stands for any text: `"/trip/*"`, or `{"match": "/trip/*", "as":
                "trip"}`.
            collapse: whether consecutive events of one node are one.
            collapsed_at: whether such a node stands at the time of its first event (the default) or its last.
            max_steps: the most nodes of a path in the Sankey and the matrix; 10 by default.
            steps_from: which node is step 1; the last where paths end at an event, otherwise the first.
            length: how many nodes the sequences have; 3 by default.
            limit: the most nodes, sequences and transitions shown; 20 by default.
            nodes_per_step: the most nodes shown of a step, the rest being Other; 10 by default.
            around: the event whose neighbours are counted.
            parts: the parts of the answer; all by default.
            medians: whether medians are computed; they are by default.
            preset: the rules that the switches are set by.
            timezone: the IANA zone of the dates; UTC by default.
            segment: only users of this segment.
            as_of: nothing after this instant is seen; now by default.
            timeout: as `funnel`.
            progress: as `funnel`.

        Raises:
            ValidationError: with everything wrong with the question.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     report = a.ingest(
            ...         [
            ...             {"userId": "ada", "name": "search", "ts": "2026-02-01T10:00:00Z"},
            ...             {"userId": "ada", "name": "book", "ts": "2026-02-01T10:05:00Z"},
            ...         ]
            ...     )
            ...     ways = a.journey(start_date="2026-02-01", end_date="2026-02-28")
            >>> [(row["source"], row["target"]) for row in ways]
            [('(start)', 'search'), ('search', 'book'), ('book', '(end)')]
        """
        asked = question(
            start_date=start_date,
            end_date=end_date,
            start=start,
            end=end,
            occurrence=occurrence,
            unit=unit,
            session_timeout=session_timeout,
            filters=filters,
            include=include,
            exclude=exclude,
            node_by=node_by,
            rename=rename,
            collapse=collapse,
            collapsed_at=collapsed_at,
            max_steps=max_steps,
            steps_from=steps_from,
            length=length,
            limit=limit,
            nodes_per_step=nodes_per_step,
            around=around,
            parts=parts,
            medians=medians,
            preset=preset,
            timezone=timezone,
            segment=segment,
            as_of=as_of,
        )
        return self._result("journey", self._store.journey, asked, timeout, progress)

    def realtime(
        self,
        *,
        metrics: Sequence[Metric | str] | None = None,
        time_range: TimeRange | str | None = None,
        refresh_interval: int | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result:
        """What is happening right now, and what happened in the window before?

        Rows: `metric_name`, `value`, `unit`, `timestamp`, `previous`, `change`; the series are in `to_dict()`.

        Args:
            metrics: the figures; all six by default. `events:search` counts the events of a name and `users:search` their
                users, `$page_views`, `$conversions`, `$errors`, `$features` and `$revenue` in the place of a name those of
                the catalogue.
            time_range: the window that ends now; 15 minutes by default, and any length up to `24h`.
            refresh_interval: how often whoever asks means to ask again, 5 to 300 seconds.
            as_of: the end of the window; now by default.
            timeout: as `funnel`.
            progress: as `funnel`.

        Raises:
            ValidationError: with everything wrong with the question.
        """
        asked = question(metrics=metrics, time_range=time_range, refresh_interval=refresh_interval, as_of=as_of)
        return self._result("realtime", self._store.realtime, asked, timeout, progress)

    def user_insights(
        self,
        *,
        start_date: Date,
        end_date: Date,
        insight_type: InsightType | None = None,
        limit: int | None = None,
        steps: Sequence[Event] | None = None,
        window: Length | None = None,
        timezone: str | None = None,
        segment: Segment | None = None,
        strict_increase: bool | None = None,
        time_between: tuple[int, int] | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result:
        """What stands out in how users behave over a range, in words and with the numbers behind them?

        Rows: `insight_type`, `title`, `description`, `confidence`, `segment`; the numbers are in `to_dict()`.

        Args:
            start_date: as `funnel`.
            end_date: as `funnel`.
            insight_type: the only kind asked for; every available kind by default.
            limit: at most so many, 1 to 100; 20 by default.
            steps: as `funnel`.
            window: as `funnel`.
            timezone: as `funnel`.
            segment: as `funnel`.
            strict_increase: as `funnel`.
            time_between: as `funnel`.
            as_of: as `funnel`.
            timeout: as `funnel`.
            progress: as `funnel`.

        Raises:
            ValidationError: with everything wrong with the question.
        """
        asked = question(
            start_date=start_date,
            end_date=end_date,
            insight_type=insight_type,
            limit=limit,
            steps=steps,
            window=window,
            timezone=timezone,
            segment=segment,
            strict_increase=strict_increase,
            time_between=time_between,
            as_of=as_of,
        )
        return self._result("user_insights", self._store.user_insights, asked, timeout, progress)

    def now(self) -> str:
        """What time it is for this store, in ISO 8601."""
        return self._store.now()

    def rebuild(self) -> None:
        """Throws the timelines away and builds them anew from the stored events."""
        self._store.rebuild()

    def close(self) -> None:
        """Closes the file; closing again does nothing. A call under way in another thread ends first."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"travelsense.open({self._path!r})"


def _title(source: object) -> str:
    return Path(source).name if isinstance(source, str | os.PathLike) else "a table"
