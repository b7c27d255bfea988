//! Lets Node load the addon: what napi needs of the linker, and the path of the shared DuckDB library.
#![expect(
    clippy::disallowed_methods,
    reason = "a build script is told its settings through the environment"
)]

use std::env;
use std::path::PathBuf;

fn main() {
    napi_build::setup();
    println!("cargo:rerun-if-env-changed=DUCKDB_LIB_DIR");
    // A bundled DuckDB is part of the addon.
    if env::var_os("CARGO_FEATURE_BUNDLED").is_some() || env::var_os("CARGO_CFG_UNIX").is_none() {
        return;
    }
    // What the core's own build script says of this path reaches only the core's programs and tests.
    if let Some(folder) = env::var_os("DUCKDB_LIB_DIR").map(PathBuf::from) {
        let folder = folder.canonicalize().unwrap_or(folder);
        println!(
            "cargo:rustc-link-arg-cdylib=-Wl,-rpath,{}",
            folder.display()
        );
    }
}
