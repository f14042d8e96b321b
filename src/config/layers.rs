//! What was given, laid over the defaults.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::node::{MAX_BYTES, Node, Tree};
use super::{Format, Settings, file_error, json, toml, words, yaml};
use crate::error::{Error, Result};

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A file.
    File {
        /// As given.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// An environment variable of this name.
    Variable(String),
    /// A flag of this name.
    Flag(String),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}

/// Settings and where each comes from.
#[derive(Debug, Clone)]
pub struct Effective<T> {
    /// The settings, checked.
    pub settings: T,
    origins: BTreeMap<String, Origin>,
}

impl<T> Effective<T> {
    /// Where the setting at a dotted path comes from.
    pub fn origin(&self, field: &str) -> Origin {
        origin(&self.origins, field)
    }

    /// Whether no layer names the group at a dotted path, or anything in it.
    pub fn untouched(&self, group: &str) -> bool {
        let within =
            |name: &str| name.strip_prefix(group).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        !self.origins.keys().any(|name| within(name))
    }
}

/// The origin of `field`, or of what it lies in.
fn origin(origins: &BTreeMap<String, Origin>, field: &str) -> Origin {
    let mut at = field;
    loop {
        if let Some(found) = origins.get(at) {
            return found.clone();
        }
        match at.rfind(['.', '[']) {
            Some(end) => at = at.get(..end).unwrap_or_default(),
            None => return Origin::Default,
        }
    }
}

/// Collects layers. The order of the calls does not matter, but for several files or equal flags, where the later one wins.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    files: Vec<(PathBuf, Node)>,
    prefix: String,
    variables: Vec<(String, String)>,
    flags: Vec<(String, String, Value)>,
    /// Flags whose numbers JSON does not have, and what they would set.
    unusable: Vec<(String, String)>,
    /// All flags with what they set, given or not.
    known: Vec<(String, String)>,
}

impl Layers {
    /// Nothing but defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file.
    ///
    /// # Errors
    /// [`Error::InputNotFound`] if it cannot be read or is no regular file; [`Error::Config`] with `path:line` if it is too large,
    /// too deep or not of its format.
    pub fn file(self, path: &Path) -> Result<Self> {
        let format = Format::of(path)?;
        let failed = |e: std::io::Error| Error::unreadable(path, &e);
        let regular = std::fs::metadata(path).map_err(failed)?.is_file();
        if !regular {
            return Err(Error::InputNotFound { path: path.to_path_buf(), reason: "not a regular file".into() });
        }
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(file_error(format!("must be at most {MAX_BYTES} bytes: {}", path.display())));
        }
        let text = String::from_utf8(bytes).map_err(|e| {
            file_error(format!("not UTF-8 at byte {}: {}", e.utf8_error().valid_up_to(), path.display()))
        })?;
        self.text(path, format, &text)
    }

    /// Adds what a file would say. `name` is for messages.
    ///
    /// # Errors
    /// [`Error::Config`] as for [`Self::file`].
    pub fn text(mut self, name: impl AsRef<Path>, format: Format, text: &str) -> Result<Self> {
        let path = name.as_ref().to_path_buf();
        if text.len() as u64 > MAX_BYTES {
            return Err(file_error(format!("must be at most {MAX_BYTES} bytes: {}", path.display())));
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let shown = path.to_string_lossy();
        let mut node = match format {
            Format::Yaml => yaml::parse(&shown, text),
            Format::Toml => toml::parse(&shown, text),
            Format::Json => json::parse(&shown, text),
        }?;
        if let Tree::Table(entries) = &mut node.tree {
            // For editors; it says nothing to us.
            entries.retain(|(key, inner)| key != "$schema" || !matches!(inner.tree, Tree::Leaf(Value::String(_))));
        } else {
            let given = describe(&node.value());
            return Err(file_error(format!(
                "{}: must be a table of settings, got {given} ({shown}:{})",
                format.name(),
                node.line
            )));
        }
        self.files.push((path, node));
        Ok(self)
    }

    /// Adds the variables whose names begin with `prefix`, for instance `FRAMELOOM_ANALYZE_` and `std::env::vars_os()`. The rest of the
    /// name is the setting in capitals, `__` for a dot. Texts are taken as they are, lists and tables as JSON.
    ///
    /// # Errors
    /// [`Error::Config`] for a value that is not UTF-8.
    pub fn environment<N, V>(mut self, prefix: &str, variables: impl IntoIterator<Item = (N, V)>) -> Result<Self>
    where
        N: Into<std::ffi::OsString>,
        V: Into<std::ffi::OsString>,
    {
        prefix.clone_into(&mut self.prefix);
        for (name, value) in variables {
            let Ok(name) = name.into().into_string() else { continue };
            if name.starts_with(prefix) {
                let value = value.into().into_string().map_err(|_| config(&name, "must be UTF-8".into(), None))?;
                self.variables.push((name, value));
            }
        }
        // The order of the environment is chance.
        self.variables.sort();
        Ok(self)
    }

    /// Adds a flag, `name` as it was typed, that sets `field`, if there is a value. A number that is not finite is an error of
    /// [`Self::resolve`].
    #[must_use]
    pub fn flag(mut self, name: &str, field: &str, value: Option<impl Into<Value>>) -> Self {
        match value.map(Into::<Value>::into) {
            // What becomes of an infinity: it would leave a setting as if nothing were given.
            Some(value) if holds_null(&value) => self.unusable.push((name.to_owned(), field.to_owned())),
            Some(value) => return self.set(name, field, value),
            None => {}
        }
        self.known.push((name.to_owned(), field.to_owned()));
        self
    }

    /// Adds the value of a setting as it is, null too, which takes back what a file or variable says. Counts as a flag of this `name`.
    #[must_use]
    pub fn set(mut self, name: &str, field: &str, value: Value) -> Self {
        self.known.push((name.to_owned(), field.to_owned()));
        self.flags.push((name.to_owned(), field.to_owned(), value));
        self
    }

    /// Names of the flags that set the setting at a dotted path, given or not.
    pub fn flags_of<'a>(&'a self, field: &'a str) -> impl Iterator<Item = &'a str> {
        self.known.iter().filter(move |(_, f)| f == field).map(|(name, _)| name.as_str())
    }

    /// Name of the environment variable that sets the setting at a dotted path.
    pub fn variable(&self, field: &str) -> String {
        format!("{}{}", self.prefix, field.replace('.', "__").to_uppercase())
    }

    /// Lays all over the defaults.
    ///
    /// # Errors
    /// [`Error::Config`] with the dotted path of the setting: unknown (with the nearest known one), of the wrong kind, a flag's number that is
    /// not finite, or refused by [`Settings::check`]; the message ends with the place.
    pub fn resolve<T: Settings>(&self) -> Result<Effective<T>> {
        if let Some((name, field)) = self.unusable.first() {
            return Err(config(field, "must be a finite number".into(), Some(&Origin::Flag(name.clone()))));
        }
        let known = serde_json::to_value(T::default()).map_err(|e| Error::Bug(format!("default settings: {e}")))?;
        let mut merge = Merge { open: T::OPEN, origins: BTreeMap::new() };
        let mut values = known.clone();
        for (path, node) in &self.files {
            let place = |line| Origin::File { path: path.clone(), line };
            merge.lay(&mut values, Some(&known), node, "", &place)?;
        }
        self.lay_variables(&mut merge, &mut values, &known)?;
        for (name, field, value) in &self.flags {
            let node = nested(field, Node::of(value));
            merge.lay(&mut values, Some(&known), &node, "", &|_| Origin::Flag(name.clone()))?;
        }
        let origins = merge.origins;
        let settings: T = serde_path_to_error::deserialize(values).map_err(|e| {
            let field = e.path().to_string();
            let at = origin(&origins, &field);
            config(&field, words::plain(&e.into_inner().to_string()), Some(&at))
        })?;
        settings.check().map_err(|e| match e {
            Error::Config { field, message } => {
                let at = origin(&origins, &field);
                config(&field, message, Some(&at))
            }
            other => other,
        })?;
        Ok(Effective { settings, origins })
    }

    fn lay_variables(&self, merge: &mut Merge, values: &mut Value, known: &Value) -> Result<()> {
        let mut names = Vec::new();
        paths(known, "", &mut names);
        for (name, text) in &self.variables {
            let Some(path) = names.iter().find(|path| self.variable(path) == *name) else {
                let candidates: Vec<String> = names.iter().map(|p| self.variable(p)).collect();
                return Err(config(name, unknown(name, candidates.iter().map(String::as_str)), None));
            };
            let place = Origin::Variable(name.clone());
            let value = variable(known.pointer(&format!("/{}", path.replace('.', "/"))), text)
                .map_err(|message| config(path, message, Some(&place)))?;
            merge.lay(values, Some(known), &nested(path, Node::of(&value)), "", &|_| place.clone())?;
        }
        Ok(())
    }
}

/// The text of a variable as a value of the kind of `known`.
fn variable(known: Option<&Value>, text: &str) -> std::result::Result<Value, String> {
    let json = || serde_json::from_str::<Value>(text).ok();
    Ok(match known {
        Some(Value::String(_)) => Value::String(text.to_owned()),
        Some(Value::Bool(_)) => match text {
            "1" | "true" => Value::Bool(true),
            "0" | "false" => Value::Bool(false),
            _ => return Err(format!("must be true or false, got the text `{text}`")),
        },
        Some(Value::Array(_) | Value::Object(_)) => json().ok_or_else(|| format!("must be JSON, got `{text}`"))?,
        _ => json().unwrap_or_else(|| Value::String(text.to_owned())),
    })
}

/// Whether a value, or one in a list, is null.
fn holds_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(holds_null),
        _ => false,
    }
}

/// A table of tables that has `node` at a dotted path.
fn nested(path: &str, node: Node) -> Node {
    path.rsplit('.').fold(node, |node, key| Node { line: 0, tree: Tree::Table(vec![(key.to_owned(), node)]) })
}

/// All dotted paths below `value`.
fn paths(value: &Value, at: &str, out: &mut Vec<String>) {
    for (key, inner) in value.as_object().into_iter().flatten() {
        let path = join(at, key);
        paths(inner, &path, out);
        out.push(path);
    }
}

pub(super) fn join(at: &str, key: &str) -> String {
    if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") }
}

struct Merge {
    open: &'static [&'static str],
    origins: BTreeMap<String, Origin>,
}

impl Merge {
    /// Lays `node` over `values`. `known` is the default at `path`; without one, or where it is null, anything may stand.
    fn lay(
        &mut self,
        values: &mut Value,
        known: Option<&Value>,
        node: &Node,
        path: &str,
        place: &dyn Fn(usize) -> Origin,
    ) -> Result<()> {
        let open = self.open.contains(&path);
        if let (Tree::Table(entries), Value::Object(map)) = (&node.tree, &mut *values) {
            for (key, inner) in entries {
                let at = join(path, key);
                let below = known.and_then(|k| k.get(key));
                if below.is_none() && !open {
                    let keys = known.and_then(Value::as_object).into_iter().flatten().map(|(k, _)| k.as_str());
                    return Err(config(&at, unknown(key, keys), Some(&place(inner.line))));
                }
                let slot = map.entry(key.clone()).or_insert(Value::Null);
                self.lay(slot, below, inner, &at, place)?;
            }
            return Ok(());
        }
        let value = node.value();
        if let Some(wanted) = known.and_then(|k| wanted(k, &value)) {
            return Err(config(path, format!("must be {wanted}, got {}", describe(&value)), Some(&place(node.line))));
        }
        *values = value;
        self.origins.retain(|p, _| !p.strip_prefix(path).is_some_and(|rest| rest.starts_with(['.', '['])));
        self.mark(node, path, place);
        Ok(())
    }

    /// Notes where each part of `node` stands.
    fn mark(&mut self, node: &Node, path: &str, place: &dyn Fn(usize) -> Origin) {
        self.origins.insert(path.to_owned(), place(node.line));
        match &node.tree {
            Tree::Leaf(_) => {}
            Tree::List(items) => {
                items.iter().enumerate().for_each(|(i, inner)| self.mark(inner, &format!("{path}[{i}]"), place));
            }
            Tree::Table(entries) => entries.iter().for_each(|(key, inner)| self.mark(inner, &join(path, key), place)),
        }
    }
}

/// What a setting with the default `known` must be, if `given` is of another kind.
fn wanted(known: &Value, given: &Value) -> Option<&'static str> {
    match (known, given) {
        (Value::Bool(_), Value::Bool(_)) | (Value::String(_), Value::String(_)) => None,
        (Value::Array(_), Value::Array(_)) | (Value::Object(_), Value::Object(_)) | (Value::Null, _) => None,
        (Value::Number(k), Value::Number(g)) if k.is_f64() || !g.is_f64() => None,
        (Value::Bool(_), _) => Some("true or false"),
        (Value::Number(k), _) => Some(if k.is_f64() { "a number" } else { "a whole number" }),
        (Value::String(_), _) => Some("a text"),
        (Value::Array(_), _) => Some("a list"),
        (Value::Object(_), _) => Some("a table"),
    }
}

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => n.to_string(),
        Value::String(s) => format!("the text `{}`", s.chars().take(60).collect::<String>()),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a table".into(),
    }
}

/// Says what could be meant by `key`.
fn unknown<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> String {
    let mut known: Vec<&str> = known.collect();
    known.sort_unstable();
    let near = known.iter().map(|k| (strsim::damerau_levenshtein(k, key), *k)).min();
    match near {
        Some((distance, near)) if distance <= key.chars().count().div_ceil(3).max(1) => {
            format!("unknown; did you mean `{near}`?")
        }
        Some(_) => format!("unknown; there are {}", known.join(", ")),
        None => "unknown; there are no settings here".into(),
    }
}

fn config(field: &str, message: String, at: Option<&Origin>) -> Error {
    let message = match at {
        None | Some(Origin::Default) => message,
        Some(at) => format!("{message} ({at})"),
    };
    Error::Config { field: field.to_owned(), message }
}
