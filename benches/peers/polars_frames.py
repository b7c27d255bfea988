"""The questions of the bench on Polars frames in memory, ordered by user and time.

Where the order makes it possible, nothing is grouped: what a row needs of its user's other rows is carried along by shifts
and forward fills, which stop where another user begins.
"""

import pathlib
from collections.abc import Iterator

import asked
import polars as pl
from serve import Ways, main

EVENT = pl.col("event")
USER = pl.col("user_id")
TIME = pl.col("us")


def different(users: pl.Expr) -> pl.Expr:
    """How many different users there are, where equal ones stand together."""
    return users.ne_missing(users.shift(1)).sum()


def funnel(events: pl.LazyFrame, view: pl.Expr | None = None, by: str | None = None) -> pl.LazyFrame:
    """Users who reach each step.

    The latest entry from which a chain has reached a step grows with time, so that it is the one filled forward.
    """
    kept = [USER, TIME, EVENT, *([pl.col(by)] if by else []), *([pl.col("destination")] if view is not None else [])]
    frame = events.filter(EVENT.is_in(asked.STEPS) & (TIME >= asked.START) & (TIME < asked.END + asked.WINDOW)).select(
        kept
    )
    frame = frame.with_columns(reach1=pl.when((EVENT == asked.STEPS[0]) & (TIME < asked.END)).then(TIME))
    for k, step in enumerate(asked.STEPS[1:], 2):
        before = pl.col(f"reach{k - 1}").forward_fill()
        whose = pl.when(pl.col(f"reach{k - 1}").is_not_null()).then(USER).forward_fill()
        here = EVENT == step
        if k == 2 and view is not None:  # noqa: PLR2004
            here &= view
        frame = frame.with_columns(
            pl.when(here & (whose == USER) & (TIME - before <= asked.WINDOW)).then(before).alias(f"reach{k}")
        )
    reached = [
        different(USER.filter(pl.col(f"reach{k}").is_not_null())).alias(str(k)) for k in range(1, len(asked.STEPS) + 1)
    ]
    return frame.group_by(by).agg(reached) if by else frame.select(reached)


def pairs(events: pl.LazyFrame, unit: int, first: int) -> pl.LazyFrame:
    """Each user and period once."""
    period = ((TIME - first) // unit).cast(pl.Int16)
    frame = events.select(USER, period=period)
    return frame.filter(
        (USER != USER.shift(1)) | (pl.col("period") != pl.col("period").shift(1)) | USER.shift(1).is_null()
    )


def masks(events: pl.LazyFrame) -> pl.LazyFrame:
    """Users by the weeks in which they were active, a bit each, where each user and week stands once."""
    bit = pl.lit(2, pl.Int64).pow(pl.col("period")).cast(pl.Int64)
    weeks = pairs(events, asked.WEEK, asked.MONDAY).group_by("user_id").agg(weeks=bit.sum())
    return weeks.group_by("weeks").len()


def paths(events: pl.LazyFrame) -> pl.LazyFrame:
    """Three neighbouring rows of one user, a number for their names, its users and how often it occurs."""
    frame = events.select(USER, TIME, code=EVENT.to_physical().cast(pl.Int16))
    code = pl.col("code")
    near = (
        (TIME - TIME.shift(1) <= asked.PAUSE) & (TIME.shift(1) - TIME.shift(2) <= asked.PAUSE) & (USER == USER.shift(2))
    )
    frame = frame.select(USER, near=near, path=code.shift(2) * 100 + code.shift(1) * 10 + code).filter("near")
    return frame.group_by("path").agg(users=different(USER), times=pl.len())


def retention(events: pl.LazyFrame) -> pl.LazyFrame:
    """As one would write it: each user's first week, joined to all weeks of the user."""
    weeks = events.select(USER, week=(TIME - asked.MONDAY) // asked.WEEK).unique()
    first = weeks.group_by("user_id").agg(cohort=pl.col("week").min())
    return weeks.join(first, on="user_id").group_by("cohort", "week").len()


def stickiness(events: pl.LazyFrame) -> pl.LazyFrame:
    """Users by the number of their days."""
    days = pairs(events, asked.DAY, asked.FIRST_DAY).group_by("user_id").agg(days=pl.len())
    return days.group_by("days").agg(users=pl.len())


def load(rows: str, folder: str) -> None:
    """Writes the events in order."""
    pathlib.Path(folder).mkdir(parents=True)
    words = pl.Enum(["de", "es", "fr", "gb", "it", "nl", "pl", "us"])
    places = pl.Enum(["Lisbon", "Paris", "Rome", "Tokyo", "Oslo", "Cairo", "Lima", "Quito"])
    frame = pl.scan_parquet(rows).with_columns(
        EVENT.cast(pl.Enum(asked.NAMES)), pl.col("country").cast(words), pl.col("destination").cast(places)
    )
    frame.sort("user_id", "us").sink_ipc(f"{folder}/events.arrow", compression="uncompressed")


def serve(folder: str) -> Iterator[tuple[str, Ways]]:
    """Answers by the name of the question."""
    events = pl.read_ipc(f"{folder}/events.arrow").rechunk().lazy()
    lisbon = pl.col("destination") == "Lisbon"
    steps = [str(k) for k in range(1, len(asked.STEPS) + 1)]
    ways = {
        "funnel": lambda: list(funnel(events).collect().row(0)),
        "funnel_filter": lambda: list(funnel(events, view=lisbon).collect().row(0)),
        "funnel_breakdown": lambda: {
            row["country"]: [row[k] for k in steps]
            for row in funnel(events, by="country").collect().iter_rows(named=True)
        },
        "retention": lambda: asked.table(retention(events).collect().rows()),
        "retention_bits": lambda: asked.first_time(masks(events).collect().rows()),
        "retention_recurring": lambda: asked.recurring(masks(events).collect().rows()),
        "lifecycle": lambda: asked.lifecycle(masks(events).collect().rows()),
        "stickiness": lambda: {str(days): users for days, users in sorted(stickiness(events).collect().rows())},
        "paths": lambda: asked.top(paths(events).collect().rows()),
    }
    yield pl.__version__, ways


if __name__ == "__main__":
    main(load, serve)
