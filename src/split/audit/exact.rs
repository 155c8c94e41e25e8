//! Finds examples of other tracks with exactly the same numbers.

use super::{Numbers, Pair, Sets};

/// Finds targets whose numbers also occur in a seen row of another track.
pub(super) fn pairs(sets: &Sets, numbers: Numbers) -> Vec<Pair> {
    let mut seen: Vec<(u64, usize)> =
        sets.seen.iter().map(|&row| (hash(numbers.row(row)), row)).collect();
    seen.sort_unstable();
    let twin = |&row: &usize| {
        let wanted = hash(numbers.row(row));
        let first = seen.partition_point(|(hash, _)| *hash < wanted);
        let same = seen[first..].iter().take_while(|(hash, _)| *hash == wanted);
        let is_twin = |other: usize| {
            sets.track(other) != sets.track(row)
                && bits(numbers.row(other)).eq(bits(numbers.row(row)))
        };
        same.map(|(_, other)| *other).find(|other| is_twin(*other)).map(|other| (row, other))
    };
    sets.targets.iter().filter_map(twin).collect()
}

fn bits(row: &[f32]) -> impl Iterator<Item = u32> + '_ {
    row.iter().map(|value| value.to_bits())
}

/// Returns a fast hash; rows with the same hash are then compared.
fn hash(row: &[f32]) -> u64 {
    bits(row).fold(0, |hash, bits| {
        (hash ^ u64::from(bits)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_every_bit_count() {
        let hashes = [[1.0, 2.0], [2.0, 1.0], [1.0, 2.000_000_2]].map(|row| hash(&row));
        assert!(hashes[0] != hashes[1] && hashes[0] != hashes[2]);
    }
}
