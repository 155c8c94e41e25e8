//! Tells the program which compiler made it, for capsules.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let told = |name: &str| std::env::var(name).expect("cargo tells build scripts both");
    let (rustc, target) = (told("RUSTC"), told("TARGET"));
    let output = Command::new(rustc).arg("--version").output();
    let output = output.expect("the compiler that is about to compile can say its version");
    let version = String::from_utf8_lossy(&output.stdout);
    println!("cargo::rustc-env=ENCORE_RUSTC={}", version.trim());
    println!("cargo::rustc-env=ENCORE_TARGET={target}");
}
