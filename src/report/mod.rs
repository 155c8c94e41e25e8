//! stub
use crate::record::Run;
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct ReportError;
pub struct Options {
    pub order: Vec<String>,
}
pub struct Written {
    pub page: std::path::PathBuf,
}
pub fn write(_: &[Run], _: &Options, _: &std::path::Path) -> Result<Written, ReportError> {
    todo!()
}
pub fn terminal_table(_: &[Run], _: &Options) -> String {
    String::new()
}
pub fn differing(_: &[Run]) -> Vec<String> {
    vec![]
}
