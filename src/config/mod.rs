//! Settings of the workflows, from four layers: flags over environment over a file over defaults.
//!
//! A workflow has one plain struct that implements [`Settings`]. Its defaults, serialised, say which settings there are and of what
//! kind; nothing else has to be declared. [`Layers`] collects what was given, [`Layers::resolve`] lays it over the defaults and
//! checks it:
//!
//! ```
//! use frameloom::config::{Format, Layers, Settings};
//!
//! #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
//! struct Sharpen {
//!     amount: f64,
//!     passes: u32,
//! }
//!
//! impl Default for Sharpen {
//!     fn default() -> Self {
//!         Self { amount: 1.0, passes: 1 }
//!     }
//! }
//!
//! impl Settings for Sharpen {
//!     fn check(&self) -> frameloom::Result<()> {
//!         Ok(())
//!     }
//! }
//!
//! let layers = Layers::new().text("s.toml", Format::Toml, "amount = 2\npasses = 3")?.flag("--passes", "passes", Some(4));
//! assert_eq!(layers.resolve::<Sharpen>()?.settings, Sharpen { amount: 2.0, passes: 4 });
//!
//! let wrong = Layers::new().text("s.toml", Format::Toml, "amount = 2\npases = 3")?.resolve::<Sharpen>();
//! assert_eq!(wrong.unwrap_err().to_string(), "setting `pases`: unknown; did you mean `passes`? (s.toml:2)");
//! # Ok::<(), frameloom::Error>(())
//! ```
//!
//! A struct that derives [`schemars::JsonSchema`] too says what its settings mean and which values they take: [`schema`] is for editors,
//! [`reference`](fn@reference) for people, and [`check_ranges`] checks what the fields declare.
//!
//! Files are YAML, TOML or JSON by their extension, at most 1 MiB and 32 levels deep, read once. Anchors, aliases and tags of YAML are
//! refused: small files that expand to large ones are made of them.

mod json;
mod layers;
mod node;
mod ranges;
mod reference;
mod schema;
#[cfg(test)]
mod tests;
mod toml;
mod words;
mod yaml;

pub use layers::{Effective, Layers, Origin};
pub use ranges::check_ranges;
pub use reference::{SettingDoc, reference};
pub use schema::schema;
pub use schemars;

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// The settings of a workflow.
///
/// A setting that may be absent is an `Option`, absent by default. Derive `Deserialize` with `deny_unknown_fields` for structs inside
/// lists and options: what defaults do not show cannot be checked here.
pub trait Settings: Default + Serialize + DeserializeOwned {
    /// Dotted paths of tables whose keys the user chooses.
    const OPEN: &'static [&'static str] = &[];

    /// Checks ranges and combinations.
    ///
    /// # Errors
    /// [`Error::Config`] with the dotted path of the setting.
    fn check(&self) -> Result<()>;
}

/// How a file of settings is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// YAML 1.2, one document, without anchors and tags.
    Yaml,
    /// TOML 1.1.
    Toml,
    /// JSON, RFC 8259.
    Json,
}

impl Format {
    /// By extension: `.yaml`, `.yml`, `.toml`, `.json`, in any case.
    ///
    /// # Errors
    /// [`Error::Config`] for another one.
    pub fn of(path: &Path) -> Result<Self> {
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("yaml" | "yml") => Ok(Self::Yaml),
            Some("toml") => Ok(Self::Toml),
            Some("json") => Ok(Self::Json),
            _ => Err(file_error(format!("must end in .yaml, .yml, .toml or .json: {}", path.display()))),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Yaml => "YAML",
            Self::Toml => "TOML",
            Self::Json => "JSON",
        }
    }
}

/// Settings as TOML, in the order of their declaration. [`Layers::text`] reads it back to the same settings.
///
/// # Errors
/// [`Error::Bug`] for what TOML cannot say, such as integers beyond 64 bits.
pub fn to_toml<T: Serialize>(settings: &T) -> Result<String> {
    ::toml::to_string(settings).map_err(|e| Error::Bug(format!("settings as TOML: {e}")))
}

/// Settings as JSON, in the order of their declaration.
///
/// # Errors
/// [`Error::Bug`] for what JSON cannot say.
pub fn to_json<T: Serialize>(settings: &T) -> Result<String> {
    serde_json::to_string_pretty(settings).map_err(|e| Error::Bug(format!("settings as JSON: {e}")))
}

/// Something is wrong with the file as such.
fn file_error(message: impl Into<String>) -> Error {
    Error::Config { field: "config".into(), message: message.into() }
}
