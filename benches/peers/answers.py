"""What of our answers the peers answer too, in the form in which they give it."""


def steps(answer: dict) -> list[int]:
    """Users at each step of a funnel."""
    return [step["count"] for step in answer["steps"]]


def groups(answer: dict) -> dict[str, list[int]]:
    """The same by the value of a property."""
    return {group["value"]: steps(group) for group in answer["breakdown"]["groups"]}


def cohorts(answer: dict) -> list[list[int]]:
    """Users of each cohort by week, complete or not."""
    return [[cell["count"] + cell["partialCount"] for cell in cohort["retention"]] for cohort in answer["cohorts"]]


def lifecycle(answer: dict) -> list[list[int]]:
    """New, returning, resurrected and dormant users of each week."""
    return [[week["new"], week["returning"], week["resurrected"], week["dormant"]] for week in answer["lifecycle"]]


def stickiness(answer: dict) -> dict[str, int]:
    """Users by the number of days on which they were active."""
    rows = answer["stickiness"]["rows"]
    return {str(row["periods"]): row["exactly"]["k"] for row in rows if row["exactly"]["k"]}


def paths(answer: dict) -> list[list]:
    """Paths with their users and how often they occur."""
    return [[path["nodes"], path["users"], path["occurrences"]] for path in answer["sequences"]["top"]]


OURS = {
    "funnel": steps,
    "funnel_filter": steps,
    "funnel_breakdown": groups,
    "retention": cohorts,
    "retention_recurring": cohorts,
    "lifecycle": lifecycle,
    "stickiness": stickiness,
    "paths": paths,
}
