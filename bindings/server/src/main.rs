//! The program `travelsense`.

use std::process::ExitCode;

fn main() -> ExitCode {
    travelsense_server::cli::main()
}
