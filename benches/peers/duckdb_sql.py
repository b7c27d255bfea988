"""The questions of the bench in plain DuckDB SQL, on a table of its own that is ordered by user and time."""

import pathlib
from collections.abc import Iterator

import asked
import duckdb
from serve import Ways, main

ENUM = "enum(" + ", ".join(f"'{name}'" for name in asked.NAMES) + ")"


def funnel(view: str = "", also: str = "''") -> str:
    """For each step the earliest event after the chain so far, for every entry of a user."""
    steps = [
        f"s1 as (select user_id, us as t1, us as t, {also} as part from e where event = '{asked.STEPS[0]}' and us < {asked.END})"
    ]
    for k, step in enumerate(asked.STEPS[1:], 2):
        more = view if k == 2 else ""
        steps.append(f"""
s{k} as (select p.user_id, t1, min(e.us) as t, any_value(part) as part from s{k - 1} p join e on e.user_id = p.user_id
      and event = '{step}'{more} and e.us >= p.t and e.us <= t1 + {asked.WINDOW} group by p.user_id, t1)""")
    counts = " union all ".join(
        f"select {k} as step, part, count(distinct user_id) from s{k} group by part" for k in (1, 2, 3, 4)
    )
    read = f"e as (select * from ev where us >= {asked.START} and us < {asked.END + asked.WINDOW} and event in {asked.STEPS})"
    return f"with {read}, {', '.join(steps)} {counts}"


RETENTION = f"""
with w as (select distinct user_id, (us - {asked.MONDAY}) // {asked.WEEK} as week from ev),
f as (select user_id, min(week) as cohort from w group by user_id)
select cohort, week, count(*) as users from w join f using (user_id) group by all order by all
"""

# One bit a week for each user, then users by their bits.
MASKS = f"""
select weeks, count(*) from (select bit_or(1::ubigint << ((us - {asked.MONDAY}) // {asked.WEEK})) as weeks from ev group by user_id)
group by weeks
"""

# A bit a day for each user; or, as the table is in order, one pass that looks at the row before, and no window to sort.
DAY_BITS = f"""
select days, count(*) from (
  select bit_count(bit_or(1::hugeint << ((us - {asked.FIRST_DAY}) // {asked.DAY})::integer)) as days from ev group by user_id)
group by days
"""
DAYS_BESIDE = f"""
select days, count(*) from (
  select user_id, count(*) as days from (
    select user_id, (us - {asked.FIRST_DAY}) // {asked.DAY} as day, lag(user_id) over () as whose, lag((us - {asked.FIRST_DAY}) // {asked.DAY}) over () as before
    from ev) where whose is distinct from user_id or before <> day group by user_id)
group by days
"""


def paths(over: str) -> str:
    """Each event with the two before it, of the same user and within the pause."""
    return f"""
select path, count(distinct user_id), count(*) from (
  select user_id, lag(us, 1) over {over} as middle, us - middle as last, middle - lag(us, 2) over {over} as first,
    lag(user_id, 2) over {over} as whose, lag(code, 2) over {over} * 100 + lag(code, 1) over {over} * 10 + code as path
  from (select user_id, us, enum_code(event)::smallint as code from ev))
where whose = user_id and first <= {asked.PAUSE} and last <= {asked.PAUSE} group by path
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


def serve(folder: str) -> Iterator[tuple[str, Ways]]:
    """Answers by the name of the question."""
    connection = duckdb.connect(f"{folder}/peer.db", read_only=True)
    ask = lambda sql: connection.execute(sql).fetchall()  # noqa: E731

    def parts(sql: str) -> dict[str, list[int]]:
        counts: dict[str, list[int]] = {}
        for step, part, users in ask(sql):
            counts.setdefault(part, [0] * len(asked.STEPS))[step - 1] = users
        return counts

    yield (
        duckdb.__version__,
        {
            "funnel": lambda: parts(funnel())[""],
            "funnel_filter": lambda: parts(funnel(view=" and destination = 'Lisbon'"))[""],
            "funnel_breakdown": lambda: parts(funnel(also="country")),
            "retention": lambda: asked.table(ask(RETENTION)),
            "retention_bits": lambda: asked.first_time(ask(MASKS)),
            "retention_recurring": lambda: asked.recurring(ask(MASKS)),
            "lifecycle": lambda: asked.lifecycle(ask(MASKS)),
            "stickiness": tuple(
                lambda sql=sql: {str(days): users for days, users in sorted(ask(sql))}
                for sql in (DAY_BITS, DAYS_BESIDE)
            ),
            "paths": tuple(
                lambda over=over: asked.top(ask(paths(over))) for over in ("()", "(partition by user_id order by us)")
            ),
        },
    )
    connection.close()


if __name__ == "__main__":
    main(load, serve)
