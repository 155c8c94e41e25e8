//! The modulation spectrum: how strongly a value, such as the level of a mel band, goes up and down at
//! each rate.
//!
//! # Source
//! The power spectral density of `scipy.signal.periodogram(values, frame_rate_hz, "hann", nfft,
//! scaling="density")`, averaged over the rates from each edge to below the next.

use super::{
    AudioError, DecibelSettings,
    decibel::to_db,
    fft::{Transform, TransformBuffers},
    window::Window,
};

/// A density below this counts as this, in squared units per hertz: of decibels, an even level.
const LEAST_DENSITY: f32 = 1e-3;

/// The transform has two rates in the narrowest band: these limit its length.
const LEAST_WIDTH_HZ: f64 = 0.01;
const MAX_FRAME_RATE_HZ: f64 = 10_000.0;

/// The bands of modulation rates, checked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Modulation {
    frame_rate_hz: f64,
    edges_hz: Vec<f64>,
}

/// The transform of a number of frames, and its buffers.
#[derive(Debug, Clone)]
struct Fitted {
    n_frames: usize,
    n_fft: usize,
    transform: Transform,
    window: Vec<f32>,
    /// Density per power of the transform.
    scale: f64,
}

/// Buffers; they adapt to the plan and to the number of frames.
#[derive(Debug, Clone, Default)]
pub(super) struct ModulationBuffers {
    fitted: Option<Fitted>,
    transform: TransformBuffers,
    values: Vec<f32>,
    power: Vec<f32>,
}

impl Modulation {
    pub(super) fn new(frame_rate_hz: f64, edges_hz: &[f64]) -> Result<Self, AudioError> {
        if !(frame_rate_hz > 0.0 && frame_rate_hz <= MAX_FRAME_RATE_HZ) {
            let allowed = format!("above 0 and at most {MAX_FRAME_RATE_HZ} per second");
            return Err(AudioError::setting("band_statistics.frame_rate", allowed, frame_rate_hz));
        }
        let nyquist_hz = frame_rate_hz / 2.0;
        let is_ascending = edges_hz.windows(2).all(|pair| pair[1] - pair[0] >= LEAST_WIDTH_HZ);
        let is_within = edges_hz.iter().all(|edge| (0.0..=nyquist_hz).contains(edge));
        if edges_hz.len() < 2 || !is_ascending || !is_within {
            let allowed = format!(
                "two or more ascending rates in Hz, from 0 to half the frame rate ({nyquist_hz:.4}) and at \
                 least {LEAST_WIDTH_HZ} apart"
            );
            let found = format!("{edges_hz:?}");
            return Err(AudioError::setting("band_statistics.modulation_hz", allowed, found));
        }
        Ok(Self { frame_rate_hz, edges_hz: edges_hz.to_vec() })
    }

    /// Number of bands of rates.
    pub(super) fn n_rates(&self) -> usize {
        self.edges_hz.len() - 1
    }

    /// The edges of every band of rates, in hertz.
    pub(super) fn rates_hz(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.edges_hz.windows(2).map(|pair| (pair[0], pair[1]))
    }

    /// Computes the densities of `values`, `[n_frames]`, in decibels: into `out`, `[n_rates]`.
    pub(super) fn compute(
        &self,
        buffers: &mut ModulationBuffers,
        values: impl ExactSizeIterator<Item = f64> + Clone,
        out: &mut [f32],
    ) {
        let n_frames = values.len();
        let ModulationBuffers { fitted, transform, values: frame, power } = buffers;
        if fitted.as_ref().is_none_or(|fitted| fitted.n_frames != n_frames) {
            *fitted = Some(self.fit(n_frames));
        }
        let fitted = fitted.as_ref().expect("it was just fitted");
        let mean = values.clone().sum::<f64>() / n_frames.max(1) as f64;
        frame.clear();
        frame.extend(values.map(|value| (value - mean) as f32));
        frame.resize(fitted.n_fft, 0.0);
        power.resize(fitted.n_fft / 2 + 1, 0.0);
        fitted.transform.power(transform, frame, &fitted.window, power);
        let hz_per_bin = self.frame_rate_hz / fitted.n_fft as f64;
        for ((low, high), out) in self.rates_hz().zip(&mut *out) {
            let first = (low / hz_per_bin).ceil() as usize;
            let end = ((high / hz_per_bin).ceil() as usize).min(power.len());
            let sum: f64 = power[first..end].iter().map(|&power| f64::from(power)).sum();
            *out = (sum / (end - first) as f64 * fitted.scale) as f32;
        }
        to_db(out, &DecibelSettings { amin: LEAST_DENSITY, top_db: None, ..Default::default() });
    }

    /// Makes the transform so long, with zeros behind the frames, that each band has two rates of it.
    fn fit(&self, n_frames: usize) -> Fitted {
        let narrowest = self.rates_hz().map(|(low, high)| high - low).fold(f64::MAX, f64::min);
        let needed = (2.0 * self.frame_rate_hz / narrowest).ceil() as usize;
        let n_fft = n_frames.max(needed).max(16).next_power_of_two();
        let mut window: Vec<f32> =
            (0..n_frames).map(|i| Window::Hann.weight(i, n_frames) as f32).collect();
        let power: f64 = window.iter().map(|&weight| f64::from(weight).powi(2)).sum();
        window.resize(n_fft, 0.0);
        // A real signal has half of its power at negative frequencies.
        let scale = 2.0 / (self.frame_rate_hz * power.max(f64::MIN_POSITIVE));
        Fitted { n_frames, n_fft, transform: Transform::new(n_fft), window, scale }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn densities(frame_rate_hz: f64, edges_hz: &[f64], values: &[f64]) -> Vec<f32> {
        let plan = Modulation::new(frame_rate_hz, edges_hz).unwrap();
        let mut out = vec![f32::NAN; plan.n_rates()];
        plan.compute(&mut ModulationBuffers::default(), values.iter().copied(), &mut out);
        out
    }

    #[test]
    fn a_level_that_wavers_twice_a_second_has_its_power_there() {
        // Ten decibels up and down, twice a second, for 16 s of 16 frames each.
        let wave = |i: i32| 10.0 * (std::f64::consts::TAU * 2.0 * f64::from(i) / 16.0).sin() - 40.0;
        let values: Vec<f64> = (0..256).map(wave).collect();
        let found = densities(16.0, &[0.5, 1.0, 1.75, 2.25, 4.0], &values);
        // Its mean square is 50, all of it within half a hertz; the bins of the mean are 8.
        assert!((found[2] - 20.0).abs() < 0.01, "{found:?}");
        assert!(found[0] < -25.0 && found[1] < -20.0 && found[3] < -20.0, "{found:?}");
    }

    #[test]
    fn an_even_level_has_the_least_density() {
        for n_frames in [1, 2, 130] {
            let found = densities(43.0, &[0.25, 0.5, 6.0], &vec![-80.0; n_frames]);
            assert!(found.iter().all(|db| (db + 30.0).abs() < 1e-4), "{found:?}");
        }
    }

    #[test]
    fn densities_are_scipys() {
        // scipy 1.17: f, p = periodogram(x, 10, "hann", 64, scaling="density"), then
        // 10 log10 of the mean of p over 0.25 <= f < 1, 1 <= f < 2 and 2 <= f < 4.
        let values: Vec<f64> = (0..50).map(|i| f64::from((i * i * 7) % 23)).collect();
        let found = densities(10.0, &[0.25, 1.0, 2.0, 4.0], &values);
        for (found, wanted) in found.iter().zip(SCIPY) {
            assert!((found - wanted).abs() < 1e-3, "{found} {wanted}");
        }
    }

    const SCIPY: [f32; 3] = [14.224_76, 8.987_658, 6.794_643];

    #[test]
    fn rates_ascend_to_half_the_frame_rate() {
        let said = |rate, edges: &[f64]| Modulation::new(rate, edges).unwrap_err().to_string();
        let allowed = "band_statistics.modulation_hz must be two or more ascending rates in Hz, from 0 to \
                       half the frame rate (5.0000) and at least 0.01 apart, found ";
        assert_eq!(said(10.0, &[1.0, 6.0]), format!("{allowed}[1.0, 6.0]"));
        assert_eq!(said(10.0, &[1.0, 1.0]), format!("{allowed}[1.0, 1.0]"));
        assert_eq!(said(10.0, &[1.0]), format!("{allowed}[1.0]"));
        assert!(said(0.0, &[1.0, 2.0]).contains("frame_rate"));
    }
}
