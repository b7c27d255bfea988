"""What is asked: names, times in microseconds, and answers from the counts that a peer gives."""

from collections.abc import Iterable, Iterator

DAY = 86_400_000_000
WEEK = 7 * DAY
WINDOW = 7 * DAY
STEPS = ("search", "view_trip", "start_booking", "complete_booking")
NAMES = (
    "page_view",
    "search",
    "view_trip",
    "login",
    "wishlist",
    "start_booking",
    "review",
    "error",
    "complete_booking",
    "payment",
)
# 2026-01-15, 2026-03-16 and the Monday before the first event, in microseconds.
START, END, MONDAY = 1_768_435_200_000_000, 1_773_619_200_000_000, 1_766_966_400_000_000
FIRST_DAY = 1_767_225_600_000_000
WEEKS = 14
PAUSE = 30 * 60_000_000
SHOWN = 20


def table(rows: list[tuple[int, int, int]]) -> list[list[int]]:
    """Rows of (cohort, week, users) as one list a cohort, its n-th entry the n-th week."""
    cells = {(int(c), int(w)): int(n) for c, w, n in rows}
    return [[cells.get((c, w), 0) for w in range(c, WEEKS)] for c in range(WEEKS)]


def weeks_of_masks(masks: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Users by the weeks in which they were active, a bit each."""
    return ((int(mask), int(users)) for mask, users in masks)


def reached(rows: Iterable[tuple[str, int, int]]) -> dict[str, list[int]]:
    """Users at each step by part, from rows of (part, steps reached, users)."""
    counts: dict[str, list[int]] = {}
    for part, level, users in rows:
        steps = counts.setdefault(part, [0] * len(STEPS))
        for k in range(int(level)):
            steps[k] += int(users)
    return counts


def top(rows: Iterable[tuple[int, int, int]]) -> list[list]:
    """Rows of (path, users, times) in the order of their times, then of their names; a path is three codes of names."""
    named = [
        ([NAMES[path // 100], NAMES[path // 10 % 10], NAMES[path % 10]], users, times) for path, users, times in rows
    ]
    named.sort(key=lambda row: (-row[2], row[0]))
    return [[path, int(users), int(times)] for path, users, times in named[:SHOWN]]


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
