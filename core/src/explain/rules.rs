//! The switches of each word, with the rules of their meaning.

use serde::Serialize;

/// A field of a question, and what it decides.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Rule {
    /// The field.
    pub field: &'static str,
    /// The rules, by their ids.
    pub rules: &'static [&'static str],
    /// What it decides, in a sentence.
    pub sentence: &'static str,
}

const fn rule(field: &'static str, rules: &'static [&'static str], sentence: &'static str) -> Rule {
    Rule {
        field,
        rules,
        sentence,
    }
}

/// The switches of a word, in the order in which they are explained; none for words whose answers are not explained.
pub fn rules(word: &str) -> &'static [Rule] {
    match word {
        "funnel" => &FUNNEL,
        "retention" => &RETENTION,
        _ => &[],
    }
}

/// Those of a funnel, in the order in which they are explained.
pub(crate) const FUNNEL: [Rule; 28] = [
    rule(
        "steps",
        &["F3", "F9", "F14"],
        "The steps say which events count, whether a chain may go without them, and how long after the step before they come; each row fills at most one step.",
    ),
    rule(
        "order",
        &["F7", "F8"],
        "Steps come one after the other, right after each other (strict), or in any order.",
    ),
    rule(
        "anchorFirst",
        &["F8"],
        "In any order, whether the first step must come first.",
    ),
    rule(
        "universe",
        &["F7"],
        "Which events break a strict order by coming between two steps.",
    ),
    rule(
        "window",
        &["F2"],
        "How long after the entry the last step may come: elapsed time, both ends included.",
    ),
    rule(
        "windowCalendarDays",
        &["F2"],
        "How many local days a chain may touch, in the place of an elapsed window.",
    ),
    rule(
        "startDate",
        &["F5", "T4"],
        "Where the range of entries begins.",
    ),
    rule(
        "endDate",
        &["F5", "T4"],
        "Where the range of entries ends; a bare date is included whole.",
    ),
    rule(
        "timezone",
        &["T1", "T4"],
        "The zone of bare dates and calendars.",
    ),
    rule(
        "range",
        &["F5"],
        "Whether the range selects entries only, so that later steps may fall after it, or all steps.",
    ),
    rule("segment", &["segments"], "Which users are counted."),
    rule(
        "filters",
        &["G5"],
        "Which events are seen at all; an event without the property meets every `not`.",
    ),
    rule(
        "grace",
        &["F1"],
        "How much earlier than the step before a step may be stamped.",
    ),
    rule(
        "strictIncrease",
        &["F1"],
        "Whether two steps at the same instant count as one after the other.",
    ),
    rule(
        "exclusions",
        &["F6"],
        "Which events may not come between steps.",
    ),
    rule(
        "exclusionMode",
        &["F6"],
        "Whether an excluded event ends only the chain that it meets, or removes the entry.",
    ),
    rule(
        "holdConstant",
        &["F15"],
        "Which properties all rows of a chain must share; no value equals none.",
    ),
    rule(
        "unit",
        &["F10"],
        "Whether users, sessions or attempts are counted.",
    ),
    rule(
        "totals",
        &["F10"],
        "Whether attempts follow one another, or every first step is one.",
    ),
    rule(
        "sessionTimeout",
        &["L4"],
        "How long a pause ends a session.",
    ),
    rule(
        "entry",
        &["F4"],
        "Which of equally deep chains is reported: the earliest, or the one with the latest entry.",
    ),
    rule(
        "entries",
        &["F4"],
        "Whether every first step may begin a chain, or only the first in the range.",
    ),
    rule(
        "breakdown",
        &["F11"],
        "Which property groups the units; no total changes by it.",
    ),
    rule(
        "trend",
        &["F12"],
        "Whether entries are also counted by period; no total changes by it.",
    ),
    rule("weekStart", &["T3"], "The first day of weeks."),
    rule(
        "timeBetween",
        &["F13"],
        "Between which steps time is measured.",
    ),
    rule(
        "timed",
        &["F13"],
        "Whether only converters are timed, or everyone who reached the steps.",
    ),
    rule(
        "asOf",
        &["G2", "F5"],
        "After which instant nothing is seen; before it, an entry may still be waiting.",
    ),
];

/// Those of a retention table.
pub(crate) const RETENTION: [Rule; 23] = [
    rule(
        "cohortPeriod",
        &["R4", "T3"],
        "The calendar period of cohorts and columns.",
    ),
    rule("start", &["R1"], "Which event starts a user."),
    rule(
        "return",
        &["R2"],
        "Which event brings a user back; never the row that started it.",
    ),
    rule(
        "mode",
        &["R1"],
        "Whether a user starts once, with its first start ever, or in every period with a start.",
    ),
    rule(
        "unit",
        &["R3", "R5"],
        "Whether columns count calendar periods, exact days of 24 hours, or months from the start.",
    ),
    rule(
        "criterion",
        &["R6"],
        "Whether a return counts in its column only, from there on, up to there, or every column long.",
    ),
    rule("brackets", &["R6"], "Which periods make one column."),
    rule(
        "startDate",
        &["R1", "T4"],
        "Where the range of starts begins.",
    ),
    rule(
        "endDate",
        &["R8", "T4"],
        "Where the range of starts ends; returns after it count.",
    ),
    rule(
        "timezone",
        &["R4", "T1"],
        "The zone in which days, weeks and months are counted.",
    ),
    rule("weekStart", &["T3"], "The first day of weeks."),
    rule("segment", &["segments"], "Which users are counted."),
    rule(
        "filters",
        &["G5"],
        "Which events are seen at all; an event without the property meets every `not`.",
    ),
    rule(
        "holdConstant",
        &["R10"],
        "Which property a return must share with its start.",
    ),
    rule(
        "breakdown",
        &["R10"],
        "Which property of the start groups the users; no total changes by it.",
    ),
    rule(
        "pooling",
        &["R9"],
        "Whether averages pool all complete cells, or only cohorts that have them all.",
    ),
    rule("analysisMetric", &["R11"], "The figure in the cells."),
    rule("property", &["R11"], "The property that the figure sums."),
    rule("preset", &["G4"], "The switches of a preset, all together."),
    rule(
        "clockStart",
        &["R3"],
        "Whether clocks start with the event, or with its full hour or day.",
    ),
    rule(
        "minimumOccurrences",
        &["R6"],
        "How many return events a period needs to count.",
    ),
    rule(
        "maturity",
        &["R7"],
        "Whom a period counts before it has elapsed.",
    ),
    rule(
        "asOf",
        &["G2", "R7"],
        "After which instant nothing is seen; a column counts once its period is over for a user.",
    ),
];
