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
# A question's way to be asked, or several of which the fastest is taken.
Ways = dict[str, "Ask | tuple[Ask, ...]"]


def main(load: Callable[[str, str], None], serve: Callable[[str], Iterator[tuple[str, Ways]]]) -> None:
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
            name = request["question"]
            if isinstance(ways[name], tuple):
                ways[name] = fastest(name, ways[name])
            answer, seconds = repeated(ways[name], request["runs"], request["seconds"])
            tell(seconds=seconds, answer=answer)
    tell(peakMib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def fastest(name: str, ways: tuple[Ask, ...]) -> Ask:
    """The way whose warm answer comes first; all must give the same."""
    answers, seconds = zip(*(repeated(ask, 2, 0) for ask in ways), strict=True)
    if any(answer != answers[0] for answer in answers):
        sys.exit(f"{name}: {sys.argv[0]} answers differently in different ways")
    warm = [all_of[-1] for all_of in seconds]
    return ways[warm.index(min(warm))]


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
