//! Keeps two major versions of the runtime out of one program (`links` in Cargo.toml).

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
