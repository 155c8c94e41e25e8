//! Statistics over time as by hand, and settings that are refused.

use super::*;

const ALL: [BandStatistic; 6] = [
    BandStatistic::Mean,
    BandStatistic::Deviation,
    BandStatistic::Skewness,
    BandStatistic::Delta,
    BandStatistic::Correlation,
    BandStatistic::Modulation,
];

fn settings() -> BandStatisticsSettings {
    BandStatisticsSettings {
        n_bands: 4,
        frame_rate_hz: 8.0,
        bands: ALL.to_vec(),
        mfcc: vec![],
        n_mfcc: 1,
        n_groups: 2,
        modulation_hz: vec![0.5, 1.5, 4.0],
    }
}

fn compute(settings: &BandStatisticsSettings, frames: &[f32]) -> Vec<(String, f32)> {
    let plan = BandStatistics::new(settings).unwrap();
    let names = plan.names();
    let mut out = vec![f32::NAN; names.len()];
    plan.compute(&mut BandBuffers::default(), frames, &mut out);
    names.into_iter().zip(out).collect()
}

fn of(found: &[(String, f32)], name: &str) -> f32 {
    found.iter().find(|(other, _)| other == name).unwrap_or_else(|| panic!("no {name}")).1
}

#[test]
fn every_statistic_is_as_by_hand() {
    // Band 1 is 0, 0, 0, 4; band 2 the same; band 3 the opposite; band 4 constant.
    let frames: Vec<f32> = [0.0, 0.0, 0.0, 4.0].iter().flat_map(|&x| [x, x, -x, 3.0]).collect();
    let found = compute(&settings(), &frames);
    let three = 3_f32.sqrt();
    for (name, wanted) in [
        ("band1_mean", 1.0),
        ("band4_mean", 3.0),
        ("band1_deviation", three),
        ("band4_deviation", 0.0),
        // The mean of -1, -1, -1 and 27 over the deviation cubed.
        ("band1_skewness", 6.0 / (3.0 * three)),
        ("band3_skewness", -6.0 / (3.0 * three)),
        ("band4_skewness", 0.0),
        // Of 0, 0, 4: mean square 16 / 3, mean 4 / 3.
        ("band1_delta", (16.0_f32 / 3.0 - 16.0 / 9.0).sqrt()),
        ("group1_group2_correlation", -1.0),
    ] {
        assert!((of(&found, name) - wanted).abs() < 1e-6, "{name}: {} {wanted}", of(&found, name));
    }
    let names = "group2_correlation group1_modulation_0.5_1.5 group1_modulation_1.5_4 \
                 group2_modulation_0.5_1.5 group2_modulation_1.5_4";
    let all: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert!(all.join(" ").ends_with(names), "{all:?}");
    assert_eq!(found.len(), 4 * 4 + 1 + 4);
    assert_eq!(BandStatistics::new(&settings()).unwrap().parts(), [4, 4, 4, 4, 1, 4]);
}

#[test]
fn groups_are_means_of_neighbors_and_mfccs_those_of_the_bands() {
    let settings = BandStatisticsSettings {
        bands: vec![BandStatistic::Modulation],
        mfcc: vec![BandStatistic::Mean, BandStatistic::Correlation],
        n_mfcc: 3,
        n_bands: 5,
        ..settings()
    };
    // Groups of two and three bands: their sums waver against each other, each mean is even.
    let frames: Vec<f32> =
        (0..32).flat_map(|i| [1.0, -1.0, 2.0, -1.0, -1.0].map(|x| x * (i % 4) as f32)).collect();
    let found = compute(&settings, &frames);
    assert!(found[..4].iter().all(|(_, db)| (db + 30.0).abs() < 1e-3), "{found:?}");
    assert!(of(&found, "mfcc1_mean").abs() < 1e-6);
    assert!(found.iter().any(|(name, _)| name == "mfcc2_mfcc3_correlation"));
    assert_eq!(found.len(), 2 * 2 + 3 + 3);
}

#[test]
fn a_single_frame_and_silence_have_finite_statistics() {
    let settings = BandStatisticsSettings { mfcc: ALL.to_vec(), n_mfcc: 4, ..settings() };
    for n_frames in [1, 2, 40] {
        let found = compute(&settings, &vec![-80.0; 4 * n_frames]);
        assert!(found.iter().all(|(_, value)| value.is_finite()), "{found:?}");
    }
}

#[test]
fn settings_out_of_range_are_refused() {
    let said = |settings| BandStatistics::new(&settings).unwrap_err().to_string();
    assert_eq!(
        said(BandStatisticsSettings { n_groups: 5, ..settings() }),
        "band_statistics.n_groups must be in [1, 4], the number of bands, found 5"
    );
    assert!(said(BandStatisticsSettings { n_mfcc: 0, ..settings() }).contains("n_mfcc"));
}
