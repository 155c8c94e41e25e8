//! Which changes matter, in a sentence.

use super::super::words::{count, interval};
use super::measured::{Ablation, Change};

/// `cnn-3 on gtzan`.
pub(in crate::report) fn title(ablation: &Ablation) -> String {
    format!("{} on {}", ablation.base.name(), ablation.base.dataset_short())
}

/// `Without training.ema the accuracy falls by 0.041 [0.012, 0.070]; the other 3 changes cannot be told from noise.`
pub(in crate::report) fn sentence(ablation: &Ablation) -> String {
    let (found, others): (Vec<&Change>, Vec<&Change>) =
        ablation.changes.iter().partition(|change| change.is_significant());
    let mut parts: Vec<String> =
        found.iter().map(|change| effect(change, ablation.metric.words())).collect();
    parts.extend(match (found.len(), others.len()) {
        (_, 0) => None,
        (0, 1) => Some("the change cannot be told from noise".to_owned()),
        (0, n) => Some(format!("none of the {} changes can be told from noise", count(n))),
        (_, 1) => Some("the other change cannot be told from noise".to_owned()),
        (_, n) => Some(format!("the other {} changes cannot be told from noise", count(n))),
    });
    let mut text = parts.join("; ");
    if let Some(first) = text.get(..1) {
        text = first.to_uppercase() + &text[1..];
    }
    text.push('.');
    if ablation.changes.iter().any(|change| !change.difference.knows_seeds()) {
        text += " With one seed, this is about these models only.";
    }
    if !ablation.not_run.is_empty() {
        text += &format!(" Not run: {}.", ablation.not_run.join(", "));
    }
    text
}

fn effect(change: &Change, metric: &str) -> String {
    let range = change.difference.interval();
    let (verb, by) = if range.mean < 0.0 { ("falls", range.negated()) } else { ("rises", range) };
    let name = if change.name.starts_with("without ") {
        change.name.clone()
    } else {
        format!("with \"{}\"", change.name)
    };
    let per = if change.per == "track" { " by track" } else { "" };
    format!("{name} the {metric}{per} {verb} by {}", interval(&by))
}
