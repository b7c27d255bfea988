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


OURS = {
    "funnel": steps,
    "funnel_filter": steps,
    "funnel_breakdown": groups,
    "retention": cohorts,
    "retention_recurring": cohorts,
}
