"""The questions of the bench as a user of each peer would best write them.

    ask.py export STORE PARQUET      the events of a store, as plain rows
    ask.py clickhouse PARQUET RUNS   ClickHouse in this process (chdb), a MergeTree ordered by user and time
    ask.py duckdb PARQUET RUNS       DuckDB, a table of its own

Each prints one JSON object. Loading is not measured.
"""

import json
import resource
import sys
import tempfile
import time

FROM, TO, WINDOW = "2026-01-15 00:00:00", "2026-03-16 00:00:00", 7 * 86_400
STEPS = ("search", "view_trip", "start_booking", "complete_booking")
WEEKS = 14  # from Monday 2025-12-29, which holds the first event, to the week of the last

# windowFunnel wants a plain integer as its clock for microseconds. Later steps may fall after the range of entries,
# so rows are read until the last window ends and only the first step is bound to the range.
CLICKHOUSE_FUNNEL = f"""
select level, count() as users from (
  select user, windowFunnel({WINDOW * 1_000_000})(
    us,
    event = '{STEPS[0]}' and us < toUnixTimestamp64Micro(toDateTime64('{TO}', 6, 'UTC')),
    event = '{STEPS[1]}', event = '{STEPS[2]}', event = '{STEPS[3]}') as level
  from ev
  where us >= toUnixTimestamp64Micro(toDateTime64('{FROM}', 6, 'UTC'))
    and us < toUnixTimestamp64Micro(toDateTime64('{TO}', 6, 'UTC')) + {WINDOW * 1_000_000}
    and event in {STEPS}
  group by user)
where level > 0 group by level order by level
"""

# As ClickHouse's users write it: the first week of each user, joined to the weeks in which the user was active.
CLICKHOUSE_RETENTION = """
with first as (select user, min(us) as t0 from ev group by user)
select dateDiff('week', toDate('2025-12-29'), toMonday(fromUnixTimestamp64Micro(toInt64(t0), 'UTC'))) as cohort,
       dateDiff('week', toDate('2025-12-29'), toMonday(fromUnixTimestamp64Micro(toInt64(us), 'UTC'))) as week,
       uniqExact(user) as users
from ev join first using (user)
group by cohort, week order by cohort, week
"""

# The cheapest exact way there is, for those who know the question beforehand: one bit a week for each user, no calendar.
CLICKHOUSE_BITS = f"""
select cohort, arrayJoin(range(cohort, {WEEKS})) as week, countIf(bitTest(weeks, week)) as users from (
  select user, groupBitOr(bitShiftLeft(toUInt64(1), week)) as weeks, min(week) as cohort from (
    select user, intDiv(us - toUnixTimestamp64Micro(toDateTime64('2025-12-29 00:00:00', 6, 'UTC')), 604800000000) as week
    from ev)
  group by user)
group by cohort, week order by cohort, week
"""

DUCKDB_FUNNEL = f"""
with e as (
  select user_id, ts, event from ev
  where ts >= timestamp '{FROM}' and ts <= timestamp '{TO}' + interval {WINDOW} seconds and event in {STEPS}),
a as (select user_id, ts as t1, ts as t from e where event = '{STEPS[0]}' and ts < timestamp '{TO}'),
b as (select a.user_id, t1, min(e.ts) as t from a join e on e.user_id = a.user_id and event = '{STEPS[1]}'
      and e.ts >= a.t and e.ts <= t1 + interval {WINDOW} seconds group by a.user_id, t1),
c as (select b.user_id, t1, min(e.ts) as t from b join e on e.user_id = b.user_id and event = '{STEPS[2]}'
      and e.ts >= b.t and e.ts <= t1 + interval {WINDOW} seconds group by b.user_id, t1),
d as (select c.user_id, t1, min(e.ts) as t from c join e on e.user_id = c.user_id and event = '{STEPS[3]}'
      and e.ts >= c.t and e.ts <= t1 + interval {WINDOW} seconds group by c.user_id, t1)
select (select count(distinct user_id) from a), (select count(distinct user_id) from b),
       (select count(distinct user_id) from c), (select count(distinct user_id) from d)
"""

DUCKDB_RETENTION = """
with w as (select distinct user_id, (epoch_us(ts) - epoch_us(timestamp '2025-12-29 00:00:00')) // 604800000000 as week from ev),
f as (select user_id, min(week) as cohort from w group by user_id)
select cohort, week, count(*) as users from w join f using (user_id) group by all order by all
"""


def table(rows: list[tuple[int, int, int]]) -> list[list[int]]:
    """Rows of (cohort, week, users) as one list a cohort, its n-th entry the n-th week."""
    cells = {(int(c), int(w)): int(n) for c, w, n in rows}
    return [[cells.get((c, w), 0) for w in range(c, WEEKS)] for c in range(WEEKS)]


def repeat(runs: int, ask) -> tuple[object, list[float]]:  # noqa: ANN001
    """Asks so many times."""
    seconds, answer = [], None
    for _ in range(runs):
        began = time.perf_counter()
        answer = ask()
        seconds.append(time.perf_counter() - began)
    return answer, seconds


def clickhouse(rows: str, runs: int) -> dict:
    """Asks ClickHouse."""
    import chdb.session

    with tempfile.TemporaryDirectory() as folder:
        session = chdb.session.Session(folder)
        ask = lambda sql: json.loads(session.query(sql, "JSONCompact").bytes())["data"]  # noqa: E731
        session.query("create database if not exists b")
        session.query("use b")
        session.query(
            "create table ev (user UInt32, us UInt64, event LowCardinality(String)) engine = MergeTree order by (user, us)"
        )
        session.query(f"insert into ev select user_id, us, event from file('{rows}', Parquet)")
        session.query("optimize table ev final")
        version = ask("select version()")[0][0]
        levels, funnel = repeat(runs, lambda: ask(CLICKHOUSE_FUNNEL))
        cells, retention = repeat(runs, lambda: ask(CLICKHOUSE_RETENTION))
        bits, masked = repeat(runs, lambda: ask(CLICKHOUSE_BITS))
        session.close()
    if table(bits) != table(cells):
        sys.exit("the two ways to ask ClickHouse for retention differ")
    reached = {int(level): int(users) for level, users in levels}
    steps = [sum(users for level, users in reached.items() if level > k) for k in range(len(STEPS))]
    return figures(version, steps, funnel, table(cells), retention) | {"bits": {"seconds": masked}}


def duckdb(rows: str, runs: int) -> dict:
    """Asks DuckDB."""
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"create table ev as select user_id, make_timestamp(us) as ts, event::varchar as event from '{rows}'")
    connection.execute("alter table ev alter event type enum('page_view', 'search', 'view_trip', 'login', 'wishlist', "
                       "'start_booking', 'review', 'error', 'complete_booking', 'payment')")
    steps, funnel = repeat(runs, lambda: list(connection.execute(DUCKDB_FUNNEL).fetchone()))
    cells, retention = repeat(runs, lambda: connection.execute(DUCKDB_RETENTION).fetchall())
    return figures(duckdb.__version__, steps, funnel, table(cells), retention)


def export(store: str, rows: str) -> dict:
    """Writes the events of a store as plain rows."""
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"attach '{store}' as store (read_only)")
    connection.execute(
        "copy (select user_key as user_id, epoch_us(ts) as us, n.name as event from store.events join store.names n using (name_key)) "
        f"to '{rows}' (format parquet)"
    )
    return {}


def figures(version: str, steps: list, funnel: list[float], cohorts: list, retention: list[float]) -> dict:
    """What is printed."""
    return {
        "version": version,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "funnel": {"answer": steps, "seconds": funnel},
        "retention": {"answer": cohorts, "seconds": retention},
    }


if __name__ == "__main__":
    word, *rest = sys.argv[1:]
    if word == "export":
        print(json.dumps(export(*rest)))
    else:
        print(json.dumps({"clickhouse": clickhouse, "duckdb": duckdb}[word](rest[0], int(rest[1]))))
