//! JSON as clients know it: no blanks, ASCII only, a newline at the end. Keys are sorted by whoever declares them.

use std::io;

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};

/// Writes a value.
pub(crate) fn written(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    let mut serializer = Serializer::with_formatter(&mut out, Ascii);
    // Texts, numbers and maps with text keys always can be written, and memory takes it.
    if let Err(error) = value.serialize(&mut serializer) {
        tracing::error!(%error, "an answer could not be written");
    }
    out.push(b'\n');
    out
}

/// Escapes whatever is not ASCII.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, text: &str) -> io::Result<()> {
        if text.is_ascii() && !text.contains('\u{7f}') {
            return writer.write_all(text.as_bytes());
        }
        let mut units = [0; 2];
        for c in text.chars() {
            match c {
                ' '..='~' => writer.write_all(&[u8::try_from(c).unwrap_or(b'?')])?,
                c => {
                    for unit in c.encode_utf16(&mut units) {
                        write!(writer, "\\u{unit:04x}")?;
                    }
                }
            }
        }
        Ok(())
    }

    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        let text: &[u8] = match escape {
            CharEscape::Quote => b"\\\"",
            CharEscape::ReverseSolidus => b"\\\\",
            CharEscape::Solidus => b"/",
            CharEscape::Backspace => b"\\b",
            CharEscape::FormFeed => b"\\f",
            CharEscape::LineFeed => b"\\n",
            CharEscape::CarriageReturn => b"\\r",
            CharEscape::Tab => b"\\t",
            CharEscape::AsciiControl(byte) => return write!(writer, "\\u{byte:04x}"),
        };
        writer.write_all(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_ascii_is_escaped() {
        let text = |value: &str| String::from_utf8(written(&value)).unwrap();
        assert_eq!(text("a\"\\/\n\u{1}"), "\"a\\\"\\\\/\\n\\u0001\"\n");
        assert_eq!(text("é😀\u{7f}"), "\"\\u00e9\\ud83d\\ude00\\u007f\"\n");
    }
}
