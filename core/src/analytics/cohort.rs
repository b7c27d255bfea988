//! Cohorts, kept and looked up by the handle.

use serde_json::Value;

use super::Analytics;
use crate::access::{self, Permission, Principal};
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
        let definition = access::grant(who, Permission::ManageCohorts, definition)?;
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
        Definition::parse(definition.inner())?;
        let text = definition.inner().to_string();
        if self.warehouse.set_cohort(name, Some(&text), self.now())? {
            self.intake.settle(&*self.warehouse, self.now());
            Ok(())
        } else {
            Err(Error::new(
                ErrorKind::Conflict,
                "already_exists",
                format!(
                    "there is a cohort `{name}` already; cohorts never change, but can be removed"
                ),
            ))
        }
    }

    /// Removes a cohort.
    ///
    /// # Errors
    /// `not_found`; `forbidden` for a principal who may not manage cohorts; a store opened only to read.
    pub fn remove_cohort(&self, who: &Principal, name: &str) -> Result<()> {
        let name = access::grant(who, Permission::ManageCohorts, name)?;
        if self.warehouse.set_cohort(name.inner(), None, self.now())? {
            self.intake.settle(&*self.warehouse, self.now());
            Ok(())
        } else {
            Err(Error::new(
                ErrorKind::NotFound,
                "not_found",
                format!("there is no cohort `{}`", name.inner()),
            ))
        }
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
