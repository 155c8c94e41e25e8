//! Convolution with a long kernel, by FFT.

use rustfft::{FftPlanner, num_complex::Complex};

/// Computes `out[i] = sum over k of kernel[k] * samples[i + ahead - k]`, as long as the input.
///
/// # Source
/// Overlap-add: Oppenheim and Schafer, Discrete-Time Signal Processing, 8.7.3.
pub(super) fn convolve(samples: &[f32], kernel: &[f64], ahead: usize) -> Vec<f32> {
    let len = (4 * kernel.len()).max(4096).next_power_of_two();
    let block_len = len - kernel.len() + 1;
    let mut planner = FftPlanner::new();
    let (forward, inverse) = (planner.plan_fft_forward(len), planner.plan_fft_inverse(len));
    let mut scratch = vec![
        Complex::default();
        forward.get_inplace_scratch_len().max(inverse.get_inplace_scratch_len())
    ];
    let padded = |values: &mut dyn Iterator<Item = f64>, buffer: &mut Vec<Complex<f64>>| {
        buffer.clear();
        buffer.extend(values.map(|value| Complex::new(value, 0.0)));
        buffer.resize(len, Complex::default());
    };
    let mut response = Vec::new();
    padded(&mut kernel.iter().map(|tap| tap / len as f64), &mut response);
    forward.process_with_scratch(&mut response, &mut scratch);
    let mut out = vec![0.0_f32; samples.len()];
    let mut overlap = vec![0.0_f64; kernel.len() - 1];
    let mut buffer = Vec::new();
    // After the last sample, blocks of zeros flush the end of the filter.
    for start in (0..samples.len() + ahead).step_by(block_len) {
        let end = (start + block_len).min(samples.len());
        let block = samples.get(start..end).unwrap_or_default();
        padded(&mut block.iter().map(|&sample| f64::from(sample)), &mut buffer);
        forward.process_with_scratch(&mut buffer, &mut scratch);
        buffer.iter_mut().zip(&response).for_each(|(value, factor)| *value *= factor);
        inverse.process_with_scratch(&mut buffer, &mut scratch);
        buffer.iter_mut().zip(&overlap).for_each(|(value, overlap)| value.re += overlap);
        for (i, value) in buffer[..block_len].iter().enumerate() {
            if let Some(out) = (start + i).checked_sub(ahead).and_then(|at| out.get_mut(at)) {
                *out = value.re as f32;
            }
        }
        overlap.iter_mut().zip(&buffer[block_len..]).for_each(|(kept, value)| *kept = value.re);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_sum_that_defines_it() {
        let samples: Vec<f32> = (0..9000).map(|i| ((i * i) % 17) as f32 / 17.0 - 0.5).collect();
        for (n_kernel, ahead) in [(1, 0), (2, 1), (101, 50), (1500, 0), (1500, 750)] {
            let kernel: Vec<f64> = (0..n_kernel).map(|k| f64::from((k * 7) % 5) - 2.0).collect();
            let got = convolve(&samples, &kernel, ahead);
            assert_eq!(got.len(), samples.len());
            for i in (0..samples.len()).step_by(61).chain([4095, 4096, 8999]) {
                let sample = |k: usize| {
                    let at = (i + ahead).checked_sub(k).and_then(|at| samples.get(at));
                    at.map_or(0.0, |&sample| f64::from(sample))
                };
                let wanted: f64 = kernel.iter().enumerate().map(|(k, tap)| tap * sample(k)).sum();
                assert!((f64::from(got[i]) - wanted).abs() < 1e-4, "{n_kernel}, {ahead}: {i}");
            }
        }
    }
}
