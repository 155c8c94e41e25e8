//! Detection of the machine's vector instructions at run time, and the only `unsafe` code of the
//! room.
//!
//! A kernel is written once as a [`Work`], in safe Rust that the compiler can vectorize.
//! [`Isa::run`] compiles it for each instruction set and calls the best one of the machine. AVX2
//! and AVX-512 give the same bits: both fuse multiply and add, and the order of sums does not
//! depend on the width of the vectors.

/// The properties of an instruction set for a kernel.
pub trait Level {
    /// Whether [`fma`] is a single instruction. Otherwise it would be a slow library call, so it
    /// becomes a product and a sum.
    const FUSED: bool;
    /// The largest register tile.
    const TILE: Tile;
}

/// A register tile, in rows of one or two blocks of 16 lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tile {
    /// At most 6 x 16, for 16 registers of 8 lanes.
    Narrow,
    /// At most 12 x 32, for 32 registers of 16 lanes.
    Wide,
}

/// The target's baseline instructions.
pub struct Baseline;
/// AVX2: 8 lanes and fused multiply-add.
pub struct Avx2;
/// AVX-512: 16 lanes.
pub struct Avx512;

impl Level for Baseline {
    const FUSED: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));
    const TILE: Tile = Tile::Narrow;
}

impl Level for Avx2 {
    const FUSED: bool = true;
    const TILE: Tile = Tile::Narrow;
}

impl Level for Avx512 {
    const FUSED: bool = true;
    const TILE: Tile = Tile::Wide;
}

/// Computes `a * b + c`, rounded once if the instruction set can.
#[must_use]
#[inline(always)]
pub fn fma<L: Level>(a: f32, b: f32, c: f32) -> f32 {
    if L::FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// A kernel with its arguments. `run` and everything that it calls must be `#[inline(always)]`;
/// otherwise the compiler vectorizes it for the baseline only.
pub trait Work {
    /// The result of the kernel.
    type Output;
    /// Runs the kernel for one instruction set.
    fn run<L: Level>(self) -> Self::Output;
}

/// An instruction set that this machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Baseline,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// Returns every instruction set of this machine, the best last.
    #[must_use]
    pub fn available() -> Vec<Self> {
        #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "x86 adds levels"))]
        let mut levels = vec![Self(Kind::Baseline)];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            levels.push(Self(Kind::Avx2));
            if ["f", "dq", "bw", "vl"].iter().all(|part| has_avx512(part)) {
                levels.push(Self(Kind::Avx512));
            }
        }
        levels
    }

    /// Returns the best instruction set of this machine.
    #[must_use]
    pub fn best() -> Self {
        static BEST: std::sync::OnceLock<Isa> = std::sync::OnceLock::new();
        *BEST.get_or_init(|| *Self::available().last().expect("the baseline is always there"))
    }

    /// Returns `baseline`, `avx2` or `avx512`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Baseline => "baseline",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
        }
    }

    /// Runs `work` with this instruction set.
    #[inline]
    #[cfg_attr(
        target_arch = "x86_64",
        expect(
            unsafe_code,
            reason = "calls functions compiled for instructions found at run time"
        )
    )]
    pub fn run<W: Work>(self, work: W) -> W::Output {
        match self.0 {
            Kind::Baseline => work.run::<Baseline>(),
            // SAFETY: only `available` creates this value, after detecting avx2 and fma.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { run_avx2(work) },
            // SAFETY: only `available` creates this value, after detecting every feature of the
            // function.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { run_avx512(work) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn has_avx512(part: &str) -> bool {
    match part {
        "f" => is_x86_feature_detected!("avx512f"),
        "dq" => is_x86_feature_detected!("avx512dq"),
        "bw" => is_x86_feature_detected!("avx512bw"),
        _ => is_x86_feature_detected!("avx512vl"),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<W: Work>(work: W) -> W::Output {
    work.run::<Avx2>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512dq,avx512bw,avx512vl")]
fn run_avx512<W: Work>(work: W) -> W::Output {
    work.run::<Avx512>()
}
