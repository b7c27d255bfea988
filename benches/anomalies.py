#!/usr/bin/env python3
"""How well anomalies are found in demos of several sizes, as a table.

    benches/anomalies.py [--bench PATH] [--write] [USERS…]

Needs `bench`, of the profile `release`. Prints Markdown; with --write it also stands in benches/README.md.
"""

import argparse
import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DAYS = 90
SIZES = {0: "all gone", 0.5: "half gone", 0.7: "−30 %", 1.3: "+30 %", 1.5: "+50 %", 2: "twice"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("users", nargs="*", type=int, default=[500_000, 2_000_000, 4_000_000])
    parser.add_argument("--bench", type=Path, default=ROOT / "target" / "release" / "bench")
    parser.add_argument("--write", action="store_true", help="put the figures into benches/README.md")
    options = parser.parse_args()
    text = "\n\n".join(table(measured(options.bench, users)) for users in options.users)
    print(text)
    if options.write:
        write(text)


def measured(bench: Path, users: int) -> dict:
    ran = subprocess.run([bench, "anomalies", str(users), str(DAYS)], check=True, stdout=subprocess.PIPE)
    return json.loads(ran.stdout)


def table(told: dict) -> str:
    head = f"**{told['users']:,} people, {told['days']} days**, buckets of a minute"
    rows = [
        "| metric | a minute | strays | false alarms a week | " + " | ".join(SIZES.values()) + " |",
        "|---|---:|---:|---:|" + "---:|" * len(SIZES),
    ]
    for metric in told["metrics"]:
        if metric["stepMinutes"] == 1:
            cells = [cell(incident) for incident in metric["incidents"]]
            alarms = f"{metric['falseAlarmsAWeek']:.2f} (+{metric['alarmsOfClockChanges']})"
            rows.append(
                f"| `{metric['metric']}` | {metric['aMinute']:,.3g} | {metric['strays']:.1f} | {alarms} | "
                + " | ".join(cells)
                + " |"
            )
    longer: dict[int, float] = {}
    for metric in told["metrics"]:
        step = metric["stepMinutes"]
        longer[step] = max(longer.get(step, 0), metric["falseAlarmsAWeek"])
    most = ", ".join(f"{alarms:.2f} in buckets of {step}" for step, alarms in longer.items())
    return "\n".join([head, "", *rows, "", f"Most false alarms a week of any metric: {most} minutes."])


def cell(incident: dict) -> str:
    """What became of the incidents of a size; of those that chance hides, that it does so."""
    share = incident["within10Minutes"] / incident["injected"]
    delays = f"{incident['medianDelayMinutes']}, {incident['worstDelayMinutes']} min" if incident["found"] else "none"
    clear = incident["clear"]
    of_clear = f"{incident['clearWithin10Minutes'] / clear:.0%} of {clear}" if clear else "chance"
    return f"{incident['deviations']:.1f} σ: {of_clear}; {share:.0%}; {delays}"


def write(text: str) -> None:
    readme = ROOT / "benches" / "README.md"
    before, rest = readme.read_text().split("<!-- anomalies -->")
    _, after = rest.split("<!-- end anomalies -->")
    readme.write_text(f"{before}<!-- anomalies -->\n{text}\n<!-- end anomalies -->{after}")


if __name__ == "__main__":
    main()
