use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Inner {
    targets: Vec<f64>,
    mode: Mode,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Fast,
    Exact,
}

impl Default for Inner {
    fn default() -> Self {
        Self { targets: vec![0.3, 0.7], mode: Mode::Fast }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Sample {
    share: f64,
    count: u8,
    name: String,
    deep: bool,
    seed: Option<u32>,
    inner: Inner,
    extra: Option<Inner>,
    needs: std::collections::BTreeMap<String, f64>,
}

impl Default for Sample {
    fn default() -> Self {
        Self {
            share: 0.5,
            count: 3,
            name: "a".into(),
            deep: false,
            seed: None,
            inner: Inner::default(),
            extra: None,
            needs: [("near".to_owned(), 0.5)].into(),
        }
    }
}

impl Settings for Sample {
    const OPEN: &'static [&'static str] = &["needs"];

    fn check(&self) -> Result<()> {
        if self.inner.targets.iter().any(|t| *t > 1.0) {
            return Err(Error::Config { field: "inner.targets".into(), message: "must be at most 1".into() });
        }
        if (0.0..=1.0).contains(&self.share) {
            return Ok(());
        }
        Err(Error::Config { field: "share".into(), message: format!("must be a share in 0..=1, got {}", self.share) })
    }
}

const TOML: &str = "# settings\nshare = 0.25\ncount = 7\nname = 'b'\ndeep = true\nseed = 9\n\n[inner]\ntargets = [0.1,\n  0.2]\n\
                    mode = 'exact'\n\n[needs]\nfar = 1\n";
const YAML: &str = "# settings\nshare: 0.25\ncount: 7\nname: b\ndeep: true\nseed: 9\n\ninner:\n  targets: [0.1,\n    0.2]\n  mode: exact\n\n\
                    needs:\n  far: 1\n";
const JSON: &str = "{\n\t\"share\": 0.25,\n\t\"count\": 7,\n\t\"name\": \"b\", \"deep\": true,\n\t\"seed\": 9,\n\n\t\"inner\": {\n\t\t\
                    \"targets\": [0.1,\n 0.2],\n\t\t\"mode\": \"exact\"},\n\n\t\"needs\": {\"far\": 1}\n}\n";

fn resolved(format: Format, text: &str) -> Result<Effective<Sample>> {
    Layers::new().text("s", format, text)?.resolve()
}

fn message(format: Format, text: &str) -> String {
    resolved(format, text).unwrap_err().to_string()
}

#[test]
fn all_formats_say_the_same() {
    let wanted = Sample {
        share: 0.25,
        count: 7,
        name: "b".into(),
        deep: true,
        seed: Some(9),
        inner: Inner { targets: vec![0.1, 0.2], mode: Mode::Exact },
        extra: None,
        needs: [("near".to_owned(), 0.5), ("far".to_owned(), 1.0)].into(),
    };
    for (format, text) in [(Format::Toml, TOML), (Format::Yaml, YAML), (Format::Json, JSON), (Format::Yaml, JSON)] {
        // JSON indented with tabs is no YAML everywhere; with blanks it is.
        let text = if format == Format::Yaml { text.replace('\t', "  ") } else { text.to_owned() };
        assert_eq!(resolved(format, &text).unwrap().settings, wanted, "{format:?}");
    }
    assert_eq!(resolved(Format::Toml, "").unwrap().settings, Sample::default());
    assert_eq!(resolved(Format::Yaml, "\u{feff}# nothing\n").unwrap().settings, Sample::default());
    assert_eq!(resolved(Format::Json, "{}").unwrap().settings, Sample::default());
}

#[test]
fn what_is_written_is_read_back() {
    let settings = Sample { share: 0.1, seed: Some(4), extra: Some(Inner::default()), ..Sample::default() };
    assert_eq!(resolved(Format::Toml, &to_toml(&settings).unwrap()).unwrap().settings, settings);
    assert_eq!(resolved(Format::Json, &to_json(&settings).unwrap()).unwrap().settings, settings);
    assert_eq!(resolved(Format::Yaml, &to_json(&settings).unwrap()).unwrap().settings, settings);
}

#[test]
fn flags_go_before_environment_before_files_before_defaults() {
    let layers = |file: bool, variable: bool, flag: bool| {
        let layers = Layers::new().flag("--share", "share", flag.then_some(0.1));
        let variables = [("X_SHARE", "0.2"), ("OTHER_SHARE", "9")];
        let layers = layers.environment("X_", variables.into_iter().take(if variable { 2 } else { 0 })).unwrap();
        let layers = if file { layers.text("f.toml", Format::Toml, "share = 0.3").unwrap() } else { layers };
        let found = layers.resolve::<Sample>().unwrap();
        assert_eq!((found.untouched("share"), found.untouched("shar")), (!(file || variable || flag), true));
        (found.settings.share, found.origin("share").to_string())
    };
    assert_eq!(layers(false, false, false), (0.5, "default".into()));
    assert_eq!(layers(true, false, false), (0.3, "f.toml:1".into()));
    assert_eq!(layers(true, true, false), (0.2, "X_SHARE".into()));
    assert_eq!(layers(true, true, true), (0.1, "--share".into()));
    assert_eq!(layers(true, false, true), (0.1, "--share".into()));
    // A later file goes before an earlier one; what it does not name stays.
    let two = Layers::new().text("a", Format::Yaml, "share: 0.1\ncount: 1").unwrap();
    let two = two.text("b", Format::Yaml, "count: 2").unwrap().resolve::<Sample>().unwrap().settings;
    assert_eq!((two.share, two.count), (0.1, 2));
}

#[test]
fn a_flag_that_is_no_finite_number_is_refused_and_null_is_for_who_means_it() {
    let wrong = |layers: Layers| layers.resolve::<Sample>().unwrap_err().to_string();
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        // One that may be null, and one that may not.
        for field in ["seed", "share"] {
            let message = wrong(Layers::new().flag("--some", field, Some(number)));
            assert_eq!(message, format!("setting `{field}`: must be a finite number (--some)"));
        }
    }
    assert!(wrong(Layers::new().flag("--seed", "seed", Some(f32::NAN))).contains("finite number"));
    let list = Layers::new().flag("--targets", "inner.targets", Some(vec![0.5, f64::INFINITY]));
    assert!(wrong(list).contains("`inner.targets`: must be a finite number (--targets)"));
    let file = Layers::new().text("s", Format::Toml, "seed = 4").unwrap();
    assert_eq!(file.clone().flag("--seed", "seed", None::<u64>).resolve::<Sample>().unwrap().settings.seed, Some(4));
    let taken_back = file.set("--set seed", "seed", serde_json::Value::Null).resolve::<Sample>().unwrap();
    assert_eq!((taken_back.settings.seed, taken_back.origin("seed").to_string()), (None, "--set seed".into()));
}

#[test]
fn variables_take_the_kind_of_the_setting() {
    let of = |name: &str, value: &str| Layers::new().environment("X_", [(name, value)]).unwrap().resolve::<Sample>();
    assert_eq!(of("X_NAME", "7").unwrap().settings.name, "7");
    assert!(of("X_DEEP", "1").unwrap().settings.deep);
    assert_eq!(of("X_SEED", "7").unwrap().settings.seed, Some(7));
    assert_eq!(of("X_INNER__TARGETS", "[1]").unwrap().settings.inner.targets, [1.0]);
    assert_eq!(of("X_INNER__MODE", "exact").unwrap().settings.inner.mode, Mode::Exact);
    let error = |name, value| of(name, value).unwrap_err().to_string();
    assert_eq!(error("X_CUONT", "1"), "setting `X_CUONT`: unknown; did you mean `X_COUNT`?");
    assert_eq!(error("X_COUNT", "many"), "setting `count`: must be a whole number, got the text `many` (X_COUNT)");
    assert_eq!(error("X_DEEP", "yes"), "setting `deep`: must be true or false, got the text `yes` (X_DEEP)");
    assert_eq!(error("X_INNER__TARGETS", "1,2"), "setting `inner.targets`: must be JSON, got `1,2` (X_INNER__TARGETS)");
    assert_eq!(error("X_SHARE", "2"), "setting `share`: must be a share in 0..=1, got 2 (X_SHARE)");
}

#[test]
fn errors_point_at_the_line() {
    for (format, text, wanted) in [
        (Format::Toml, "share = 0.1\n\nshaer = 1", "setting `shaer`: unknown; did you mean `share`? (s:3)"),
        (Format::Yaml, "inner:\n  moed: fast", "setting `inner.moed`: unknown; did you mean `mode`? (s:2)"),
        (Format::Json, "{\"inner\":\n{\"zzz\": 1}}", "setting `inner.zzz`: unknown; there are mode, targets (s:2)"),
        (Format::Toml, "extra = 1", "setting `extra`: must be a table, got 1 (s:1)"),
        (Format::Yaml, "\nshare: high", "setting `share`: must be a number, got the text `high` (s:2)"),
        (Format::Json, "{\n\"count\": 1.5}", "setting `count`: must be a whole number, got 1.5 (s:2)"),
        (Format::Toml, "name = 3", "setting `name`: must be a text, got 3 (s:1)"),
        (Format::Yaml, "inner: 3", "setting `inner`: must be a table, got 3 (s:1)"),
        (Format::Yaml, "count:\n  a: 3", "setting `count`: must be a whole number, got a table (s:1)"),
        (Format::Yaml, "inner:\n  targets: no", "setting `inner.targets`: must be a list, got the text `no` (s:2)"),
        (
            Format::Toml,
            "share = 0.1\ncount = 300",
            "setting `count`: must be a whole number of 0 to 255, got 300 (s:2)",
        ),
        (
            Format::Yaml,
            "inner:\n  targets:\n    - 0.1\n    - x",
            "setting `inner.targets[1]`: must be a number, got the text `x` (s:4)",
        ),
        (Format::Toml, "inner.mode = 'fats'", "setting `inner.mode`: must be `fast` or `exact`, got `fats` (s:1)"),
        (Format::Toml, "\nshare = 1.5", "setting `share`: must be a share in 0..=1, got 1.5 (s:2)"),
        (Format::Toml, "\n\n[inner]\ntargets = [2]", "setting `inner.targets`: must be at most 1 (s:4)"),
        (Format::Yaml, "share: 0.1\nshare: 0.2", "setting `config`: `share` is given twice (s:2)"),
        (Format::Json, "{\"count\": 1,\n\"count\": 1}", "setting `config`: `count` is given twice (s:2)"),
        (
            Format::Yaml,
            "a: &x 1\nb: *x",
            "setting `config`: anchors and aliases are not read; write the value out (s:1)",
        ),
        (Format::Yaml, "share: !!float 1", "setting `config`: tags are not read; leave it out (s:1)"),
        (Format::Yaml, "share: 1\n---\nshare: 1", "setting `config`: a second document; one is read (s:2)"),
        (Format::Yaml, "share: .inf", "setting `config`: .inf is not a finite number (s:1)"),
        (Format::Toml, "share = nan", "setting `config`: nan is not a finite number (s:1)"),
        (
            Format::Toml,
            "name = 2020-01-01",
            "setting `config`: 2020-01-01: no setting is a date; quote it as a text (s:1)",
        ),
        (Format::Yaml, "- 1", "setting `config`: YAML: must be a table of settings, got a list (s:1)"),
        (Format::Json, "\n7", "setting `config`: JSON: must be a table of settings, got 7 (s:2)"),
    ] {
        assert_eq!(message(format, text), wanted, "{text}");
    }
    for (format, text, wanted) in [
        (Format::Toml, "share = 1\ncount = ", "not TOML: "),
        (Format::Yaml, "share: 1\n]", "not YAML: "),
        (Format::Json, "{\"share\": 1,\n}", "not JSON: "),
    ] {
        let said = message(format, text);
        assert!(said.contains(wanted) && said.ends_with("(s:2)"), "{said}");
    }
}

#[test]
fn files_are_named_by_extension_and_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let put = |name: &str, text: &[u8]| {
        let mut file = std::fs::File::create(path(name)).unwrap();
        std::io::Write::write_all(&mut file, text).unwrap();
    };
    put("a.YML", b"count: 1");
    put("a.txt", b"count: 1");
    put("b.toml", b"count = \xff");
    put("c.toml", " ".repeat((1 << 20) + 1).as_bytes());
    let of = |name: &str| Layers::new().file(&path(name)).and_then(|l| l.resolve::<Sample>());
    assert_eq!(of("a.YML").unwrap().settings.count, 1);
    let error = |name: &str| of(name).unwrap_err().to_string();
    assert!(error("a.txt").contains("must end in .yaml, .yml, .toml or .json"));
    assert!(error("b.toml").contains("not UTF-8 at byte 8"));
    assert!(error("c.toml").contains("at most 1048576 bytes"));
    assert!(matches!(of("none.toml"), Err(Error::InputNotFound { .. })));
    std::fs::create_dir(path("d.toml")).unwrap();
    assert!(error("d.toml").contains("not a regular file"));

    let nested = |open: &str, close: &str, n: usize| format!("{}1{}", open.repeat(n), close.repeat(n));
    for (format, text) in [
        (Format::Json, nested("{\"a\":", "}", 40)),
        (Format::Yaml, nested("{a: ", "}", 40)),
        (Format::Toml, format!("a = {}", nested("[", "]", 40))),
        (Format::Json, nested("[", "]", 100_000)),
        (Format::Yaml, nested("[", "]", 100_000)),
        (Format::Toml, format!("a = {}", nested("[", "]", 100_000))),
    ] {
        let said = message(format, &text);
        assert!(
            said.contains("levels deep") || said.contains("recursion") || said.contains("limit"),
            "{format:?}: {said}"
        );
    }
    let many = message(Format::Yaml, &format!("a: [{}]", "1,".repeat(30_000)));
    assert!(many.contains("more than 20000 values"), "{many}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]
    #[test]
    fn any_text_is_read_or_refused(text in "[-a-z0-9:.,'\"\\[\\]{}=#&*!|>%@~ \t\n\\\\é]{0,80}", pick in 0usize..3) {
        let _ = resolved([Format::Yaml, Format::Toml, Format::Json][pick], &text);
    }

    #[test]
    fn a_damaged_file_is_read_or_refused(at in 0usize..120, with: char, cut: bool, pick in 0usize..3) {
        let (format, text) = [(Format::Yaml, YAML), (Format::Toml, TOML), (Format::Json, JSON)][pick];
        let damaged: String = text.chars().enumerate().filter(|(i, _)| !cut || *i < at)
            .map(|(i, c)| if i == at { with } else { c }).collect();
        if let Err(e) = resolved(format, &damaged) {
            let known = matches!(e, Error::Config { .. });
            prop_assert!(known, "{e}");
        }
    }
}
