//! Checks settings against the ranges of their own declaration.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use toml::Value as Given;

use super::layers::join;
use super::schema::{Bounds, declared};
use crate::error::{Error, Result};

/// Checks every number, and the length of every list, against the range that its field declares:
/// `#[schemars(range(min = 1, max = 9))]`, `length(...)`, `inner(range(...))`, `extend("exclusiveMinimum" = 0)`. `prefix`, such as `motion.`,
/// stands before the names of settings in messages. Numbers that are not finite are refused.
///
/// # Errors
/// [`Error::Config`] with the first setting out of range, in the order of their names.
pub fn check_ranges<T: Serialize + JsonSchema>(settings: &T, prefix: &str) -> Result<()> {
    // TOML, because JSON cannot say that a number is not finite.
    let given = Given::try_from(settings).map_err(|e| Error::Bug(format!("settings as TOML: {e}")))?;
    walk(&given, &declared::<T>(), prefix.trim_end_matches('.'))
}

fn walk(given: &Given, schema: &Value, path: &str) -> Result<()> {
    let Some(schema) = schema.as_object() else { return Ok(()) };
    let refuse = |bounds: Bounds<'_>, given: String| {
        let wanted = bounds.words().unwrap_or_else(|| "a finite number".into());
        Err(Error::Config { field: path.to_owned(), message: format!("must be {wanted}, got {given}") })
    };
    let number = |value: f64| {
        let bounds = Bounds::of(schema);
        if bounds.contain(value) { Ok(()) } else { refuse(bounds, value.to_string()) }
    };
    match given {
        Given::Integer(n) => number(*n as f64),
        Given::Float(n) => number(*n),
        Given::Array(items) => {
            let length = Bounds::of_length(schema);
            if !length.contain(items.len() as f64) {
                return refuse(length, items.len().to_string());
            }
            let Some(inner) = schema.get("items") else { return Ok(()) };
            items.iter().enumerate().try_for_each(|(i, item)| walk(item, inner, &format!("{path}[{i}]")))
        }
        Given::Table(entries) => entries.iter().try_for_each(|(key, value)| {
            let named = schema.get("properties").and_then(|p| p.get(key));
            named.or_else(|| schema.get("additionalProperties")).map_or(Ok(()), |s| walk(value, s, &join(path, key)))
        }),
        Given::String(_) | Given::Boolean(_) | Given::Datetime(_) => Ok(()),
    }
}
