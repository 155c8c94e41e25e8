//! Run ids from the command line: whole, or their first characters.

use super::Failure;
use crate::vocab::{nearest, quoted_list};

/// Ids that an error names.
const N_NAMED: usize = 5;

/// The ids that are meant, each once, in the order in which they are named. `what` is what they are ids
/// of, for messages.
pub(super) fn resolve(
    named: &[String],
    known: &[String],
    what: &str,
) -> Result<Vec<String>, Failure> {
    let mut found: Vec<String> = vec![];
    for name in named {
        let id = one(name, known, what)?;
        if !found.contains(&id) {
            found.push(id);
        }
    }
    Ok(found)
}

fn one(name: &str, known: &[String], what: &str) -> Result<String, Failure> {
    if known.iter().any(|id| id == name) {
        return Ok(name.to_owned());
    }
    let starts: Vec<&str> =
        known.iter().map(String::as_str).filter(|id| id.starts_with(name)).collect();
    match starts.as_slice() {
        [id] if !name.is_empty() => Ok((*id).to_owned()),
        [] => {
            let hint = match nearest(name, known.iter().map(String::as_str)) {
                Some(near) => format!("; did you mean `{near}`?"),
                None => "\nhint: encore runs lists the runs".to_owned(),
            };
            Err(Failure::Data(format!("no {what} `{name}`{hint}")))
        }
        many => {
            let more = if many.len() > N_NAMED { ", ..." } else { "" };
            let list = quoted_list(many.iter().take(N_NAMED).copied());
            Err(Failure::Usage(format!(
                "`{name}` is the beginning of {} ids: {list}{more}\nhint: give more characters",
                many.len()
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_by_its_beginning_if_that_is_unique() {
        let known = ["a.seed-1", "a.seed-10", "b.seed-1"].map(str::to_owned);
        let found = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            resolve(&names, &known, "run").map_err(|failure| match failure {
                Failure::Usage(said) | Failure::Data(said) => said,
                other => panic!("{other:?}"),
            })
        };
        assert_eq!(found(&["b", "a.seed-10", "b.seed-1"]).unwrap(), ["b.seed-1", "a.seed-10"]);
        assert_eq!(found(&["a.seed-1"]).unwrap(), ["a.seed-1"], "a whole id is meant");
        let said = found(&["a"]).unwrap_err();
        assert!(
            said.starts_with("`a` is the beginning of 2 ids: `a.seed-1` or `a.seed-10`"),
            "{said}"
        );
        assert!(found(&["c.seed-1"]).unwrap_err().contains("did you mean `b.seed-1`?"));
        assert!(found(&["zzz"]).unwrap_err().contains("hint: encore runs"));
        assert!(found(&[""]).unwrap_err().contains("3 ids"));
    }
}
