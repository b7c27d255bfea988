//! What goes into the store, and what its events mean.

use serde_json::Value;

use super::Analytics;
use crate::access::{self, Permission, Principal};
use crate::error::Result;
use crate::events;
use crate::events::{Catalogue, ImportOptions, ImportReport, IngestReport, Mapping, Source};

impl Analytics {
    /// Imports a file or Arrow batches into the events or a platform table: all of it or, where it fails, nothing.
    ///
    /// # Errors
    /// A source that cannot be read, columns that are not there, `cancelled`, a full disk, a store opened only to read;
    /// with `strict`, `validation_failed` where any row is refused; `forbidden` for a principal who may not import.
    pub fn import(
        &self,
        who: &Principal,
        source: Source,
        mapping: &Mapping,
        options: &mut ImportOptions<'_>,
    ) -> Result<ImportReport> {
        let mapping = access::grant(who, Permission::ImportEvents, mapping)?;
        let catalogue = self.warehouse.catalogue()?;
        events::import(
            &*self.warehouse,
            &catalogue,
            source,
            &mapping,
            self.now(),
            options,
        )
    }

    /// Takes a JSON array of events and answers each: accepted, duplicate, or refused with the reasons.
    ///
    /// # Errors
    /// `validation_failed` where it is no array; a full disk, a store opened only to read; `forbidden` for a principal
    /// who may not import. Then nothing of it is kept.
    pub fn ingest(&self, who: &Principal, events: &Value) -> Result<IngestReport> {
        let events = access::grant(who, Permission::ImportEvents, events)?;
        let catalogue = self.warehouse.catalogue()?;
        events::ingest(&*self.warehouse, &catalogue, &events, self.now())
    }

    /// Which events mean what.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not read.
    pub fn catalogue(&self, who: &Principal) -> Result<Catalogue> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        self.warehouse.catalogue()
    }

    /// Changes which events mean what.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not manage the catalogue; a store opened only to read.
    pub fn set_catalogue(&self, who: &Principal, catalogue: &Catalogue) -> Result<()> {
        let catalogue = access::grant(who, Permission::ManageCatalogue, catalogue)?;
        self.warehouse.set_catalogue(catalogue.inner())
    }

    /// The version of the stored data, which grows with every change; an answer asked for now holds at least this much.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not read; whatever reading the store raises.
    pub fn data_version(&self, who: &Principal) -> Result<u64> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        Ok(self.warehouse.head()?.version)
    }
}
