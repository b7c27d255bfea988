//! The specification's User Behavior Insight: what the figures of a word say, in sentences, and the figures themselves.

use serde::Serialize;

use super::InsightType;
use crate::adoption::AdoptionAnswer;
use crate::chart::Chart;
use crate::engagement::EngagementAnswer;
use crate::error::{Error, Result};
use crate::funnel::{DropOffAnswer, FunnelAnswer};
use crate::journey::JourneyAnswer;
use crate::query::answer::{self, Stamp};
use crate::query::{Instant, Segment, Zone};

/// One thing that stands out in how users behave.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Insight {
    /// What it is and what it was computed from.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// What kind of insight it is.
    pub insight_type: InsightType,
    /// What it is about.
    pub title: String,
    /// What it says, in sentences.
    pub description: String,
    /// The figures behind it.
    pub data: Data,
    /// The confidence level of the intervals in `description` and `data`, in percent: 95. Null where nobody was counted, for
    /// then there is no interval and nothing to be confident of. It is not a measure of how interesting the insight is.
    pub confidence: Option<u8>,
    /// The users looked at.
    pub segment: Segment,
    /// The first instant of the range.
    pub start_date: Instant,
    /// The first instant after the range.
    pub end_date: Instant,
    /// As `asOf`: an insight is computed, not stored.
    pub created_at: Instant,
    /// The same.
    pub updated_at: Instant,
    /// The zone of the range, which the data states.
    #[serde(skip)]
    pub timezone: Zone,
}

/// The answer of the word that an insight speaks of.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Data {
    /// Of a funnel.
    Funnel(Box<FunnelAnswer>),
    /// Of drop-off points.
    DropOff(Box<DropOffAnswer>),
    /// Of engagement.
    Engagement(Box<EngagementAnswer>),
    /// Of adoption.
    Adoption(Box<AdoptionAnswer>),
    /// Of a journey.
    Journey(Box<JourneyAnswer>),
}

impl Insight {
    /// The chart of its data, where that has one.
    pub fn chart(&self) -> Option<Chart> {
        match &self.data {
            Data::Funnel(answer) => Some(answer.chart()),
            Data::DropOff(answer) => Some(answer.chart()),
            Data::Engagement(answer) => answer.chart(),
            Data::Adoption(answer) => Some(answer.chart()),
            Data::Journey(answer) => answer.chart(),
        }
    }

    /// The insight with a stamp of its own, given the stamp of its data, which goes back to the data: a word's answer has the
    /// same bytes here as where it is asked for alone.
    pub(super) fn stamped(mut self) -> Result<Self> {
        let data = std::mem::take(&mut self.stamp);
        let versions = data
            .versions
            .clone()
            .ok_or_else(|| Error::internal("an answer without a stamp"))?;
        // Hashed without the stamp of its data, which depends on what else is stored.
        self.stamp = answer::stamp(&self, versions)?;
        *self.data.stamp() = data;
        Ok(self)
    }
}

impl Data {
    fn stamp(&mut self) -> &mut Stamp {
        match self {
            Self::Funnel(answer) => &mut answer.stamp,
            Self::DropOff(answer) => &mut answer.stamp,
            Self::Engagement(answer) => &mut answer.stamp,
            Self::Adoption(answer) => &mut answer.stamp,
            Self::Journey(answer) => &mut answer.stamp,
        }
    }
}
