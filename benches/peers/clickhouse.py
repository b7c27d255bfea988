"""The questions of the bench as those who know ClickHouse best would write them, run by chdb in this process.

One table ordered by user and time, so that every user's events stand together, with event names as an enumeration of a
byte. Aggregation by user goes along that order: no hash table of users is built.
"""

import json
from collections.abc import Iterator

import chdb.session
from serve import (DAY, END, FIRST_DAY, MONDAY, NAMES, PAUSE, START, STEPS, WEEK, WINDOW, Ask, first_time, lifecycle, main,
                   recurring, table)

ENUM = "Enum8(" + ", ".join(f"'{name}' = {code}" for code, name in enumerate(NAMES)) + ")"
IN_ORDER = "settings optimize_aggregation_in_order = 1"


# Later steps may fall after the range of entries, so rows are read until the last window ends and only the first step is
# bound to the range.
def funnel(view: str = "", also: str = "") -> str:
    """How far each user gets."""
    return f"""
select {also or "''"} as part, windowFunnel({WINDOW})(
    us, event = '{STEPS[0]}' and us < {END}, event = '{STEPS[1]}'{view}, event = '{STEPS[2]}', event = '{STEPS[3]}') as level
from ev where us >= {START} and us < {END + WINDOW} and event in {STEPS} group by user"""


def levels(sql: str) -> str:
    """Users by how far they get."""
    return f"select part, level, count() from ({sql}) where level > 0 group by part, level {IN_ORDER}"


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
  select groupBitOr(bitShiftLeft(toUInt64(1), intDiv(us - {MONDAY}, {WEEK}))) as weeks from ev group by user)
group by weeks {IN_ORDER}
"""

STICKINESS = f"""
select days, count() from (
  select bitCount(groupBitOr(if(day < 64, bitShiftLeft(toUInt64(1), day), 0)))
       + bitCount(groupBitOr(if(day >= 64, bitShiftLeft(toUInt64(1), day - 64), 0))) as days
  from (select user, intDiv(us - {FIRST_DAY}, {DAY}) as day from ev) group by user)
group by days {IN_ORDER}
"""


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


def serve(folder: str) -> Iterator[tuple[str, dict[str, Ask]]]:
    """Answers by the name of the question."""
    session = chdb.session.Session(folder)
    session.query("use b")
    ask = lambda sql: json.loads(session.query(sql, "JSONCompact").bytes())["data"]  # noqa: E731

    def parts(sql: str) -> dict[str, list[int]]:
        counts: dict[str, list[int]] = {}
        for part, level, users in ask(levels(sql)):
            steps = counts.setdefault(part, [0] * len(STEPS))
            for k in range(int(level)):
                steps[k] += int(users)
        return counts

    yield ask("select version()")[0][0], {
        "funnel": lambda: parts(funnel())[""],
        "funnel_filter": lambda: parts(funnel(view=" and destination = 'Lisbon'"))[""],
        "funnel_breakdown": lambda: parts(funnel(also="any(country)")),
        "retention": lambda: table(ask(RETENTION)),
        "retention_bits": lambda: first_time(ask(MASKS)),
        "retention_recurring": lambda: recurring(ask(MASKS)),
        "lifecycle": lambda: lifecycle(ask(MASKS)),
        "stickiness": lambda: {str(days): int(users) for days, users in ask(STICKINESS)},
    }
    session.close()


if __name__ == "__main__":
    main(load, serve)
