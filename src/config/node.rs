//! What a file says, with the line of each part.

use serde_json::Value;

use super::file_error;
use crate::error::Result;

/// Largest file.
pub(super) const MAX_BYTES: u64 = 1 << 20;
/// Deepest nesting.
pub(super) const MAX_DEPTH: usize = 32;
/// Most values in a file.
const MAX_NODES: usize = 20_000;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// Counted from 1; of its key, where it has one.
    pub(super) line: usize,
    pub(super) tree: Tree,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    /// Null, a boolean, a number or a text.
    Leaf(Value),
    List(Vec<Node>),
    /// In the order of the file, keys once each.
    Table(Vec<(String, Node)>),
}

impl Node {
    pub(super) fn leaf(line: usize, value: Value) -> Self {
        Self { line, tree: Tree::Leaf(value) }
    }

    /// Without the lines.
    pub(super) fn value(&self) -> Value {
        match &self.tree {
            Tree::Leaf(value) => value.clone(),
            Tree::List(items) => Value::Array(items.iter().map(Self::value).collect()),
            Tree::Table(entries) => Value::Object(entries.iter().map(|(k, v)| (k.clone(), v.value())).collect()),
        }
    }

    pub(super) fn of(value: &Value) -> Self {
        let tree = match value {
            Value::Array(items) => Tree::List(items.iter().map(Self::of).collect()),
            Value::Object(map) => Tree::Table(map.iter().map(|(k, v)| (k.clone(), Self::of(v))).collect()),
            leaf => Tree::Leaf(leaf.clone()),
        };
        Self { line: 0, tree }
    }
}

/// Keeps trees within bounds while they are built.
#[derive(Debug)]
pub(super) struct Growth<'a> {
    name: &'a str,
    nodes: usize,
}

impl<'a> Growth<'a> {
    pub(super) const fn new(name: &'a str) -> Self {
        Self { name, nodes: 0 }
    }

    /// One more value, `depth` levels down, at `line`.
    pub(super) fn add(&mut self, depth: usize, line: usize) -> Result<()> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(self.error(line, format!("more than {MAX_NODES} values")));
        }
        if depth > MAX_DEPTH {
            return Err(self.error(line, format!("more than {MAX_DEPTH} levels deep")));
        }
        Ok(())
    }

    /// Adds `key` to a table, once.
    pub(super) fn entry(&self, table: &mut Vec<(String, Node)>, key: String, node: Node) -> Result<()> {
        if table.iter().any(|(k, _)| *k == key) {
            return Err(self.error(node.line, format!("`{key}` is given twice")));
        }
        table.push((key, node));
        Ok(())
    }

    pub(super) fn error(&self, line: usize, message: impl std::fmt::Display) -> crate::Error {
        file_error(format!("{message} ({}:{line})", self.name))
    }
}

/// The line, from 1, of byte `at`.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|b| *b == b'\n').count() + 1
}
