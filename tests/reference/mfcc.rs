//! Compares the MFCCs of 999 segments of real music with librosa 0.11.0.

use std::{fs, path::Path};

use encore::audio::{Mfcc, MfccSettings, Workspace, decode};

const SEGMENT_SAMPLES: usize = 66_150;
const N_VALUES: usize = 130 * 13;
const TOLERANCE: f32 = 5e-4;

#[test]
#[ignore = "needs the real data that ENCORE_TEST_DATA names"]
fn mfccs_of_gtzan_mini_equal_librosas() {
    let folder = super::data();
    let reference = read_npy_f32(&folder.join("reference/gtzan-mini.mfcc13.npy"));
    let segments = fs::read_to_string(folder.join("reference/gtzan-mini.segments.csv"))
        .expect("the reference folder has its list of segments");
    let plan = Mfcc::new(&MfccSettings { n_mfcc: 13, ..Default::default() }).expect("valid");
    let mut workspace = Workspace::new();
    let mut mfcc = vec![0.0; N_VALUES];
    let mut track = (String::new(), Vec::new());
    let (mut n_segments, mut worst) = (0, 0.0_f32);
    for line in segments.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let &[row, name, segment, genre] = fields.as_slice() else { panic!("bad line {line}") };
        if track.0 != name {
            let path = folder.join(format!("gtzan-mini/{genre}/{name}.flac"));
            track = (name.to_owned(), decode(path).expect("the clip decodes").samples);
        }
        let (row, segment): (usize, usize) =
            (row.parse().expect("a row number"), segment.parse().expect("a segment number"));
        let samples = &track.1[segment * SEGMENT_SAMPLES..];
        let samples = &samples[..samples.len().min(SEGMENT_SAMPLES)];
        plan.compute(&mut workspace, samples, &mut mfcc);
        for (got, wanted) in mfcc.iter().zip(&reference[row * N_VALUES..][..N_VALUES]) {
            worst = worst.max((got - wanted).abs());
        }
        n_segments += 1;
    }
    eprintln!("{n_segments} segments, largest difference {worst:e}");
    assert_eq!(n_segments, 999);
    assert!(worst <= TOLERANCE, "largest difference {worst:e}, allowed {TOLERANCE:e}");
}

fn read_npy_f32(path: &Path) -> Vec<f32> {
    let bytes = fs::read(path).expect("the reference folder has its arrays");
    assert_eq!(&bytes[..6], b"\x93NUMPY");
    let header_end = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = String::from_utf8_lossy(&bytes[10..header_end]);
    assert!(header.contains("'<f4'") && header.contains("'fortran_order': False"), "{header}");
    bytes[header_end..].as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect()
}
