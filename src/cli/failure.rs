//! Why a command fails, with its exit code.

use crate::dataset::DatasetError;
use crate::experiment::{Blame, PlanError, RunError};
use crate::fetch::FetchError;
use crate::record::StoreError;
use crate::report::ReportError;
use crate::schema::Faults;

/// The reason why a command failed, with its exit code.
#[derive(Debug)]
pub(super) enum Failure {
    /// Something broke that should not: exit code 1.
    Internal(anyhow::Error),
    /// The command line or a spec is wrong: exit code 2.
    Usage(String),
    /// Data are missing: exit code 3.
    Data(String),
    /// A claim differs or is inconclusive, and `--strict` says so, or a repetition differs: exit code 4.
    Differs(String),
    /// A service asks to come back later, all saved: exit code 5.
    Later(String),
    /// Stopped by Ctrl-C or a signal, all saved: exit code 130.
    Stopped(String),
}

pub(super) type Done = Result<(), Failure>;

impl Failure {
    /// The exit code and the message.
    pub(super) fn into_parts(self) -> (u8, String) {
        match self {
            Self::Internal(error) => (1, with_causes(&error)),
            Self::Usage(message) => (2, message),
            Self::Data(message) => (3, message),
            Self::Differs(message) => (4, message),
            Self::Later(message) => (5, message),
            Self::Stopped(message) => (130, message),
        }
    }
}

/// An error with its causes. Most of our messages contain their cause: it is not said again.
fn with_causes(error: &anyhow::Error) -> String {
    let text = error.to_string();
    let (mut message, hint) = match text.split_once("\nhint: ") {
        Some((message, hint)) => (message.to_owned(), format!("\nhint: {hint}")),
        None => (text, String::new()),
    };
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !message.contains(&cause) {
            message = format!("{message}: {cause}");
        }
    }
    message + &hint
}

impl From<Faults> for Failure {
    fn from(faults: Faults) -> Self {
        let n = faults.0.len();
        let count = if n == 1 { String::new() } else { format!("{n} faults\n") };
        Self::Usage(format!("{count}{faults}"))
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Spec(faults) => faults.into(),
            PlanError::Usage(message) | PlanError::OtherKind(message) => Self::Usage(message),
        }
    }
}

impl From<DatasetError> for Failure {
    fn from(error: DatasetError) -> Self {
        match error {
            DatasetError::Embedded(_)
            | DatasetError::Fetch { source: FetchError::Occupied { .. }, .. } => {
                Self::Usage(error.to_string())
            }
            DatasetError::Fetch { source: FetchError::Stopped { .. }, .. } => {
                Self::Stopped(error.to_string())
            }
            DatasetError::Fetch {
                source: FetchError::Io { .. } | FetchError::Space { .. },
                ..
            } => Self::Internal(error.into()),
            _ => Self::Data(error.to_string()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Io { .. } => Self::Internal(error.into()),
            error => Self::Data(error.to_string()),
        }
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Store(error) => error.into(),
            error @ ReportError::Broken { .. } => Self::Data(error.to_string()),
            error => Self::Internal(error.into()),
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match (error.blame(), error) {
            (_, RunError::Dataset(error)) => error.into(),
            (_, error @ RunError::Stopped { .. }) => Self::Stopped(error.to_string()),
            (Blame::Data, error) => Self::Data(error.to_string()),
            (Blame::Usage, error) => Self::Usage(error.to_string()),
            (Blame::Program, error) => Self::Internal(error.into()),
        }
    }
}

/// Converts errors that are not the user's fault.
macro_rules! internal {
    ($($error:ty),*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::Internal(error.into())
            }
        }
    )*};
}
internal!(std::io::Error, anyhow::Error);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_message_repeats_its_cause_and_hints_come_last() {
        let io = || std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let store = StoreError::Io { path: "a/b".into(), source: io() };
        let twice = anyhow::Error::from(RunError::Store(store));
        assert_eq!(with_causes(&twice), "a/b: permission denied");
        let context = anyhow::Error::from(io()).context("cannot save\nhint: make room");
        assert_eq!(with_causes(&context), "cannot save: permission denied\nhint: make room");
    }
}
