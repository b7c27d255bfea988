//! From one evaluation to the next: ok → pending → firing → resolved (S5).

use serde::{Deserialize, Serialize};

use super::condition::{Reading, Verdict};
use crate::query::{Instant, Window};

/// Where a rule stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// All is well.
    #[default]
    Ok,
    /// The condition holds, but not for long enough.
    Pending,
    /// There is an incident.
    Firing,
    /// The incident seems to be over; should the condition hold again within the cool-down, it is the same incident.
    Resolved,
}

impl Phase {
    /// Its stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Pending => "pending",
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

/// When a rule changes where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// So many evaluations in a row must find the condition before it is an incident; at least one.
    pub hold: u32,
    /// So many in a row must find it clear before the incident is over; at least one.
    pub clear: u32,
    /// For so long after that the incident may go on.
    pub cool_down: Window,
}

/// What is remembered of a rule between two evaluations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct State {
    /// Where it stands.
    pub phase: Phase,
    /// How many evaluations in a row have spoken for the next phase.
    pub count: u32,
    /// Since when the condition has held, in microseconds, while it is pending: as far as what was read knows, and else since the first
    /// of the evaluations in a row that found it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
    /// The instant of the last evaluation, in microseconds: a rule is evaluated once for each.
    pub evaluated: Option<i64>,
    /// The incident that is not over.
    pub incident: Option<Incident>,
    /// An incident that was told and ended while nobody was to be told: its end is told once nothing mutes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owed: Option<Incident>,
    /// The evaluations in a row that could not be answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blind: Option<Blind>,
    /// What was read when the incident that was told seemed to be over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clear: Option<Reading>,
}

/// So many evaluations in a row that cannot be answered are told: whoever relies on a rule should know that it sees nothing.
const BLIND: u32 = 3;

/// Evaluations in a row that could not be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blind {
    /// The instant of the first, in microseconds.
    pub since: i64,
    /// How many there were.
    pub count: u32,
    /// Whether somebody was told.
    pub told: bool,
}

/// What somebody is to be told of whether a rule can be evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// That it cannot be, and has not been since.
    Lost(Blind),
    /// That it can be again; of what was told.
    Back(Blind),
}

impl State {
    /// Takes in whether the evaluation of an instant could be answered. What is to be told while it is `muted` is told after that, if it
    /// is still so.
    pub fn sight(&mut self, at: Instant, answered: bool, muted: bool) -> Option<Sight> {
        if answered {
            let told = self.blind.filter(|blind| blind.told);
            self.blind = told.filter(|_| muted);
            return told.filter(|_| !muted).map(Sight::Back);
        }
        let blind = self.blind.get_or_insert(Blind {
            since: at.micros(),
            count: 0,
            told: false,
        });
        blind.count = blind.count.saturating_add(1);
        if muted || blind.told || blind.count < BLIND {
            return None;
        }
        blind.told = true;
        Some(Sight::Lost(*blind))
    }

    /// It as the clock has it now: what was noted in a time to come was noted by a clock that was wrong.
    #[must_use]
    pub fn known_at(mut self, now: Instant) -> Self {
        self.evaluated = self.evaluated.filter(|at| *at <= now.micros());
        for incident in [&mut self.incident, &mut self.owed].into_iter().flatten() {
            incident.cleared = incident.cleared.map(|at| at.min(now.micros()));
        }
        self
    }
}

/// Something that happened, from the first alarm until it is over for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Incident {
    /// The instant of the evaluation at which it began, in microseconds: with its rule its name.
    pub opened: i64,
    /// Since when the condition has held, in microseconds.
    pub since: i64,
    /// Whether somebody was told.
    pub notified: bool,
    /// How often it seemed to be over and was not.
    pub reopened: u32,
    /// When it seemed to be over, in microseconds.
    pub cleared: Option<i64>,
}

/// What somebody is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// That an incident is going on. Once an incident, as soon as nothing mutes it.
    Firing(Incident),
    /// That it is over; of those that were told, as soon as nothing mutes it.
    Resolved(Incident),
}

/// What an evaluation brought about.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What is to be remembered.
    pub state: State,
    /// The phase that was entered, if it is another than before.
    pub entered: Option<Phase>,
    /// What is to be told, in order.
    pub notices: Vec<Notice>,
    /// An incident that ended without anybody being told, as it was muted all the while.
    pub unheard: Option<Incident>,
}

/// Takes the evaluation of an instant in, with since when what it found is so; nothing where that instant, or a later one, was
/// evaluated before.
///
/// While it is `muted` nobody is told. An incident that outlasts that is told then, and so is the end of one that was told before.
pub fn step(
    policy: &Policy,
    state: &State,
    (at, since): (Instant, Instant),
    verdict: Verdict,
    muted: bool,
) -> Option<Step> {
    let now = at.micros();
    if state.evaluated.is_some_and(|last| now <= last) {
        return None;
    }
    let mut done = Step {
        state: State {
            evaluated: Some(now),
            ..state.clone()
        },
        entered: None,
        notices: Vec::new(),
        unheard: None,
    };
    done.close(policy, now, muted);
    if verdict != Verdict::Unknown {
        done.turn(policy, (now, since.micros().min(now)), verdict);
    }
    // With no cool-down, what is resolved is over at once.
    done.close(policy, now, muted);
    done.tell(muted);
    done.entered = Some(done.state.phase).filter(|phase| *phase != state.phase);
    Some(done)
}

impl Step {
    fn turn(&mut self, policy: &Policy, (now, so): (i64, i64), verdict: Verdict) {
        let state = &mut self.state;
        match (state.phase, verdict) {
            (Phase::Ok | Phase::Pending | Phase::Resolved, Verdict::Breach) => {
                if let Some(incident) = &mut state.incident {
                    incident.cleared = None;
                    incident.reopened += 1;
                    (state.phase, state.count) = (Phase::Firing, 0);
                    return;
                }
                state.count = match state.phase {
                    Phase::Pending => state.count + 1,
                    _ => 1,
                };
                let since = match state.phase {
                    Phase::Pending => state.since.unwrap_or(now).min(so),
                    _ => so,
                };
                (state.phase, state.since) = (Phase::Pending, Some(since));
                if state.count >= policy.hold {
                    state.since = None;
                    state.incident = Some(Incident {
                        opened: now,
                        since,
                        notified: false,
                        reopened: 0,
                        cleared: None,
                    });
                    (state.phase, state.count) = (Phase::Firing, 0);
                }
            }
            (Phase::Firing, Verdict::Clear) => {
                state.count += 1;
                if state.count >= policy.clear {
                    if let Some(incident) = &mut state.incident {
                        incident.cleared = Some(now);
                    }
                    (state.phase, state.count) = (Phase::Resolved, 0);
                }
            }
            (Phase::Firing, _) => state.count = 0,
            (Phase::Resolved, _) if state.incident.is_some() => {}
            (_, _) => (state.phase, state.count, state.since) = (Phase::Ok, 0, None),
        }
    }

    /// Ends an incident whose cool-down is over, and tells it unless it is muted.
    fn close(&mut self, policy: &Policy, now: i64, muted: bool) {
        if let Some(incident) = self.state.owed.take_if(|_| !muted) {
            self.notices.push(Notice::Resolved(incident));
        }
        let over = |i: &Incident| {
            i.cleared
                .is_some_and(|at| now.saturating_sub(at) >= policy.cool_down.micros())
        };
        if self.state.phase != Phase::Resolved {
            return;
        }
        if let Some(incident) = self.state.incident.take_if(|i| over(i)) {
            if incident.notified && muted {
                // INVARIANT: none is owed already, as no incident after that one was told.
                self.state.owed = Some(incident);
            } else if incident.notified {
                self.notices.push(Notice::Resolved(incident));
            } else {
                self.unheard = Some(incident);
            }
        }
    }

    fn tell(&mut self, muted: bool) {
        let firing = self.state.phase == Phase::Firing;
        if let Some(incident) = self.state.incident.as_mut()
            && firing
            && !muted
            && !incident.notified
        {
            incident.notified = true;
            self.notices.push(Notice::Firing(*incident));
        }
    }
}
