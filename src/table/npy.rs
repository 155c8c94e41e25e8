//! `.npy` files: arrays of little-endian 16- or 32-bit floats in C order, the first axis the examples.
//!
//! # Source
//! The format's description in NumPy, `numpy.lib.format` (versions 1.0, 2.0 and 3.0), and IEEE 754
//! for 16-bit floats.

use std::path::Path;

use super::TableError;

/// An array over the bytes of a file, row by row widened to 32 bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Npy<'a> {
    shape: Vec<usize>,
    dtype: Dtype,
    data: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dtype {
    F16,
    F32,
}

impl Dtype {
    fn size(self) -> usize {
        match self {
            Self::F16 => 2,
            Self::F32 => 4,
        }
    }
}

impl<'a> Npy<'a> {
    /// Reads the header of a file's bytes and checks that their number is what it says.
    ///
    /// # Errors
    /// Where the bytes are no `.npy` file, of another version, type or order, or cut short; `path` is
    /// named in the message.
    pub fn parse(path: &Path, bytes: &'a [u8]) -> Result<Self, TableError> {
        parse(bytes).map_err(|message| TableError::Unreadable { path: path.to_owned(), message })
    }

    /// The lengths of all axes, the first one the rows.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The length of the first axis.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.shape[0]
    }

    /// Numbers of one row: the product of all further axes.
    #[must_use]
    pub fn width(&self) -> usize {
        self.shape[1..].iter().product()
    }

    /// The numbers of one row, 16-bit floats widened without loss.
    ///
    /// # Panics
    /// Where `row` is not below [`Self::n_rows`].
    pub fn row(&self, row: usize) -> impl Iterator<Item = f32> + 'a {
        let (n_bytes, dtype) = (self.width() * self.dtype.size(), self.dtype);
        self.data[row * n_bytes..][..n_bytes].chunks_exact(dtype.size()).map(move |bytes| {
            match *bytes {
                [a, b] => widened(u16::from_le_bytes([a, b])),
                [a, b, c, d] => f32::from_le_bytes([a, b, c, d]),
                _ => unreachable!("a number has two or four bytes"),
            }
        })
    }
}

fn parse(bytes: &[u8]) -> Result<Npy<'_>, String> {
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or("is no .npy file: its first bytes differ")?;
    let cut = || "is cut short: it ends inside its header".to_owned();
    let (version, rest) = rest.split_at_checked(2).ok_or_else(cut)?;
    let (length, rest) = match version[0] {
        1 => {
            let (length, rest) = rest.split_first_chunk().ok_or_else(cut)?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        2 | 3 => {
            let (length, rest) = rest.split_first_chunk().ok_or_else(cut)?;
            (u32::from_le_bytes(*length) as usize, rest)
        }
        other => return Err(format!("is of .npy version {other}, and 1, 2 or 3 can be read")),
    };
    let (header, data) = rest.split_at_checked(length).ok_or_else(cut)?;
    let header = str::from_utf8(header).map_err(|_| "has a header that is no text".to_owned())?;
    let dtype = match value(header, "descr")?.as_str() {
        "'<f2'" => Dtype::F16,
        "'<f4'" => Dtype::F32,
        other => {
            let allowed = "'<f2' (float16) or '<f4' (float32), little-endian";
            return Err(format!("must hold {allowed}, got {other}"));
        }
    };
    match value(header, "fortran_order")?.as_str() {
        "False" => {}
        other => return Err(format!("must be in C order, got fortran_order {other}")),
    }
    let text = value(header, "shape")?;
    let axes = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    let axes = axes.map(|axes| axes.split(',').map(str::trim).filter(|axis| !axis.is_empty()));
    let shape: Option<Vec<usize>> =
        axes.and_then(|axes| axes.map(|axis| axis.parse().ok()).collect());
    let shape = shape
        .filter(|shape| !shape.is_empty())
        .ok_or_else(|| format!("must have a shape whose first axis is the examples, got {text}"))?;
    let n_bytes = shape.iter().try_fold(dtype.size(), |n, &axis| n.checked_mul(axis));
    if n_bytes != Some(data.len()) {
        let wanted = n_bytes.map_or("more bytes than there can be".to_owned(), |n| n.to_string());
        let got = data.len();
        return Err(format!("must have {wanted} bytes of numbers for its shape {text}, got {got}"));
    }
    Ok(Npy { shape, dtype, data })
}

/// The value of one key of the header, which is a dictionary as Python prints it.
fn value(header: &str, key: &str) -> Result<String, String> {
    let quoted = format!("'{key}':");
    let start = header.find(&quoted).ok_or_else(|| format!("has a header without {key}"))?;
    let rest = header[start + quoted.len()..].trim_start();
    let closing = match rest.chars().next() {
        Some('(') => ')',
        Some('[') => ']',
        _ => ',',
    };
    let end = rest.find(closing).ok_or_else(|| format!("has a header whose {key} has no end"))?;
    let end = if closing == ',' { end } else { end + 1 };
    Ok(rest[..end].trim_end().to_owned())
}

/// The number that 16 bits stand for: one of sign, five of exponent, ten of fraction.
fn widened(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let (exponent, fraction) = (u32::from(bits >> 10) & 0x1f, u32::from(bits) & 0x3ff);
    match exponent {
        // Zero and subnormal numbers are multiples of 2^-24, which 32 bits hold exactly.
        0 => {
            let magnitude = fraction as f32 * f32::from_bits(0x3380_0000);
            f32::from_bits(magnitude.to_bits() | sign)
        }
        0x1f => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn golden(name: &str) -> Vec<u8> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        std::fs::read(folder.join(name)).unwrap()
    }

    fn said(bytes: &[u8]) -> String {
        Npy::parse(Path::new("x.npy"), bytes).unwrap_err().to_string()
    }

    #[test]
    fn what_numpy_writes_comes_back_in_all_three_versions() {
        for name in ["npy_f4_v1.npy", "npy_f4_v2.npy", "npy_f4_v3.npy"] {
            let bytes = golden(name);
            let npy = Npy::parse(Path::new(name), &bytes).unwrap();
            assert_eq!(npy.shape(), [2, 3, 2], "{name}");
            assert_eq!((npy.n_rows(), npy.width()), (2, 6));
            assert_eq!(npy.row(1).collect::<Vec<_>>(), [3.0, 3.5, 4.0, 4.5, 5.0, -5.5], "{name}");
        }
        let bytes = golden("npy_f2_v1.npy");
        let npy = Npy::parse(Path::new("f2"), &bytes).unwrap();
        assert_eq!(npy.shape(), [2, 3]);
        assert_eq!(npy.row(0).collect::<Vec<_>>(), [1.0, -2.0, 65_504.0]);
        // The least subnormal number, a third as 16 bits have it, minus infinity.
        assert_eq!(
            npy.row(1).collect::<Vec<_>>(),
            [5.960_464_5e-8, 0.333_251_95, f32::NEG_INFINITY]
        );
    }

    #[test]
    fn what_is_no_array_of_ours_is_named_with_what_is_allowed() {
        assert_eq!(
            said(&golden("npy_f8.npy")),
            "x.npy: must hold '<f2' (float16) or '<f4' (float32), little-endian, got '<f8'"
        );
        assert_eq!(
            said(&golden("npy_fortran.npy")),
            "x.npy: must be in C order, got fortran_order True"
        );
        let whole = golden("npy_f4_v1.npy");
        assert_eq!(
            said(&whole[..whole.len() - 1]),
            "x.npy: must have 48 bytes of numbers for its shape (2, 3, 2), got 47"
        );
        assert_eq!(said(&whole[..20]), "x.npy: is cut short: it ends inside its header");
        assert_eq!(said(b"PK\x03\x04"), "x.npy: is no .npy file: its first bytes differ");
        let mut newer = whole.clone();
        newer[6] = 4;
        assert_eq!(said(&newer), "x.npy: is of .npy version 4, and 1, 2 or 3 can be read");
    }

    #[test]
    fn every_16_bit_float_is_widened_to_its_number() {
        for bits in 0..=u16::MAX {
            let (sign, exponent, fraction) =
                (bits >> 15, i32::from(bits >> 10 & 0x1f), bits & 0x3ff);
            let sign = if sign == 1 { -1.0 } else { 1.0 };
            let fraction = f64::from(fraction) / 1024.0;
            let number = match exponent {
                0 => fraction * 2f64.powi(-14),
                0x1f if fraction == 0.0 => f64::INFINITY,
                0x1f => f64::NAN,
                _ => (1.0 + fraction) * 2f64.powi(exponent - 15),
            };
            let got = f64::from(widened(bits));
            assert!(got == sign * number || got.is_nan() && number.is_nan(), "{bits:#x}: {got}");
            assert_eq!(got.is_sign_negative(), sign < 0.0, "{bits:#x}");
        }
    }

    proptest::proptest! {
        #[test]
        fn damaged_bytes_are_an_error_or_an_array_and_never_a_panic(
            at in 0..176usize, byte: u8, length in 0..177usize,
        ) {
            let mut bytes = golden("npy_f4_v1.npy");
            bytes[at] = byte;
            bytes.truncate(length);
            if let Ok(npy) = Npy::parse(Path::new("x"), &bytes) {
                for row in 0..npy.n_rows().min(100) {
                    proptest::prop_assert_eq!(npy.row(row).count(), npy.width());
                }
            }
        }
    }
}
