//! The question why two answers differ.

use serde_json::Value;

use crate::error::{Error, Result};
use crate::query::fields::{self, Fields, fault};

/// Two questions of one word.
#[derive(Clone, Debug, PartialEq)]
pub struct ExplainDifference {
    /// The word; `funnel` by default.
    pub word: String,
    /// The first question, in its JSON form.
    pub a: Value,
    /// The second.
    pub b: Value,
    /// The number whose users are compared, as `people` names the word's cells; by default the converters of a funnel.
    pub cell: Option<Value>,
}

impl ExplainDifference {
    /// Reads `{"word": "funnel", "a": {…}, "b": {…}, "cell": {…}}`, or one question under two presets:
    /// `{"question": {…}, "presets": ["exact", "mixpanel"]}`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once; what is wrong with the two questions is told when they are asked.
    pub fn parse(request: &Value) -> Result<Self> {
        let object = |v: &Value| {
            if v.is_object() {
                Ok(v.clone())
            } else {
                fault("invalid_type", "must be a question")
            }
        };
        let mut fields = Fields::of(request)?;
        let word = fields.optional("word", |v| fields::text(v).map(str::to_owned));
        let question = fields.optional("question", object);
        let presets = fields.optional("presets", |v| {
            match &fields::list(v, |v| fields::text(v).map(str::to_owned))?[..] {
                [a, b] => Ok([a.clone(), b.clone()]),
                _ => fault("invalid_length", "must be two presets"),
            }
        });
        let cell = fields.optional("cell", |v| Ok(v.clone()));
        let given = |name: &str| request.get(name).is_some_and(|v| !v.is_null());
        let mut more = Vec::new();
        let mut wrong = |field: &str, code, message: &str| {
            more.push(crate::FieldError {
                field: field.to_owned(),
                code,
                message: message.to_owned(),
            });
        };
        let one = given("question") || given("presets");
        let (a, b) = if one {
            for name in ["a", "b"] {
                if given(name) {
                    wrong(
                        name,
                        "contradiction",
                        "must not be there beside `question` and `presets`",
                    );
                }
                fields.optional(name, object);
            }
            for name in ["question", "presets"] {
                if !given(name) {
                    wrong(
                        name,
                        "required",
                        "is required beside the other of `question` and `presets`",
                    );
                }
            }
            let under = |preset: Option<&String>| {
                let mut question = question.clone().unwrap_or_default();
                if let (Some(map), Some(preset)) = (question.as_object_mut(), preset) {
                    map.insert("preset".to_owned(), Value::from(preset.as_str()));
                }
                question
            };
            let presets = presets.as_ref();
            (
                under(presets.map(|[a, _]| a)),
                under(presets.map(|[_, b]| b)),
            )
        } else {
            (fields.required("a", object), fields.required("b", object))
        };
        fields.finish(more)?;
        Ok(Self {
            word: word.unwrap_or_else(|| "funnel".to_owned()),
            a,
            b,
            cell,
        })
    }
}

/// Which users of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those that the first question counts and the second does not.
    OnlyA,
    /// The reverse.
    OnlyB,
    /// Those that both count.
    Both,
}

const WHICH: [(&str, Which); 3] = [
    ("only_a", Which::OnlyA),
    ("only_b", Which::OnlyB),
    ("both", Which::Both),
];

/// Whose users are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DifferenceCell {
    /// Which users.
    pub users: Which,
    /// Where the second question is the first with this one switch changed, the switch.
    pub switch: Option<String>,
}

impl DifferenceCell {
    /// Reads `{"users": "only_a", "switch": "grace"}`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(cell: &Value) -> Result<Self> {
        let mut fields = Fields::of(cell)?;
        let users = fields.optional("users", |v| fields::one_of(v, &WHICH));
        let switch = fields.optional("switch", |v| fields::text(v).map(str::to_owned));
        let missing = users.is_none().then(|| crate::FieldError {
            field: "users".to_owned(),
            code: "required",
            message: "is required".to_owned(),
        });
        fields.finish(missing.into_iter().collect())?;
        users
            .map(|users| Self { users, switch })
            .ok_or_else(|| Error::internal("a cell without users"))
    }

    /// Those of two ascending lists that it means.
    pub(crate) fn of(&self, a: &[u32], b: &[u32]) -> Vec<u32> {
        let (from, other, inside) = match self.users {
            Which::OnlyA => (a, b, false),
            Which::OnlyB => (b, a, false),
            Which::Both => (a, b, true),
        };
        let mine = from.iter().copied();
        mine.filter(|user| other.binary_search(user).is_ok() == inside)
            .collect()
    }
}
