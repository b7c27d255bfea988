"""The questions of the bench in plain DuckDB SQL, on a table of its own that is ordered by user and time."""

import pathlib
from collections.abc import Iterator

import duckdb
from serve import (DAY, END, FIRST_DAY, MONDAY, NAMES, START, STEPS, WEEK, WINDOW, Ask, first_time, lifecycle, main, recurring,
                   table)

ENUM = "enum(" + ", ".join(f"'{name}'" for name in NAMES) + ")"


def funnel(view: str = "", also: str = "''") -> str:
    """For each step the earliest event after the chain so far, for every entry of a user."""
    steps = [f"s1 as (select user_id, us as t1, us as t, {also} as part from e where event = '{STEPS[0]}' and us < {END})"]
    for k, step in enumerate(STEPS[1:], 2):
        more = view if k == 2 else ""
        steps.append(f"""
s{k} as (select p.user_id, t1, min(e.us) as t, any_value(part) as part from s{k - 1} p join e on e.user_id = p.user_id
      and event = '{step}'{more} and e.us >= p.t and e.us <= t1 + {WINDOW} group by p.user_id, t1)""")
    counts = " union all ".join(f"select {k} as step, part, count(distinct user_id) from s{k} group by part" for k in (1, 2, 3, 4))
    read = f"e as (select * from ev where us >= {START} and us < {END + WINDOW} and event in {STEPS})"
    return f"with {read}, {', '.join(steps)} {counts}"


RETENTION = f"""
with w as (select distinct user_id, (us - {MONDAY}) // {WEEK} as week from ev),
f as (select user_id, min(week) as cohort from w group by user_id)
select cohort, week, count(*) as users from w join f using (user_id) group by all order by all
"""

# One bit a week for each user, then users by their bits.
MASKS = f"""
select weeks, count(*) from (select bit_or(1::ubigint << ((us - {MONDAY}) // {WEEK})) as weeks from ev group by user_id)
group by weeks
"""

STICKINESS = f"""
select days, count(*) from (
  select bit_count(bit_or(1::hugeint << ((us - {FIRST_DAY}) // {DAY})::integer)) as days from ev group by user_id)
group by days
"""


def load(rows: str, folder: str) -> None:
    """Fills a file of its own."""
    pathlib.Path(folder).mkdir(parents=True)
    connection = duckdb.connect(f"{folder}/peer.db")
    connection.execute(f"create type name as {ENUM}")
    connection.execute(
        "create table ev as select user_id, us, event::varchar::name as event, country, destination "
        f"from '{rows}' order by user_id, us"
    )
    connection.close()


def serve(folder: str) -> Iterator[tuple[str, dict[str, Ask]]]:
    """Answers by the name of the question."""
    connection = duckdb.connect(f"{folder}/peer.db", read_only=True)
    ask = lambda sql: connection.execute(sql).fetchall()  # noqa: E731

    def parts(sql: str) -> dict[str, list[int]]:
        counts: dict[str, list[int]] = {}
        for step, part, users in ask(sql):
            counts.setdefault(part, [0] * len(STEPS))[step - 1] = users
        return counts

    yield duckdb.__version__, {
        "funnel": lambda: parts(funnel())[""],
        "funnel_filter": lambda: parts(funnel(view=" and destination = 'Lisbon'"))[""],
        "funnel_breakdown": lambda: parts(funnel(also="country")),
        "retention": lambda: table(ask(RETENTION)),
        "retention_bits": lambda: first_time(ask(MASKS)),
        "retention_recurring": lambda: recurring(ask(MASKS)),
        "lifecycle": lambda: lifecycle(ask(MASKS)),
        "stickiness": lambda: {str(days): users for days, users in ask(STICKINESS)},
    }
    connection.close()


if __name__ == "__main__":
    main(load, serve)
