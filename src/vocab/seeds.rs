//! Ranges of seeds.

/// The most seeds that a range may have.
const MOST: u64 = 10_000;

/// The seeds of a range such as `1..5`, both ends included.
///
/// # Errors
/// Where the text is no range, ends before it starts or has more than 10,000 seeds.
pub fn seed_range(text: &str) -> Result<Vec<u64>, String> {
    let wrong =
        || format!("expected a range of seeds like 1..5 (1, 2, 3, 4 and 5), found `{text}`");
    let (first, last) = text.split_once("..").ok_or_else(wrong)?;
    let number = |text: &str| text.trim().parse::<u64>().ok().filter(|x| i64::try_from(*x).is_ok());
    let (Some(first), Some(last)) = (number(first), number(last)) else { return Err(wrong()) };
    if last < first {
        return Err(format!("the range of seeds `{text}` ends before it starts"));
    }
    if last - first >= MOST {
        return Err(format!("the range of seeds `{text}` has more than 10,000 seeds"));
    }
    Ok((first..=last).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_includes_both_ends() {
        assert_eq!(seed_range("1..5"), Ok(vec![1, 2, 3, 4, 5]));
        assert_eq!(seed_range("0 .. 0"), Ok(vec![0]));
        assert_eq!(seed_range("1..10000").unwrap().len(), 10_000);
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in
            ["5", "..", "1..", "..5", "1..=5", "1...5", "a..b", "-1..2", "0..9223372036854775808"]
        {
            assert!(seed_range(text).unwrap_err().starts_with("expected a range"), "{text}");
        }
        assert!(seed_range("5..1").unwrap_err().ends_with("ends before it starts"));
        assert!(seed_range("1..10001").unwrap_err().contains("more than 10,000"));
    }
}
