//! The positions of the requested columns, and the errors about missing ones.

use crate::vocab::{nearest, quoted_list};

/// A header without white space around its names, whose columns without a name are called as pandas calls
/// them: `Unnamed: 0`. Names that differ in white space alone keep it.
pub(super) fn named(header: Vec<String>) -> Vec<String> {
    if header.len() < 2 {
        return header;
    }
    let is_only = |trimmed: &str| header.iter().filter(|name| name.trim() == trimmed).count() == 1;
    let name = |(place, name): (usize, &String)| match name.trim() {
        "" => format!("Unnamed: {place}"),
        trimmed if is_only(trimmed) => trimmed.to_owned(),
        _ => name.clone(),
    };
    header.iter().enumerate().map(name).collect()
}

/// Returns the positions of the requested columns in a header.
///
/// # Errors
/// If columns are missing or duplicated. The error names all of them, and the nearest match of missing ones.
pub(super) fn places(
    header: &[String],
    wanted: &[&str],
    delimiter: char,
) -> Result<Vec<usize>, String> {
    let mut faults = vec![];
    let mut missing = vec![];
    let mut places = vec![];
    for &name in wanted {
        let is_exact = header.iter().any(|known| known == name);
        let name = if is_exact { name } else { name.trim() };
        let mut found = (0..header.len()).filter(|&place| header[place] == name);
        match (found.next(), found.count()) {
            (None, _) => missing.push(name),
            (Some(place), 0) => places.push(place),
            (Some(_), more) => {
                faults.push(format!("the column {name} occurs {} times, expected once", more + 1));
            }
        }
    }
    if !missing.is_empty() {
        faults.push(absent(header, &missing));
    }
    let other =
        [',', ';', '\t', '|'].into_iter().find(|c| *c != delimiter && header[0].contains(*c));
    match (faults.is_empty(), header, other) {
        (true, ..) => Ok(places),
        (false, [_], Some(other)) => Err(format!(
            "{}\nhint: its cells may be divided by {other:?}: delimiter = \"{}\" in the manifest's [table]",
            faults.join("; "),
            other.escape_default()
        )),
        (false, ..) => Err(faults.join("; ")),
    }
}

fn absent(header: &[String], missing: &[&str]) -> String {
    let known: Vec<String> = header.iter().map(|name| plain(name)).collect();
    let meant = missing.iter().filter_map(|name| {
        let near = nearest(&plain(name), known.iter().map(String::as_str))?;
        let place = known.iter().position(|known| known == near)?;
        Some(format!("{name} may be {:?}", header[place]))
    });
    let meant: String = meant.map(|meant| format!(", {meant}")).collect();
    let columns = match missing {
        [one] => format!("the column {one} is missing"),
        _ => format!("the columns {} are missing", missing.join(", ")),
    };
    let has = header.iter().map(String::as_str).collect::<Vec<_>>();
    let has = match has.as_slice() {
        [""] => "nothing".to_owned(),
        _ => quoted_list(has).replace(" or ", " and "),
    };
    format!("{columns}{meant}; the file has {has}")
}

/// A name without case, spaces, underscores and hyphens.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-' | '.'));
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(header: &[&str], wanted: &[&str]) -> Result<Vec<usize>, String> {
        let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
        places(&header, wanted, ',')
    }

    #[test]
    fn columns_are_found_by_their_exact_name() {
        assert_eq!(of(&["b", "a", "A"], &["A", "b"]), Ok(vec![2, 0]));
        assert_eq!(of(&["b", "b", "a"], &["a"]), Ok(vec![2]));
        assert_eq!(of(&["b", "a ", "a"], &["a", "a ", "\t\tb"]), Ok(vec![2, 1, 0]));
    }

    #[test]
    fn names_are_trimmed_and_columns_without_one_are_called_by_their_place() {
        let header = named(["", "id", " "].map(str::to_owned).to_vec());
        assert_eq!(header, ["Unnamed: 0", "id", "Unnamed: 2"]);
        assert_eq!(named(vec![String::new()]), [""]);
        let header = named(["\t\tb", "a ", "a"].map(str::to_owned).to_vec());
        assert_eq!(header, ["b", "a ", "a"]);
    }

    #[test]
    fn missing_columns_are_named_all_at_once_with_what_they_may_be_called() {
        assert_eq!(
            of(&["Track Name", "TEMPO ", "dancability", "Key"], &["track_name", "tempo", "danceability", "zzz", "Key"]),
            Err("the columns track_name, tempo, danceability, zzz are missing, track_name may be \"Track Name\", \
                 tempo may be \"TEMPO \", danceability may be \"dancability\"; the file has `Track Name`, `TEMPO `, \
                 `dancability` and `Key`"
                .to_owned())
        );
        let error = of(&["key", "key", "a"], &["key", "x"]).unwrap_err();
        assert_eq!(
            error,
            "the column key occurs 2 times, expected once; the column x is missing; \
             the file has `key`, `key` and `a`"
        );
    }

    #[test]
    fn another_delimiter_is_guessed() {
        let error = of(&["a;b"], &["a"]).unwrap_err();
        assert!(
            error.contains("hint: its cells may be divided by ';': delimiter = \";\""),
            "{error}"
        );
    }
}
