"""Exports: answers and events as files."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from travelsense._asking import ask
from travelsense._handle import Handle
from travelsense._progress import lasting
from travelsense._question import question

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from travelsense._question import Date, ExportMetric, ExportType, Format, Status


class Exports(Handle):
    """The verbs of exports."""

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
        filters: Sequence[Mapping[str, Any]] | None = None,
        own_ranges: bool | None = None,
        notify: Sequence[Mapping[str, Any]] | None = None,
        idempotency_key: str | None = None,
        progress: bool = True,
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
            filters: what the widgets of the dashboard are narrowed to, as for `dashboard_data`.
            own_ranges: whether each widget is over its own range, as the dashboard shows it, and not over that of the
                export.
            notify: who is told when it is complete or has failed, beside whoever asks: channels as alert rules have
                them.
            idempotency_key: the same request that is sent again with it within 24 hours gives the export that it began.
            progress: whether to show for how long it has gone on, where that is over a second.

        Returns:
            The job, with `_id`, `status`, `rows`, `fileSize` and the rest in camelCase.

        Raises:
            ValidationError: with everything wrong with the request.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     job = a.export("report", "csv", start_date="2026-02-01", end_date="2026-02-28")
            ...     a.export_job(job["_id"])["status"]
            'completed'
        """
        dates = {"start_date": start_date, "end_date": end_date, "timezone": timezone}
        request = question(
            export_type=export_type,
            format=format,
            date_range=json.loads(question(**dates)),
            dashboard_id=dashboard_id,
            metrics=metrics,
            filters=filters,
            own_ranges=own_ranges,
            notify=notify,
        )
        with lasting("exporting", show=progress):
            text = ask("exporting", lambda how: self._store.export(request, idempotency_key, how), progress=False)
        job: dict[str, Any] = json.loads(text)
        return job

    def exports(
        self, *, limit: int | None = None, offset: int | None = None, status: Status | None = None
    ) -> dict[str, Any]:
        """Exports, the latest first: `exports`, `total` and `hasMore`.

        Args:
            limit: at most so many, 1 to 100; 20 by default.
            offset: how many to leave out before.
            status: only those `pending`, `processing`, `completed` or `failed`.

        Raises:
            ValidationError: with everything wrong with the question.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     job = a.export("report", "csv", start_date="2026-02-01", end_date="2026-02-28")
            ...     a.exports(status="completed")["total"]
            1
        """
        asked = question(limit=limit, offset=offset, status=status)
        found: dict[str, Any] = json.loads(self._store.exports(asked))
        return found

    def export_job(self, id: str) -> dict[str, Any]:  # noqa: A002 - the job's `_id`
        """An export, and how far it is.

        Args:
            id: the `_id` of the job.

        Raises:
            NotFound: where there is none of that id.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     job = a.export("report", "csv", start_date="2026-02-01", end_date="2026-02-28")
            ...     a.export_job(job["_id"])["format"]
            'csv'
        """
        job: dict[str, Any] = json.loads(self._store.export_job(id))
        return job

    def resume_exports(self) -> int:
        """Goes on with exports that were under way when the store was last closed; how many there were.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     a.resume_exports()
            0
        """
        return self._store.resume_exports()

    def cancel_export(self, id: str) -> dict[str, Any]:  # noqa: A002 - the job's `_id`
        """Gives up an export that is not over; it is then `failed`, for the reason `cancelled`.

        Args:
            id: the `_id` of the job.

        Raises:
            Conflict: where it is over.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     job = a.export("report", "csv", start_date="2026-02-01", end_date="2026-02-28")
            ...     try:
            ...         a.cancel_export(job["_id"])
            ...     except ts.Conflict as over:
            ...         print(over.code)
            export_over
        """
        job: dict[str, Any] = json.loads(self._store.cancel_export(id))
        return job

    def save_export(
        self,
        id: str,  # noqa: A002 - the job's `_id`
        path: str | os.PathLike[str],
        *,
        progress: bool = True,
    ) -> int:
        """Copies the file of an export to a path, and gives its size in bytes; waits where it is still written here.

        Args:
            id: the `_id` of the job.
            path: where the copy shall lie.
            progress: whether to show for how long it has gone on, where that is over a second.

        Raises:
            Conflict: where another process still writes it.
            NotFound: where it failed, or its file has expired.

        Example:
            >>> import travelsense as ts
            >>> import tempfile
            >>> from pathlib import Path
            >>> with tempfile.TemporaryDirectory() as folder, ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     job = a.export("report", "csv", start_date="2026-02-01", end_date="2026-02-28")
            ...     a.save_export(job["_id"], Path(folder) / "february.csv") == job["fileSize"]
            True
        """
        with lasting("writing the export", show=progress):
            return ask("writing", lambda how: self._store.save_export(id, os.fspath(path), how), progress=False)
