//! The inner product of two slices.

/// Number of partial sums.
pub const LANES: usize = 8;

/// Returns the inner product of two equally long slices, summed in eight lanes.
///
/// Eight short sums have smaller rounding errors than one long sum, and the compiler turns them
/// into vector instructions.
#[must_use]
#[inline]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a_lanes, a_rest) = a.as_chunks::<LANES>();
    let (b_lanes, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for (x, y) in a_lanes.iter().zip(b_lanes) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (b + f)) + ((c + g) + (d + h)) + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_counts_once() {
        let a: Vec<f32> = (1_u8..=19).map(f32::from).collect();
        for n in [0, 1, 7, 8, 9, 16, 19] {
            let wanted: f32 = a[..n].iter().map(|x| x * x).sum();
            assert!((dot(&a[..n], &a[..n]) - wanted).abs() < 1e-3, "{n} elements");
        }
    }
}
