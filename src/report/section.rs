//! One row's section: the answer, the figures, the classes, and how it was made.

use std::path::Path;

use super::figure::Drawn;
use super::group::Group;
use super::summary::{epochs, interval, leaks};
use super::words::{count, counted, duration, fraction, list, plain, short, signed, span, table};
use crate::metrics::{Verdict, per_class};
use crate::record::{Claim, Record};

/// Kept-out tracks that are named on the page; the record names all.
const MOST_NAMES: usize = 20;

/// The section without its heading. `folder` is where the page lies.
pub(super) fn text(group: &Group, drawn: &Drawn, row: usize, folder: &Path) -> String {
    let mut parts = vec![answer(group)];
    let leaks = leaks(group);
    if !leaks.is_empty() {
        parts.push(format!(
            "> **Warning: the split leaks,** so this accuracy is too high for music never heard.\n>\n{}",
            leaks.iter().map(|leak| format!("> - {}\n", plain(leak))).collect::<String>()
        ));
    }
    parts.extend(drawn.images(row));
    parts.push(classes(group));
    parts.push(how(group));
    parts.push(runs(group, folder));
    parts.join("\n")
}

fn answer(group: &Group) -> String {
    let mut text = format!(
        "**Answer.** Over {}, {} of the test examples are classified correctly. ",
        counted(group.runs.len(), "seed"),
        interval(&group.accuracy)
    );
    let sentences: Vec<String> =
        group.judged.iter().map(|(claim, verdict)| sentence(group, claim, verdict)).collect();
    text += &if sentences.is_empty() {
        "There is no published figure for it.".to_owned()
    } else {
        sentences.join(" ")
    };
    text += &format!(
        " Always predicting the largest class would give {}.\n",
        fraction(group.largest_class())
    );
    text
}

fn sentence(group: &Group, claim: &Claim, verdict: &Verdict) -> String {
    let published = format!(
        "Published {}: {} ({})",
        plain(&claim.metric),
        fraction(claim.value),
        plain(&claim.source)
    );
    match verdict {
        Verdict::Reproduced => format!("{published}: **reproduced**, it lies within the interval."),
        Verdict::Differs { by } => {
            let side = if *by > 0.0 { "higher" } else { "lower" };
            let seed = if group.runs.len() == 1 { " (one seed says little)" } else { "" };
            format!("{published}: **differs**, ours is {side}, by {}{seed}.", signed(*by))
        }
        Verdict::NotComparable { reason } => {
            format!("{published}: **not comparable**, {}.", plain(reason))
        }
    }
}

fn classes(group: &Group) -> String {
    let head = ["class", "precision", "recall", "F1", "test examples"];
    let mut cells = vec![head.map(str::to_owned).to_vec()];
    for (name, class) in group.record().data.classes.iter().zip(per_class(&group.confusion())) {
        let scores = [class.precision, class.recall, class.f1].map(fraction);
        let mut line = vec![plain(name)];
        line.extend(scores);
        line.push(count(class.support));
        cells.push(line);
    }
    let over = match group.runs.len() {
        1 => String::new(),
        n => format!("Per class, the test sets of {} taken together:\n\n", counted(n, "seed")),
    };
    over + &table(&cells, &[1, 2, 3, 4])
}

fn how(group: &Group) -> String {
    let record = group.record();
    let Record { data, split, model, .. } = record;
    let mut lines = vec![
        format!("spec: `{}`{}", short(&record.spec_hash), overrides(record)),
        format!(
            "data: {}, {}, {} of {}; index `{}`, features `{}`",
            plain(&group.dataset_words()),
            counted(data.n_tracks, "track"),
            counted(data.n_examples, "example"),
            shape(&data.shape),
            short(&data.hash),
            short(&data.features_hash)
        ),
        format!(
            "split: {}; train {}, valid {}, test {} examples",
            plain(&split.protocol),
            span(group.records().map(|record| record.split.n_train)),
            span(group.records().map(|record| record.split.n_valid)),
            span(group.records().map(|record| record.split.n_test)),
        ),
        independent(group),
        format!(
            "model: {}, {}{}",
            plain(&model.name),
            counted(model.n_parameters, "parameter"),
            training(group)
        ),
        code(group),
        format!(
            "time per run: {} in all, {} for features, {} for fitting",
            duration(group.mean(|record| record.timings.total_s)),
            duration(group.mean(|record| record.timings.features_s)),
            duration(group.mean(|record| record.timings.fit_s))
        ),
    ];
    lines.extend(notes(group));
    lines.extend(kept_out(record));
    if group.n_superseded > 0 {
        let left = counted(group.n_superseded, "earlier run");
        lines.push(format!("left out: {left} with a seed that was run again"));
    }
    format!("How it was made:\n\n- {}\n", lines.join("\n- "))
}

fn overrides(record: &Record) -> String {
    if record.overrides.is_empty() {
        return String::new();
    }
    let typed: Vec<String> =
        record.overrides.iter().map(|text| format!("`{}`", plain(text))).collect();
    format!(", changed by {}", list(&typed))
}

fn shape(shape: &[usize]) -> String {
    let lengths: Vec<String> = shape.iter().map(|n| count(*n)).collect();
    match lengths.as_slice() {
        [one] => format!("{one} numbers"),
        _ => lengths.join(" x "),
    }
}

fn independent(group: &Group) -> String {
    let tracks = span(group.records().map(|record| record.split.n_test_tracks));
    let examples = group.records().map(|record| record.split.n_test).min().unwrap_or(0);
    if group.n_independent < examples {
        format!(
            "interval: over the {tracks} tracks behind the test examples, for examples of one \
             track are not independent"
        )
    } else {
        "interval: over the test examples, each from a track of its own".to_owned()
    }
}

/// `; epochs 98 to 134 of 250, kept 83 to 119`; nothing for models that are fitted in one go.
fn training(group: &Group) -> String {
    let model = &group.record().model;
    if model.n_epochs.is_none() {
        return String::new();
    }
    let most = model.max_epochs.map_or(String::new(), |most| format!(" of {}", count(most)));
    let kept: Vec<usize> = group.records().filter_map(|record| record.model.kept_epoch).collect();
    let kept = if kept.is_empty() { String::new() } else { format!(", kept {}", span(kept)) };
    format!("; epochs {}{most}{kept}", epochs(group))
}

fn code(group: &Group) -> String {
    let mut codes: Vec<String> = group
        .records()
        .map(|record| {
            let code = &record.code;
            let commit = code
                .git_commit
                .as_deref()
                .map_or("no commit".to_owned(), |commit| format!("commit `{}`", short(commit)));
            let dirty = if code.git_dirty == Some(true) { " with uncommitted changes" } else { "" };
            format!("encore {}, {commit}{dirty}", code.version)
        })
        .collect();
    codes.sort();
    codes.dedup();
    format!("code: {}", codes.join("; "))
}

/// Notes on data and model, each once, with its seeds where not all have it.
fn notes(group: &Group) -> Vec<String> {
    let mut notes: Vec<(&str, Vec<String>)> = vec![];
    for record in group.records() {
        for note in record.data.notes.iter().chain(&record.model.notes) {
            let seed = record.seed.to_string();
            match notes.iter_mut().find(|(known, _)| known == note) {
                Some((_, seeds)) => seeds.push(seed),
                None => notes.push((note, vec![seed])),
            }
        }
    }
    let line = |(note, seeds): &(&str, Vec<String>)| match seeds.len() {
        n if n == group.runs.len() => format!("note: {}", plain(note)),
        1 => format!("note: {} (seed {})", plain(note), seeds[0]),
        _ => format!("note: {} (seeds {})", plain(note), list(seeds)),
    };
    notes.iter().map(line).collect()
}

fn kept_out(record: &Record) -> Option<String> {
    let excluded = &record.data.excluded;
    if excluded.is_empty() {
        return None;
    }
    let name = |i: usize| format!("{} ({})", plain(&excluded[i].name), plain(&excluded[i].reason));
    let named: Vec<String> = (0..excluded.len().min(MOST_NAMES)).map(name).collect();
    let rest = match excluded.len() - named.len() {
        0 => String::new(),
        n => format!(", and {} more that the record names", count(n)),
    };
    Some(format!("kept out ({}): {}{rest}", count(excluded.len()), named.join(", ")))
}

fn runs(group: &Group, folder: &Path) -> String {
    let head =
        ["seed", "test", "valid", "train", "macro F1", "log-loss", "epochs", "time", "record"];
    let mut cells = vec![head.map(str::to_owned).to_vec()];
    for run in &group.runs {
        let record = &run.record;
        cells.push(vec![
            record.seed.to_string(),
            fraction(record.test.accuracy),
            record.valid.as_ref().map_or("-".to_owned(), |valid| fraction(valid.accuracy)),
            fraction(record.train.accuracy),
            fraction(record.test.macro_f1),
            fraction(record.test.log_loss),
            record.model.n_epochs.map_or("-".to_owned(), count),
            duration(record.timings.total_s),
            format!("[{}]({})", plain(&run.id), link(&run.folder, folder)),
        ]);
    }
    format!("Accuracy of each run:\n\n{}", table(&cells, &[0, 1, 2, 3, 4, 5, 6, 7]))
}

/// The way from one folder to another, as a link on a page says it.
fn link(to: &Path, from: &Path) -> String {
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (to, from) = (whole(to), whole(from));
    let shared = to.components().zip(from.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| "..".to_owned());
    let down = to.components().skip(shared).map(|part| part.as_os_str().to_string_lossy().into());
    let parts: Vec<String> = up.chain(down).collect();
    parts.join("/").replace(' ', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_go_up_and_down_from_the_page() {
        assert_eq!(link(Path::new("/a/runs/x 1"), Path::new("/a/report")), "../runs/x%201");
        assert_eq!(link(Path::new("out/runs/x"), Path::new("out")), "runs/x");
    }
}
