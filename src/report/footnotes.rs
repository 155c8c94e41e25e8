//! The notes below a table on a terminal, at most [`MAX_LINES`] lines.

use super::words::wrapped;

/// Lines of all notes together, at most.
const MAX_LINES: usize = 12;

/// Something that is true of some experiments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note {
    /// What kind of note it is. Notes of one kind stand together where there are many.
    pub(super) topic: &'static str,
    /// The note itself, without the experiments' names.
    pub(super) text: String,
}

/// The notes, each with the names of the experiments that it applies to. If they need too many lines,
/// notes of one topic are joined, then names and notes are counted instead of listed.
pub(super) fn lines(notes: &[(Note, Vec<String>)]) -> String {
    let each: String =
        notes.iter().map(|note| paragraph(&[note], usize::MAX, usize::MAX)).collect();
    if n_lines(&each) <= MAX_LINES {
        return each;
    }
    let mut topics: Vec<Vec<&(Note, Vec<String>)>> = vec![];
    for note in notes {
        match topics.iter_mut().find(|topic| topic[0].0.topic == note.0.topic) {
            Some(topic) => topic.push(note),
            None => topics.push(vec![note]),
        }
    }
    let joined = |n_notes: usize, n_names: usize| -> String {
        topics.iter().map(|topic| paragraph(topic, n_notes, n_names)).collect()
    };
    let limits =
        [(usize::MAX, usize::MAX), (usize::MAX, 4), (4, 4), (4, 2), (2, 2), (1, 2), (1, 1)];
    let mut all = limits.into_iter().map(|(n_notes, n_names)| joined(n_notes, n_names));
    let fits = all.find(|text| n_lines(text) <= MAX_LINES);
    fits.unwrap_or_else(|| {
        let text = joined(1, 1);
        let kept: Vec<&str> = text.lines().take(MAX_LINES - 1).collect();
        format!("{}\n- more notes: see the page, encore report\n", kept.join("\n"))
    })
}

fn n_lines(text: &str) -> usize {
    text.lines().count()
}

/// Notes of one topic as one paragraph, with at most so many notes, and so many names for each.
fn paragraph(notes: &[&(Note, Vec<String>)], n_notes: usize, n_names: usize) -> String {
    let mut parts: Vec<String> = notes
        .iter()
        .take(n_notes)
        .map(|(note, names)| format!("{}: {}", some(names, n_names), note.text))
        .collect();
    let left: Vec<&String> = notes.iter().skip(n_notes).flat_map(|(_, names)| names).collect();
    if !left.is_empty() {
        parts.push(format!("{} more alike", left.len()));
    }
    wrapped("- ", "  ", &parts.join("; "))
}

/// The first names, and how many more there are.
fn some(names: &[String], n: usize) -> String {
    match names.len() {
        all if all > n => format!("{} and {} more", names[..n].join(", "), all - n),
        _ => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(topic: &'static str, text: &str, names: &[&str]) -> (Note, Vec<String>) {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        (Note { topic, text: text.to_owned() }, names)
    }

    #[test]
    fn few_notes_have_a_line_each() {
        let notes = [note("leak", "it leaks", &["a", "b"]), note("leak", "it leaks more", &["c"])];
        assert_eq!(lines(&notes), "- a, b: it leaks\n- c: it leaks more\n");
    }

    #[test]
    fn many_notes_are_joined_by_topic_and_counted_at_last() {
        let mut notes: Vec<_> =
            (1..=13).map(|i| note("short", &format!("{i} of 250 epochs"), &["dnn"])).collect();
        notes.push(note("leak", "it leaks", &["a", "b"]));
        let text = lines(&notes);
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(text.starts_with("- dnn: 1 of 250 epochs; dnn: 2 of 250 epochs; "), "{text}");
        assert!(text.ends_with("\n- a, b: it leaks\n"), "{text}");
        let long = "an-experiment-with-a-name-that-fills-much-of-a-line";
        let topics = ["a", "b", "c", "d", "e", "f"];
        let notes: Vec<_> = topics
            .iter()
            .flat_map(|topic| {
                (0..40).map(move |i| note(topic, &format!("is {topic}{i}"), &[long, "x", "y"]))
            })
            .collect();
        let text = lines(&notes);
        assert!(text.lines().count() <= MAX_LINES, "{text}");
        assert!(
            text.contains(" and 1 more: is a0") || text.contains(" and 2 more: is a0"),
            "{text}"
        );
        assert!(text.contains("more alike"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        // Whatever there is, it ends after twelve lines.
        let names: Vec<&str> = (0..30).map(|_| "t").collect();
        let notes: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(i, _)| {
                let topic: &'static str = Box::leak(format!("topic {i}").into_boxed_str());
                note(topic, "is so", &["x"])
            })
            .collect();
        let text = lines(&notes);
        assert_eq!(text.lines().count(), MAX_LINES);
        assert!(text.ends_with("- more notes: see the page, encore report\n"), "{text}");
    }
}
