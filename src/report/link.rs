//! Relative links between files of the page.

use std::path::Path;

/// The way from one folder to another, as a link on a page says it.
pub(super) fn link(to: &Path, from: &Path) -> String {
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (to, from) = (whole(to), whole(from));
    let shared = to.components().zip(from.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| "..".to_owned());
    let down = to.components().skip(shared).map(|part| part.as_os_str().to_string_lossy().into());
    let parts: Vec<String> = up.chain(down).collect();
    parts.join("/").bytes().map(in_a_link).collect()
}

/// A byte of a path as a link says it; a colon could be read as the end of a scheme.
fn in_a_link(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_go_up_and_down_from_the_page() {
        assert_eq!(link(Path::new("/a/runs/x 1"), Path::new("/a/report")), "../runs/x%201");
        assert_eq!(link(Path::new("out/runs/x"), Path::new("out")), "runs/x");
        let odd = link(Path::new("out/java:\"é#)"), Path::new("out"));
        assert_eq!(odd, "java%3A%22%C3%A9%23%29");
    }
}
