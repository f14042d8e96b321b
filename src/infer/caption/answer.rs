//! Reading what an endpoint answers.

use serde_json::Value;

use crate::infer::endpoint::{clean, excerpt};

/// The text of the first choice as one line, or what is wrong with the answer.
pub(super) fn text(body: &[u8]) -> Result<String, String> {
    let value: Value = serde_json::from_slice(body).map_err(|e| format!("the answer is no JSON: {e}"))?;
    let choice = value.pointer("/choices/0").ok_or_else(|| format!("the answer has no choices: {}", excerpt(body)))?;
    let message = choice.get("message").unwrap_or(&Value::Null);
    if let Some(reason) = message.get("refusal").and_then(Value::as_str).filter(|r| !r.is_empty()) {
        return Err(format!("the model refuses: {}", clean(reason)));
    }
    // Either the text, or parts of which some are text.
    let content = match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            parts.iter().filter_map(|p| p.get("text").and_then(Value::as_str)).collect::<Vec<_>>().join(" ")
        }
        _ => return Err(format!("the answer has no text: {}", excerpt(body))),
    };
    let line = clean(&content);
    if line.is_empty() {
        return Err("the answer is empty".into());
    }
    if choice.get("finish_reason").and_then(Value::as_str) == Some("length") {
        return Err("the answer was cut off by `max_tokens`; raise it, or ask for less in the prompt".into());
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<String, String> {
        text(body.as_bytes())
    }

    #[test]
    fn text_in_its_forms() {
        let plain = r#"{"choices":[{"message":{"content":"  A red\n\u0007 bottle. "},"finish_reason":"stop"}]}"#;
        assert_eq!(read(plain).unwrap(), "A red bottle.");
        let parts = r#"{"choices":[{"message":{"content":[{"type":"text","text":"A"},{"type":"x"},{"text":"cup"}]}}]}"#;
        assert_eq!(read(parts).unwrap(), "A cup");
    }

    #[test]
    fn everything_else_is_an_error_that_says_why() {
        for (body, why) in [
            ("<html>", "no JSON"),
            ("{}", "no choices"),
            (r#"{"choices":[]}"#, "no choices"),
            (r#"{"choices":[{"message":{"content":null}}]}"#, "no text"),
            (r#"{"choices":[{"text":"old"}]}"#, "no text"),
            (r#"{"choices":[{"message":{"content":" \n "}}]}"#, "empty"),
            (r#"{"choices":[{"message":{"content":"A red","refusal":null},"finish_reason":"length"}]}"#, "max_tokens"),
            (r#"{"choices":[{"message":{"content":null,"refusal":"No."}}]}"#, "refuses: No."),
        ] {
            let got = read(body).unwrap_err();
            assert!(got.contains(why), "{body}: {got}");
        }
        assert!(excerpt(&[b'x'; 5000]).chars().count() <= 201);
    }
}
