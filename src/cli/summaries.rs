//! The pictures of the data on the page.

use std::collections::{BTreeMap, BTreeSet};

use crate::dataset::{ArrayData, AudioData, Catalogue, Cut, Data, TableData};
use crate::experiment;
use crate::record::Run;
use crate::report::DatasetSummary;

/// The data plots of the page: one summary for each dataset of its runs that is imported and unchanged. Reports
/// why a dataset is not shown.
pub(super) fn summaries(
    catalogue: &Catalogue,
    runs: &[Run],
    cut: Cut,
) -> Vec<(String, DatasetSummary)> {
    let mut hashes: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for Run { record, .. } in runs {
        hashes.entry(&record.data.dataset).or_default().insert(&record.data.hash);
    }
    let mut summaries = vec![];
    for (name, hashes) in hashes {
        match summarize(catalogue, name, &hashes, cut) {
            Ok(summary) => summaries.push((name.to_owned(), summary)),
            Err(why) => eprintln!("no plots of {name}: {why}"),
        }
    }
    summaries
}

fn summarize(
    catalogue: &Catalogue,
    name: &str,
    hashes: &BTreeSet<&str>,
    cut: Cut,
) -> Result<DatasetSummary, String> {
    let data = catalogue.load(catalogue.find(name)?, cut).map_err(|error| error.to_string())?;
    let (Data::Audio(AudioData { hash, .. })
    | Data::Table(TableData { hash, .. })
    | Data::Arrays(ArrayData { hash, .. })) = &data;
    if !hashes.contains(hash.as_str()) {
        return Err("the runs used another version of it".to_owned());
    }
    experiment::summarize(name, &data).map_err(|error| error.to_string())
}
