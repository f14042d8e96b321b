//! Settings as JSON Schema: types, ranges, units and meanings from the declaration of a struct, defaults from its `Default`.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::Settings;
use super::layers::join;
use crate::error::{Error, Result};

/// The JSON Schema (draft 2020-12) of the files that [`super::Layers`] reads for `T`, for editors and other checkers.
///
/// Descriptions are the comments of the fields, without what only Rust understands; `x-unit` is the unit of a number. Whatever defaults name
/// may be left out, what they do not name is refused. Combinations of settings, which [`Settings::check`] knows, are not in it.
///
/// # Errors
/// [`Error::Bug`] when defaults cannot be written as JSON.
pub fn schema<T: Settings + JsonSchema>(title: &str) -> Result<Value> {
    let mut schema = declared::<T>();
    let defaults = serde_json::to_value(T::default()).map_err(|e| Error::Bug(format!("default settings: {e}")))?;
    settle(&mut schema, Some(&defaults), "", T::OPEN);
    if let Some(map) = schema.as_object_mut() {
        map.insert("title".into(), json!(title));
        if let Some(properties) = map.get_mut("properties").and_then(Value::as_object_mut) {
            // Editors write it into JSON files; `Layers` passes over it.
            properties.insert("$schema".into(), json!({ "type": "string", "description": "Where this schema is" }));
        }
    }
    Ok(schema)
}

/// What the struct alone says.
pub(super) fn declared<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// Enters `default`, which the struct does not say, at `path`, and below.
fn settle(schema: &mut Value, default: Option<&Value>, path: &str, open: &[&str]) {
    let Some(map) = schema.as_object_mut() else { return };
    // Sizes of numbers in memory say nothing to people, and strict checkers refuse names they do not know.
    map.remove("format");
    if let Some(Value::String(text)) = map.get_mut("description") {
        *text = plain(text);
    }
    match default {
        Some(Value::Object(_)) => {
            map.remove("required");
            map.remove("default");
            if !open.contains(&path) {
                map.insert("additionalProperties".into(), Value::Bool(false));
            }
        }
        Some(value) => {
            map.insert("default".into(), value.clone());
        }
        None => {}
    }
    for (key, inner) in map.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        settle(inner, default.and_then(|d| d.get(key)), &join(path, key), open);
    }
    for within in ["items", "additionalProperties"] {
        map.get_mut(within).into_iter().for_each(|inner| settle(inner, None, path, &[]));
    }
    for among in ["anyOf", "oneOf", "allOf", "prefixItems"] {
        let choices = map.get_mut(among).and_then(Value::as_array_mut);
        choices.into_iter().flatten().for_each(|inner| settle(inner, None, path, &[]));
    }
}

/// A comment as one paragraph, links to items as their names.
fn plain(comment: &str) -> String {
    let is_target = |line: &str| line.starts_with("[`") && line.contains("`]: ");
    let lines: Vec<&str> = comment.lines().map(str::trim).filter(|l| !l.is_empty() && !is_target(l)).collect();
    let text = lines.join(" ");
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("[`") {
        let Some((name, behind)) = after.split_once("`]") else { break };
        out.push_str(before);
        out.push('`');
        out.push_str(name.rsplit("::").next().unwrap_or(name));
        out.push('`');
        rest = behind;
    }
    out.push_str(rest);
    // Ranges, as Rust writes them.
    out.replace("..=", " to ")
}

/// Bounds of a number, of the length of a list, or of the numbers in it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Bounds<'a> {
    /// Least value, and whether it is allowed itself.
    low: Option<(f64, bool)>,
    high: Option<(f64, bool)>,
    unit: Option<&'a str>,
}

impl<'a> Bounds<'a> {
    /// Of the numbers that `schema` describes.
    pub(super) fn of(schema: &'a Map<String, Value>) -> Self {
        let number = |name: &str| schema.get(name).and_then(Value::as_f64);
        let bound =
            |with: &str, without: &str| number(without).map(|n| (n, false)).or_else(|| number(with).map(|n| (n, true)));
        Self {
            low: bound("minimum", "exclusiveMinimum"),
            high: bound("maximum", "exclusiveMaximum"),
            unit: schema.get("x-unit").and_then(Value::as_str),
        }
    }

    /// Of the number of values in the list that `schema` describes.
    pub(super) fn of_length(schema: &'a Map<String, Value>) -> Self {
        let number = |name: &str| schema.get(name).and_then(Value::as_f64).map(|n| (n, true));
        Self { low: number("minItems"), high: number("maxItems"), unit: Some("values") }
    }

    pub(super) fn contain(&self, value: f64) -> bool {
        let above = self.low.is_none_or(|(low, with)| value > low || (with && value == low));
        let below = self.high.is_none_or(|(high, with)| value < high || (with && value == high));
        value.is_finite() && above && below
    }

    /// In words; nothing where any number will do.
    pub(super) fn words(&self) -> Option<String> {
        let range = match (self.low, self.high) {
            (None, None) => return None,
            (Some((low, true)), Some((high, true))) if low == high => format!("{low}"),
            (Some((low, true)), Some((high, true))) => format!("{low} to {high}"),
            (Some((low, true)), Some((high, false))) => format!("{low} to below {high}"),
            (Some((low, false)), Some((high, true))) => format!("above {low} up to {high}"),
            (Some((low, false)), Some((high, false))) => format!("above {low} and below {high}"),
            (Some((low, true)), None) => format!("at least {low}"),
            (Some((low, false)), None) => format!("above {low}"),
            (None, Some((high, true))) => format!("at most {high}"),
            (None, Some((high, false))) => format!("below {high}"),
        };
        let one = self.high.is_none() && self.low == Some((1.0, true));
        Some(match self.unit {
            None => range,
            Some(unit) if one => format!("{range} {}", unit.strip_suffix('s').unwrap_or(unit)),
            Some(unit) => format!("{range} {unit}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_become_text() {
        let comment =
            "Longest side, see\n[`crate::core::Size`] and [`Plan::with_room`].\n\n[`Plan::with_room`]: super::Plan";
        assert_eq!(plain(comment), "Longest side, see `Size` and `with_room`.");
        assert_eq!(plain("open [`link"), "open [`link");
    }

    #[test]
    fn bounds_hold_and_are_said() {
        for (schema, inside, outside, words) in [
            (json!({ "minimum": 0.0, "maximum": 1 }), &[0.0, 1.0][..], &[-0.1, 1.1, f64::NAN][..], Some("0 to 1")),
            (json!({ "exclusiveMinimum": 0, "minimum": 0, "maximum": 1 }), &[1.0], &[0.0], Some("above 0 up to 1")),
            (json!({ "minimum": 0, "exclusiveMaximum": 1 }), &[0.0], &[1.0], Some("0 to below 1")),
            (json!({ "minimum": 1, "x-unit": "frames" }), &[1.0], &[0.0], Some("at least 1 frame")),
            (json!({ "minimum": 2, "x-unit": "pixels" }), &[2.0], &[1.0], Some("at least 2 pixels")),
            (json!({}), &[1e300], &[f64::INFINITY], None),
        ] {
            let bounds = Bounds::of(schema.as_object().unwrap());
            assert_eq!(bounds.words().as_deref(), words);
            assert!(
                inside.iter().all(|v| bounds.contain(*v)) && !outside.iter().any(|v| bounds.contain(*v)),
                "{schema}"
            );
        }
    }
}
