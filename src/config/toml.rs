//! TOML into a tree with lines.

use serde_json::{Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::node::{Growth, Node, Tree, line_of};
use crate::error::Result;

pub(super) fn parse(name: &str, text: &str) -> Result<Node> {
    let mut growth = Growth::new(name);
    let table = DeTable::parse(text).map_err(|e| {
        let line = line_of(text, e.span().map_or(0, |s| s.start));
        growth.error(line, format!("not TOML: {}", e.message()))
    })?;
    let tree = self::table(text, table.get_ref(), 1, &mut growth)?;
    Ok(Node { line: 1, tree })
}

fn table(text: &str, entries: &DeTable<'_>, depth: usize, growth: &mut Growth<'_>) -> Result<Tree> {
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by_key(|(key, _)| key.span().start);
    let mut out = Vec::with_capacity(sorted.len());
    for (key, value) in sorted {
        let line = line_of(text, key.span().start);
        let node = Node { line, ..self::value(text, value, depth, growth)? };
        growth.entry(&mut out, key.get_ref().to_string(), node)?;
    }
    Ok(Tree::Table(out))
}

fn value(text: &str, value: &Spanned<DeValue<'_>>, depth: usize, growth: &mut Growth<'_>) -> Result<Node> {
    let line = line_of(text, value.span().start);
    growth.add(depth, line)?;
    let tree = match value.get_ref() {
        DeValue::String(s) => Tree::Leaf(Value::String(s.to_string())),
        DeValue::Boolean(b) => Tree::Leaf(Value::Bool(*b)),
        DeValue::Integer(i) => {
            let signed = i64::from_str_radix(i.as_str(), i.radix()).map(Number::from);
            let number = signed.or_else(|_| u64::from_str_radix(i.as_str(), i.radix()).map(Number::from));
            Tree::Leaf(Value::Number(number.map_err(|_| growth.error(line, format!("{i} has more than 64 bits")))?))
        }
        DeValue::Float(f) => {
            let number = f.as_str().parse().ok().and_then(Number::from_f64);
            Tree::Leaf(Value::Number(number.ok_or_else(|| growth.error(line, format!("{f} is not a finite number")))?))
        }
        DeValue::Datetime(d) => {
            return Err(growth.error(line, format!("{d}: no setting is a date; quote it as a text")));
        }
        DeValue::Array(items) => {
            let items: Result<_> = items.iter().map(|i| self::value(text, i, depth + 1, growth)).collect();
            Tree::List(items?)
        }
        DeValue::Table(entries) => table(text, entries, depth + 1, growth)?,
    };
    Ok(Node { line, tree })
}
