//! Reads a rule from its JSON form, with everything that is wrong with it at once.

use serde_json::Value;

use super::channel::Channel;
use super::condition::{Against, Condition};
use super::machine::Policy;
use super::rule::{Importance, Patch, Rule, Source, System};
use super::schedule::{DAYS, LONGEST, Maintenance, Schedule};
use crate::error::{Error, FieldError, Result};
use crate::query::fields::{self, Fields, Parsed};
use crate::query::{Window, Zone};

/// The six real-time figures.
pub(super) const METRICS: [(&str, &str); 6] = [
    ("active_users", "active_users"),
    ("page_views", "page_views"),
    ("events_per_second", "events_per_second"),
    ("conversion_rate", "conversion_rate"),
    ("error_rate", "error_rate"),
    ("revenue_per_minute", "revenue_per_minute"),
];

const RANGES: [(&str, &str); 3] = [
    ("last_5_minutes", "last_5_minutes"),
    ("last_15_minutes", "last_15_minutes"),
    ("last_hour", "last_hour"),
];

const MINUTE: i64 = 60_000_000;

/// At most so many places, windows of maintenance, and addresses.
const MOST: usize = 20;

/// A question may be so long as text.
const LONG: usize = 20_000;

impl Rule {
    /// Reads a rule: `name`, `source`, `condition`; and, optionally, `severity`, `schedule`, `for`, `clearFor`, `coolDown`, `group`,
    /// `channels`, `maintenance`, `enabled`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(body: &Value) -> Result<Self> {
        let severities = [
            ("info", Importance::Info),
            ("warning", Importance::Warning),
            ("critical", Importance::Critical),
        ];
        let mut fields = Fields::of(body)?;
        let count = |v: &Value| fields::integer(v, 1, 1_000).map(|n| n as u32);
        let rule = Self {
            name: fields.required("name", |v| line(v, 1, 100)),
            source: fields
                .required("source", |v| source(v).map(Some))
                .unwrap_or_else(Source::freshness),
            condition: fields
                .required("condition", |v| condition(v).map(Some))
                .unwrap_or(Condition::NoData),
            severity: fields
                .optional("severity", |v| fields::one_of(v, &severities))
                .unwrap_or_default(),
            schedule: fields
                .optional("schedule", schedule)
                .unwrap_or(Schedule::Every(Window::seconds(60), Zone::default())),
            policy: Policy {
                hold: fields.optional("for", count).unwrap_or(1),
                clear: fields.optional("clearFor", count).unwrap_or(1),
                cool_down: fields
                    .optional("coolDown", |v| up_to(v, 7 * LONGEST))
                    .unwrap_or(Window::seconds(600)),
            },
            group: fields
                .optional("group", |v| line(v, 0, 100))
                .unwrap_or_default(),
            channels: fields
                .optional("channels", |v| some(v, channel))
                .unwrap_or_default(),
            maintenance: fields
                .optional("maintenance", |v| some(v, maintenance))
                .unwrap_or_default(),
            enabled: fields.optional("enabled", fields::boolean).unwrap_or(true),
        };
        let faults = rule.faults();
        fields.finish(faults)?;
        Ok(rule)
    }

    /// The rule with these fields in the place of its own; null is no change.
    ///
    /// # Errors
    /// As `parse`.
    pub fn patched(&self, patch: &Patch) -> Result<Self> {
        let mut form = self.json();
        if let Some(fields) = form.as_object_mut() {
            for (name, value) in patch.iter().filter(|(_, value)| !value.is_null()) {
                fields.insert(name.clone(), value.clone());
            }
        }
        Self::parse(&form)
    }

    /// What does not fit together.
    fn faults(&self) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, code, message: &str| {
            faults.push(FieldError {
                field: field.to_owned(),
                code,
                message: message.to_owned(),
            });
        };
        match (&self.condition, &self.source) {
            (Condition::Anomaly { .. }, source) if !matches!(source, Source::Metric { .. }) => {
                fault(
                    "condition.type",
                    "unsupported",
                    "an anomaly is found in one of the six metrics",
                )
            }
            (Condition::Band { .. }, Source::Answer { low, high, .. })
                if low.is_some() || high.is_some() => {}
            (Condition::Band { .. }, _) => fault(
                "condition.type",
                "unsupported",
                "a band needs a source that says where `low` or `high` is",
            ),
            (Condition::Change { .. }, Source::System(_)) => fault(
                "condition.type",
                "unsupported",
                "what is counted of travelsense itself is compared with a threshold",
            ),
            _ => {}
        }
        faults
    }
}

fn source(value: &Value) -> Parsed<Source> {
    let has = |name| value.get(name).is_some();
    if has("metric") {
        return fields::object(value, |f| Source::Metric {
            name: f.required("metric", |v| fields::one_of(v, &METRICS)),
            range: f
                .optional("timeRange", |v| fields::one_of(v, &RANGES))
                .unwrap_or("last_5_minutes"),
        });
    }
    if has("system") {
        return fields::object_with(value, |f| {
            let names = System::NAMES.map(|name| (name, name));
            let name = f.required("system", |v| fields::one_of(v, &names));
            let source = f.optional("source", |v| line(v, 1, 100));
            let system = match name {
                "export_failures" => System::ExportFailures,
                "failures" => System::Failures,
                _ => return (Source::System(System::Freshness(source)), Vec::new()),
            };
            let fault = source.map(|_| FieldError {
                field: "source".to_owned(),
                code: "unsupported",
                message: "goes with `freshness` alone".to_owned(),
            });
            (Source::System(system), fault.into_iter().collect())
        });
    }
    if !has("word") {
        return fields::fault(
            "invalid_type",
            "must have one of the fields `metric`, `word` and `system`",
        );
    }
    fields::object(value, |f| Source::Answer {
        word: f.required("word", |v| line(v, 1, 50)),
        question: f.required("question", |v| match v {
            Value::Object(fields) if fields.get("sample").is_some_and(|s| !s.is_null()) => {
                fields::fault("sampled", "must not be of a sample of users")
            }
            Value::Object(_) if v.to_string().len() <= LONG => Ok(v.clone()),
            Value::Object(_) => fields::fault(
                "invalid_length",
                format!("must not be longer than {LONG} characters"),
            ),
            _ => fields::fault("invalid_type", "must be an object with named fields"),
        }),
        last: f.optional("lastDays", |v| fields::integer(v, 1, 730).map(|n| n as u32)),
        value: f.required("value", |v| match v.as_str() {
            Some("seconds") => Ok("seconds".to_owned()),
            _ => pointer(v),
        }),
        low: f.optional("low", pointer),
        high: f.optional("high", pointer),
    })
}

fn pointer(value: &Value) -> Parsed<String> {
    let given = line(value, 1, 200)?;
    if given.starts_with('/') {
        Ok(given)
    } else {
        fields::fault(
            "invalid_pointer",
            "must be a JSON pointer, such as /steps/2/rate",
        )
    }
}

fn condition(value: &Value) -> Parsed<Condition> {
    let kinds = ["threshold", "change", "anomaly", "band", "no_data"].map(|k| (k, k));
    let kind = match value.get("type") {
        Some(kind) => fields::one_of(kind, &kinds),
        None => return fields::fault("invalid_type", "must be an object with a `type`"),
    };
    let number = |v: &Value| match v.as_f64() {
        Some(n) if n.is_finite() => Ok(n),
        _ => fields::fault("invalid_type", "must be a number"),
    };
    let directions = [
        ("up", (true, false)),
        ("down", (false, true)),
        ("either", (true, true)),
    ];
    fields::object_with(value, |f| {
        f.required("type", |v| fields::one_of(v, &kinds));
        let mut faults = Vec::new();
        let direction = |f: &mut Fields<'_>| {
            f.optional("direction", |v| fields::one_of(v, &directions))
                .unwrap_or((true, true))
        };
        let Ok(kind) = kind else {
            f.keep_unknown();
            return (Condition::NoData, faults);
        };
        let read = match kind {
            "threshold" => {
                let (above, below) = (f.optional("above", number), f.optional("below", number));
                let recover = f.optional("recover", number);
                faults = threshold(above, below, recover);
                Condition::Threshold {
                    above,
                    below,
                    recover,
                }
            }
            "change" => {
                let (up, down) = direction(f);
                Condition::Change {
                    by: f.required("by", |v| match number(v)? {
                        by if by > 0.0 && by <= 1e6 => Ok(by),
                        _ => fields::fault("out_of_range", "must be above 0"),
                    }),
                    up,
                    down,
                    against: f.optional("against", against).unwrap_or_default(),
                }
            }
            "anomaly" => {
                let (up, down) = direction(f);
                Condition::Anomaly { up, down }
            }
            "band" => Condition::Band {
                against: f.optional("against", against),
            },
            _ => Condition::NoData,
        };
        (read, faults)
    })
}

fn against(value: &Value) -> Parsed<Against> {
    let all = [Against::Previous, Against::WeekBefore];
    fields::one_of(value, &all.map(|a| (a.name(), a)))
}

fn threshold(above: Option<f64>, below: Option<f64>, recover: Option<f64>) -> Vec<FieldError> {
    let fault = |field: &str, code, message: &str| {
        vec![FieldError {
            field: field.to_owned(),
            code,
            message: message.to_owned(),
        }]
    };
    match (above, below, recover) {
        (None, None, _) => fault("above", "required", "is required where there is no `below`"),
        (Some(above), Some(below), _) if above <= below => {
            fault("above", "out_of_range", "must be more than `below`")
        }
        (Some(_), Some(_), Some(_)) => fault(
            "recover",
            "unsupported",
            "goes with one of `above` and `below`",
        ),
        (Some(above), None, Some(recover)) if recover > above => {
            fault("recover", "out_of_range", "must not be more than `above`")
        }
        (None, Some(below), Some(recover)) if recover < below => {
            fault("recover", "out_of_range", "must not be less than `below`")
        }
        _ => Vec::new(),
    }
}

fn schedule(value: &Value) -> Parsed<Schedule> {
    if value.get("at").is_some() {
        return fields::object(value, |f| Schedule::At {
            minute: f.required("at", clock),
            days: f.optional("days", days).unwrap_or(0x7f),
            zone: f.optional("timezone", fields::zone).unwrap_or_default(),
        });
    }
    fields::object(value, |f| {
        let every = f.required("every", |v| {
            let every = up_to(v, LONGEST)?;
            if every.micros() < MINUTE || every.micros() % MINUTE != 0 {
                return fields::fault(
                    "out_of_range",
                    "must be whole minutes, from 1 minute to a day",
                );
            }
            Ok(every)
        });
        let zone = f.optional("timezone", fields::zone).unwrap_or_default();
        Schedule::Every(every, zone)
    })
}

fn maintenance(value: &Value) -> Parsed<Maintenance> {
    fields::object(value, |f| Maintenance {
        days: f.optional("days", days).unwrap_or(0x7f),
        from: f.required("from", clock),
        to: f.required("to", clock),
        zone: f.optional("timezone", fields::zone).unwrap_or_default(),
    })
}

fn days(value: &Value) -> Parsed<u8> {
    let days = fields::list(value, |v| fields::one_of(v, &DAYS))?;
    if days.is_empty() {
        return fields::fault("empty", "must name at least one weekday");
    }
    Ok(days.iter().fold(0, |all, day| all | 1 << day))
}

/// A time of day, `00:00` to `23:59`, as minutes after midnight.
fn clock(value: &Value) -> Parsed<u16> {
    let given = fields::text(value)?;
    let two = |text: &str, most: u16| {
        let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u16>().ok().filter(|n| digits && *n <= most)
    };
    let read = given
        .split_once(':')
        .and_then(|(hour, minute)| Some(two(hour, 23)? * 60 + two(minute, 59)?));
    read.map_or_else(
        || {
            fields::fault(
                "invalid_time",
                format!("`{given}` is not a time of day, such as 09:30"),
            )
        },
        Ok,
    )
}

fn channel(value: &Value) -> Parsed<Channel> {
    let kinds = ["in_app", "webhook", "slack", "email"].map(|k| (k, k));
    let kind = match value.get("type") {
        Some(kind) => fields::one_of(kind, &kinds),
        None => return fields::fault("invalid_type", "must be an object with a `type`"),
    };
    let names = |v: &Value| some(v, |v| line(v, 1, 200));
    fields::object_with(value, |f| {
        f.required("type", |v| fields::one_of(v, &kinds));
        let mut faults = Vec::new();
        let Ok(kind) = kind else {
            f.keep_unknown();
            return (Channel::Email { to: Vec::new() }, faults);
        };
        let read = match kind {
            "webhook" => Channel::Webhook {
                url: f.required("url", url),
            },
            "slack" => Channel::Slack {
                url: f.required("url", url),
            },
            "email" => Channel::Email {
                to: f.required("to", |v| match some(v, address) {
                    Ok(to) if to.is_empty() => {
                        fields::fault("empty", "must name at least one address")
                    }
                    other => other,
                }),
            },
            _ => {
                let users = f.optional("users", names).unwrap_or_default();
                let roles = f.optional("roles", names).unwrap_or_default();
                if users.is_empty() && roles.is_empty() {
                    faults.push(FieldError {
                        field: "users".to_owned(),
                        code: "required",
                        message: "is required where there are no `roles`".to_owned(),
                    });
                }
                Channel::InApp { users, roles }
            }
        };
        (read, faults)
    })
}

/// An address of the web without a user or a password in it. Where it leads is looked at when it is used.
fn url(value: &Value) -> Parsed<String> {
    let given = line(value, 1, 2_000)?;
    let rest = given
        .strip_prefix("https://")
        .or_else(|| given.strip_prefix("http://"));
    let authority = rest.and_then(|r| r.split(['/', '?', '#']).next());
    match authority {
        Some(host) if !host.is_empty() && !host.contains(['@', ' ', '\\']) => Ok(given),
        _ => fields::fault("invalid_url", "must be such as https://example.com/hook"),
    }
}

/// An e-mail address.
fn address(value: &Value) -> Parsed<String> {
    let given = line(value, 3, 254)?;
    let strange = |c: char| c.is_whitespace() || "<>,;:\"()[]\\".contains(c);
    match given.rsplit_once('@') {
        Some((name, host))
            if !name.is_empty()
                && host.contains('.')
                && !given.contains(strange)
                && !name.contains('@') =>
        {
            Ok(given)
        }
        _ => fields::fault("invalid_address", "must be such as someone@example.com"),
    }
}

/// One line of text.
fn line(value: &Value, least: usize, most: usize) -> Parsed<String> {
    let given = fields::text_of(value, least, most)?;
    if given.chars().any(char::is_control) {
        return fields::fault("invalid_character", "must be one line");
    }
    Ok(given)
}

fn some<T>(value: &Value, item: impl FnMut(&Value) -> Parsed<T>) -> Parsed<Vec<T>> {
    let read = fields::list(value, item)?;
    if read.len() > MOST {
        return fields::fault("too_many", format!("must be at most {MOST}"));
    }
    Ok(read)
}

/// For how long nobody is told of a rule: whole seconds, up to a year.
pub(crate) fn silence(value: &Value) -> Parsed<Window> {
    up_to(value, 365 * LONGEST)
}

/// A length of time in whole seconds, as a rule keeps it.
fn up_to(value: &Value, most: i64) -> Parsed<Window> {
    let read = fields::window(value)?;
    // What is smaller than a microsecond is no second either.
    let part = value.as_f64().is_some_and(|seconds| seconds.fract() != 0.0);
    if part || read.micros() % 1_000_000 != 0 {
        return fields::fault("out_of_range", "must be whole seconds");
    }
    if read.micros() > most {
        return fields::fault(
            "out_of_range",
            format!("must not be longer than {} days", most / LONGEST),
        );
    }
    Ok(read)
}

/// A channel by itself.
pub(super) fn one_channel(form: &Value) -> Result<Channel> {
    let body = serde_json::json!({ "channel": form });
    let mut fields = Fields::of(&body)?;
    let read = fields.required("channel", |v| channel(v).map(Some));
    fields.finish(Vec::new())?;
    read.ok_or_else(|| Error::internal("a channel was not read"))
}
