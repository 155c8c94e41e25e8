//! The sections of the pages.

use std::collections::BTreeMap;

use super::super::figure::Drawn;
use super::super::words::{counted, duration, interval, number, plain, table};
use super::super::{Options, ReportError};
use super::facts::{StudyFacts, WinnerFacts, study_facts};
use super::text::settings_words;
use super::trials::PartTrials;
use crate::metrics::Interval;
use crate::record::{Run, Study};

/// What stands above the first table.
pub(in crate::report) const ABOUT: &str = "Settings that were searched: `encore sweep`. Every trial is judged by the validation examples, and no \
     trial sees the test examples. The best one is trained again with fresh seeds, and only these runs are \
     tested. The best of many trials is partly the luckiest, so its score as found is too good: the \
     optimism is by how much. Intervals are 95 %; those of validation scores are about the seeds alone.";

/// One search.
pub(in crate::report) struct Section {
    pub(in crate::report) study: Study,
    pub(in crate::report) facts: StudyFacts,
}

/// The searches of a page. One that can't be read is left out; its reason is the second part.
pub(in crate::report) fn sections(options: &Options) -> (Vec<Section>, Vec<String>) {
    let runs: BTreeMap<&str, &Run> =
        options.winners.iter().map(|run| (run.id.as_str(), run)).collect();
    let (mut sections, mut skipped) = (vec![], vec![]);
    for study in &options.studies {
        match study_facts(study, &runs) {
            Ok(facts) => sections.push(Section { study: study.clone(), facts }),
            Err(error) => skipped.push(said(study, &error)),
        }
    }
    (sections, skipped)
}

fn said(study: &Study, error: &ReportError) -> String {
    format!("search {}: {}", study.id, error.to_string().replace('\n', "; "))
}

impl Section {
    /// What the figures show; nothing of a nested search, whose folds have figures of their own
    /// (`encore plot sweep`).
    pub(in crate::report) fn trials(&self) -> Option<PartTrials<'_>> {
        match self.study.parts.as_slice() {
            [part] if !part.trials.is_empty() => PartTrials::of(&self.study, part),
            _ => None,
        }
    }

    /// The heading.
    pub(in crate::report) fn title(&self) -> String {
        format!("{}: {}", self.facts.experiment, self.study.title)
    }

    /// How the search was done.
    pub(in crate::report) fn about(&self) -> String {
        let StudyFacts { search, metric, n_tried, n_failed, n_stopped_early, .. } = &self.facts;
        let mut text = format!(
            "{} by {search} search on {}{}, chosen by {metric}",
            counted(*n_tried, "trial"),
            self.facts.dataset,
            if self.facts.synthetic { " (synthetic)" } else { "" },
        );
        if self.study.parts.len() > 1 {
            text += &format!(", in {} folds", self.study.parts.len());
        }
        if *n_stopped_early > 0 {
            text += &format!("; {n_stopped_early} of them stopped early");
        }
        if *n_failed > 0 {
            text += &format!("; {n_failed} failed");
        }
        text += &format!("; all fits took {}.", duration(self.facts.fit_s));
        if !self.facts.is_finished {
            text += " The search goes on.";
        }
        text
    }

    /// The answer in one sentence.
    pub(in crate::report) fn answer(&self) -> Option<String> {
        if let Some(nested) = &self.facts.nested {
            let metric = self.metric();
            return Some(format!(
                "Chosen anew without each fold, such settings reach a test {metric} of {}.",
                interval(nested)
            ));
        }
        let winner = self.facts.parts.first()?.winner.as_ref()?;
        let gain = self.gain(winner);
        let (test, optimism) = (winner.test.as_ref()?, winner.optimism.as_ref()?);
        let (metric, n) = (self.metric(), self.facts.n_tried);
        let seeds = counted(self.study.final_seeds.len(), "fresh seed");
        let lead = format!(
            "The best of {n} trials has a validation {metric} of {} as found, and on {seeds} a test {metric} of {}",
            number(winner.found, 3),
            interval(test)
        );
        let optimism = if optimism.low > 0.0 {
            format!("What was found is too good by {}.", interval(optimism))
        } else if optimism.high < 0.0 {
            format!("The test is better by {}.", interval(&optimism.negated()))
        } else {
            "No optimism can be told from noise.".to_owned()
        };
        Some(format!("{gain}{lead}. {optimism}"))
    }

    /// Whether the winner is better than the spec as it is, in a sentence; empty if that is not known.
    fn gain(&self, winner: &WinnerFacts) -> String {
        let (Some(gain), Some(base)) = (&winner.gain, &winner.base) else { return String::new() };
        let than =
            format!("the spec as it is, with a test {} of {}", self.metric(), interval(base));
        if gain.low > 0.0 {
            let gain = interval(gain);
            format!("The search helps: its winner is better than {than}, by {gain}. ")
        } else if gain.high < 0.0 {
            let loss = interval(&gain.negated());
            format!("The search does harm: its winner is worse than {than}, by {loss}. ")
        } else {
            let gain = interval(gain);
            format!(
                "Whether the search helps is inconclusive: its winner minus {than}, is {gain}. "
            )
        }
    }

    fn metric(&self) -> String {
        let name = self.study.metric.strip_prefix("valid_").unwrap_or(&self.study.metric);
        name.replace('_', " ")
    }

    /// What the table of winners says of each.
    fn columns(&self) -> [String; 8] {
        let metric = self.metric();
        [
            "winner".to_owned(),
            "settings".to_owned(),
            format!("validation {metric}, as found"),
            format!("validation {metric}, fresh seeds"),
            format!("test {metric}, fresh seeds"),
            "optimism".to_owned(),
            format!("test {metric}, the spec as it is"),
            "gain".to_owned(),
        ]
    }

    /// The head of the table: of one winner, what each line says; of several, what each column says.
    pub(in crate::report) fn head(&self) -> Vec<String> {
        if self.study.parts.len() == 1 {
            return vec!["chosen".to_owned(), "value [95 %]".to_owned()];
        }
        std::iter::once("fold".to_owned()).chain(self.columns()).collect()
    }

    /// The lines of the table.
    pub(in crate::report) fn lines(&self) -> Vec<Vec<String>> {
        let of_part = |(place, part): (usize, &super::facts::StudyPartFacts)| {
            let n = self.study.parts[place].trials.len();
            part.winner.as_ref().map_or_else(
                || {
                    let mut cells = vec![format!("none of {n}")];
                    cells.resize(8, "-".to_owned());
                    cells
                },
                |winner| cells(winner, n),
            )
        };
        let parts: Vec<Vec<String>> = self.facts.parts.iter().enumerate().map(of_part).collect();
        if let [only] = parts.as_slice() {
            let line = |(name, value): (String, &String)| vec![name, value.clone()];
            return self.columns().into_iter().zip(only).map(line).collect();
        }
        let fold = |(part, mut cells): (&super::facts::StudyPartFacts, Vec<String>)| {
            cells.insert(0, part.fold.map_or("-".to_owned(), |fold| fold.to_string()));
            cells
        };
        self.facts.parts.iter().zip(parts).map(fold).collect()
    }
}

fn cells(winner: &WinnerFacts, n_trials: usize) -> Vec<String> {
    let said = |it: &Option<Interval>| it.as_ref().map_or("-".to_owned(), interval);
    vec![
        format!("trial {} of {n_trials}", winner.number),
        settings_words(&winner.settings),
        number(winner.found, 3),
        said(&winner.valid),
        said(&winner.test),
        said(&winner.optimism),
        said(&winner.base),
        said(&winner.gain),
    ]
}

/// The section in Markdown; empty if nothing was searched.
pub(in crate::report) fn markdown(sections: &[Section], drawn: &Drawn) -> String {
    if sections.is_empty() {
        return String::new();
    }
    let mut parts = vec!["## Searches\n".to_owned(), format!("{ABOUT}\n")];
    for (place, section) in sections.iter().enumerate() {
        parts.push(format!("### {}\n", plain(&section.title())));
        parts.extend(section.answer().map(|answer| format!("{}\n", plain(&answer))));
        parts.push(format!("{}\n", plain(&section.about())));
        let mut cells = vec![section.head()];
        cells.extend(section.lines().iter().map(|line| line.iter().map(|it| plain(it)).collect()));
        parts.push(table(&cells, &[]));
        parts.push(drawn.search_images(place));
    }
    parts.join("\n")
}
