//! The file of a pipeline, with the line of everything in it.

use std::path::{Path, PathBuf};

use frameloom::config::{Effective, Layers, Origin, Settings};
use frameloom::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::typed::{Kind, kind, nearest};

/// Longest name of a step.
const LONGEST_NAME: usize = 48;
/// Most steps.
const MOST_STEPS: usize = 999;

/// What the file says.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Written {
    title: String,
    vars: Map<String, Value>,
    steps: Vec<Value>,
}

impl Settings for Written {
    const OPEN: &'static [&'static str] = &["vars"];

    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// A step as it is written: references are not followed yet.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) kind: &'static Kind,
    /// `01-NAME`.
    pub(super) folder: String,
    pub(super) options: Map<String, Value>,
}

/// A file of steps.
#[derive(Debug)]
pub(super) struct Source {
    path: PathBuf,
    pub(super) title: String,
    pub(super) vars: Map<String, Value>,
    pub(super) steps: Vec<Step>,
    effective: Effective<Written>,
}

impl Source {
    /// Reads the file; `sets` are other values of its variables.
    ///
    /// # Errors
    /// [`Error::InputNotFound`]; [`Error::Config`] with the line for what is no pipeline.
    pub(super) fn read(path: &Path, sets: &[(String, Value)]) -> Result<Self> {
        let layers = Layers::new().file(path)?;
        let mut written = layers.resolve::<Written>()?.settings;
        for (name, value) in sets {
            let Some(known) = written.vars.get_mut(name) else {
                let near = nearest(name, written.vars.keys().map(String::as_str));
                let message = format!("unknown variable; {near} (--set {name})");
                return Err(Error::Config { field: format!("vars.{name}"), message });
            };
            // The text `7` in the place of a text is no number.
            let text = known.is_string() && !value.is_string() && !value.is_array() && !value.is_object();
            *known = if text { Value::String(value.to_string()) } else { value.clone() };
        }
        let effective = layers.resolve()?;
        let Written { title, vars, steps } = written;
        let mut source = Self { path: path.to_path_buf(), title, vars, steps: Vec::new(), effective };
        source.check_vars()?;
        source.take(&steps)?;
        Ok(source)
    }

    /// `FILE:LINE` of a dotted path, or of what it lies in.
    pub(super) fn place(&self, field: &str) -> String {
        match self.effective.origin(field) {
            Origin::Default => self.path.display().to_string(),
            origin => origin.to_string(),
        }
    }

    /// `FILE:LINE` of a step.
    pub(super) fn place_of(&self, step: usize) -> String {
        self.place(&format!("steps[{step}]"))
    }

    /// Something is wrong with the option `key` of a step, or with the step.
    pub(super) fn wrong(&self, step: usize, key: Option<&str>, message: impl std::fmt::Display) -> Error {
        let name = self.steps.get(step).map(|s| s.name.clone());
        let within = key.map(|k| format!(".{k}")).unwrap_or_default();
        let place = self.place(&format!("steps[{step}]{within}"));
        let head = name.map_or_else(|| format!("steps[{step}]"), |n| format!("steps.{n}"));
        Error::Config { field: format!("{head}{within}"), message: format!("{message} ({place})") }
    }

    fn check_vars(&self) -> Result<()> {
        for (name, value) in &self.vars {
            let place = self.place(&format!("vars.{name}"));
            let wrong = |message: &str| {
                Err(Error::Config { field: format!("vars.{name}"), message: format!("{message} ({place})") })
            };
            if !is_name(name) {
                return wrong("the name of a variable is made of letters, digits, - and _");
            }
            let simple = |v: &Value| !matches!(v, Value::Object(_) | Value::Array(_) | Value::Null);
            match value {
                Value::Array(list) if list.iter().all(simple) => {}
                one if simple(one) => {}
                _ => return wrong("must be a text, a number, true or false, or a list of these"),
            }
            if value.to_string().contains("${") {
                return wrong("a variable cannot refer to others");
            }
        }
        Ok(())
    }

    fn take(&mut self, steps: &[Value]) -> Result<()> {
        if steps.is_empty() || steps.len() > MOST_STEPS {
            let message = format!("wanted: a list of 1 to {MOST_STEPS} steps ({})", self.place("steps"));
            return Err(Error::Config { field: "steps".into(), message });
        }
        for (at, step) in steps.iter().enumerate() {
            let Value::Object(step) = step else {
                return Err(self.wrong(at, None, "a step is a table with `name`, `run` and options"));
            };
            let mut options = step.clone();
            let mut text = |key: &str, what: &str| match options.remove(key) {
                Some(Value::String(text)) => Ok(text),
                Some(_) => Err(self.wrong(at, Some(key), format!("must be {what}"))),
                None => Err(self.wrong(at, None, format!("`{key}` is missing: {what}"))),
            };
            let name = text("name", "a name of the step, for others to refer to")?;
            let run = text("run", "a command, such as `chunk plan`")?;
            if !is_name(&name) || name.len() > LONGEST_NAME {
                let message = format!("must be letters, digits, - and _, at most {LONGEST_NAME}, got `{name}`");
                return Err(self.wrong(at, Some("name"), message));
            }
            if self.steps.iter().any(|s| s.name.eq_ignore_ascii_case(&name)) {
                return Err(self.wrong(at, Some("name"), format!("there is a step `{name}` already")));
            }
            let kind = kind(&run).map_err(|message| self.wrong(at, Some("run"), message))?;
            let folder = format!("{:02}-{name}", at + 1);
            self.steps.push(Step { name, kind, folder, options });
        }
        Ok(())
    }
}

fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') && text.chars().all(plain)
}
