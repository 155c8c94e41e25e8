//! Every dependency has a license that `deny.toml` allows, and none is on its list of banned crates.
//!
//! `cargo deny check` reads the same file and checks more; CI runs it where it is installed.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::common;

/// The relevant part of `deny.toml`.
struct Rules {
    allowed: BTreeSet<String>,
    banned: BTreeSet<String>,
}

impl Rules {
    fn read() -> Self {
        let text = fs::read_to_string(common::repository().join("deny.toml")).unwrap();
        let rules: toml::Table = text.parse().unwrap();
        let allowed = rules["licenses"]["allow"].as_array().unwrap().iter();
        let banned = rules["bans"]["deny"].as_array().unwrap().iter();
        Self {
            allowed: allowed.map(|name| name.as_str().unwrap().to_owned()).collect(),
            banned: banned.map(|ban| ban["crate"].as_str().unwrap().to_owned()).collect(),
        }
    }

    /// Returns whether an SPDX expression allows us to choose allowed licenses.
    fn allow(&self, expression: &str) -> bool {
        // Old manifests contain `MIT/Apache-2.0`.
        let text = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
        let mut words = text.split_whitespace().peekable();
        let is_allowed = self.any_of(&mut words);
        is_allowed && words.next().is_none()
    }

    fn any_of(&self, words: &mut Words<'_>) -> bool {
        let mut is_allowed = self.all_of(words);
        while words.next_if_eq(&"OR").is_some() {
            is_allowed |= self.all_of(words);
        }
        is_allowed
    }

    fn all_of(&self, words: &mut Words<'_>) -> bool {
        let mut is_allowed = self.one(words);
        while words.next_if_eq(&"AND").is_some() {
            is_allowed &= self.one(words);
        }
        is_allowed
    }

    fn one(&self, words: &mut Words<'_>) -> bool {
        let Some(word) = words.next() else { return false };
        if word == "(" {
            let is_allowed = self.any_of(words);
            return words.next() == Some(")") && is_allowed;
        }
        match words.next_if_eq(&"WITH").and_then(|_| words.next()) {
            Some(exception) => self.allowed.contains(&format!("{word} WITH {exception}")),
            None => self.allowed.contains(word),
        }
    }
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

/// Checks the crates that `cargo tree` lists; returns their number.
fn check(more: &[&str]) -> usize {
    let rules = Rules::read();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(common::repository())
        .args(["tree", "--offline", "--locked", "--edges", "normal,build,dev"])
        .args(["--prefix", "none", "--format", "{p}|{l}"])
        .args(more)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", common::stderr(&output));
    let printed = common::stdout(&output);
    // A star marks a crate that was listed before.
    let lines = printed.lines().map(|line| line.trim_end_matches(" (*)"));
    let crates: BTreeSet<&str> = lines.collect();
    let mut faults = vec![];
    for line in &crates {
        let (package, license) = line.split_once('|').unwrap();
        let name = package.split(' ').next().unwrap();
        if rules.banned.contains(name) {
            faults.push(format!("{package} is banned"));
        }
        if !rules.allow(license) {
            faults.push(format!("{package} has the license `{license}`"));
        }
    }
    assert!(faults.is_empty(), "deny.toml does not allow:\n{}", faults.join("\n"));
    crates.len()
}

#[test]
fn the_dependencies_of_this_build_are_allowed() {
    let n = check(&[]);
    assert!(n > 200, "only {n} crates were seen");
}

#[test]
#[ignore = "needs every crate of Cargo.lock: run `cargo fetch --locked` first"]
fn the_dependencies_of_every_feature_and_platform_are_allowed() {
    let n = check(&["--all-features", "--target", "all"]);
    assert!(n > 500, "only {n} crates were seen");
}

#[test]
fn expressions_are_read_as_spdx_means_them() {
    let of = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let allowed = of(&["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"]);
    let rules = Rules { allowed, banned: BTreeSet::new() };
    for (expression, is_allowed) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("GPL-3.0-only OR MIT", true),
        ("GPL-3.0-only/MIT", true),
        ("MIT AND GPL-3.0-only", false),
        ("MIT AND GPL-3.0-only OR Apache-2.0", true),
        ("MIT AND (GPL-3.0-only OR Apache-2.0)", true),
        ("(MIT OR GPL-3.0-only) AND ISC", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("MIT WITH LLVM-exception", false),
        ("", false),
        ("MIT (", false),
    ] {
        assert_eq!(rules.allow(expression), is_allowed, "{expression}");
    }
}
