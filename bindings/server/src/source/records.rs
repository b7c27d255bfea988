//! Where lines of JSON and records of CSV end.

/// The whole lines at the beginning of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Whole {
    /// So many as there are.
    Some(Vec<u8>),
    /// None is whole yet.
    None,
    /// None ever is.
    Never,
}

/// Where a reader of records stands in a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum In {
    Start,
    Bare,
    Quoted,
    /// Behind a quote in a quoted field: its end, or the first half of a quote that is meant.
    Closing,
}

/// The lines that are whole; for records, those without a line break inside of quotes. A quote opens a field only at its beginning.
pub(super) fn whole(mut bytes: Vec<u8>, delimiter: Option<u8>) -> Whole {
    let end = match delimiter {
        None => bytes.iter().rposition(|byte| *byte == b'\n'),
        Some(delimiter) => {
            let (mut at, mut end) = (In::Start, None);
            for (place, byte) in bytes.iter().enumerate() {
                at = match (at, *byte) {
                    (In::Quoted, b'"') => In::Closing,
                    (In::Quoted, _) | (In::Start | In::Closing, b'"') => In::Quoted,
                    (_, b'\n') => {
                        end = Some(place);
                        In::Start
                    }
                    (_, b'\r') => In::Start,
                    (_, byte) if byte == delimiter => In::Start,
                    _ => In::Bare,
                };
            }
            end
        }
    };
    match end {
        Some(end) => {
            bytes.truncate(end + 1);
            Whole::Some(bytes)
        }
        None => Whole::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_end_where_no_quote_is_open() {
        for (bytes, delimiter, lines) in [
            ("a\nb", None, Some("a\n")),
            ("a\n\"b\nc", None, Some("a\n\"b\n")),
            ("ab", None, None),
            ("a,b\nc", Some(b','), Some("a,b\n")),
            ("a,\"b\nc\"\nd", Some(b','), Some("a,\"b\nc\"\n")),
            ("a,\"b\nc", Some(b','), None),
            // Inches, not quotes.
            (
                "a,5\" screen\nb,6\"\nc",
                Some(b','),
                Some("a,5\" screen\nb,6\"\n"),
            ),
            (
                "\"say \"\"hi\"\"\nall\"\nb",
                Some(b','),
                Some("\"say \"\"hi\"\"\nall\"\n"),
            ),
            ("\"a\"b\"\nc", Some(b','), Some("\"a\"b\"\n")),
            ("a\t\"b\tc\n\"\t\n", Some(b'\t'), Some("a\t\"b\tc\n\"\t\n")),
            ("\"a\"\r\n\"b", Some(b','), Some("\"a\"\r\n")),
        ] {
            let expected = lines.map_or(Whole::None, |l| Whole::Some(l.as_bytes().to_vec()));
            assert_eq!(
                whole(bytes.as_bytes().to_vec(), delimiter),
                expected,
                "{bytes:?}"
            );
        }
    }
}
