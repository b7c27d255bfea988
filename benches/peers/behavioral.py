"""Funnels by `window_funnel` of the loadable extension `behavioral` of DuckDB; see benches/README.md."""

import os
from collections.abc import Iterator

import asked
import duckdb
from duckdb_sql import load
from serve import Ways, main


def funnel(view: str = "", also: str = "''") -> str:
    """Users by how far they get."""
    return f"""
select part, level, count(*) from (
  select user_id, {also} as part, window_funnel(to_microseconds({asked.WINDOW}), make_timestamp(us),
    event = '{asked.STEPS[0]}' and us < {asked.END}, event = '{asked.STEPS[1]}'{view}, event = '{asked.STEPS[2]}', event = '{asked.STEPS[3]}') as level
  from ev where us >= {asked.START} and us < {asked.END + asked.WINDOW} and event in {asked.STEPS} group by user_id)
where level > 0 group by part, level"""


def serve(folder: str) -> Iterator[tuple[str, Ways]]:
    """Answers by the name of the question."""
    connection = duckdb.connect(f"{folder}/peer.db", read_only=True, config={"allow_unsigned_extensions": "true"})
    connection.execute(f"load '{os.environ['BEHAVIORAL']}'")

    ask = lambda sql: connection.execute(sql).fetchall()  # noqa: E731
    ways = {
        "funnel": lambda: asked.reached(ask(funnel()))[""],
        "funnel_filter": lambda: asked.reached(ask(funnel(view=" and destination = 'Lisbon'")))[""],
        "funnel_breakdown": lambda: asked.reached(ask(funnel(also="any_value(country)"))),
    }
    yield duckdb.__version__, ways
    connection.close()


if __name__ == "__main__":
    main(load, serve)
