//! Cohorts, kept and looked up by the handle.

use serde_json::Value;

use super::Analytics;
use crate::access::{self, Permission, Principal};
use crate::audit::Act;
use crate::cohort::{Cohort, Definition};
use crate::error::{Error, ErrorKind, Result};
use crate::query::filter::Property;

impl Analytics {
    /// All cohorts by name.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not read.
    pub fn cohorts(&self, who: &Principal) -> Result<Vec<Cohort>> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        let stored = self.warehouse.cohorts()?.into_iter();
        stored
            .map(|c| {
                Ok(Cohort {
                    name: c.name,
                    definition: serde_json::from_str(&c.definition).map_err(Error::internal)?,
                    created_at: c.created_at,
                })
            })
            .collect()
    }

    /// Makes a cohort; one that is there never changes, so that a name keeps its meaning.
    ///
    /// # Errors
    /// `validation_failed` with what is wrong with the definition, see [`Definition::parse`]; `already_exists`;
    /// `forbidden` for a principal who may not manage cohorts; a store opened only to read.
    pub fn create_cohort(&self, who: &Principal, name: &str, definition: &Value) -> Result<()> {
        let act = Act::new("cohort.create", format!("cohort/{name}"));
        self.changed(who, Permission::ManageCohorts, &act, || {
            let length = name.chars().count();
            if !(1..=100).contains(&length) {
                return Err(Error::field(
                    "name",
                    "invalid_length",
                    "must have 1 to 100 characters",
                ));
            }
            if name.contains('\0') {
                return Err(Error::field("name", "invalid_text", "must not contain NUL"));
            }
            Definition::parse(definition)?;
            let there = || {
                Error::new(
                    ErrorKind::Conflict,
                    "already_exists",
                    format!(
                        "there is a cohort `{name}` already; cohorts never change, but can be removed"
                    ),
                )
            };
            self.set_cohort(name, Some(&definition.to_string()), there)
        })
    }

    /// Removes a cohort.
    ///
    /// # Errors
    /// `not_found`; `forbidden` for a principal who may not manage cohorts; a store opened only to read.
    pub fn remove_cohort(&self, who: &Principal, name: &str) -> Result<()> {
        let act = Act::new("cohort.remove", format!("cohort/{name}"));
        self.changed(who, Permission::ManageCohorts, &act, || {
            let absent = || {
                Error::new(
                    ErrorKind::NotFound,
                    "not_found",
                    format!("there is no cohort `{name}`"),
                )
            };
            self.set_cohort(name, None, absent)
        })
    }

    /// Makes or removes a cohort, or says why there is nothing to make or to remove.
    fn set_cohort(
        &self,
        name: &str,
        definition: Option<&str>,
        why_not: impl FnOnce() -> Error,
    ) -> Result<()> {
        if !self.warehouse.set_cohort(name, definition, self.now())? {
            return Err(why_not());
        }
        self.intake.settle(&*self.warehouse, self.now());
        Ok(())
    }

    /// The definitions of the cohorts among properties.
    pub(super) fn definitions(
        &self,
        properties: &[&Property],
    ) -> Result<Vec<(String, Definition)>> {
        let stored = self.warehouse.cohorts()?;
        let mut found: Vec<(String, Definition)> = Vec::new();
        for property in properties {
            let Property::Cohort { name, .. } = property else {
                continue;
            };
            if found.iter().any(|f| f.0 == *name) {
                continue;
            }
            let Some(cohort) = stored.iter().find(|c| c.name == *name) else {
                return Err(Error::field(
                    "cohort",
                    "not_found",
                    format!("there is no cohort `{name}`"),
                ));
            };
            let json = serde_json::from_str(&cohort.definition).map_err(Error::internal)?;
            found.push((name.clone(), Definition::parse(&json)?));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Options;

    #[test]
    fn whoever_makes_or_removes_a_cohort_stands_in_the_record() {
        let store = Analytics::open_with(Options::default()).unwrap();
        let (owner, guest) = (Principal::owner(), Principal::new("g", "guest"));
        let users = json!({"users": ["u"]});
        store.create_cohort(&owner, "vip", &users).unwrap();
        store.create_cohort(&owner, "vip", &users).unwrap_err();
        store.remove_cohort(&guest, "vip").unwrap_err();
        store.remove_cohort(&owner, "vip").unwrap();
        let found = store
            .audit(&owner, &json!({"object": "cohort/vip"}))
            .unwrap();
        let told: Vec<_> = found
            .entries
            .iter()
            .map(|e| {
                let e = serde_json::to_value(e).unwrap();
                [&e["action"], &e["who"], &e["outcome"]].map(|v| v.as_str().unwrap().to_owned())
            })
            .collect();
        let told: Vec<_> = told
            .iter()
            .rev()
            .map(|t| t.each_ref().map(String::as_str))
            .collect();
        assert_eq!(
            told,
            [
                ["cohort.create", "owner", "allowed"],
                ["cohort.create", "owner", "allowed"],
                ["cohort.create", "owner", "failed"],
                ["cohort.remove", "g", "refused"],
                ["cohort.remove", "owner", "allowed"],
            ]
        );
    }
}
