//! Questions that are answered by yes or no.

use std::io::{self, IsTerminal};

/// Asks a question that ends with `[y/N]`, and whether the answer is yes. Without a terminal nobody can answer,
/// which counts as no.
pub(super) fn is_agreed(question: &str) -> io::Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    super::output::err(format_args!("{question}"));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
