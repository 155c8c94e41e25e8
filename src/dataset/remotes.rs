//! `[[fetch]]` tables of manifests: addresses, lengths and checksums of a dataset's files.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use serde_json::json;

use crate::fetch::{Algorithm, Packing, Remote, Sum};
use crate::schema::{Fields, Int, List, Node, OneOf, Rule, Value};

/// Maximum size of a file: a pebibyte.
const MAX_BYTES: i64 = 1 << 50;

const PACKINGS: &[(&str, Packing)] =
    &[("tar.gz", Packing::TarGz), ("tar", Packing::Tar), ("zip", Packing::Zip)];

/// Reads all `[[fetch]]` tables of a manifest.
pub(super) fn read(fields: &mut Fields) -> Vec<Remote> {
    let mut names = BTreeSet::new();
    fields.each_table("fetch", |fields| {
        let remote = remote(fields);
        if !remote.file.is_empty() && !names.insert(remote.file.clone()) {
            fields.fault_at("file", &format!("is listed twice: `{}`", remote.file));
        }
        remote
    })
}

fn remote(fields: &mut Fields) -> Remote {
    let size = Int::within(1..=MAX_BYTES);
    let file = fields.required("file", &FILE);
    let urls = fields.required("urls", &List::of_some(ADDRESS));
    let bytes = fields.optional("bytes", &size).map(|n| n as u64);
    let sums: Vec<Sum> = Algorithm::ALL.into_iter().filter_map(|kind| sum(fields, kind)).collect();
    let n_given = Algorithm::ALL.iter().filter(|kind| fields.is_given(kind.as_str())).count();
    if n_given > 1 {
        fields.fault(&format!("must have one of sha256, sha1 and md5, found {n_given}"));
    }
    if n_given == 0 && urls.iter().any(|url| url.starts_with("http://")) {
        fields.fault("has no sha256, sha1 or md5: then all of its urls must begin with https://");
    }
    let unpack = fields.optional("unpack", &OneOf(PACKINGS));
    let unpacked_bytes = fields.optional("unpacked_bytes", &size).map(|n| n as u64);
    if unpacked_bytes.is_some() && !fields.is_given("unpack") {
        fields.fault_at("unpacked_bytes", "applies only with `unpack`");
    }
    Remote { file, urls, bytes, sum: sums.into_iter().next(), unpack, unpacked_bytes }
}

fn sum(fields: &mut Fields, algorithm: Algorithm) -> Option<Sum> {
    let rule = match algorithm {
        Algorithm::Sha256 => Words {
            allowed: "64 lower-case hexadecimal digits",
            is_right: |text| is_hex(text, Algorithm::Sha256),
        },
        Algorithm::Sha1 => Words {
            allowed: "40 lower-case hexadecimal digits",
            is_right: |text| is_hex(text, Algorithm::Sha1),
        },
        Algorithm::Md5 => Words {
            allowed: "32 lower-case hexadecimal digits",
            is_right: |text| is_hex(text, Algorithm::Md5),
        },
    };
    let hex = fields.optional(algorithm.as_str(), &rule)?;
    Some(Sum { algorithm, hex })
}

fn is_hex(text: &str, algorithm: Algorithm) -> bool {
    let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    text.len() == algorithm.n_digits() && text.chars().all(is_digit)
}

/// A rule for texts of a certain form.
struct Words {
    allowed: &'static str,
    is_right: fn(&str) -> bool,
}

const FILE: Words = Words {
    allowed: "a file name without folder and leading dot",
    is_right: |text| {
        let mut parts = Path::new(text).components();
        let is_plain = matches!(parts.next(), Some(Component::Normal(_))) && parts.next().is_none();
        is_plain && !text.starts_with('.') && !text.contains(['/', '\\'])
    },
};

const ADDRESS: Words = Words {
    allowed: "an address that begins with https:// or http://",
    is_right: |text| {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let is_word = !text.contains(char::is_whitespace) && !text.contains(char::is_control);
        is_word && rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
    },
};

impl Rule for Words {
    type Made = String;

    fn allowed(&self) -> String {
        self.allowed.to_owned()
    }

    fn check(&self, node: &Node) -> Result<String, Option<String>> {
        match &node.value {
            Value::Text(text) if (self.is_right)(text) => Ok(text.clone()),
            _ => Err(None),
        }
    }

    fn keep(&self, made: &String) -> serde_json::Value {
        json!(made)
    }

    fn stand_in(&self) -> String {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Tree, read as read_tree};

    fn read_text(text: &str) -> Result<Vec<Remote>, String> {
        let tree = Tree::parse("x.toml", text).unwrap();
        read_tree(&tree, read).map(|(made, _)| made).map_err(|faults| faults.to_string())
    }

    #[test]
    fn a_whole_table_is_read() {
        let sha1 = "ade154f733639d52e35e32f5593efe5be76c6d70";
        let text = format!(
            "[[fetch]]\nfile = \"a.zip\"\nurls = [\"https://x.org/a.zip\", \"http://y.org/a\"]\n\
             bytes = 12\nsha1 = \"{sha1}\"\nunpack = \"zip\"\nunpacked_bytes = 99\n\
             [[fetch]]\nfile = \"b.csv\"\nurls = [\"https://x.org/b.csv\"]\n"
        );
        let remotes = read_text(&text).unwrap();
        assert_eq!(
            remotes,
            [
                Remote {
                    file: "a.zip".to_owned(),
                    urls: vec!["https://x.org/a.zip".to_owned(), "http://y.org/a".to_owned()],
                    bytes: Some(12),
                    sum: Some(Sum { algorithm: Algorithm::Sha1, hex: sha1.to_owned() }),
                    unpack: Some(Packing::Zip),
                    unpacked_bytes: Some(99),
                },
                Remote {
                    file: "b.csv".to_owned(),
                    urls: vec!["https://x.org/b.csv".to_owned()],
                    bytes: None,
                    sum: None,
                    unpack: None,
                    unpacked_bytes: None,
                },
            ]
        );
        assert_eq!(read_text(""), Ok(vec![]));
    }

    #[test]
    fn every_fault_is_named() {
        let faults = read_text(
            "[[fetch]]\nfile = \"../a\"\nurls = []\nbytes = 0\nsha1 = \"AB\"\nunpack = \"rar\"\n\
             [[fetch]]\nfile = \"b\"\nurls = [\"http://x.org/b\"]\n\
             [[fetch]]\nfile = \"b\"\nurls = [\"ftp://x.org/b\"]\nunpacked_bytes = 5\n\
             md5 = \"900150983cd24fb0d6963f7d28e17f72\"\nsha256 = \"0\"\n",
        )
        .unwrap_err();
        for part in [
            "x.toml:2: fetch[0].file must be a file name without folder",
            "x.toml:3: fetch[0].urls must be a list of at least one item, each an address",
            "x.toml:4: fetch[0].bytes must be an integer in [1, ",
            "x.toml:5: fetch[0].sha1 must be 40 lower-case hexadecimal digits, found the text \"AB\"",
            "x.toml:6: fetch[0].unpack must be `tar.gz`, `tar` or `zip`, found \"rar\", did you mean",
            "fetch[1] has no sha256, sha1 or md5: then all of its urls must begin with https://",
            "fetch[2].file is listed twice: `b`",
            "fetch[2].urls must be a list of at least one item, each an address",
            "fetch[2] must have one of sha256, sha1 and md5, found 2",
            "fetch[2].unpacked_bytes applies only",
        ] {
            assert!(faults.contains(part), "{part}\nis not in\n{faults}");
        }
    }
}
