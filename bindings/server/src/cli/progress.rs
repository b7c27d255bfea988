//! Shows how far a long piece of work is: on standard error, and only to a person.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that vanishes when the work is done; without a terminal it is never seen.
#[derive(Debug)]
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Work whose size is told later, or never.
    pub(super) fn start(what: &str) -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {pos} rows, {per_sec}") {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// Takes in how far it is.
    pub(super) fn at(&self, progress: travelsense::events::Progress) {
        let known = progress.total_rows.or(progress.total_bytes);
        let template = if progress.total_rows.is_some() {
            "{msg} {wide_bar} {pos} of {len} rows, {eta} left"
        } else {
            "{msg} {wide_bar} {bytes} of {total_bytes}, {eta} left"
        };
        if let (None, Some(total)) = (self.0.length(), known) {
            self.0.set_length(total);
            if let Ok(style) = ProgressStyle::with_template(template) {
                self.0.set_style(style);
            }
        }
        let by_bytes = progress.total_rows.is_none() && progress.total_bytes.is_some();
        self.0.set_position(if by_bytes {
            progress.bytes
        } else {
            progress.rows
        });
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
