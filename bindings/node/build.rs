//! Lets Node load the addon: no unresolved-symbol checks for what Node itself provides, and the path of a shared libduckdb.

use std::env;

fn main() {
    napi_build::setup();
    println!("cargo:rerun-if-env-changed=DUCKDB_LIB_DIR");
    // The path of a dependency's link search never reaches the addon, so without it `dlopen` would not find libduckdb.
    // With DuckDB compiled in there is nothing to find.
    let bundled = env::var_os("CARGO_FEATURE_BUNDLED").is_some();
    if let (false, Ok(folder)) = (bundled, env::var("DUCKDB_LIB_DIR")) {
        println!("cargo:rustc-link-arg-cdylib=-Wl,-rpath,{folder}");
    }
}
