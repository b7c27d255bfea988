//! Why two questions differ as a table, for doors that speak Arrow: one row a switch.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

use super::answer::{Explanation, SwitchDifference, Users};
use crate::error::{Error, Result};

impl Explanation {
    /// The switches as one Arrow batch: `switch`, `rules`, `sentence`, how it stands in both questions as JSON (`a`, `b`), and the
    /// users that the number counts in the first question (`users_a`), with this switch alone as in the second (`users_alone`),
    /// in the first only (`only_a`) and so alone only (`only_alone`); null where it cannot be changed alone.
    ///
    /// # Errors
    /// Only a fault of our own.
    pub fn table(&self) -> Result<RecordBatch> {
        let switches = &self.switches;
        let texts = |of: fn(&SwitchDifference) -> String| -> ArrayRef {
            let values = switches.iter().map(|s| Some(of(s)));
            Arc::new(values.collect::<StringArray>())
        };
        let counts = |of: fn(&Users) -> u64| -> ArrayRef {
            let values = switches.iter();
            let values = values.map(|s| i64::try_from(of(s.users.as_ref()?)).ok());
            Arc::new(values.collect::<Int64Array>())
        };

        RecordBatch::try_from_iter_with_nullable([
            ("switch", texts(|s| s.switch.to_owned()), false),
            ("rules", texts(|s| s.rules.join(", ")), false),
            ("sentence", texts(|s| s.sentence.to_owned()), false),
            ("a", texts(|s| s.a.to_string()), false),
            ("b", texts(|s| s.b.to_string()), false),
            ("users_a", counts(|u| u.a), true),
            ("users_alone", counts(|u| u.b), true),
            ("only_a", counts(|u| u.only_a), true),
            ("only_alone", counts(|u| u.only_b), true),
        ])
        .map_err(Error::internal)
    }
}
