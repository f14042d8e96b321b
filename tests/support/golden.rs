//! Reads golden files; see `scripts/golden/generate.py`. Included by test crates with `#[path]`.
#![allow(dead_code, unreachable_pub, reason = "each test crate uses its part")]

use frameloom::core::Size;
use frameloom::reference::pattern::lcg_bytes;
use serde_json::Value;
use std::path::Path;

/// One golden file.
#[derive(Debug)]
pub struct Golden {
    /// File name without extension; holds the parameters.
    pub name: String,
    value: Value,
}

impl Golden {
    /// All files of operation `op`, of which there must be exactly `count`: a lost file must not look like a passed
    /// test.
    pub fn all(op: &str, count: usize) -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(op);
        let mut files: Vec<_> = std::fs::read_dir(&folder)
            .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
            .map(|entry| entry.unwrap().path())
            .map(|path| Self {
                name: format!("{op}/{}", path.file_stem().unwrap().to_str().unwrap()),
                value: serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap(),
            })
            .collect();
        files.sort_by(|a, b| a.name.cmp(&b.name));
        assert_eq!(files.len(), count, "golden files of {op}");
        files
    }

    pub fn value(&self, key: &str) -> &Value {
        self.value.get(key).unwrap_or_else(|| panic!("{}: no `{key}`", self.name))
    }

    pub fn number(&self, key: &str) -> f64 {
        self.value(key).as_f64().unwrap()
    }

    pub fn integer(&self, key: &str) -> u32 {
        u32::try_from(self.value(key).as_u64().unwrap()).unwrap()
    }

    pub fn text(&self, key: &str) -> &str {
        self.value(key).as_str().unwrap()
    }

    pub fn has(&self, key: &str) -> bool {
        self.value.get(key).is_some()
    }

    /// `width` and `height`.
    pub fn size(&self) -> Size {
        Size::new(self.integer("width"), self.integer("height"))
    }

    /// The input: bytes of the generator that the script uses too.
    pub fn input(&self, bytes: usize) -> Vec<u8> {
        lcg_bytes(self.integer("seed"), bytes)
    }

    /// Bytes stored as hex digits.
    pub fn bytes(&self, key: &str) -> Vec<u8> {
        let digits = self.text(key);
        (0..digits.len() / 2).map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).unwrap()).collect()
    }

    /// Numbers stored as a list.
    pub fn numbers(&self, key: &str) -> Vec<f64> {
        numbers(self.value(key))
    }
}

/// A list of numbers.
pub fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}
