//! What the reader of values says, in words for people who do not know the types of Rust.

/// `message` in our words, where it is of a known form.
pub(super) fn plain(message: &str) -> String {
    known(message).unwrap_or_else(|| message.to_owned())
}

fn known(message: &str) -> Option<String> {
    let split = |prefix: &str| message.strip_prefix(prefix)?.rsplit_once(", expected ");
    if let Some((given, wanted)) = split("unknown variant ") {
        return Some(format!("must be {wanted}, got {given}"));
    }
    if let Some((given, wanted)) = split("invalid length ") {
        return Some(format!("must be {}, got {given}", self::wanted(wanted)?));
    }
    let (given, wanted) = split("invalid value: ").or_else(|| split("invalid type: "))?;
    Some(format!("must be {}, got {}", self::wanted(wanted)?, self::given(given)))
}

fn wanted(name: &str) -> Option<String> {
    if let Some(count) = name.strip_prefix("an array of length ") {
        return Some(format!("a list of {count}"));
    }
    let whole = |low: i64, high: i64| format!("a whole number of {low} to {high}");
    Some(match name {
        "u8" => whole(0, u8::MAX.into()),
        "u16" => whole(0, u16::MAX.into()),
        "u32" => whole(0, u32::MAX.into()),
        "i32" => whole(i32::MIN.into(), i32::MAX.into()),
        "u64" | "usize" => "a whole number of at least 0".into(),
        "i64" => "a whole number".into(),
        "f32" | "f64" => "a number".into(),
        "a boolean" => "true or false".into(),
        "a string" => "a text".into(),
        "a sequence" => "a list".into(),
        _ if name.starts_with("struct ") || name == "a map" => "a table".into(),
        _ => return None,
    })
}

fn given(name: &str) -> String {
    for kind in ["integer", "floating point", "boolean"] {
        if let Some(value) = name.strip_prefix(kind) {
            return value.trim().trim_matches('`').to_owned();
        }
    }
    match name {
        "map" => "a table".into(),
        "sequence" => "a list".into(),
        _ => match name.strip_prefix("string \"").and_then(|s| s.strip_suffix('"')) {
            Some(text) => format!("the text `{text}`"),
            None => name.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_forms_are_said_plainly_and_others_kept() {
        for (from, to) in [
            ("invalid value: integer `-3`, expected u32", "must be a whole number of 0 to 4294967295, got -3"),
            ("invalid type: string \"x\", expected f64", "must be a number, got the text `x`"),
            ("invalid type: integer `1`, expected struct Inner", "must be a table, got 1"),
            ("invalid type: map, expected a sequence", "must be a list, got a table"),
            ("invalid length 3, expected an array of length 4", "must be a list of 4, got 3"),
            ("unknown variant `fats`, expected `fast` or `exact`", "must be `fast` or `exact`, got `fats`"),
            ("missing field `metric`", "missing field `metric`"),
        ] {
            assert_eq!(plain(from), to);
        }
    }
}
