//! What a cohort is, and what can be wrong with it.

use serde_json::Value;

use crate::error::Result;
use crate::query::condition::condition;
use crate::query::fields::{self, Fields, Parsed, fault};
use crate::query::filter::{Moment, filters};
use crate::query::{Condition, Filter, Property, Range, Window};

/// Which users a cohort has.
#[derive(Clone, Debug, PartialEq)]
pub enum Definition {
    /// Exactly these ids, for ever.
    Users(Vec<String>),
    /// Those who did something often enough.
    Did(Did),
    /// Those whose profile meets all filters as of the question.
    Profile(Vec<Filter>),
    /// Those of all of them.
    All(Vec<Definition>),
    /// Those of any of them.
    Any(Vec<Definition>),
    /// Everyone with an event by then who is not of it.
    Not(Box<Definition>),
}

/// Something done a number of times.
#[derive(Clone, Debug, PartialEq)]
pub struct Did {
    /// What was done.
    pub did: Condition,
    /// At least so often; once by default.
    pub at_least: u32,
    /// At most so often; no limit by default.
    pub at_most: Option<u32>,
    /// When: within so long before the instant of the question; ever by default.
    pub last: Option<Window>,
    /// When: in this range.
    pub range: Option<Range>,
}

/// How deep definitions may stand within each other.
const DEEPEST: usize = 8;

/// The most ids of a fixed cohort, and the most parts of another.
const MOST: usize = 1_000_000;

impl Definition {
    /// Reads `{"users": [id, …]}`, `{"did": condition, "atLeast": 1, "atMost": 5, "last": "30d"}` (or `startDate`, `endDate`,
    /// `timezone` in the place of `last`), `{"profile": [filter, …]}`, `{"all": […]}`, `{"any": […]}` or `{"not": …}`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(definition: &Value) -> Result<Self> {
        Self::read(definition, 0)
    }

    fn read(definition: &Value, depth: usize) -> Result<Self> {
        let mut fields = Fields::of(definition)?;
        let nested = |v: &Value| match Self::read(v, depth + 1) {
            _ if depth >= DEEPEST => fault(
                "too_deep",
                format!("must not stand more than {DEEPEST} deep within each other"),
            ),
            Ok(inner) => Ok(inner),
            Err(error) => {
                let sentences: Vec<String> = error
                    .field_errors()
                    .iter()
                    .map(|e| format!("{}: {}", e.field, e.message))
                    .collect();
                fault("invalid_definition", sentences.join("; "))
            }
        };
        let several = |v: &Value| match fields::list(v, nested)? {
            parts if parts.is_empty() => fault("empty", "must have at least one part"),
            parts => Ok(parts),
        };
        let users = fields.optional("users", |v| {
            let ids = fields::list(v, |v| fields::text(v).map(str::to_owned))?;
            if ids.len() > MOST {
                return fault("invalid_length", format!("must have at most {MOST} ids"));
            }
            Ok(Self::Users(ids))
        });
        let profile = fields.optional("profile", |v| of_users(filters(v)?).map(Self::Profile));
        let all = fields.optional("all", several).map(Self::All);
        let any = fields.optional("any", several).map(Self::Any);
        let not = fields
            .optional("not", nested)
            .map(|d| Self::Not(Box::new(d)));
        let did = fields.optional("did", |v| of_events(condition(v)?));
        let at_least = fields.optional("atLeast", |v| fields::integer(v, 0, 1_000_000_000));
        let at_most = fields.optional("atMost", |v| fields::integer(v, 0, 1_000_000_000));
        let last = fields.optional("last", fields::window);
        let range = ["startDate", "endDate", "timezone"]
            .iter()
            .any(|name| definition.get(name).is_some())
            .then(|| fields.range());

        let mut more = Vec::new();
        let mut wrong = |field: &str, code, message: &str| {
            more.push(crate::FieldError {
                field: field.to_owned(),
                code,
                message: message.to_owned(),
            });
        };
        if let Some(range) = &range
            && range.span().from >= range.span().to
        {
            wrong("endDate", "not_after_start", "must be after startDate");
        }
        if last.is_some() && range.is_some() {
            wrong(
                "last",
                "contradiction",
                "must not stand beside startDate and endDate",
            );
        }
        if at_most.is_some_and(|most| most < at_least.unwrap_or(1)) {
            wrong("atMost", "out_of_range", "must not be below atLeast");
        }
        let timed = last.is_some() || range.is_some() || at_least.is_some() || at_most.is_some();
        if did.is_none() && timed && definition.get("did").is_none() {
            wrong("did", "required", "must say what was done");
        }
        let did = did.map(|did| {
            Self::Did(Did {
                did,
                at_least: at_least.unwrap_or(1) as u32,
                at_most: at_most.map(|n| n as u32),
                last,
                range,
            })
        });
        let kinds = ["users", "did", "profile", "all", "any", "not"];
        let given = |k: &&&str| definition.get(**k).is_some_and(|v| !v.is_null());
        if kinds.iter().filter(given).count() != 1 {
            wrong(
                "definition",
                "contradiction",
                "must have exactly one of users, did, profile, all, any, not",
            );
        }
        fields.finish(more)?;
        [users, did, profile, all, any, not]
            .into_iter()
            .flatten()
            .next()
            .ok_or_else(|| crate::Error::internal("a cohort without a definition"))
    }

    /// The properties it looks at.
    pub(crate) fn properties(&self) -> Vec<&Property> {
        match self {
            Self::Users(_) => Vec::new(),
            Self::Did(did) => did.did.properties().collect(),
            Self::Profile(filters) => filters.iter().map(|f| &f.property).collect(),
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().flat_map(Self::properties).collect()
            }
            Self::Not(part) => part.properties(),
        }
    }

    /// All ids of fixed lists within it.
    pub(crate) fn ids(&self) -> Vec<&str> {
        match self {
            Self::Users(ids) => ids.iter().map(String::as_str).collect(),
            Self::Did(_) | Self::Profile(_) => Vec::new(),
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::ids).collect(),
            Self::Not(part) => part.ids(),
        }
    }
}

/// Filters of profiles, which count as of the question.
fn of_users(mut filters: Vec<Filter>) -> Parsed<Vec<Filter>> {
    for filter in &mut filters {
        match &mut filter.property {
            Property::User { at, .. } => *at = Moment::AsOf,
            _ => {
                return fault(
                    "not_in_list",
                    "must be filters of profiles, such as {\"user\": \"plan\"}",
                );
            }
        }
    }
    Ok(filters)
}

/// A condition that asks for no other cohort.
fn of_events(did: Condition) -> Parsed<Condition> {
    if did
        .properties()
        .any(|p| matches!(p, Property::Cohort { .. }))
    {
        return fault(
            "not_in_list",
            "must not be about another cohort; use all, any and not",
        );
    }
    Ok(did)
}
