//! `--set`: any setting of a command by the name it has in files.

use clap::Args;
use frameloom::config::Layers;
use serde_json::Value;

/// Settings by name, beside the flags that some of them have.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct SetArgs {
    /// Any setting by its name in files, as in `selection.seed=3`; goes before files and variables; may be given several times
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting, help_heading = "Settings")]
    set: Vec<(String, Value)>,
}

impl SetArgs {
    /// Lays what was given over `layers`.
    pub(crate) fn lay(&self, layers: Layers) -> Layers {
        let lay =
            |layers: Layers, (name, value): &(String, Value)| layers.set(&format!("--set {name}"), name, value.clone());
        self.set.iter().fold(layers, lay)
    }
}

/// `NAME=VALUE`; what is not JSON is a text.
pub(crate) fn setting(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| "a setting looks like NAME=VALUE".to_owned())?;
    let name = name.trim();
    if name.is_empty() || name.split('.').any(str::is_empty) {
        return Err(format!("`{name}` is no name of a setting, as in selection.seed=3"));
    }
    Ok((name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_json_or_text() {
        let of = |text: &str| setting(text).unwrap();
        assert_eq!(of("a.b=3"), ("a.b".into(), json!(3)));
        assert_eq!(of("a=[1, 2]").1, json!([1, 2]));
        assert_eq!(of("a=x=y").1, json!("x=y"));
        assert_eq!(of("a=\"7\"").1, json!("7"));
        assert_eq!(of("a=").1, json!(""));
        for wrong in ["a", "=1", "a..b=1", ".=1"] {
            assert!(setting(wrong).is_err(), "{wrong}");
        }
    }
}
