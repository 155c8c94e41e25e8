//! `verify`.

use super::progress::Progress;
use super::{Done, Failure, House};
use crate::experiment::{self, Repetition, VerifyError};
use crate::vocab::nearest;

/// Does a finished run again and says what is the same.
pub(super) fn verify(house: &House, id: &str) -> Done {
    let (store, catalogue) = (house.store(), house.catalogue()?);
    let Some(run) = store.read(id)? else {
        let runs = house.finished()?;
        let hint = match nearest(id, runs.iter().map(|run| run.id.as_str())) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("the runs are the folders in {}", store.root().display()),
        };
        return Err(Failure::Data(format!("there is no finished run {id}; {hint}")));
    };
    let progress = Progress::new(1);
    let found = experiment::verify(&run, house.setting(&catalogue, &store, &progress))?;
    let Repetition { curves, model, predictions, accuracy: [was, is] } = found;
    for (what, is_same) in [("curves", curves), ("model", model), ("predictions", predictions)] {
        println!("{what:12} {}", if is_same { "the same, bit by bit" } else { "OTHER" });
    }
    println!("{:12} {was} recorded, {is} repeated", "accuracy");
    if found.is_equal() {
        return Ok(());
    }
    let code = &run.record.code;
    Err(Failure::Differs(format!(
        "{id} does not come out the same; it was made by encore {} on {}",
        code.version, code.device
    )))
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Plan(error) => error.into(),
            VerifyError::Run(error) => error.into(),
            VerifyError::Store(error) => error.into(),
            VerifyError::Other(message) => Self::Data(message),
        }
    }
}
