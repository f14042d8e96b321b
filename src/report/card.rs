//! A card: what leads from one page to another.

use serde::Serialize;

use super::base64;
use super::html_blocks::Tone;

/// A picture, a title that links to a file beside the page, a sentence, a few facts and the command behind it.
#[derive(Debug, Clone, Serialize)]
pub struct Card {
    title: String,
    href: String,
    text: String,
    uri: String,
    alt: String,
    lines: Vec<String>,
    code: String,
    tone: Tone,
}

impl Card {
    /// A card with a title and a sentence.
    pub fn new(title: impl Into<String>, text: impl Into<String>) -> Self {
        let empty = String::new;
        Self {
            title: title.into(),
            href: empty(),
            text: text.into(),
            uri: empty(),
            alt: empty(),
            lines: Vec::new(),
            code: empty(),
            tone: Tone::Neutral,
        }
    }

    /// Where the title leads: the parts of a relative path. What is not a letter, a digit or one of `-._~` is escaped, so that no name can become
    /// an address of its own.
    pub fn link<T: AsRef<str>>(mut self, parts: impl IntoIterator<Item = T>) -> Self {
        let escaped: Vec<String> = parts.into_iter().map(|part| escape(part.as_ref())).collect();
        self.href = format!("./{}", escaped.join("/"));
        self
    }

    /// The bytes of a PNG or JPEG file, and what it shows.
    pub fn image(mut self, bytes: &[u8], alt: impl Into<String>) -> Self {
        let kind = if bytes.starts_with(b"\x89PNG") { "image/png" } else { "image/jpeg" };
        self.uri = format!("data:{kind};base64,{}", base64::encode(bytes));
        self.alt = alt.into();
        self
    }

    /// One fact.
    pub fn line(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    /// The command that made what it leads to.
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = code.into();
        self
    }

    /// The colour of its edge.
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }
}

/// Percent-encoding of a path segment.
fn escape(part: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    part.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_beside_the_page() {
        let href = |parts: &[&str]| Card::new("", "").link(parts).href;
        assert_eq!(href(&["a b", "report.html"]), "./a%20b/report.html");
        assert_eq!(href(&["javascript:alert(1)"]), "./javascript%3Aalert%281%29");
        assert_eq!(href(&["\"ü"]), "./%22%C3%BC");
    }
}
