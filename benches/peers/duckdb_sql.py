"""The questions of the bench in plain DuckDB SQL, on a table of its own that is ordered by user and time."""

import pathlib
from collections.abc import Callable, Iterable, Iterator

import asked
import duckdb
from serve import Ask, Ways, main

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


def pairs(unit: int, first: int) -> str:
    """Each user and period once: as the table is in order, one pass that looks at the row before, and no window to sort."""
    period = f"(us - {first}) // {unit}"
    return f"""
(select user_id, period from (
  select user_id, {period} as period, lag(user_id) over () as whose, lag({period}) over () as before from ev)
 where whose is distinct from user_id or before <> period)"""


# One bit a week for each user, then users by their bits.
MASKS = (
    f"""
select weeks, count(*) from (
  select bit_or(1::ubigint << ((us - {asked.MONDAY}) // {asked.WEEK})) as weeks from ev group by user_id)
group by weeks""",
    f"""
select weeks, count(*) from (
  select sum(1::ubigint << period) as weeks from {pairs(asked.WEEK, asked.MONDAY)} group by user_id)
group by weeks""",
)

STICKINESS = (
    f"""
select days, count(*) from (
  select bit_count(bit_or(1::hugeint << ((us - {asked.FIRST_DAY}) // {asked.DAY})::integer)) as days
  from ev group by user_id)
group by days""",
    f"""
select days, count(*) from (
  select count(*) as days from {pairs(asked.DAY, asked.FIRST_DAY)} group by user_id)
group by days""",
)


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

    def either(read: Callable, ways: Iterable[str]) -> tuple[Ask, ...]:
        return tuple(lambda sql=sql: read(ask(sql)) for sql in ways)

    def parts(sql: str) -> dict[str, list[int]]:
        counts: dict[str, list[int]] = {}
        for step, part, users in ask(sql):
            counts.setdefault(part, [0] * len(asked.STEPS))[step - 1] = users
        return counts

    ways = {
        "funnel": lambda: parts(funnel())[""],
        "funnel_filter": lambda: parts(funnel(view=" and destination = 'Lisbon'"))[""],
        "funnel_breakdown": lambda: parts(funnel(also="country")),
        "retention": lambda: asked.table(ask(RETENTION)),
        "retention_bits": either(asked.first_time, MASKS),
        "retention_recurring": either(asked.recurring, MASKS),
        "lifecycle": either(asked.lifecycle, MASKS),
        "stickiness": either(lambda rows: {str(days): users for days, users in sorted(rows)}, STICKINESS),
        "paths": either(asked.top, [paths(over) for over in ("()", "(partition by user_id order by us)")]),
    }
    yield duckdb.__version__, ways
    connection.close()


if __name__ == "__main__":
    main(load, serve)
