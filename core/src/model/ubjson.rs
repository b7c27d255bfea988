//! UBJSON, the binary form that XGBoost saves models in, brought into JSON's text: so there is one reader of its models.

use std::fmt::Write;

use super::limit::{malformed, too_large};
use crate::error::Result;

/// Values lie within one another no deeper.
const DEEPEST: usize = 64;
/// JSON's text is at most so many times as long as the largest file.
const MOST_TEXT: usize = super::limit::MOST_BYTES * 8;

struct Reader<'a> {
    bytes: &'a [u8],
    text: String,
}

/// The same value as JSON.
///
/// # Errors
/// `malformed_model`, `too_large`.
pub(super) fn to_json(bytes: &[u8]) -> Result<String> {
    let mut reader = Reader {
        bytes,
        text: String::with_capacity(bytes.len().saturating_mul(2)),
    };
    let marker = reader.byte()?;
    reader.value(marker, 0)?;
    Ok(reader.text)
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Result<&[u8]> {
        let (taken, rest) = self
            .bytes
            .split_at_checked(count)
            .ok_or_else(|| malformed("it ends within a value"))?;
        self.bytes = rest;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N]> {
        let taken = self.take(N)?;
        taken
            .try_into()
            .map_err(|_| malformed("it ends within a value"))
    }

    fn byte(&mut self) -> Result<u8> {
        self.fixed::<1>().map(|[byte]| byte)
    }

    fn integer(&mut self, marker: u8) -> Result<i64> {
        Ok(match marker {
            b'i' => i64::from(i8::from_be_bytes(self.fixed()?)),
            b'U' => i64::from(self.byte()?),
            b'I' => i64::from(i16::from_be_bytes(self.fixed()?)),
            b'l' => i64::from(i32::from_be_bytes(self.fixed()?)),
            b'L' => i64::from_be_bytes(self.fixed()?),
            other => return Err(unknown(other)),
        })
    }

    fn length(&mut self) -> Result<usize> {
        let marker = self.byte()?;
        let length = self.integer(marker)?;
        usize::try_from(length).map_err(|_| malformed("a length is negative"))
    }

    fn string(&mut self) -> Result<()> {
        let length = self.length()?;
        let bytes = self.take(length)?;
        let text = std::str::from_utf8(bytes).map_err(|_| malformed("a text is not UTF-8"))?;
        let quoted = serde_json::to_string(text).map_err(malformed)?;
        self.text.push_str(&quoted);
        Ok(())
    }

    fn value(&mut self, marker: u8, depth: usize) -> Result<()> {
        if depth > DEEPEST {
            return Err(malformed("values lie too deep within one another"));
        }
        if self.text.len() > MOST_TEXT {
            return Err(too_large("as JSON it has more than 512 MiB"));
        }
        match marker {
            b'Z' => self.text.push_str("null"),
            b'T' => self.text.push_str("true"),
            b'F' => self.text.push_str("false"),
            b'S' | b'H' => self.string()?,
            b'd' => {
                let value = f32::from_be_bytes(self.fixed()?);
                self.number(f64::from(value), value)?;
            }
            b'D' => {
                let value = f64::from_be_bytes(self.fixed()?);
                self.number(value, value)?;
            }
            b'{' => self.object(depth)?,
            b'[' => self.array(depth)?,
            other => {
                let value = self.integer(other)?;
                let _ = write!(self.text, "{value}");
            }
        }
        Ok(())
    }

    fn number(&mut self, value: f64, written: impl std::fmt::LowerExp) -> Result<()> {
        if !value.is_finite() {
            return Err(malformed("a number is not finite"));
        }
        let _ = write!(self.text, "{written:e}");
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<()> {
        self.text.push('{');
        let mut first = true;
        while self.bytes.first() != Some(&b'}') {
            if !std::mem::take(&mut first) {
                self.text.push(',');
            }
            self.string()?;
            self.text.push(':');
            let marker = self.byte()?;
            self.value(marker, depth + 1)?;
        }
        self.take(1)?;
        self.text.push('}');
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<()> {
        let kind = match self.bytes.first() {
            Some(b'$') => {
                self.take(1)?;
                Some(self.byte()?)
            }
            _ => None,
        };
        let count = match self.bytes.first() {
            Some(b'#') => {
                self.take(1)?;
                Some(self.length()?)
            }
            _ => None,
        };
        // What has no bytes of its own could be counted without end.
        if matches!(kind, Some(b'Z' | b'T' | b'F' | b'[' | b'{'))
            || kind.is_some() && count.is_none()
        {
            return Err(malformed("an array has a type that none has"));
        }
        self.text.push('[');
        let mut done = 0;
        loop {
            match count {
                Some(count) if done == count => break,
                None if self.bytes.first() == Some(&b']') => {
                    self.take(1)?;
                    break;
                }
                _ => {}
            }
            if done > 0 {
                self.text.push(',');
            }
            let marker = match kind {
                Some(kind) => kind,
                None => self.byte()?,
            };
            self.value(marker, depth + 1)?;
            done += 1;
        }
        self.text.push(']');
        Ok(())
    }
}

fn unknown(marker: u8) -> crate::error::Error {
    malformed(format!("a value is of the unknown type {marker}"))
}
