//! What is said of one route.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use travelsense::access::Permission;

use super::requests::SEGMENTS;
use super::schema::{self, instant, named, one_of, text};

/// A route's parameters, body and answers.
pub(crate) struct Operation {
    id: &'static str,
    summary: &'static str,
    permission: Option<Permission>,
    anybody: bool,
    parameters: Vec<Value>,
    body: Option<Value>,
    /// The status of a success and its response.
    success: (u16, Value),
    refusals: BTreeSet<u16>,
}

/// Every problem there is, with its name among the responses and what it means.
const PROBLEMS: [(u16, &str, &str); 11] = [
    (
        400,
        "Invalid",
        "The request is not valid; `errors` names every field at once.",
    ),
    (
        401,
        "Unauthenticated",
        "No token, or one that proves nobody.",
    ),
    (403, "Forbidden", "Whoever asks may not."),
    (404, "NotFound", "There is no such thing."),
    (409, "Conflict", "It does not go with what is there."),
    (
        412,
        "Changed",
        "`If-Match` names a revision that is not the latest.",
    ),
    (413, "TooLarge", "The body is larger than the server takes."),
    (
        415,
        "Unsupported",
        "The body is in a form that is not read here.",
    ),
    (
        429,
        "TooMany",
        "More requests than one user may send; `Retry-After` says when to go on.",
    ),
    (500, "Internal", "A fault of the server's own."),
    (
        503,
        "Overloaded",
        "Too many questions at once, or one that takes too long; `Retry-After` says when to try again.",
    ),
];

/// A route that answers only those who are proved.
pub(crate) fn op(id: &'static str, summary: &'static str) -> Operation {
    Operation {
        id,
        summary,
        permission: None,
        anybody: false,
        parameters: Vec::new(),
        body: None,
        success: (204, json!({ "description": "Done." })),
        refusals: BTreeSet::from([401, 403, 429, 500, 503]),
    }
}

impl Operation {
    /// Needs this permission.
    pub(crate) fn needs(mut self, permission: Permission) -> Self {
        self.permission = Some(permission);
        self
    }

    /// Needs no token, and asks the store nothing.
    pub(crate) fn anybody(mut self) -> Self {
        self.anybody = true;
        self.refusals = BTreeSet::from([500]);
        self
    }

    /// Can also be refused so.
    pub(crate) fn refuses(mut self, statuses: &[u16]) -> Self {
        self.refusals.extend(statuses);
        self
    }

    /// A part of the path.
    pub(crate) fn path(self, name: &str, schema: Value, description: &str) -> Self {
        self.parameter(json!({
            "name": name, "in": "path", "required": true, "schema": schema, "description": description,
        }))
    }

    /// A query parameter that may be absent.
    pub(crate) fn query(self, name: &str, schema: Value, description: &str) -> Self {
        self.parameter(
            json!({ "name": name, "in": "query", "schema": schema, "description": description }),
        )
    }

    /// A query parameter that must be there.
    pub(crate) fn required(self, name: &str, schema: Value, description: &str) -> Self {
        self.parameter(json!({
            "name": name, "in": "query", "required": true, "schema": schema, "description": description,
        }))
    }

    /// The part of a list that is asked for: at most so many, and so many by default.
    pub(crate) fn paged(self, most: i64, limit: i64) -> Self {
        let limit = schema::default(schema::integer(1, most), limit.into());
        let offset = schema::default(schema::integer(0, i64::from(u32::MAX)), 0.into());
        self.query("limit", limit, "At most so many.")
            .query("offset", offset, "After so many.")
    }

    /// The range that every question over time has, and whose users it is about.
    pub(crate) fn ranged(self) -> Self {
        self.required("startDate", named("Date"), "Where the range begins.")
            .required(
                "endDate",
                named("Date"),
                "Where it ends, after `startDate`.",
            )
            .query(
                "timezone",
                named("TimeZone"),
                "The zone of bare dates and of calendars.",
            )
            .query("segment", one_of(&SEGMENTS), "Only these users.")
            .query(
                "asOf",
                instant(),
                "Nothing after this instant is seen; now by default.",
            )
    }

    /// `If-Match`, and what becomes of it.
    pub(crate) fn matches(self) -> Self {
        let header = json!({
            "name": "If-Match", "in": "header", "schema": { "type": "string", "pattern": "^([*]|\"[0-9]{1,18}\")$" },
            "description": "The `ETag` of the revision that is meant; `*`, as nothing, is any.",
        });
        self.parameter(header).refuses(&[412])
    }

    /// A header that may be absent.
    pub(crate) fn header(self, name: &str, schema: Value, description: &str) -> Self {
        self.parameter(
            json!({ "name": name, "in": "header", "schema": schema, "description": description }),
        )
    }

    /// `Idempotency-Key`, and what becomes of it.
    pub(crate) fn keyed(self) -> Self {
        let key = json!({ "type": "string", "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$" });
        let meaning = "By which the same request is known when it is sent again within 24 hours: it is answered, and does nothing anew.";
        self.header("Idempotency-Key", key, meaning).refuses(&[409])
    }

    /// A body in one of these media types, each with its schema.
    pub(crate) fn batch(mut self, types: &[(&str, Value)]) -> Self {
        let content: Map<String, Value> = types
            .iter()
            .map(|(media, schema)| ((*media).to_owned(), json!({ "schema": schema })))
            .collect();
        // Nothing is a batch of no events.
        self.body = Some(json!({ "required": false, "content": content }));
        self.refuses(&[400, 413, 415])
    }

    fn parameter(mut self, parameter: Value) -> Self {
        self.parameters.push(parameter);
        self.refuses(&[400])
    }

    /// A JSON body, whose schema has this name.
    pub(crate) fn body(self, name: &str) -> Self {
        self.reads(name, true)
    }

    /// A JSON body that may be absent.
    pub(crate) fn maybe_body(self, name: &str) -> Self {
        self.reads(name, false)
    }

    fn reads(mut self, name: &str, required: bool) -> Self {
        let content = json!({ "application/json": { "schema": named(name) } });
        self.body = Some(json!({ "required": required, "content": content }));
        self.refuses(&[400, 413])
    }

    /// Answers with data of this schema.
    pub(crate) fn answers(mut self, data: Value) -> Self {
        self.success = (200, answer("The answer.", data, "Meta"));
        self
    }

    /// Answers with a page of a list of these.
    pub(crate) fn lists(mut self, of: Value) -> Self {
        let page = answer("A page of the list.", super::schema::list(of), "PagedMeta");
        self.success = (200, page);
        self
    }

    /// Makes something, which is at `Location`.
    pub(crate) fn creates(mut self, data: Value) -> Self {
        let mut created = answer("It was made.", data, "Meta");
        created["headers"]["Location"] = header("Where it is.");
        self.success = (201, created);
        self.tagged()
    }

    /// Tells the revision in `ETag`.
    pub(crate) fn tagged(mut self) -> Self {
        self.success.1["headers"]["ETag"] = header("Its revision, for `If-Match`.");
        self
    }

    /// Sends bytes of one of these media types.
    pub(crate) fn sends(mut self, types: &[&str]) -> Self {
        let content: Map<String, Value> = types
            .iter()
            .map(|media| ((*media).to_owned(), json!({})))
            .collect();
        self.success = (
            200,
            json!({ "description": "The bytes.", "content": content }),
        );
        self
    }

    /// As OpenAPI has it.
    pub(super) fn json(&self, tag: &str) -> Value {
        let mut responses = Map::new();
        let (status, success) = &self.success;
        responses.insert(status.to_string(), success.clone());
        for (status, name, _) in PROBLEMS {
            if self.refusals.contains(&status) {
                let problem = json!({ "$ref": format!("#/components/responses/{name}") });
                responses.insert(status.to_string(), problem);
            }
        }
        let mut operation = json!({
            "operationId": self.id,
            "summary": self.summary,
            "tags": [tag],
            "responses": responses,
            "security": if self.anybody { json!([]) } else { json!([{ "token": [] }]) },
        });
        if let Some(permission) = self.permission {
            operation["description"] =
                format!("Needs the permission `{}`.", permission.name()).into();
        } else if !self.anybody {
            operation["description"] = "Needs a valid token, of any role.".into();
        }
        if !self.parameters.is_empty() {
            operation["parameters"] = self.parameters.clone().into();
        }
        if let Some(body) = &self.body {
            operation["requestBody"] = body.clone();
        }
        operation
    }
}

/// The response of a success.
fn answer(description: &str, data: Value, meta: &str) -> Value {
    let schema = super::schema::object([("data", data), ("meta", named(meta))]);
    json!({
        "description": description,
        "headers": { "X-Request-Id": header("The id of the request, in the log too.") },
        "content": { "application/json": { "schema": schema } },
    })
}

fn header(description: &str) -> Value {
    json!({ "description": description, "required": true, "schema": text() })
}

/// The responses of problems.
pub(super) fn problems() -> Value {
    let responses = PROBLEMS.map(|(status, name, description)| {
        let mut headers =
            json!({ "X-Request-Id": header("The id of the request, in the log too.") });
        if status == 401 {
            headers["WWW-Authenticate"] = header("What is wrong with the token (RFC 6750).");
        }
        if matches!(status, 429 | 503) {
            headers["Retry-After"] = header("In so many seconds it may be tried again.");
        }
        let problem = json!({
            "description": description,
            "headers": headers,
            "content": { "application/problem+json": { "schema": named("Problem") } },
        });
        (name.to_owned(), problem)
    });
    Value::Object(responses.into_iter().collect())
}
