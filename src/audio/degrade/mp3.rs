//! `mp3`: lossy encoding with a real encoder.

use rusty_mp3::{Mp3Decoder, Mp3Encoder, Mp3EncoderConfig};

use super::{Entry, Numbers, Parameter};
use crate::audio::{Waveform, resample};

pub(super) const MP3: Entry = Entry {
    name: "mp3",
    doc: "MP3 encoding at a constant bit rate and decoding, without delay",
    parameters: &[Parameter {
        name: "bitrate_kbps",
        doc: "bit rate per channel; rounded to the nearest one of the format",
        low: 8.0,
        high: 320.0,
        numbers: Numbers::Whole,
        default: None,
    }],
    run: |values, waveform, _| there_and_back(waveform, values[0] as u32),
};

/// The sample rates of MPEG-1, MPEG-2 and its extension to low rates, in Hz.
const RATES_HZ: [u32; 9] = [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];

/// Number of samples in the output before the first one of the input: 528 of the encoder and 529 of
/// every decoder's filter bank.
const DELAY: usize = rusty_mp3::encode::lametag::ENCODER_DELAY + 529;

/// The encoder behaves differently with less than a frame, so the input is padded to a whole one.
const FRAME: usize = 1152;

/// Encodes and decodes. Rates outside the format are replaced by its next one, as players and
/// converters do.
fn there_and_back(waveform: &Waveform, bitrate_kbps: u32) -> Vec<f32> {
    const IN_RANGE: &str = "the rates of mp3 are in range, as is one that was decoded";
    let n_samples = waveform.samples.len();
    let rate_hz = waveform.sample_rate_hz;
    let coded_hz = *RATES_HZ.iter().find(|rate| **rate >= rate_hz).unwrap_or(&48_000);
    let mut coded = resample(waveform, coded_hz).expect(IN_RANGE);
    coded.samples = code(coded.samples, coded_hz, bitrate_kbps);
    let mut samples = resample(&coded, rate_hz).expect(IN_RANGE).samples;
    samples.resize(n_samples, 0.0);
    samples
}

fn code(mut samples: Vec<f32>, rate_hz: u32, bitrate_kbps: u32) -> Vec<f32> {
    let n_samples = samples.len();
    samples.resize(n_samples.max(FRAME), 0.0);
    let config = Mp3EncoderConfig { bitrate_kbps, vbr_quality: None };
    let mut encoder = Mp3Encoder::new(config);
    encoder.push_pcm_f32(&samples, 1, rate_hz).expect("the rate is one of the format's");
    encoder.finish();
    let mut decoder = Mp3Decoder::new();
    // The first packet is a tag, which decoders without support for it play as silence.
    let mut packets = std::iter::from_fn(|| encoder.next_packet().ok()).skip(1);
    let mut decoded = Vec::with_capacity(samples.len() + 4 * FRAME);
    loop {
        let is_last = match packets.next() {
            Some(packet) => {
                decoder.push(&packet);
                false
            }
            None => {
                decoder.flush();
                true
            }
        };
        // This only fails if it needs the next packet, or at the end, because the packets are
        // complete.
        while let Ok(frame) = decoder.next_frame() {
            decoded.extend_from_slice(&frame.samples);
        }
        if is_last {
            break;
        }
    }
    decoded.drain(..DELAY.min(decoded.len()));
    decoded.resize(n_samples, 0.0);
    decoded
}

#[cfg(test)]
mod tests {
    use super::super::{
        power,
        tests::{apply, band_power_db, music, tone},
    };
    use super::*;

    fn snr_db(before: &Waveform, after: &Waveform) -> f64 {
        let error: Vec<f32> =
            after.samples.iter().zip(&before.samples).map(|(a, b)| a - b).collect();
        10.0 * (power(&before.samples) / power(&error)).log10()
    }

    #[test]
    fn it_comes_back_in_time_and_the_better_the_more_bits_it_has() {
        let music = music();
        let ratios = [16, 32, 64, 160]
            .map(|k| snr_db(&music, &apply(&format!("mp3 bitrate_kbps={k}"), &music)));
        assert!(ratios.is_sorted() && ratios[0] > 3.0 && ratios[3] > 20.0, "{ratios:?}");
        // With an error of one sample, a tone of 4 kHz would reach no better than -0.8 dB.
        let tone = tone(4000.0, 0.5);
        let ratio = snr_db(&tone, &apply("mp3 bitrate_kbps=128", &tone));
        assert!(ratio > 30.0, "{ratio} dB");
    }

    #[test]
    fn few_bits_take_the_upper_band() {
        let music = music();
        let high = |w: &Waveform| band_power_db(w, 8000.0, 11_000.0);
        let lost = high(&music) - high(&apply("mp3 bitrate_kbps=16", &music));
        assert!(lost > 6.0, "{lost} dB");
    }

    #[test]
    fn a_rate_that_the_format_lacks_goes_by_the_next() {
        let mut music = music();
        for rate_hz in [4000, 18_900, 96_000] {
            music.sample_rate_hz = rate_hz;
            let coded = apply("mp3 bitrate_kbps=160", &music);
            let ratio = snr_db(&music, &coded);
            assert!(ratio > 15.0, "{rate_hz} Hz: {ratio} dB");
        }
    }
}
