"""The questions of the bench as those who know ClickHouse best would write them, run by chdb in this process.

One table ordered by user and time, so that every user's events stand together, with event names as an enumeration of a
byte. Aggregation by user can go along that order, without a hash table of users; which is faster depends on the question, so
both are tried.
"""

import json
from collections.abc import Iterator

import asked
import chdb.session
from serve import Ways, main

ENUM = "Enum8(" + ", ".join(f"'{name}' = {code}" for code, name in enumerate(asked.NAMES)) + ")"
IN_ORDER = " settings optimize_aggregation_in_order = 1"


# Later steps may fall after the range of entries, so rows are read until the last window ends and only the first step is
# bound to the range.
def funnel(view: str = "", also: str = "") -> str:
    """How far each user gets."""
    return f"""
select {also or "''"} as part, windowFunnel({asked.WINDOW})(
    us, event = '{asked.STEPS[0]}' and us < {asked.END}, event = '{asked.STEPS[1]}'{view}, event = '{asked.STEPS[2]}', event = '{asked.STEPS[3]}') as level
from ev where us >= {asked.START} and us < {asked.END + asked.WINDOW} and event in {asked.STEPS} group by user"""


def levels(sql: str) -> str:
    """Users by how far they get."""
    return f"select part, level, count() from ({sql}) where level > 0 group by part, level"


# As ClickHouse's users write it: the first week of each user, joined to the weeks in which the user was active.
RETENTION = """
with first as (select user, min(us) as t0 from ev group by user)
select dateDiff('week', toDate('2025-12-29'), toMonday(fromUnixTimestamp64Micro(toInt64(t0), 'UTC'))) as cohort,
       dateDiff('week', toDate('2025-12-29'), toMonday(fromUnixTimestamp64Micro(toInt64(us), 'UTC'))) as week,
       uniqExact(user) as users
from ev join first using (user)
group by cohort, week order by cohort, week
"""

# The cheapest exact way there is, for those who know the question beforehand: one bit a week for each user, no calendar,
# then users counted by their bits, of which there are few combinations.
MASKS = f"""
select weeks, count() from (
  select groupBitOr(bitShiftLeft(toUInt64(1), intDiv(us - {asked.MONDAY}, {asked.WEEK}))) as weeks from ev group by user)
group by weeks"""

# Exactly counted distinct days, or a bit a day in two words.
DAYS = f"""
select days, count() from (select uniqExact(toUInt8(intDiv(us - {asked.FIRST_DAY}, {asked.DAY}))) as days from ev group by user)
group by days"""
DAY_BITS = f"""
select days, count() from (
  select bitCount(groupBitOrIf(bitShiftLeft(toUInt64(1), bitAnd(day, 63)), day < 64))
       + bitCount(groupBitOrIf(bitShiftLeft(toUInt64(1), bitAnd(day, 63)), day >= 64)) as days
  from (select user, toUInt8(intDiv(us - {asked.FIRST_DAY}, {asked.DAY})) as day from ev) group by user)
group by days"""

# Each user's events as numbers that hold time and name, in order, moved by one and two places against each other.
PATHS_OF_ARRAYS = f"""
select path, uniqExact(user), count() from (
  select user, arrayJoin(arrayFilter(path -> path < 1000, arrayMap(
    (a, b, c) -> if(bitShiftRight(b, 4) - bitShiftRight(a, 4) <= {asked.PAUSE} and bitShiftRight(c, 4) - bitShiftRight(b, 4) <= {asked.PAUSE},
                    toUInt16(bitAnd(a, 15) * 100 + bitAnd(b, 15) * 10 + bitAnd(c, 15)), 1000),
    arraySlice(rows, 1, length(rows) - 2), arraySlice(rows, 2, length(rows) - 2), arraySlice(rows, 3)))) as path
  from (select user, arraySort(groupArray(bitShiftLeft(us, 4) + toUInt8(event))) as rows from ev
        group by user having length(rows) > 2))
group by path"""
PATHS_OF_WINDOWS = f"""
select path, uniqExact(user), count() from (
  select user, us - lagInFrame(us, 1) over w as last, lagInFrame(us, 1) over w - lagInFrame(us, 2) over w as first,
    row_number() over w as n,
    toUInt16(toUInt8(lagInFrame(event, 2) over w)) * 100 + toUInt8(lagInFrame(event, 1) over w) * 10 + toUInt8(event) as path
  from ev window w as (partition by user order by us rows between 2 preceding and current row))
where n > 2 and first <= {asked.PAUSE} and last <= {asked.PAUSE} group by path"""


def load(rows: str, folder: str) -> None:
    """Fills a MergeTree."""
    session = chdb.session.Session(folder)
    session.query("create database b")
    session.query(f"""
create table b.ev (user UInt32, us UInt64, event {ENUM}, country LowCardinality(String), destination LowCardinality(String))
engine = MergeTree order by (user, us)""")
    session.query(
        "insert into b.ev select user_id, us, event, country, ifNull(destination, '') "
        f"from file('{rows}', Parquet) order by user_id, us settings max_insert_block_size = 4194304"
    )
    session.query("optimize table b.ev final")
    session.close()


def serve(folder: str) -> Iterator[tuple[str, Ways]]:
    """Answers by the name of the question."""
    session = chdb.session.Session(folder)
    session.query("use b")
    ask = lambda sql: json.loads(session.query(sql, "JSONCompact").bytes())["data"]  # noqa: E731

    def either(read, *all_sql: str) -> tuple:  # noqa: ANN001
        orders = [sql + order for sql in all_sql for order in ("", IN_ORDER)]
        return tuple(lambda sql=sql: read(ask(sql)) for sql in orders)

    def whole(rows: list) -> list[int]:
        return asked.reached(rows)[""]

    ways = {
        "funnel": either(whole, levels(funnel())),
        "funnel_filter": either(whole, levels(funnel(view=" and destination = 'Lisbon'"))),
        "funnel_breakdown": either(asked.reached, levels(funnel(also="any(country)"))),
        "retention": lambda: asked.table(ask(RETENTION)),
        "retention_bits": either(asked.first_time, MASKS),
        "retention_recurring": either(asked.recurring, MASKS),
        "lifecycle": either(asked.lifecycle, MASKS),
        "stickiness": either(lambda rows: {str(days): int(users) for days, users in sorted(rows)}, DAYS, DAY_BITS),
        "paths": (
            lambda: asked.top((int(p), int(u), int(n)) for p, u, n in ask(PATHS_OF_ARRAYS)),
            lambda: asked.top((int(p), int(u), int(n)) for p, u, n in ask(PATHS_OF_WINDOWS)),
        ),
    }
    yield ask("select version()")[0][0], ways
    session.close()


if __name__ == "__main__":
    main(load, serve)
