//! Lets our programs and tests find the shared DuckDB library where it was when they were built, and beside themselves.
#![expect(
    clippy::disallowed_methods,
    reason = "a build script is told its settings through the environment"
)]

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-env-changed=DUCKDB_LIB_DIR");
    // A bundled DuckDB is part of the program.
    if env::var_os("CARGO_FEATURE_BUNDLED").is_some() || env::var_os("CARGO_CFG_UNIX").is_none() {
        return;
    }
    let apple = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "macos");
    let origin = if apple { "@loader_path" } else { "$ORIGIN" };
    let mut folders = vec![format!("{origin}/../lib"), origin.to_owned()];
    if let Some(folder) = env::var_os("DUCKDB_LIB_DIR").map(PathBuf::from) {
        let folder = folder.canonicalize().unwrap_or(folder);
        folders.insert(0, folder.display().to_string());
    }
    for folder in folders {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
    }
}
