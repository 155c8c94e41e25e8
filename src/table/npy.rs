//! `.npy` files: arrays of 16-, 32- or 64-bit floats of either byte order in C order, the first axis the
//! examples (npyz reads them).

use std::path::Path;

use npyz::half::f16;
use npyz::{DType, Deserialize, NpyHeader, Order, TypeChar, TypeRead};

use super::TableError;
use super::npy_write::shape_text;

/// An array over the bytes of a file, row by row as 32-bit floats.
#[derive(Debug, Clone, PartialEq)]
pub struct Npy<'a> {
    shape: Vec<usize>,
    dtype: DType,
    n_bytes: usize,
    data: &'a [u8],
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

    /// Bytes of one number: 2, 4 or 8.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        self.n_bytes
    }

    /// The numbers of one row: 16-bit floats widened without loss, 64-bit floats rounded to the nearest.
    ///
    /// # Panics
    /// Where `row` is not below [`Self::n_rows`].
    pub fn row(&self, row: usize) -> impl Iterator<Item = f32> + use<> {
        let n_bytes = self.width() * self.n_bytes;
        let bytes = &self.data[row * n_bytes..][..n_bytes];
        let numbers = match self.n_bytes {
            2 => numbers::<f16>(&self.dtype, bytes, f16::to_f32),
            4 => numbers::<f32>(&self.dtype, bytes, |x| x),
            _ => numbers::<f64>(&self.dtype, bytes, |x| x as f32),
        };
        numbers.into_iter()
    }
}

fn numbers<T: Deserialize>(dtype: &DType, mut bytes: &[u8], single: fn(T) -> f32) -> Vec<f32> {
    let reader = T::reader(dtype).expect("the type is the header's");
    let n = bytes.len() / size_of::<T>();
    let mut next = || reader.read_one(&mut bytes).expect("bytes are whole numbers");
    (0..n).map(|_| single(next())).collect()
}

/// npyz needs time exponential in the depth of nested dictionaries. A header is one dictionary; types of types
/// nest lists and tuples, but not many.
const MOST_NESTED: usize = 8;

/// The header of a file, as far as it is there: its length is a 16-bit number in version 1, and a 32-bit one after.
fn header_text(bytes: &[u8]) -> &[u8] {
    let n_of_length = if bytes.get(6) == Some(&1) { 2 } else { 4 };
    let length = bytes.get(8..8 + n_of_length).unwrap_or_default();
    let length = length.iter().rev().fold(0, |length, &byte| (length << 8) | usize::from(byte));
    let text = bytes.get(8 + n_of_length..).unwrap_or_default();
    &text[..length.min(text.len())]
}

/// How deep brackets are nested at most.
fn nesting(text: &[u8]) -> usize {
    let (mut depth, mut most) = (0_usize, 0);
    for byte in text {
        match byte {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        most = most.max(depth);
    }
    most
}

fn parse(bytes: &[u8]) -> Result<Npy<'_>, String> {
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or("is no .npy file: its first bytes differ")?;
    if let Some(version) = rest.first().filter(|version| !(1..=3).contains(*version)) {
        return Err(format!("is of .npy version {version}, and 1, 2 or 3 can be read"));
    }
    let text = header_text(bytes);
    let n_dictionaries = memchr::memchr_iter(b'{', text).count();
    let depth = nesting(text);
    if n_dictionaries > 1 || depth > MOST_NESTED {
        return Err(format!(
            "has a header that can't be read: expected one dictionary with at most {MOST_NESTED} nested brackets, \
             found {n_dictionaries} with {depth}"
        ));
    }
    let mut data = bytes;
    let header = NpyHeader::from_reader(&mut data).map_err(|error| {
        if rest.len() < 2 || error.kind() == std::io::ErrorKind::UnexpectedEof {
            "is cut short: it ends inside its header".to_owned()
        } else {
            format!("has a header that can't be read: {error}")
        }
    })?;
    let dtype = header.dtype();
    let n_bytes = match &dtype {
        DType::Plain(plain) if plain.type_char() == TypeChar::Float => plain.num_bytes(),
        _ => None,
    };
    let n_bytes = n_bytes.filter(|n_bytes| [2, 4, 8].contains(n_bytes)).ok_or_else(|| {
        let allowed = "'<f2' (float16), '<f4' (float32) or '<f8' (float64), or '>' for big-endian";
        format!("must hold {allowed}, got {}", dtype.descr())
    })?;
    if header.order() != Order::C {
        return Err("must be in C order, got fortran_order True".to_owned());
    }
    let shape: Vec<usize> = header.shape().iter().map(|&axis| axis as usize).collect();
    let text = shape_text(&shape);
    if shape.is_empty() {
        return Err(format!("must have a shape whose first axis is the examples, got {text}"));
    }
    let n_all = shape.iter().try_fold(n_bytes, |n, &axis| n.checked_mul(axis));
    if n_all != Some(data.len()) {
        let wanted = n_all.map_or("more bytes than there can be".to_owned(), |n| n.to_string());
        let got = data.len();
        return Err(format!("must have {wanted} bytes of numbers for its shape {text}, got {got}"));
    }
    Ok(Npy { shape, dtype, n_bytes, data })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn golden(name: &str) -> Vec<u8> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        std::fs::read(folder.join(name)).unwrap()
    }

    /// A file of version 1.
    fn array(dtype: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let header =
            format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n");
        let length = (header.len() as u16).to_le_bytes();
        [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
    }

    fn said(bytes: &[u8]) -> String {
        Npy::parse(Path::new("x.npy"), bytes).unwrap_err().to_string()
    }

    #[test]
    fn nested_brackets_take_no_time() {
        // The header itself is one dictionary.
        let nested = |n: usize, open: &str| said(&array("<f4", &open.repeat(n), &[]));
        for open in ["[", "("] {
            let message = nested(100, open);
            assert!(message.contains("nested brackets, found 1 with 101"), "{message}");
            let message = nested(7, open);
            assert!(message.contains("can't be read") && !message.contains("nested"), "{message}");
        }
        for n in [1, 100] {
            let message = nested(n, "{");
            let found = format!("nested brackets, found {0} with {0}", n + 1);
            assert!(message.contains(&found), "{message}");
        }
        // Of versions 2 and 3.
        let text = [b"\x93NUMPY\x02\x00\x64\x00\x00\x00".as_slice(), &[b'{'; 100]].concat();
        assert!(said(&text).contains("found 100 with 100"));
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
            said(&array("<i4", "(2,)", &[0; 8])),
            "x.npy: must hold '<f2' (float16), '<f4' (float32) or '<f8' (float64), or '>' for big-endian, \
             got '<i4'"
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
        let data: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_be_bytes).collect();
        let file = array(">f2", "(65536,)", &data);
        let npy = Npy::parse(Path::new("x"), &file).unwrap();
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
            let got = f64::from(npy.row(usize::from(bits)).next().unwrap());
            assert!(got == sign * number || got.is_nan() && number.is_nan(), "{bits:#x}: {got}");
            assert_eq!(got.is_sign_negative(), sign < 0.0, "{bits:#x}");
        }
    }

    #[test]
    fn wide_and_big_endian_numbers_are_read() {
        let bytes = golden("npy_f8.npy");
        let npy = Npy::parse(Path::new("f8"), &bytes).unwrap();
        assert_eq!(npy.row(0).count(), npy.width());
        let numbers = [1.0 / 3.0, -2.5, 1e300];
        let rounded = numbers.map(|x: f64| x as f32);
        let little: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        let big: Vec<u8> = numbers.iter().flat_map(|x| x.to_be_bytes()).collect();
        let single: Vec<u8> = rounded.iter().flat_map(|x| x.to_be_bytes()).collect();
        for (dtype, data) in [("<f8", little), (">f8", big), (">f4", single)] {
            let file = array(dtype, "(1, 3)", &data);
            let npy = Npy::parse(Path::new("x"), &file).unwrap();
            assert_eq!(npy.row(0).collect::<Vec<_>>(), rounded, "{dtype}");
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
