//! Randomly mutated files: no input makes decoding panic, hang or return anything but audio.

use std::{
    env, fs,
    panic::{self, AssertUnwindSafe},
    sync::LazyLock,
    time::{Duration, Instant},
};

use proptest::{prelude::*, sample::Index};

use super::{
    super::AudioError,
    tests::{GOLDEN, decode_bytes, golden},
};

/// Encodings of wav, which share one container.
const WAV: [&str; 4] = ["tone_u8.wav", "tone_s24.wav", "tone_f32.wav", "tone_extensible.wav"];

static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let read = |name: &&str| fs::read(golden(name)).expect("the golden file is there");
    GOLDEN.iter().chain(&WAV).map(read).collect()
});

/// Values for lengths, counts and rates: those that overflow, wrap or mean "open".
const EXTREMES: [u32; 10] =
    [0, 1, 2, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];

/// Far longer than any of these small files takes.
const MOST: Duration = Duration::from_secs(20);

#[derive(Debug, Clone)]
enum Mutation {
    Byte {
        at: Index,
        to: u8,
    },
    Bit {
        at: Index,
        bit: u8,
    },
    /// Headers are short: without these, most mutations would hit samples.
    HeaderByte {
        at: usize,
        to: u8,
    },
    HeaderWord {
        at: usize,
        to: u32,
        n_bytes: usize,
        is_big_endian: bool,
    },
    Cut {
        at: Index,
    },
    Remove {
        at: Index,
        n: usize,
    },
    Insert {
        at: Index,
        bytes: Vec<u8>,
    },
    Repeat {
        at: Index,
        n: usize,
    },
}

impl Mutation {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let len = bytes.len();
        if len == 0 {
            return;
        }
        match self {
            Self::Byte { at, to } => bytes[at.index(len)] = *to,
            Self::Bit { at, bit } => bytes[at.index(len)] ^= 1 << bit,
            Self::HeaderByte { at, to } => bytes[at % len] = *to,
            Self::HeaderWord { at, to, n_bytes, is_big_endian } => {
                let word = if *is_big_endian { to.to_be_bytes() } else { to.to_le_bytes() };
                let word = if *is_big_endian { &word[4 - n_bytes..] } else { &word[..*n_bytes] };
                bytes.iter_mut().skip(*at).zip(word).for_each(|(byte, new)| *byte = *new);
            }
            Self::Cut { at } => bytes.truncate(at.index(len)),
            Self::Remove { at, n } => {
                let at = at.index(len);
                bytes.drain(at..(at + n).min(len));
            }
            Self::Insert { at, bytes: new } => {
                let at = at.index(len);
                bytes.splice(at..at, new.iter().copied());
            }
            Self::Repeat { at, n } => {
                let at = at.index(len);
                let again = bytes[at..(at + n).min(len)].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<Index>;
    let extreme = prop::sample::select(EXTREMES.as_slice());
    prop_oneof![
        2 => (at(), any::<u8>()).prop_map(|(at, to)| Mutation::Byte { at, to }),
        2 => (at(), 0..8_u8).prop_map(|(at, bit)| Mutation::Bit { at, bit }),
        3 => (0..128_usize, any::<u8>()).prop_map(|(at, to)| Mutation::HeaderByte { at, to }),
        4 => (0..900_usize, extreme, 1..=4_usize, any::<bool>()).prop_map(
            |(at, to, n_bytes, is_big_endian)| Mutation::HeaderWord { at, to, n_bytes, is_big_endian }
        ),
        1 => at().prop_map(|at| Mutation::Cut { at }),
        1 => (at(), 1..300_usize).prop_map(|(at, n)| Mutation::Remove { at, n }),
        1 => (at(), prop::collection::vec(any::<u8>(), 1..40))
            .prop_map(|(at, bytes)| Mutation::Insert { at, bytes }),
        1 => (at(), 1..600_usize).prop_map(|(at, n)| Mutation::Repeat { at, n }),
    ]
}

/// Corrects the checksums: a wrong one would keep most mutations from the parsers behind it.
fn mend_checksums(bytes: &mut [u8]) {
    if bytes.starts_with(b"OggS") {
        super::ogg::mend_checksums(bytes);
    }
}

/// `ENCORE_CASES=50000 cargo test --release --lib mutated` tries more cases.
fn n_cases() -> u32 {
    env::var("ENCORE_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(1200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(n_cases()))]

    #[test]
    fn a_mutated_file_is_audio_or_a_stated_error(
        file in 0..GOLDEN.len() + WAV.len(),
        mutations in prop::collection::vec(mutation(), 1..5),
        is_mended in any::<bool>(),
    ) {
        let mut bytes = FILES[file].clone();
        mutations.iter().for_each(|mutation| mutation.apply(&mut bytes));
        if is_mended {
            mend_checksums(&mut bytes);
        }
        let start = Instant::now();
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| decode_bytes("mutated", &bytes)));
        // This is not a test of speed: it catches a loop over a count of four billion.
        prop_assert!(start.elapsed() < MOST, "took {:?}", start.elapsed());
        match outcome {
            Err(_) => prop_assert!(false, "decoding panics"),
            Ok(Ok(waveform)) => {
                prop_assert!(!waveform.samples.is_empty());
                prop_assert!(waveform.samples.iter().all(|sample| sample.is_finite()));
            }
            Ok(Err(AudioError::Unreadable { reason, .. })) => {
                prop_assert!(false, "the file can be read, but: {reason}");
            }
            Ok(Err(error)) => prop_assert!(error.to_string().contains("hint: ")),
        }
    }
}

#[test]
fn a_panic_of_the_decoder_is_damage() {
    // A vorbis codebook with more dimensions than its entries allow: an assertion of symphonia 0.6.1 fails.
    let mut bytes = fs::read(golden("tone.ogg")).expect("the golden file is there");
    bytes[1220] ^= 1;
    mend_checksums(&mut bytes);
    match decode_bytes("a.ogg", &bytes) {
        Err(AudioError::Damaged { fault, .. }) => {
            assert!(fault.starts_with("the decoder failed (assertion failed"), "{fault}");
        }
        other => panic!("{:?}", other.map(|waveform| waveform.samples.len())),
    }
}
