//! The run key: everything that can change one byte of output, by name.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Result};

/// Canonical (sorted) named fields and their BLAKE3. Two runs may share state only when their keys are equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunKey {
    fields: BTreeMap<String, String>,
}

impl RunKey {
    /// Starts a key.
    pub fn builder() -> RunKeyBuilder {
        RunKeyBuilder::default()
    }

    /// BLAKE3 of the sorted fields. Names and values are length-prefixed, so no two sets of fields give the same bytes.
    pub fn hash(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_derive_key("frameloom run key v1");
        for text in self.fields.iter().flat_map(|(name, value)| [name, value]) {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.finalize()
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// All fields, sorted by name.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Names of the fields that are in only one of the keys or have another value, sorted.
    pub fn diff(&self, other: &Self) -> Vec<String> {
        let mut names: Vec<&String> = self.fields.keys().chain(other.fields.keys()).collect();
        names.sort();
        names.dedup();
        names.retain(|name| self.fields.get(*name) != other.fields.get(*name));
        names.into_iter().cloned().collect()
    }
}

impl Display for RunKey {
    /// The hash in hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hash().to_hex())
    }
}

/// Collects the fields of a [`RunKey`].
#[derive(Debug, Clone, Default)]
pub struct RunKeyBuilder {
    fields: BTreeMap<String, String>,
    problem: Option<String>,
}

impl RunKeyBuilder {
    /// Adds one field. A name may be given once.
    pub fn field(mut self, name: impl Into<String>, value: impl Display) -> Self {
        self.insert(name.into(), value.to_string());
        self
    }

    /// Adds every leaf of a serializable struct as `prefix.path`, so that a mismatch can name the very setting. Lists are one
    /// field. Fields that cannot change an output byte (thread counts, progress) do not belong here: skip them in `Serialize`.
    pub fn fields(mut self, prefix: &str, value: &impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(value) => self.flatten(prefix.to_owned(), &value),
            Err(e) => self.problem = Some(format!("`{prefix}` cannot be written as JSON: {e}")),
        }
        self
    }

    /// The finished key.
    ///
    /// # Errors
    /// [`Error::Bug`] when a name was given twice (one of the values would be lost) or a value could not be serialized.
    pub fn finish(self) -> Result<RunKey> {
        match self.problem {
            None => Ok(RunKey { fields: self.fields }),
            Some(problem) => Err(Error::Bug(format!("run key: {problem}"))),
        }
    }

    fn flatten(&mut self, name: String, value: &Value) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                for (key, value) in map {
                    self.flatten(format!("{name}.{key}"), value);
                }
            }
            // Strings without quotes, so that `field("a", "x")` and a struct with `a: "x"` agree.
            Value::String(text) => self.insert(name, text.clone()),
            other => self.insert(name, other.to_string()),
        }
    }

    fn insert(&mut self, name: String, value: String) {
        if self.fields.insert(name.clone(), value).is_some() {
            self.problem = Some(format!("field `{name}` is given twice"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(fields: &[(&str, &str)]) -> RunKey {
        fields.iter().fold(RunKey::builder(), |b, (n, v)| b.field(*n, v)).finish().unwrap()
    }

    #[test]
    fn order_of_fields_does_not_matter_and_every_byte_does() {
        let a = key(&[("x", "1"), ("y", "2")]);
        assert_eq!(a.hash(), key(&[("y", "2"), ("x", "1")]).hash());
        for other in
            [&[("x", "1"), ("y", "3")][..], &[("x", "1")], &[("x", "1y"), ("", "2")], &[("x1", ""), ("y", "2")]]
        {
            assert_ne!(a.hash(), key(other).hash(), "{other:?}");
        }
    }

    #[test]
    fn differences_are_named() {
        let a = key(&[("same", "1"), ("changed", "1"), ("only-a", "1")]);
        let b = key(&[("same", "1"), ("changed", "2"), ("only-b", "1")]);
        assert_eq!(a.diff(&b), ["changed", "only-a", "only-b"]);
        assert_eq!(a.diff(&a), [""; 0]);
    }

    #[test]
    fn structs_become_dotted_fields() {
        #[derive(Serialize)]
        struct Inner {
            sigma: f64,
            sizes: Vec<u32>,
        }
        #[derive(Serialize)]
        struct Config {
            mode: &'static str,
            blur: Inner,
        }
        let config = Config { mode: "fast", blur: Inner { sigma: 0.1, sizes: vec![3, 5] } };
        let k = RunKey::builder().fields("config", &config).finish().unwrap();
        let fields: Vec<_> = k.fields().collect();
        assert_eq!(fields, [("config.blur.sigma", "0.1"), ("config.blur.sizes", "[3,5]"), ("config.mode", "fast")]);
    }

    #[test]
    fn a_name_given_twice_is_a_bug() {
        assert!(matches!(RunKey::builder().field("a", 1).field("a", 1).finish(), Err(Error::Bug(_))));
    }
}
