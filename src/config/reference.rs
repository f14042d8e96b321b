//! Settings one by one, as a reference lists them.

use schemars::JsonSchema;
use serde_json::{Map, Value};

use super::json;
use super::layers::join;
use super::node::{Node, Tree};
use super::schema::{Bounds, schema};
use super::{Settings, to_json};
use crate::error::Result;

/// What a reference says of one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingDoc {
    /// Dotted path. `NAME` stands for a key that the user chooses, `[]` for any value of a list.
    pub path: String,
    /// What it is, in words: `number`, `list of texts`, ...
    pub kind: String,
    /// Range with its unit; empty where there is none.
    pub range: String,
    /// Values that it may have, with what they mean; empty where it is no choice.
    pub choices: Vec<(String, String)>,
    /// As JSON; nothing where the setting is absent by default, or has no default.
    pub default: Option<String>,
    /// Its comment.
    pub meaning: String,
    /// Whether an environment variable of its own sets it: what lies in lists, and in tables with keys of the user, has none.
    pub alone: bool,
}

/// All settings of `T`, in the order of their declaration.
///
/// # Errors
/// As [`schema`].
pub fn reference<T: Settings + JsonSchema>() -> Result<Vec<SettingDoc>> {
    let schema = schema::<T>("")?;
    // Text keeps the order that a map of values does not.
    let defaults = json::parse("defaults", &to_json(&T::default())?)?;
    let mut out = Vec::new();
    if let Some(schema) = schema.as_object() {
        table(schema, &defaults, "", &mut out);
    }
    Ok(out)
}

fn property<'a>(schema: &'a Map<String, Value>, key: &str) -> Option<&'a Map<String, Value>> {
    schema.get("properties")?.get(key)?.as_object()
}

/// What is in a table of settings.
fn table(schema: &Map<String, Value>, default: &Node, path: &str, out: &mut Vec<SettingDoc>) {
    let Tree::Table(entries) = &default.tree else { return };
    for (key, node) in entries {
        let (Some(inner), at) = (property(schema, key), join(path, key)) else { continue };
        match &node.tree {
            Tree::Table(known) if !known.is_empty() => table(inner, node, &at, out),
            _ => one(inner, &at, true, out),
        }
    }
}

/// A setting, and what can be in it.
fn one(schema: &Map<String, Value>, path: &str, alone: bool, out: &mut Vec<SettingDoc>) {
    let text = |key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let item = schema.get("items").and_then(Value::as_object);
    let bounds = Bounds::of(item.unwrap_or(schema)).words();
    let length = item.and_then(|_| Bounds::of_length(schema).words());
    let range = match (bounds, length) {
        (Some(range), Some(length)) => format!("{length}, each {range}"),
        (range, length) => range.or(length).unwrap_or_default(),
    };
    out.push(SettingDoc {
        path: path.to_owned(),
        kind: kind(schema),
        range,
        choices: choices(item.unwrap_or(schema)),
        default: schema.get("default").filter(|d| !d.is_null()).map(ToString::to_string),
        meaning: text("description"),
        alone,
    });
    let chosen = schema.get("additionalProperties").and_then(Value::as_object);
    for (inner, at) in [(item, format!("{path}[]")), (chosen, format!("{path}.NAME"))] {
        for key in inner.and_then(|i| i.get("properties")).and_then(Value::as_object).into_iter().flat_map(Map::keys) {
            if let Some(inner) = inner.and_then(|i| property(i, key)) {
                one(inner, &join(&at, key), false, out);
            }
        }
    }
}

/// The alternatives of a schema, without null.
fn alternatives(schema: &Map<String, Value>) -> Vec<&Map<String, Value>> {
    let all = ["anyOf", "oneOf"].iter().filter_map(|k| schema.get(*k).and_then(Value::as_array)).flatten();
    all.filter_map(Value::as_object).filter(|a| a.get("type").and_then(Value::as_str) != Some("null")).collect()
}

fn choices(schema: &Map<String, Value>) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for value in schema.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        out.push((value.to_owned(), String::new()));
    }
    if let Some(value) = schema.get("const").and_then(Value::as_str) {
        let meaning = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        out.push((value.to_owned(), meaning.to_owned()));
    }
    out.extend(alternatives(schema).into_iter().flat_map(choices));
    out
}

/// The plural of what [`kind`] says.
fn several(kind: &str) -> String {
    match kind.strip_prefix("list of ") {
        Some(inner) => format!("lists of {inner}"),
        None if kind == "true or false" || kind.contains(" or ") => kind.to_owned(),
        None => format!("{kind}s"),
    }
}

fn kind(schema: &Map<String, Value>) -> String {
    let inner =
        || schema.get("items").and_then(Value::as_object).map_or_else(|| "values".into(), |i| several(&kind(i)));
    if !choices(schema).is_empty() {
        return "choice".into();
    }
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).filter(|t| *t != "null").collect(),
        _ => {
            let all: Vec<String> = alternatives(schema).into_iter().map(kind).collect();
            return if all.is_empty() { "any".into() } else { all.join(" or ") };
        }
    };
    let words = types.iter().map(|name| match *name {
        "boolean" => "true or false".into(),
        "integer" => "whole number".into(),
        "string" => "text".into(),
        "array" => format!("list of {}", inner()),
        "object" => "table".into(),
        other => other.into(),
    });
    words.collect::<Vec<String>>().join(" or ")
}
