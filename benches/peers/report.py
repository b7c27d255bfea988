"""The figures as Markdown."""

import os
import pathlib
import platform

SELF = "travelsense"


def machine() -> dict:
    """The processor, its cores and the memory."""
    cpu = platform.processor() or platform.machine()
    info = pathlib.Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        cpu = names[0] if names else cpu
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "gib": round(pages / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
    }


def warm(turns: list[list[float]]) -> list[float]:
    """All answers but the first of each turn, in the order of their seconds."""
    return sorted(second for turn in turns for second in turn[1:])


def best(turns: list[list[float]]) -> float:
    """The fastest warm answer."""
    return warm(turns)[0]


def median(turns: list[list[float]]) -> float:
    """The middle one of the warm answers."""
    ordered = warm(turns)
    return ordered[len(ordered) // 2]


def row(*cells: object) -> str:
    """A row of a table."""
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def head(*cells: str) -> list[str]:
    """The head of a table whose first column is text."""
    return [row(*cells), "|---|" + "---:|" * (len(cells) - 1)]


def short(seconds: float) -> str:
    """Seconds with three digits that count."""
    return (
        f"{seconds:.2f} s"
        if seconds >= 1
        else f"{seconds * 1000:.3g} ms"
        if seconds < 0.1
        else f"{seconds * 1000:.0f} ms"
    )


def whole(figures: dict) -> str:
    """Everything that was measured."""
    parts = [top(figures), ratios(figures), engines(figures), distance(figures), busy(figures)]
    return "\n\n".join(parts) + "\n"


def top(figures: dict) -> str:
    """What was measured where."""
    m = figures["machine"]
    versions = " · ".join(f"{name} {engine['version']}" for name, engine in figures["engines"].items())
    return (
        f"**{figures['events']:,} events** · {m['cpu']}, {m['cores']} cores, {m['gib']} GiB, {m['system']} · {versions} · "
        f"all answers equal · {figures['minutes']:.1f} minutes in all, `make bench`"
    )


def ratios(figures: dict) -> str:
    """Each question and engine."""
    peers = [name for name in figures["engines"] if name != SELF]
    lines = head("best of the warm answers", SELF, *peers, *(f"÷ {peer}" for peer in peers))
    for name, asked in figures["questions"].items():
        if asked.get("alone"):
            continue
        seconds = figures["seconds"][name]
        turns = figures["seconds"].get(asked.get("same", name), {}).get(SELF)
        if turns is None:
            continue
        mine = best(turns)
        theirs = {peer: best(seconds[peer]) for peer in peers if peer in seconds}
        times = [short(theirs[peer]) if peer in theirs else "" for peer in peers]
        factors = [f"**{theirs[peer] / mine:.1f}×**" if peer in theirs else "" for peer in peers]
        lines.append(row(asked["title"], short(mine), *times, *factors))
    return "\n".join(lines)


def engines(figures: dict) -> str:
    """Memory, and how our side begins."""
    lines = head("engine", "peak memory of its process")
    lines += [row(name, f"{engine['peakMib']:,} MiB") for name, engine in figures["engines"].items()]
    t, ours, load = figures["timelines"], figures["engines"][SELF], figures["load"]
    again = t["reopened"]["open"] + t["reopened"]["answer"]
    return "\n".join(lines) + (
        f"\n\nAll timelines from the file: {t['cold']['seconds']:.2f} s with the file not in memory, "
        f"{t['warm']['seconds']:.2f} s with it there, {ours['bytes'] / ours['events']:.1f} B an event "
        f"({t['warm']['peakMib']:,} MiB at most). From the saved timelines, a new process opens the file and gives its first "
        f"answer in {again:.3f} s ({t['reopened']['open']:.3f} s of it to open). "
        f"Loading took {load['seconds']:.0f} s ({load['accepted'] / load['seconds'] / 1000:,.0f} thousand events a second)."
    )


def distance(figures: dict) -> str:
    """How far each answer is from reading its columns once."""
    rate = figures["bandwidth"]
    lines = head("distance from one pass", "columns, B an event", "one pass", "best", "median", "÷ one pass")
    for name, asked in figures["questions"].items():
        turns = figures["seconds"].get(name, {}).get(SELF)
        if "columns" not in asked or turns is None:
            continue
        columns = ", ".join(f"{column} {width}" for column, width in asked["columns"].items())
        limit = sum(asked["columns"].values()) * figures["events"] / rate
        lines.append(
            row(
                asked["title"],
                columns,
                short(limit),
                short(best(turns)),
                short(median(turns)),
                f"{best(turns) / limit:.1f}",
            )
        )
    return (
        "\n".join(lines) + f"\n\nMemory is read at {rate / 1e9:.1f} GB/s by all cores together, measured in this run."
    )


def busy(figures: dict) -> str:
    """A user with a million entries."""
    lines = head("one thread, ns an event", "normal users", "one user, 1,000,000 entries", "ratio")
    told = figures["busy"]
    for name, normal in told["normal"].items():
        lines.append(
            row(
                figures["questions"][name]["title"],
                f"{normal:.2f}",
                f"{told['busy'][name]:.2f}",
                f"{told['busy'][name] / normal:.2f}",
            )
        )
    return "\n".join(lines)


def limited(figures: dict) -> str:
    """Answers within a memory limit."""
    m, limit = figures["machine"], figures["limit"]
    allowed = limit + 200_000_000
    load = figures["load"]
    loaded = load.get("limit") == limit
    peaks = [figures["withinPeak"], figures["limitedBuild"]["peakMib"], load["peakMib"] if loaded else 0]
    peak = max(peaks) * 2**20
    verdict = "within" if peak <= allowed else "**beyond**"
    title = (
        f"**{figures['events']:,} events within {limit / 1e9:g} GB** · {m['cpu']}, {m['cores']} cores · answers equal to those "
        f"without a limit"
    )
    lines = head("question", "within the limit", "without")
    for name, seconds in figures["within"].items():
        lines.append(
            row(figures["questions"][name]["title"], short(best([seconds])), short(best([figures["free"][name]])))
        )
    loading = f"{load['peakMib']:,} MiB while events are loaded ({load['seconds']:.0f} s), " if loaded else ""
    told = (
        f"Peak memory of the process: {loading}{figures['limitedBuild']['peakMib']:,} MiB while timelines are built "
        f"({figures['limitedBuild']['seconds']:.1f} s), {figures['withinPeak']:,} MiB while all questions are answered "
        f"({figures['freePeak']:,} MiB without a limit): {verdict} the limit and 200 MB."
    )
    return "\n\n".join([title, "\n".join(lines), told]) + "\n"


def write(file: pathlib.Path, text: str, events: int, limit: int | None) -> None:
    """Puts figures between their marks in a file, at its end where there are none."""
    name = f"{events}" + (f" within {limit}" if limit else "")
    begin, end = f"<!-- figures {name} -->\n", f"<!-- end {name} -->\n"
    page = file.read_text()
    if begin in page:
        before, rest = page.split(begin, 1)
        after = rest.split(end, 1)[1]
    else:
        before, after = page.rstrip() + "\n\n", ""
    file.write_text(before + begin + text + end + after)
