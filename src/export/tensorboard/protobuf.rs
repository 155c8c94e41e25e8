//! Fields of a message -> bytes, as far as event files need it.
//!
//! # Source
//! The encoding of Protocol Buffers: a key of number and wire type, then a varint, a fixed width, or a length and bytes.

/// A message that is being written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Message(Vec<u8>);

impl Message {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// A whole number, an enumeration or a flag.
    pub(super) fn int(mut self, number: u32, value: u64) -> Self {
        self.key(number, 0);
        self.varint(value);
        self
    }

    pub(super) fn double(mut self, number: u32, value: f64) -> Self {
        self.key(number, 1);
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(super) fn float(mut self, number: u32, value: f32) -> Self {
        self.key(number, 5);
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(super) fn bytes(mut self, number: u32, value: &[u8]) -> Self {
        self.key(number, 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
        self
    }

    pub(super) fn text(self, number: u32, value: &str) -> Self {
        self.bytes(number, value.as_bytes())
    }

    /// A message inside of this one.
    pub(super) fn inner(self, number: u32, value: &Self) -> Self {
        self.bytes(number, &value.0)
    }

    fn key(&mut self, number: u32, wire_type: u32) {
        self.varint(u64::from(number << 3 | wire_type));
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_encoded_as_by_hand() {
        let inner = Message::new().text(2, "hi").int(1, 300);
        assert_eq!(inner.0, [0x12, 2, b'h', b'i', 0x08, 0xAC, 0x02]);
        let message = Message::new().float(2, 1.0).double(1, -2.0).inner(16, &inner);
        let wanted = [
            &[0x15, 0, 0, 0x80, 0x3F][..],
            &[0x09, 0, 0, 0, 0, 0, 0, 0, 0xC0],
            &[0x82, 0x01, 7, 0x12, 2, b'h', b'i', 0x08, 0xAC, 0x02],
        ];
        assert_eq!(message.into_bytes(), wanted.concat());
    }
}
