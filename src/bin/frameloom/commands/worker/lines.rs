//! Lines of standard input, bounded.

use std::io::{BufRead, BufReader, Read};

use crossbeam_channel::{Receiver, bounded};
use frameloom::{Error, Result};

/// Longest line in bytes.
pub(super) const LONGEST: usize = 1 << 20;

/// A line.
#[derive(Debug)]
pub(super) struct Line {
    /// Counted from 1.
    pub(super) number: u64,
    /// What it says, or what is wrong with it, without an id.
    pub(super) text: Result<String, (Option<String>, String)>,
}

/// Reads standard input in a thread of its own, a line ahead. The channel closes at the end of the input.
///
/// # Errors
/// [`Error::Bug`] when there is no thread.
pub(super) fn read() -> Result<Receiver<Line>> {
    let (to, lines) = bounded(1);
    let work = move || {
        let mut input = BufReader::new(std::io::stdin());
        let mut number = 0;
        while let Some(text) = next(&mut input) {
            number += 1;
            // Blank lines separate, they say nothing.
            let blank = text.as_ref().is_ok_and(|t| t.trim().is_empty());
            if !blank && to.send(Line { number, text: text.map_err(|m| (None, m)) }).is_err() {
                return;
            }
        }
    };
    let thread = std::thread::Builder::new().name("lines".into()).spawn(work);
    thread.map_err(|e| Error::Bug(format!("no thread for lines: {e}")))?;
    Ok(lines)
}

/// The next line; `None` at the end of the input, which an error of reading is too.
fn next(input: &mut impl BufRead) -> Option<Result<String, String>> {
    let mut bytes = Vec::new();
    input.by_ref().take(LONGEST as u64 + 1).read_until(b'\n', &mut bytes).ok()?;
    if bytes.is_empty() {
        return None;
    }
    if bytes.last() != Some(&b'\n') && bytes.len() > LONGEST {
        skip(input)?;
        return Some(Err(format!("a line has at most {LONGEST} bytes")));
    }
    Some(String::from_utf8(bytes).map_err(|e| format!("not UTF-8 at byte {}", e.utf8_error().valid_up_to())))
}

/// Reads on to the end of a line; `None` where the input cannot be read.
fn skip(input: &mut impl BufRead) -> Option<()> {
    loop {
        let held = input.fill_buf().ok()?;
        let (used, ends) = match held.iter().position(|b| *b == b'\n') {
            Some(at) => (at + 1, true),
            None => (held.len(), held.is_empty()),
        };
        input.consume(used);
        if ends {
            return Some(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_bounded_and_the_one_after_a_long_one_is_read() {
        let mut text = b"one\n\xff\n".to_vec();
        text.extend(vec![b'x'; LONGEST + 5]);
        text.extend(b"\nlast");
        let mut input = BufReader::with_capacity(1000, text.as_slice());
        assert_eq!(next(&mut input), Some(Ok("one\n".into())));
        assert_eq!(next(&mut input), Some(Err("not UTF-8 at byte 0".into())));
        assert!(next(&mut input).unwrap().unwrap_err().contains("at most"));
        assert_eq!(next(&mut input), Some(Ok("last".into())));
        assert_eq!(next(&mut input), None);
    }
}
