"""What every peer's program shares: its command line, and the requests that it answers.

    PEER load ROWS FOLDER   fills the peer's own store from a Parquet file
    PEER serve FOLDER       answers requests, one a line: {"question": name, "runs": most, "seconds": most}
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator

Ask = Callable[[], object]

FROM, TO = "2026-01-15 00:00:00", "2026-03-16 00:00:00"
DAY = 86_400_000_000
WEEK = 7 * DAY
WINDOW = 7 * DAY
STEPS = ("search", "view_trip", "start_booking", "complete_booking")
NAMES = ("page_view", "search", "view_trip", "login", "wishlist", "start_booking", "review", "error", "complete_booking", "payment")
# 2026-01-15, 2026-03-16 and the Monday before the first event, in microseconds.
START, END, MONDAY = 1_768_435_200_000_000, 1_773_619_200_000_000, 1_766_966_400_000_000
FIRST_DAY = 1_767_225_600_000_000
WEEKS = 14
PAUSE = 30 * 60_000_000


def main(load: Callable[[str, str], None], serve: Callable[[str], Iterator[tuple[str, dict[str, Ask]]]]) -> None:
    """Runs the command of the command line."""
    word, *rest = sys.argv[1:]
    if word == "load":
        began = time.perf_counter()
        load(*rest)
        tell(seconds=time.perf_counter() - began)
        return
    for version, ways in serve(*rest):
        tell(version=version, questions=list(ways))
        for line in sys.stdin:
            request = json.loads(line)
            answer, seconds = repeated(ways[request["question"]], request["runs"], request["seconds"])
            tell(seconds=seconds, answer=answer)
    tell(peakMib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def repeated(ask: Ask, runs: int, limit: float) -> tuple[object, list[float]]:
    """Asks so many times or until so many seconds have passed, but at least twice, since the first time is cold."""
    seconds: list[float] = []
    while True:
        began = time.perf_counter()
        answer = ask()
        seconds.append(time.perf_counter() - began)
        enough = len(seconds) >= runs or sum(seconds) >= limit
        if enough and (len(seconds) > 1 or runs == 1):
            return answer, seconds


def tell(**what: object) -> None:
    """Prints a line."""
    print(json.dumps(what), flush=True)


def table(rows: list[tuple[int, int, int]]) -> list[list[int]]:
    """Rows of (cohort, week, users) as one list a cohort, its n-th entry the n-th week."""
    cells = {(int(c), int(w)): int(n) for c, w, n in rows}
    return [[cells.get((c, w), 0) for w in range(c, WEEKS)] for c in range(WEEKS)]


def weeks_of_masks(masks: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Users by the weeks in which they were active, a bit each."""
    return ((int(mask), int(users)) for mask, users in masks)


def first_time(masks: list[tuple[int, int]]) -> list[list[int]]:
    """Retention by the first week."""
    cells: dict[tuple[int, int], int] = {}
    for mask, users in weeks_of_masks(masks):
        cohort = (mask & -mask).bit_length() - 1
        for week in range(cohort, WEEKS):
            if mask >> week & 1:
                cells[cohort, week] = cells.get((cohort, week), 0) + users
    return table([(c, w, n) for (c, w), n in cells.items()])


def recurring(masks: list[tuple[int, int]]) -> list[list[int]]:
    """Retention by every week."""
    cells: dict[tuple[int, int], int] = {}
    for mask, users in weeks_of_masks(masks):
        on = [week for week in range(WEEKS) if mask >> week & 1]
        for place, cohort in enumerate(on):
            for week in on[place:]:
                cells[cohort, week] = cells.get((cohort, week), 0) + users
    return table([(c, w, n) for (c, w), n in cells.items()])


def lifecycle(masks: list[tuple[int, int]]) -> list[list[int]]:
    """For each week the new, returning, resurrected and dormant users."""
    weeks = [[0, 0, 0, 0] for _ in range(WEEKS)]
    for mask, users in weeks_of_masks(masks):
        for week in range(WEEKS):
            before = mask & ((1 << week) - 1)
            was = week > 0 and mask >> (week - 1) & 1
            if mask >> week & 1:
                weeks[week][0 if not before else 1 if was else 2] += users
            elif was:
                weeks[week][3] += users
    return weeks
