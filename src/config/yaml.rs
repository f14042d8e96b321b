//! YAML into a tree with lines, from the events of the parser, without recursion.

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Number, Value};

use super::node::{Growth, Node, Tree};
use crate::error::Result;

/// A list or table that is not closed yet.
enum Open {
    List(usize, Vec<Node>),
    /// Line, entries, and the key that waits for its value.
    Table(usize, Vec<(String, Node)>, Option<(String, usize)>),
}

pub(super) fn parse(name: &str, text: &str) -> Result<Node> {
    let mut growth = Growth::new(name);
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|e| growth.error(e.marker().line(), format!("not YAML: {}", e.info())))?;
        let line = span.start.line();
        let done = match event {
            Event::Alias(_)
            | Event::Scalar(_, _, 1.., _)
            | Event::SequenceStart(1.., _)
            | Event::MappingStart(1.., _) => {
                return Err(growth.error(line, "anchors and aliases are not read; write the value out"));
            }
            Event::Scalar(.., Some(_)) | Event::SequenceStart(_, Some(_)) | Event::MappingStart(_, Some(_)) => {
                return Err(growth.error(line, "tags are not read; leave it out"));
            }
            Event::DocumentStart(_) if root.is_some() => {
                return Err(growth.error(line, "a second document; one is read"));
            }
            Event::SequenceStart(..) => {
                growth.add(open.len(), line)?;
                open.push(Open::List(line, Vec::new()));
                continue;
            }
            Event::MappingStart(..) => {
                growth.add(open.len(), line)?;
                open.push(Open::Table(line, Vec::new(), None));
                continue;
            }
            Event::Scalar(text, style, ..) => {
                growth.add(open.len(), line)?;
                if let Some(Open::Table(_, _, key @ None)) = open.last_mut() {
                    *key = Some((text.into_owned(), line));
                    continue;
                }
                let plain = style == ScalarStyle::Plain;
                let value = if plain { scalar(&text) } else { Ok(Value::String(text.into_owned())) };
                Node::leaf(line, value.map_err(|message| growth.error(line, message))?)
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(line, items)) => Node { line, tree: Tree::List(items) },
                Some(Open::Table(line, entries, _)) => Node { line, tree: Tree::Table(entries) },
                None => return Err(growth.error(line, "not YAML: an end without a start")),
            },
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                continue;
            }
        };
        match open.last_mut() {
            None => root = Some(done),
            Some(Open::List(_, items)) => items.push(done),
            Some(Open::Table(_, entries, key)) => match key.take() {
                Some((key, line)) => growth.entry(entries, key, Node { line, ..done })?,
                None => return Err(growth.error(done.line, "a list or table cannot be a key")),
            },
        }
    }
    // An empty file says nothing.
    Ok(root.unwrap_or(Node { line: 1, tree: Tree::Table(Vec::new()) }))
}

/// A scalar without quotes, by the core schema of YAML 1.2.
fn scalar(text: &str) -> std::result::Result<Value, String> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => {
            let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
            let radix = |prefix, radix| text.strip_prefix(prefix).and_then(|t| u64::from_str_radix(t, radix).ok());
            if let Some(n) =
                text.parse::<i64>().ok().map(Number::from).or_else(|| text.parse::<u64>().ok().map(Number::from))
            {
                return Ok(Value::Number(n));
            }
            if let Some(n) = radix("0x", 16).or_else(|| radix("0o", 8)) {
                return Ok(Value::Number(n.into()));
            }
            if matches!(unsigned.to_ascii_lowercase().as_str(), ".inf" | ".nan") {
                return Err(format!("{text} is not a finite number"));
            }
            let starts = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
            match text.parse::<f64>() {
                Ok(f) if starts => match Number::from_f64(f) {
                    Some(n) => Value::Number(n),
                    None => return Err(format!("{text} is not a finite number")),
                },
                _ => Value::String(text.to_owned()),
            }
        }
    })
}
