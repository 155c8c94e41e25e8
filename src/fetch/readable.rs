//! Numbers of bytes for people.

/// Bytes for people: `1.14 GiB`.
#[must_use]
pub fn readable(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut amount = bytes as f64 / 1024.0;
    let mut unit = 0;
    while amount >= 1023.995 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    format!("{amount:.2} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_read_well() {
        assert_eq!(readable(1023), "1023 bytes");
        assert_eq!(readable(1536), "1.50 KiB");
        assert_eq!(readable(1_226_192_050), "1.14 GiB");
        assert_eq!(readable(100_306_112_191), "93.42 GiB");
        assert_eq!(readable((1 << 20) - 1), "1.00 MiB");
        assert_eq!(readable(1 << 62), "4194304.00 TiB");
    }
}
