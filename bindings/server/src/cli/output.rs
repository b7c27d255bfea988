//! The only place that writes to the terminal.

use std::io::{self, Write as _};

/// Writes text and a line end to standard output.
pub(super) fn line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Writes what went wrong to standard error; when even that is closed, nobody is left to tell.
pub(super) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "travelsense: {text}");
}

/// Writes a remark for people to standard error, so that standard output stays for the answer.
pub(super) fn remark(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
