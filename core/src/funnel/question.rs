//! The question of a funnel.

use serde::Serialize;
use serde_json::Value;

use super::options::{
    Breakdown, Entries, Entry, Exclusion, ExclusionMode, Order, Selects, Step, Timed, Totals, Unit,
    Universe,
};
use super::parse;
use crate::error::{Error, Result};
use crate::query::fields::Fields;
use crate::query::filter::Filter;
use crate::query::sample::sample;
use crate::query::{
    Estimate, Instant, Period, Preset, Property, Range, Sample, Segment, Selector, WeekStart,
    Window,
};
use crate::timeline::Needs;

/// Users who did step 1 within the range, and how far each got inside the conversion window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Funnel {
    /// 1 to 64 steps; equal or overlapping steps need distinct events (F3).
    pub steps: Vec<Step>,
    /// How they are ordered.
    pub order: Order,
    /// Whether in any order the first step must come first (F8).
    pub anchor_first: bool,
    /// What breaks a strict order (F7).
    pub universe: Universe,
    /// Elapsed time from the first step to the last, both ends included (F2); 14 days by default.
    pub window: Window,
    /// In the place of the window: the local days a chain may touch, the entry's included.
    pub window_calendar_days: Option<u32>,
    /// Selects the first steps; later steps may fall after it (F5).
    pub range: Range,
    /// Whether it selects the later steps too.
    pub selects: Selects,
    /// Only users of this segment.
    pub segment: Segment,
    /// Only events that meet all of these are seen.
    pub filters: Vec<Filter>,
    /// How much earlier than the step before a step may be stamped, at most an hour (F1).
    pub grace: Window,
    /// Whether equal times do not count as "after" (F1); false by default.
    pub strict_increase: bool,
    /// Events that may not come between steps (F6); at most 64.
    pub exclusions: Vec<Exclusion>,
    /// What such an event does.
    pub exclusion_mode: ExclusionMode,
    /// The properties whose values all rows of a chain share (F15); at most 4.
    pub hold_constant: Vec<Property>,
    /// What is counted (F10).
    pub unit: Unit,
    /// What an attempt is.
    pub totals: Totals,
    /// The longest pause within a session (L4); 30 minutes by default.
    pub session_timeout: Window,
    /// Which of equally deep chains is reported (F4).
    pub entry: Entry,
    /// Which first steps may begin a chain.
    pub entries: Entries,
    /// Groups by property (F11).
    pub breakdown: Option<Breakdown>,
    /// Also counts by the period of the entry (F12).
    pub trend: Option<Period>,
    /// The first day of its weeks.
    pub week_start: WeekStart,
    /// The pair of steps, counted from 1, that `timeToConvert` measures; first to last by default (F13).
    pub time_between: Option<(usize, usize)>,
    /// Whose times are measured; converters' by default.
    pub timed: Timed,
    /// Into how many bins of equal width `timeToConvert` counts its times.
    pub histogram_bins: Option<usize>,
    /// Whether to sum the amounts of the chains' events (M1).
    pub revenue: bool,
    /// Only users of this sample, with what its counts say of all (S2).
    pub sample: Option<Sample>,
    /// The name of the rules that the switches were set by.
    pub preset: Preset,
    /// Nothing after this instant is seen; now by default (G2).
    pub as_of: Option<Instant>,
}

pub(super) const MAX_STEPS: usize = 64;

impl Default for Funnel {
    fn default() -> Self {
        Self {
            steps: Vec::new(),
            order: Order::default(),
            anchor_first: false,
            universe: Universe::default(),
            window: Window::default(),
            window_calendar_days: None,
            range: Range::default(),
            selects: Selects::default(),
            segment: Segment::default(),
            filters: Vec::new(),
            grace: Window::seconds(0),
            strict_increase: false,
            exclusions: Vec::new(),
            exclusion_mode: ExclusionMode::default(),
            hold_constant: Vec::new(),
            unit: Unit::default(),
            totals: Totals::default(),
            session_timeout: Window::seconds(1800),
            entry: Entry::default(),
            entries: Entries::default(),
            breakdown: None,
            trend: None,
            week_start: WeekStart::default(),
            time_between: None,
            timed: Timed::default(),
            histogram_bins: None,
            revenue: false,
            sample: None,
            preset: Preset::default(),
            as_of: None,
        }
    }
}

impl Funnel {
    /// A funnel through these events.
    pub fn new<S: Into<Step>>(steps: impl IntoIterator<Item = S>, range: Range) -> Self {
        Self {
            steps: steps.into_iter().map(Into::into).collect(),
            range,
            ..Self::default()
        }
    }

    /// Reads a question in its JSON form: `steps`, `order`, `anchorFirst`, `universe`, `window` or `windowCalendarDays`,
    /// `startDate`, `endDate`, `timezone`, `range`, `segment`, `filters`, `grace`, `strictIncrease`, `exclusions`,
    /// `exclusionMode`, `holdConstant`, `unit`, `totals`, `sessionTimeout`, `entry`, `entries`, `breakdown`, `trend`,
    /// `weekStart`, `timeBetween`, `timed`, `histogramBins`, `revenue`, `sample`, `preset`, `asOf`. Steps that are absent are the
    /// catalogue's default funnel; switches that are absent are those of the preset.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(question: &Value, default_steps: &[Selector], now: Instant) -> Result<Self> {
        let mut fields = Fields::of(question)?;
        let mut funnel = Self::read(&mut fields, default_steps);
        funnel.sample = fields.optional("sample", sample);
        fields.finish(funnel.faults(now))?;
        Ok(funnel)
    }

    /// Reads the fields of a funnel among others.
    pub(crate) fn read(fields: &mut Fields<'_>, default_steps: &[Selector]) -> Self {
        parse::funnel(fields, default_steps)
    }

    /// Sets the switches of a preset (G4), as far as the order allows them.
    ///
    /// PostHog: the range selects all steps, an excluded event removes the attempt, everyone who reached a step is timed.
    /// Mixpanel: 30 days from the first entry only, two seconds of grace. Amplitude: 30 days, one second of grace, the first
    /// step first in any order. ClickHouse's `windowFunnel`: the latest of equally deep chains.
    #[must_use]
    pub fn under(mut self, preset: Preset) -> Self {
        self.preset = preset;
        let ordered = self.order == Order::Ordered && !self.strict_increase;
        match preset {
            Preset::Exact => {}
            Preset::Posthog => {
                self.selects = Selects::AllSteps;
                self.timed = Timed::Reached;
                if self.order != Order::Any && self.unit != Unit::Totals {
                    self.exclusion_mode = ExclusionMode::RemoveUser;
                }
            }
            Preset::Mixpanel => {
                self.window = Window::days(30);
                if self.unit != Unit::Totals {
                    self.entries = Entries::First;
                }
                if ordered {
                    self.grace = Window::seconds(2);
                }
            }
            Preset::Amplitude => {
                self.window = Window::days(30);
                self.anchor_first = self.order == Order::Any;
                if ordered {
                    self.grace = Window::seconds(1);
                }
            }
            Preset::Clickhouse => self.entry = Entry::Latest,
        }
        self
    }

    /// The same question, valid, without its preset but with every switch that a preset sets.
    pub(crate) fn spelled(
        question: &Value,
        default_steps: &[Selector],
        now: Instant,
    ) -> Result<Value> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Set {
            #[serde(skip_serializing_if = "Option::is_none")]
            window: Option<Window>,
            range: Selects,
            timed: Timed,
            exclusion_mode: ExclusionMode,
            entries: Entries,
            entry: Entry,
            grace: Window,
            anchor_first: bool,
        }
        let funnel = Self::parse(question, default_steps, now)?;
        let set = Set {
            window: funnel
                .window_calendar_days
                .is_none()
                .then_some(funnel.window),
            range: funnel.selects,
            timed: funnel.timed,
            exclusion_mode: funnel.exclusion_mode,
            entries: funnel.entries,
            entry: funnel.entry,
            grace: funnel.grace,
            anchor_first: funnel.anchor_first,
        };
        let mut spelled = question.clone();
        let set = serde_json::to_value(set).map_err(Error::internal)?;
        if let (Some(spelled), Value::Object(set)) = (spelled.as_object_mut(), set) {
            spelled.remove("preset");
            spelled.extend(set);
        }
        Ok(spelled)
    }

    /// The properties and amounts it looks at.
    pub(crate) fn needs(&self) -> Needs<'_> {
        let conditions = self.steps.iter().map(|s| &s.condition);
        let conditions = conditions.chain(self.exclusions.iter().map(|x| &x.condition));
        let mut properties: Vec<&Property> = conditions.flat_map(|c| c.properties()).collect();
        properties.extend(self.filters.iter().map(|f| &f.property));
        properties.extend(&self.hold_constant);
        properties.extend(self.breakdown.iter().flat_map(|b| &b.properties));
        Needs {
            properties,
            amounts: self.revenue,
            sample: self.sample.as_ref(),
        }
    }

    /// What a count of users says of all users, where they are sampled.
    pub(crate) fn estimate(&self, count: u64) -> Option<Estimate> {
        self.sample.as_ref().map(|sample| sample.estimate(count))
    }

    /// The pair of steps that `timeToConvert` measures, counted from 1.
    pub(crate) fn pair(&self) -> (usize, usize) {
        self.time_between.unwrap_or((1, self.steps.len()))
    }
}
