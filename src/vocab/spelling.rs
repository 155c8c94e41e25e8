//! Names for people: the nearest known name to a mistyped one, lists in a sentence, names without
//! control characters.

use std::borrow::Cow;

/// Returns the known name that was most likely meant, if one is near.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&name.to_lowercase(), candidate), candidate))
        .filter(|(likeness, _)| *likeness >= 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// Joins names as `a, b or c`, each in backticks.
#[must_use]
pub fn quoted_list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// What to say of a name that is not known: the nearest known one or, if none is near, all.
#[must_use]
pub fn name_hint<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(name, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known: {}", quoted_list(known)),
    }
}

/// Returns whether a text is a valid name of an experiment or a dataset, and so of its file.
#[must_use]
pub fn is_plain_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && !name.starts_with(['.', '-']) && name.chars().all(is_plain)
}

/// Returns whether a path, with slashes on every system, stays in the folder that it starts from.
#[must_use]
pub fn is_path_inside(path: &str) -> bool {
    !path.contains(['\\', ':']) && path.split('/').all(|part| !["", ".", ".."].contains(&part))
}

/// A text whose control characters are escaped, as `\u{1b}`, apart from those that are `kept`. So are
/// characters that change the direction of what follows them: both can make a name look like another
/// one, or command a terminal.
#[must_use]
pub fn without_controls<'a>(text: &'a str, kept: &str) -> Cow<'a, str> {
    let is_harmful = |c: char| {
        let turns = matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
        turns || (c.is_control() && !kept.contains(c))
    };
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_harmful(c) { escaped.extend(c.escape_default()) } else { escaped.push(c) }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_other_scripts_are_not() {
        assert_eq!(without_controls("a\x1b[31mb\r\n\u{9b}", "\n"), "a\\u{1b}[31mb\\r\n\\u{9b}");
        assert_eq!(without_controls("a\n\u{202e}b", ""), "a\\n\\u{202e}b");
        for plain in ["", "Björk", "東京", "عربي", "👩‍🎤"] {
            assert!(matches!(without_controls(plain, ""), Cow::Borrowed(text) if text == plain));
        }
    }

    #[test]
    fn finds_what_was_meant_and_nothing_far_off() {
        assert_eq!(nearest("n_mfc", ["n_fft", "n_mfcc", "hop_length"]), Some("n_mfcc"));
        assert_eq!(nearest("droput", ["units", "dropout"]), Some("dropout"));
        assert_eq!(nearest("zzz", ["units", "dropout"]), None);
    }

    #[test]
    fn lists_read_as_a_sentence() {
        assert_eq!(quoted_list([]), "nothing");
        assert_eq!(quoted_list(["a"]), "`a`");
        assert_eq!(quoted_list(["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
