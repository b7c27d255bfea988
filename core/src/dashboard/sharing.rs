//! Sharing beyond public: named users and roles, to view or to edit.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::widget;
use crate::access;
use crate::error::{FieldError, Result};
use crate::metadata::{Holder, Share};
use crate::query::fields::{self, Parsed, fault};

/// With whom a dashboard is shared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sharing {
    /// Users by id.
    pub users: Vec<SharedUser>,
    /// Everybody of a role.
    pub roles: Vec<SharedRole>,
}

/// A user it is shared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SharedUser {
    /// The user's id.
    pub id: String,
    /// `view` or `edit`.
    pub access: &'static str,
}

/// A role it is shared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SharedRole {
    /// The role's name.
    pub role: String,
    /// `view` or `edit`.
    pub access: &'static str,
}

const ACCESS: [(&str, bool); 2] = [("view", false), ("edit", true)];

/// The most users and roles a dashboard is shared with.
const MOST: usize = 100;

impl Sharing {
    /// Reads `{"users": [{"id": …, "access": "view"}], "roles": [{"role": …, "access": "edit"}]}`; what is absent is shared with
    /// nobody.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(body: &Value) -> Result<Self> {
        let mut fields = widget::body(body)?;
        let users = fields.optional("users", |v| fields::list(few(v)?, user));
        let roles = fields.optional("roles", |v| fields::list(few(v)?, role));
        let sharing = Self {
            users: users.unwrap_or_default(),
            roles: roles.unwrap_or_default(),
        };
        let mut faults = repeated("users", sharing.users.iter().map(|u| u.id.as_str()));
        faults.extend(repeated(
            "roles",
            sharing.roles.iter().map(|r| r.role.as_str()),
        ));
        fields.finish(faults)?;
        Ok(sharing)
    }

    /// As it is stored.
    pub(crate) fn shares(&self) -> Vec<Share> {
        let share = |holder, access| Share {
            holder,
            edit: access == "edit",
        };
        let users = self
            .users
            .iter()
            .map(|u| share(Holder::User(u.id.clone()), u.access));
        let roles = self
            .roles
            .iter()
            .map(|r| share(Holder::Role(r.role.clone()), r.access));
        users.chain(roles).collect()
    }

    /// From what is stored.
    pub(crate) fn of(shares: Vec<Share>) -> Self {
        let mut sharing = Self::default();
        for share in shares {
            let access = if share.edit { "edit" } else { "view" };
            match share.holder {
                Holder::User(id) => sharing.users.push(SharedUser { id, access }),
                Holder::Role(role) => sharing.roles.push(SharedRole { role, access }),
            }
        }
        sharing
    }
}

fn few(value: &Value) -> Parsed<&Value> {
    if value.as_array().is_some_and(|list| list.len() > MOST) {
        return fault("too_many", format!("must have at most {MOST} items"));
    }
    Ok(value)
}

fn user(value: &Value) -> Parsed<SharedUser> {
    fields::object(value, |fields| SharedUser {
        id: fields.required("id", |v| fields::text_of(v, 1, 200)),
        access: access(fields),
    })
}

fn role(value: &Value) -> Parsed<SharedRole> {
    fields::object(value, |fields| SharedRole {
        role: fields.required("role", |v| {
            let name = fields::text(v)?;
            if !access::is_role(name) {
                return fault("not_in_list", format!("`{name}` is no role"));
            }
            Ok(name.to_owned())
        }),
        access: access(fields),
    })
}

fn access(fields: &mut fields::Fields<'_>) -> &'static str {
    let edit = fields.required("access", |v| fields::one_of(v, &ACCESS));
    if edit { "edit" } else { "view" }
}

fn repeated<'a>(list: &str, names: impl Iterator<Item = &'a str>) -> Vec<FieldError> {
    let mut first = BTreeMap::new();
    let mut faults = Vec::new();
    for (i, name) in names.enumerate() {
        if first.insert(name, i).is_some() {
            faults.push(FieldError {
                field: format!("{list}[{i}]"),
                code: "repeated",
                message: "is there more than once".to_owned(),
            });
        }
    }
    faults
}
