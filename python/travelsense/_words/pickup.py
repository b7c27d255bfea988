"""Bookings by the day of service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from travelsense._handle import Handle
from travelsense._question import question

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from travelsense._asking import Watch
    from travelsense._question import Date, Event, Filter, Length, Period, Weekday
    from travelsense._result import Result


class Pickups(Handle):
    """The question about bookings by the day of service."""

    def pickup(
        self,
        *,
        start_date: Date,
        end_date: Date,
        booking: Event = None,
        cancellation: Event = None,
        booking_id: str | None = None,
        service_date: str | None = None,
        length_of_stay: str | None = None,
        timezone: str | None = None,
        period: Period | None = None,
        week_start: Weekday | None = None,
        days_before: Sequence[int] | None = None,
        filters: Sequence[Filter] | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result:
        """How did the bookings of a range of service dates come in?

        A booking counts by the day of its service, which may lie in the future, not by the day on which it was made.
        Rows, one a period and a number of days before: `period`, `partial`, `booked`, `cancelled`, `on_the_books`,
        `median_lead_days`, `median_nights`, `days_before`, `books`, `complete`; users, rates and all together are in
        `to_dict()`.

        Args:
            start_date: the first day of service.
            end_date: the last day of service, included whole, or the instant before which services end.
            booking: the events that are bookings; the catalogue's conversions by default.
            cancellation: the events that take a booking of the same user back; none by default.
            booking_id: the property of both that says which booking it is; `bookingId` by default.
            service_date: the property of bookings that says when the service is; `serviceDate` by default.
            length_of_stay: the property that says how long it is: a number of nights, or the date on which it ends.
            timezone: the IANA zone of dates and days; UTC by default.
            period: the period of service dates; `daily` by default.
            week_start: the first day of weeks; Monday by default.
            days_before: how many days before the service the books are looked at, ascending, at most 100; 0, 1, 3, 7,
                14, 30, 60 and 90 by default.
            filters: only events that meet all of these `Filter`s are seen.
            as_of: nothing after this instant is seen; now by default.
            timeout: as `funnel`.
            progress: as `funnel`.

        Raises:
            ValidationError: with everything wrong with the question.

        Example:
            >>> import travelsense as ts
            >>> service = {"bookingId": "1", "serviceDate": "2026-03-10"}
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     report = a.ingest(
            ...         [{"userId": "ada", "name": "book", "ts": "2026-02-01T10:00:00Z", "properties": service}]
            ...     )
            ...     march: ts.Range = {"start_date": "2026-03-10", "end_date": "2026-03-11"}
            ...     books = a.pickup(booking="book", days_before=[30, 60], **march)
            >>> [(row["days_before"], row["books"]) for row in books][:2]
            [(30, 1), (60, 0)]
        """
        asked = question(
            start_date=start_date,
            end_date=end_date,
            booking=booking,
            cancellation=cancellation,
            booking_id=booking_id,
            service_date=service_date,
            length_of_stay=length_of_stay,
            timezone=timezone,
            period=period,
            week_start=week_start,
            days_before=days_before,
            filters=filters,
            as_of=as_of,
        )
        return self._result("pickup", asked, timeout, progress)
