//! Thrift's compact protocol, as far as the head and foot of a Parquet file need it: writing.
//!
//! # Source
//! Apache Thrift, `doc/specs/thrift-compact-protocol.md`.

const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// A struct that is being written: fields by ascending number.
#[derive(Default)]
pub(super) struct Struct {
    bytes: Vec<u8>,
    last: u8,
}

impl Struct {
    pub(super) fn int(self, field: u8, value: i32) -> Self {
        let mut this = self.field(field, I32);
        zigzag(&mut this.bytes, value.into());
        this
    }

    pub(super) fn long(self, field: u8, value: usize) -> Self {
        let mut this = self.field(field, I64);
        zigzag(&mut this.bytes, value as i64);
        this
    }

    pub(super) fn text(self, field: u8, value: &str) -> Self {
        let mut this = self.field(field, BINARY);
        binary(&mut this.bytes, value);
        this
    }

    pub(super) fn inner(self, field: u8, value: Self) -> Self {
        let mut this = self.field(field, STRUCT);
        this.bytes.extend(value.end());
        this
    }

    pub(super) fn ints(self, field: u8, values: &[i32]) -> Self {
        let mut this = self.list(field, I32, values.len());
        values.iter().for_each(|value| zigzag(&mut this.bytes, (*value).into()));
        this
    }

    pub(super) fn texts(self, field: u8, values: &[&str]) -> Self {
        let mut this = self.list(field, BINARY, values.len());
        values.iter().for_each(|value| binary(&mut this.bytes, value));
        this
    }

    pub(super) fn inners(self, field: u8, values: Vec<Self>) -> Self {
        let mut this = self.list(field, STRUCT, values.len());
        this.bytes.extend(values.into_iter().flat_map(Self::end));
        this
    }

    /// The bytes, with the sign that no field follows.
    pub(super) fn end(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }

    fn field(mut self, field: u8, kind: u8) -> Self {
        let step = field - self.last;
        assert!(
            (1..=15).contains(&step),
            "fields are written by ascending number, near each other"
        );
        self.bytes.push(step << 4 | kind);
        self.last = field;
        self
    }

    fn list(self, field: u8, kind: u8, n: usize) -> Self {
        let mut this = self.field(field, LIST);
        if n < 15 {
            this.bytes.push((n as u8) << 4 | kind);
        } else {
            this.bytes.push(0xF0 | kind);
            varint(&mut this.bytes, n as u64);
        }
        this
    }
}

/// Seven bits a byte, the low ones first; the eighth says that more follow.
pub(super) fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn zigzag(bytes: &mut Vec<u8>, value: i64) {
    varint(bytes, (value << 1 ^ value >> 63) as u64);
}

fn binary(bytes: &mut Vec<u8>, text: &str) {
    varint(bytes, text.len() as u64);
    bytes.extend(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_specification_s() {
        let bytes = |value| {
            let mut bytes = vec![];
            zigzag(&mut bytes, value);
            bytes
        };
        assert_eq!(
            (bytes(0), bytes(-1), bytes(1), bytes(-2)),
            (vec![0], vec![1], vec![2], vec![3])
        );
        let mut fifty = vec![];
        varint(&mut fifty, 50_399);
        assert_eq!(fifty, [0xDF, 0x89, 0x03]);
    }

    #[test]
    fn a_struct_is_its_fields_and_an_end() {
        let inner = Struct::default().text(1, "ab");
        let bytes = Struct::default().int(1, 3).inner(4, inner).ints(5, &[0; 15]).end();
        let mut wanted = vec![0x15, 6, 0x3C, 0x18, 2, b'a', b'b', 0, 0x19, 0xF5, 15];
        wanted.extend([0; 16]);
        assert_eq!(bytes, wanted);
    }
}
