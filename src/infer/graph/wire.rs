//! The wire format of protocol buffers, read in place: nothing is allocated, nothing is trusted.
//! Source: <https://protobuf.dev/programming-guides/encoding/>.

/// What is wrong with the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WireError {
    /// They end in the middle of a field.
    Truncated,
    /// They are no protocol buffer.
    Malformed(&'static str),
}

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    /// Integers, enums and truth values.
    Varint(u64),
    /// Strings, bytes, nested messages and packed numbers.
    Bytes(&'a [u8]),
    /// Fixed-width numbers; none of them matters here.
    Fixed,
}

/// The fields of one message, in the order of the bytes.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn varint(&mut self) -> Result<u64, WireError> {
        let mut value = 0u64;
        for place in 0..10u32 {
            let (byte, rest) = self.rest.split_first().ok_or(WireError::Truncated)?;
            self.rest = rest;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte holds one bit of 64.
            if place == 9 && bits > 1 {
                return Err(WireError::Malformed("a number has more than 64 bits"));
            }
            value |= bits << (7 * place);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(WireError::Malformed("a number has more than ten bytes"))
    }

    fn take(&mut self, count: u64) -> Result<&'a [u8], WireError> {
        let count = usize::try_from(count).map_err(|_| WireError::Truncated)?;
        let (head, rest) = self.rest.split_at_checked(count).ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(head)
    }

    fn field(&mut self) -> Result<(u64, Value<'a>), WireError> {
        let key = self.varint()?;
        let number = key >> 3;
        if number == 0 || number > 0x1fff_ffff {
            return Err(WireError::Malformed("a field number is out of range"));
        }
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let count = self.varint()?;
                Value::Bytes(self.take(count)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            _ => return Err(WireError::Malformed("a field has an unknown wire type")),
        };
        Ok((number, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), WireError>;

    /// Ends after the first error.
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

/// The numbers of a repeated integer field, which writers may or may not pack into one run of bytes.
pub(super) fn integers(value: Value<'_>) -> impl Iterator<Item = Result<u64, WireError>> {
    let (one, packed) = match value {
        Value::Varint(v) => (Some(Ok(v)), &[][..]),
        Value::Bytes(b) => (None, b),
        Value::Fixed => (Some(Err(WireError::Malformed("an integer has a fixed width"))), &[][..]),
    };
    let mut fields = Fields::new(packed);
    one.into_iter().chain(std::iter::from_fn(move || {
        (!fields.rest.is_empty()).then(|| {
            let number = fields.varint();
            if number.is_err() {
                fields.rest = &[];
            }
            number
        })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Result<Vec<(u64, Value<'_>)>, WireError> {
        Fields::new(bytes).collect()
    }

    #[test]
    fn fields_of_every_wire_type() {
        let bytes = [0x08, 0x96, 0x01, 0x12, 2, b'h', b'i', 0x1d, 0, 0, 0, 0, 0x21, 0, 0, 0, 0, 0, 0, 0, 0];
        let fields = all(&bytes).unwrap();
        assert_eq!(fields, [(1, Value::Varint(150)), (2, Value::Bytes(b"hi")), (3, Value::Fixed), (4, Value::Fixed)]);
    }

    #[test]
    fn every_cut_is_seen() {
        let bytes = [0x08, 0x96, 0x01, 0x12, 2, b'h', b'i', 0x1d, 0, 0, 0, 0];
        for cut in [1, 2, 4, 5, 6, 8, 11] {
            assert_eq!(all(&bytes[..cut]), Err(WireError::Truncated), "{cut}");
        }
        assert_eq!(all(&bytes[..3]).map(|f| f.len()), Ok(1), "a cut between fields leaves a message");
    }

    #[test]
    fn lengths_and_numbers_beyond_reason_are_errors() {
        assert_eq!(all(&[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]), Err(WireError::Truncated));
        assert!(matches!(all(&[0x08]), Err(WireError::Truncated)));
        assert!(matches!(all(&[0xff; 11]), Err(WireError::Malformed(_))));
        assert!(matches!(
            all(&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]),
            Err(WireError::Malformed(_))
        ));
        assert!(matches!(all(&[0x00, 0]), Err(WireError::Malformed(_))), "field number 0");
        assert!(matches!(all(&[0x0b]), Err(WireError::Malformed(_))), "groups are not used by ONNX");
    }

    #[test]
    fn integers_packed_or_not() {
        let packed: Vec<_> = integers(Value::Bytes(&[1, 0x96, 1])).collect();
        assert_eq!(packed, [Ok(1), Ok(150)]);
        assert_eq!(integers(Value::Varint(7)).collect::<Vec<_>>(), [Ok(7)]);
        assert_eq!(integers(Value::Bytes(&[0x80])).collect::<Vec<_>>(), [Err(WireError::Truncated)]);
        assert!(integers(Value::Fixed).next().unwrap().is_err());
    }
}
