//! Presets (G4): the switches of a question set as a peer has them, so that its numbers can be told again.

use serde::Serialize;

/// A set of switches under a name (G4); each question's `under` says which it sets, and its answer how each stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// The rules of this engine.
    #[default]
    Exact,
    /// PostHog's.
    Posthog,
    /// Mixpanel's.
    Mixpanel,
    /// Amplitude's.
    Amplitude,
    /// Those of ClickHouse's own functions.
    Clickhouse,
}

pub(crate) const PRESETS: [(&str, Preset); 5] = [
    ("exact", Preset::Exact),
    ("posthog", Preset::Posthog),
    ("mixpanel", Preset::Mixpanel),
    ("amplitude", Preset::Amplitude),
    ("clickhouse", Preset::Clickhouse),
];
