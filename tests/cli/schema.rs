//! The schema of settings and the program agree: what one takes the other takes, and both refuse the same.

use frameloom::Error;
use frameloom::config::schemars::JsonSchema;
use frameloom::config::{Format, Layers, SettingDoc, Settings, reference, schema};
use frameloom::workflows::{analyze, chunk, collage, curate, track};
use serde_json::{Value, json};

use crate::support::*;

/// Words of JSON Schema that `valid` knows; another one in a schema would make it say yes to anything.
const KNOWN: [&str; 23] = [
    "$defs",
    "$ref",
    "$schema",
    "additionalProperties",
    "anyOf",
    "const",
    "default",
    "description",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "items",
    "maxItems",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "multipleOf",
    "oneOf",
    "properties",
    "required",
    "title",
    "type",
];

/// Whether `value` fits `schema`: as much of draft 2020-12 as our schemas use.
fn valid(schema: &Value, value: &Value) -> bool {
    let Some(schema) = schema.as_object() else { return schema == &Value::Bool(true) };
    let unknown = schema.keys().find(|k| !KNOWN.contains(&k.as_str()) && !k.starts_with("x-"));
    assert!(unknown.is_none(), "{unknown:?} is not checked");
    let kind = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.as_f64().is_some_and(|n| n.fract() == 0.0),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("type {other}"),
    };
    let all = |name: &str| schema.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let number = |name: &str| schema.get(name).and_then(Value::as_f64);
    let typed = match schema.get("type") {
        None => true,
        Some(Value::String(name)) => kind(name),
        Some(names) => names.as_array().unwrap().iter().any(|n| kind(n.as_str().unwrap())),
    };
    let among = |name: &str| all(name).is_empty() || all(name).iter().any(|s| valid(s, value));
    let listed = schema.get("enum").is_none_or(|_| all("enum").contains(value));
    let constant = schema.get("const").is_none_or(|c| c == value);
    let ranged = value.as_f64().is_none_or(|n| {
        number("minimum").is_none_or(|low| n >= low)
            && number("maximum").is_none_or(|high| n <= high)
            && number("exclusiveMinimum").is_none_or(|low| n > low)
            && number("exclusiveMaximum").is_none_or(|high| n < high)
            && number("multipleOf").is_none_or(|of| n % of == 0.0)
    });
    let long = value.as_str().is_none_or(|s| number("minLength").is_none_or(|n| s.chars().count() as f64 >= n));
    let items = value.as_array().is_none_or(|items| {
        number("minItems").is_none_or(|n| items.len() as f64 >= n)
            && number("maxItems").is_none_or(|n| items.len() as f64 <= n)
            && schema.get("items").is_none_or(|s| items.iter().all(|i| valid(s, i)))
    });
    let entries = value.as_object().is_none_or(|entries| {
        all("required").iter().all(|name| entries.contains_key(name.as_str().unwrap()))
            && entries.iter().all(|(key, inner)| {
                let named = schema.get("properties").and_then(|p| p.get(key));
                named.or_else(|| schema.get("additionalProperties")).is_none_or(|s| valid(s, inner))
            })
    });
    typed && among("anyOf") && among("oneOf") && listed && constant && ranged && long && items && entries
}

/// A file that sets `path` and nothing else.
fn file(path: &str, value: Value) -> Value {
    path.rsplit('.').fold(value, |value, key| json!({ key: value }))
}

/// The part of `schema` that describes `path`.
fn at<'a>(schema: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(schema, |s, key| &s["properties"][key])
}

/// The setting that the program refuses, and what it says.
fn refused<T: Settings>(file: &Value) -> Option<(String, String)> {
    match Layers::new().text("c.json", Format::Json, &file.to_string()).unwrap().resolve::<T>() {
        Ok(_) => None,
        Err(Error::Config { field, message }) => Some((field, message)),
        Err(other) => panic!("{other}"),
    }
}

fn numbers_are_bounded_alike<T: Settings>(schema: &Value, s: &SettingDoc) -> usize {
    let mut probes = 0;
    let bound = |name: &str| at(schema, &s.path).get(name).and_then(Value::as_f64);
    let whole = s.kind == "whole number";
    let written = |n: f64| if whole { json!(n as i64) } else { json!(n) };
    let step = |n: f64| if whole { 1.0 } else { n.abs().max(1.0) * 1e-3 };
    for (name, outwards) in [("minimum", -1.0), ("maximum", 1.0), ("exclusiveMinimum", -1.0), ("exclusiveMaximum", 1.0)]
    {
        let Some(edge) = bound(name) else { continue };
        let exclusive = name.starts_with("exclusive");
        let (inside, outside) =
            if exclusive { (edge - outwards * step(edge), edge) } else { (edge, edge + outwards * step(edge)) };
        let (taken, not) = (file(&s.path, written(inside)), file(&s.path, written(outside)));
        assert!(valid(schema, &taken) && !valid(schema, &not), "{name} of {}", s.path);
        // Other settings may forbid it too, but not its range.
        if let Some((_, message)) = refused::<T>(&taken) {
            assert!(!message.contains(&format!("must be {}", s.range)), "{}: {message}", s.path);
        }
        let (field, message) = refused::<T>(&not).unwrap_or_else(|| panic!("{not} is taken"));
        assert_eq!(field, s.path, "{message}");
        // What does not fit the type of Rust is refused before, with the bounds of the type.
        assert!(
            message.contains(&format!("must be {}", s.range)) || message.contains("a whole number of"),
            "{message}"
        );
        probes += 1;
    }
    probes
}

/// Checks one workflow; gives the number of bounds and choices tried.
fn agree<T: Settings + JsonSchema>(name: &str) -> (usize, usize) {
    let schema = schema::<T>(name).unwrap();
    let settings = reference::<T>().unwrap();
    let defaults = serde_json::to_value(T::default()).unwrap();
    assert!(valid(&schema, &defaults), "{name}: the defaults do not fit");
    assert!(valid(&schema, &json!({ "$schema": "x.json" })) && refused::<T>(&json!({ "$schema": "x.json" })).is_none());
    let unknown = json!({ "no_such_setting": 1 });
    assert!(!valid(&schema, &unknown) && refused::<T>(&unknown).is_some(), "{name}");
    assert!(!settings.is_empty(), "{name}");
    let (mut bounds, mut choices) = (0, 0);
    for s in settings {
        assert!(!s.meaning.is_empty(), "{name}: `{}` has no meaning", s.path);
        if !s.alone {
            continue;
        }
        let wrong = file(&s.path, json!({ "no_such": [[1]] }));
        assert!(!valid(&schema, &wrong), "{name}: {wrong} fits");
        assert!(refused::<T>(&wrong).is_some(), "{name}: {wrong} is taken");
        if matches!(s.kind.as_str(), "number" | "whole number") {
            bounds += numbers_are_bounded_alike::<T>(&schema, &s);
        }
        let listed = s.default.as_ref().is_some_and(|d| d.starts_with('['));
        let choice = |name: &str| file(&s.path, if listed { json!([name]) } else { json!(name) });
        for (value, _) in &s.choices {
            assert!(valid(&schema, &choice(value)), "{name}: {value}");
            let said = refused::<T>(&choice(value)).map_or_else(String::new, |(_, message)| message);
            assert!(!said.contains(", got `"), "{name}: {said}");
            choices += 1;
        }
        if !s.choices.is_empty() {
            let (field, message) = refused::<T>(&choice("no such choice")).unwrap();
            assert!(field.starts_with(&s.path) && message.contains(&s.choices[0].0), "{name}: {field}: {message}");
            assert!(!valid(&schema, &choice("no such choice")));
        }
    }
    (bounds, choices)
}

#[test]
fn schemas_and_the_program_take_and_refuse_the_same() {
    let all = [
        agree::<analyze::AnalyzeConfig>("analyze"),
        agree::<chunk::heat::HeatConfig>("heatmap"),
        agree::<chunk::plan::PlanParams>("chunk-plan"),
        agree::<chunk::process::ProcessConfig>("chunk-run"),
        agree::<chunk::process::ProxyConfig>("proxy"),
        agree::<curate::CurateConfig>("curate"),
        #[cfg(feature = "onnx")]
        agree::<frameloom::workflows::sync::run::SyncConfig>("sync"),
        agree::<collage::IndexSettings>("index"),
        agree::<collage::CollageSettings>("collage"),
        agree::<track::run::TrackConfig>("track"),
    ];
    let (bounds, choices) = all.iter().fold((0, 0), |(b, c), (more, others)| (b + more, c + others));
    assert!(bounds > 120 && choices > 40, "only {bounds} bounds and {choices} choices were tried");
}

#[test]
fn the_command_prints_a_schema_that_takes_what_a_run_wrote() {
    let dir = tempfile::tempdir().unwrap();
    let input = small_clip(dir.path());
    let out = dir.path().join("out");
    let o = frameloom().arg("analyze").arg(&input).arg("-o").arg(&out).output().unwrap();
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let written = std::fs::read_to_string(out.join("config.toml")).unwrap();
    let layers = Layers::new().text("config.toml", Format::Toml, &written).unwrap();
    let settings = layers.resolve::<analyze::AnalyzeConfig>().unwrap().settings;
    let o = run(&["config", "schema", "analyze"]);
    let schema: Value = serde_json::from_slice(&o.stdout).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(valid(&schema, &serde_json::to_value(&settings).unwrap()));
    let o = run(&["config", "schema"]);
    let all: Value = serde_json::from_slice(&o.stdout).unwrap();
    assert!(all["$defs"].as_object().unwrap().len() >= 9);
    assert_eq!(all["$defs"]["analyze"], schema);
}

/// Every flag that the reference names is a flag of that command.
#[test]
fn flags_in_the_reference_exist() {
    let text = String::from_utf8(run(&["config", "reference"]).stdout).unwrap();
    let mut flags = 0;
    for section in text.split("## `frameloom ").skip(1) {
        let (command, rest) = section.split_once('`').unwrap();
        let mut words: Vec<&str> = command.split(' ').collect();
        words.push("--help");
        let help = String::from_utf8(run(&words).stdout).unwrap();
        for flag in rest.split('`').filter(|word| word.starts_with("--") && !word.contains(' ')) {
            let found = help.match_indices(flag).any(|(i, _)| !help[i + flag.len()..].starts_with(['-', '_']));
            assert!(found, "{command} has no {flag}");
            flags += 1;
        }
    }
    assert!(flags > 120, "{flags} flags found");
}
