//! Effects: filters, overdrive, a room, a compressor.

use super::wave::{RATE, db_gain};

/// A second-order filter, transposed direct form II.
///
/// # Source
/// R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients".
#[derive(Debug, Clone)]
pub(super) struct Biquad {
    b: [f32; 3],
    a: [f32; 2],
    state: [f32; 2],
}

impl Biquad {
    /// Creates a low-pass filter at `hz`, 12 dB per octave.
    pub(super) fn low_pass(hz: f64) -> Self {
        let (cos, alpha) = angle(hz, 0.707);
        let b = (1.0 - cos) / 2.0;
        Self::normalized([b, 2.0 * b, b], [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
    }

    /// Creates a high-pass filter at `hz`, 12 dB per octave.
    pub(super) fn high_pass(hz: f64) -> Self {
        let (cos, alpha) = angle(hz, 0.707);
        let b = f64::midpoint(1.0, cos);
        Self::normalized([b, -2.0 * b, b], [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
    }

    /// Creates a filter that raises (or, if negative, lowers) about an octave around `hz` by
    /// `gain_db`.
    pub(super) fn peak(hz: f64, gain_db: f64) -> Self {
        let (cos, alpha) = angle(hz, 1.0);
        let a = libm::pow(10.0, gain_db / 40.0);
        Self::normalized(
            [1.0 + alpha * a, -2.0 * cos, 1.0 - alpha * a],
            [1.0 + alpha / a, -2.0 * cos, 1.0 - alpha / a],
        )
    }

    /// Creates a filter that raises everything above `hz` by `gain_db`.
    pub(super) fn high_shelf(hz: f64, gain_db: f64) -> Self {
        let (cos, alpha) = angle(hz, 0.6);
        let a = libm::pow(10.0, gain_db / 40.0);
        let root = 2.0 * libm::sqrt(a) * alpha;
        let (up, down) = (a + 1.0, a - 1.0);
        Self::normalized(
            [
                a * (up + down * cos + root),
                -2.0 * a * (down + up * cos),
                a * (up + down * cos - root),
            ],
            [up - down * cos + root, 2.0 * (down - up * cos), up - down * cos - root],
        )
    }

    fn normalized(b: [f64; 3], a: [f64; 3]) -> Self {
        Self {
            b: b.map(|x| (x / a[0]) as f32),
            a: [(a[1] / a[0]) as f32, (a[2] / a[0]) as f32],
            state: [0.0; 2],
        }
    }

    /// Filters one sample.
    #[inline]
    pub(super) fn step(&mut self, x: f32) -> f32 {
        let y = self.b[0] * x + self.state[0];
        self.state[0] = self.b[1] * x - self.a[0] * y + self.state[1];
        self.state[1] = self.b[2] * x - self.a[1] * y;
        y
    }

    /// Removes an echo below -400 dB, because processors compute slowly with denormal numbers.
    fn forget_the_inaudible(&mut self) {
        for state in &mut self.state {
            if state.abs() < 1e-20 {
                *state = 0.0;
            }
        }
    }

    /// Filters a waveform in place.
    pub(super) fn run(mut self, samples: &mut [f32]) {
        for block in samples.chunks_mut(64) {
            let [mut s0, mut s1] = self.state;
            for x in block {
                let y = self.b[0] * *x + s0;
                s0 = self.b[1] * *x - self.a[0] * y + s1;
                s1 = self.b[2] * *x - self.a[1] * y;
                *x = y;
            }
            self.state = [s0, s1];
            self.forget_the_inaudible();
        }
    }
}

fn angle(hz: f64, q: f64) -> (f64, f64) {
    let w = std::f64::consts::TAU * (hz / f64::from(RATE)).min(0.49);
    (libm::cos(w), libm::sin(w) / (2.0 * q))
}

/// Clips softly: linear for small samples, never beyond 1.
#[inline]
pub(super) fn soft_clip(x: f32) -> f32 {
    x / (1.0 + x.abs())
}

/// Overdrives a waveform with an RMS of about 1; a `drive` of 1 is warm, 30 is metal.
pub(super) fn overdrive(samples: &mut [f32], drive: f32) {
    for x in samples {
        *x = soft_clip(*x * drive);
    }
}

/// Adds the echo of a room: four damped combs and two all-passes, after Schroeder (1962).
///
/// `size` in (0, 1] sets the length of the echo, `wet` its level relative to the dry sound.
pub(super) fn reverberate(samples: &mut [f32], size: f32, wet: f32) {
    let feedback = 0.62 + 0.26 * size;
    let lengths = [601.0, 691.0, 773.0, 839.0].map(|n: f32| (n * (0.6 + 0.7 * size)) as usize);
    let mut combs = lengths.map(|n| (vec![0.0f32; n], 0usize, 0.0f32));
    let mut passes = [113usize, 337].map(|n| (vec![0.0f32; n], 0usize));
    for x in samples {
        let mut echo = 0.0;
        for (line, at, damped) in &mut combs {
            let out = line[*at];
            *damped += 0.6 * (out - *damped);
            line[*at] = *x + feedback * *damped;
            *at = if *at + 1 == line.len() { 0 } else { *at + 1 };
            echo += out;
        }
        for (line, at) in &mut passes {
            let delayed = line[*at];
            let fed = echo + 0.6 * delayed;
            line[*at] = fed;
            *at = if *at + 1 == line.len() { 0 } else { *at + 1 };
            echo = delayed - 0.6 * fed;
        }
        *x += wet * 0.3 * echo;
    }
}

/// Compresses loudness: the sound is attenuated where its envelope exceeds `1 / amount` times the
/// unit RMS.
pub(super) fn compress(samples: &mut [f32], amount: f32) {
    let mut envelope = 0.0f32;
    for x in samples {
        let level = x.abs();
        envelope += if level > envelope { 0.01 } else { 0.000_4 } * (level - envelope);
        *x *= (1.0 + amount) / (1.0 + amount * envelope);
    }
}

/// Returns the root mean square of the parts that are not silent; 0 if all are.
pub(super) fn active_rms(samples: &[f32]) -> f32 {
    let (mut power, mut count) = (0.0f64, 0usize);
    for x in samples.iter().filter(|x| x.abs() > 1e-4) {
        power += f64::from(*x) * f64::from(*x);
        count += 1;
    }
    if count == 0 { 0.0 } else { libm::sqrt(power / count as f64) as f32 }
}

/// Scales a waveform so that its active RMS is `db` dB; silence stays silent.
pub(super) fn level_to(samples: &mut [f32], db: f64) {
    let rms = active_rms(samples);
    if rms > 0.0 {
        let gain = db_gain(db) / rms;
        for x in samples.iter_mut() {
            *x *= gain;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::wave::{increment, read, sine};
    use super::*;

    fn tone(hz: f32) -> Vec<f32> {
        (0..8192u32).map(|i| read(sine(), increment(hz).wrapping_mul(i))).collect()
    }

    fn gain_db(filter: Biquad, hz: f32) -> f32 {
        let mut y = tone(hz);
        filter.run(&mut y);
        20.0 * libm::log10f(active_rms(&y[4096..]) / active_rms(&tone(hz)[4096..]))
    }

    #[test]
    fn filters_do_what_their_names_say() {
        assert!(gain_db(Biquad::low_pass(1000.0), 100.0).abs() < 0.2);
        assert!(gain_db(Biquad::low_pass(1000.0), 4000.0) < -20.0);
        assert!(gain_db(Biquad::high_pass(1000.0), 200.0) < -20.0);
        assert!((gain_db(Biquad::peak(1000.0, 6.0), 1000.0) - 6.0).abs() < 0.2);
        assert!((gain_db(Biquad::high_shelf(800.0, -9.0), 8000.0) + 9.0).abs() < 0.5);
    }

    #[test]
    fn a_level_is_reached_and_overdrive_stays_below_one() {
        let mut y = tone(440.0);
        level_to(&mut y, 0.0);
        assert!((active_rms(&y) - 1.0).abs() < 1e-3);
        overdrive(&mut y, 30.0);
        assert!(y.iter().all(|x| x.abs() < 1.0));
        level_to(&mut [0.0; 4], 0.0);
    }

    #[test]
    fn a_room_rings_on_and_dies_away() {
        let mut y = vec![0.0; 44_100];
        y[0] = 1.0;
        reverberate(&mut y, 0.5, 0.5);
        let energy = |part: &[f32]| part.iter().map(|x| x * x).sum::<f32>();
        assert!(energy(&y[1000..8000]) > 10.0 * energy(&y[30_000..37_000]));
        assert!(energy(&y[1000..8000]) > 0.0);
    }

    #[test]
    fn compression_narrows_the_distance_of_loud_and_soft() {
        let mut y = tone(440.0);
        y.extend(tone(440.0).iter().map(|x| 0.1 * x));
        compress(&mut y, 2.0);
        let ratio = active_rms(&y[4000..8000]) / active_rms(&y[12_000..16_000]);
        assert!(ratio < 9.0, "{ratio}");
    }
}
