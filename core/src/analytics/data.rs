//! What goes into the store, and what its events mean.

use std::sync::PoisonError;

use super::Analytics;
use crate::access::{self, Permission, Principal};
use crate::error::Result;
use crate::events;
use crate::events::{Catalogue, ImportOptions, ImportReport, Mapping, Source};

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
        let meaning = self.meaning()?;
        let catalogue = self.warehouse.catalogue()?;
        let report = events::import(
            &*self.warehouse,
            &catalogue,
            source,
            &mapping,
            self.now(),
            options,
        )?;
        drop(meaning);
        self.intake.settle(&*self.warehouse, self.now());
        Ok(report)
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
        self.intake.refuse_inside(&*self.warehouse)?;
        {
            // Whatever was read by the one before is stored before it changes, and is read again with the rest.
            let _meaning = self.meaning.write().unwrap_or_else(PoisonError::into_inner);
            self.warehouse.set_catalogue(catalogue.inner())?;
            *self
                .catalogue
                .write()
                .unwrap_or_else(PoisonError::into_inner) = None;
        }
        self.intake.settle(&*self.warehouse, self.now());
        Ok(())
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
