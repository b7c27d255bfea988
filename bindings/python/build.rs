//! Lets the module find the shared DuckDB library where it was when it was built, and link where Python is a program.
#![expect(
    clippy::disallowed_methods,
    reason = "a build script is told its settings through the environment"
)]

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=DUCKDB_LIB_DIR");
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "macos") {
        // The symbols of Python are found in the process that loads the module; this linker wants to be told so.
        println!("cargo:rustc-link-arg-cdylib=-Wl,-undefined,dynamic_lookup");
    }
    // A bundled DuckDB is part of the module.
    if env::var_os("CARGO_FEATURE_BUNDLED").is_some() || env::var_os("CARGO_CFG_UNIX").is_none() {
        return;
    }
    if let Some(folder) = env::var_os("DUCKDB_LIB_DIR").map(PathBuf::from) {
        let folder = folder.canonicalize().unwrap_or(folder);
        println!(
            "cargo:rustc-link-arg-cdylib=-Wl,-rpath,{}",
            folder.display()
        );
    }
}
