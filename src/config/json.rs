//! JSON into a tree with lines: each level keeps its values as raw text, whose place in the file is known.

use serde::Deserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::node::{Growth, Node, Tree, line_of};
use crate::error::Result;

pub(super) fn parse(name: &str, text: &str) -> Result<Node> {
    let mut growth = Growth::new(name);
    let raw: &RawValue =
        serde_json::from_str(text).map_err(|e| growth.error(e.line(), format!("not JSON: {}", without_place(&e))))?;
    node(text, raw, 0, &mut growth)
}

/// serde_json ends its messages with a place, which is said in our own way.
fn without_place(e: &serde_json::Error) -> String {
    let text = e.to_string();
    text.split_once(" at line ").map_or(text.clone(), |(message, _)| message.to_owned())
}

fn node(text: &str, raw: &RawValue, depth: usize, growth: &mut Growth<'_>) -> Result<Node> {
    // Raw values are slices of the text.
    let line = line_of(text, raw.get().as_ptr().addr().saturating_sub(text.as_ptr().addr()));
    growth.add(depth, line)?;
    let error =
        |e: serde_json::Error, growth: &Growth<'_>| growth.error(line, format!("not JSON: {}", without_place(&e)));
    let mut reader = serde_json::Deserializer::from_str(raw.get());
    let tree = match raw.get().as_bytes().first() {
        Some(b'{') => {
            let entries = reader.deserialize_map(Entries).map_err(|e| error(e, growth))?;
            let mut out = Vec::with_capacity(entries.len());
            for (key, value) in entries {
                let node = self::node(text, value, depth + 1, growth)?;
                growth.entry(&mut out, key, node)?;
            }
            Tree::Table(out)
        }
        Some(b'[') => {
            let items = reader.deserialize_seq(Items).map_err(|e| error(e, growth))?;
            let items: Result<_> = items.into_iter().map(|i| node(text, i, depth + 1, growth)).collect();
            Tree::List(items?)
        }
        _ => Tree::Leaf(serde_json::from_str::<Value>(raw.get()).map_err(|e| error(e, growth))?),
    };
    Ok(Node { line, tree })
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(entry) = map.next_entry()? {
            all.push(entry);
        }
        Ok(all)
    }
}

struct Items;

impl<'de> Visitor<'de> for Items {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = seq.next_element()? {
            all.push(item);
        }
        Ok(all)
    }
}
