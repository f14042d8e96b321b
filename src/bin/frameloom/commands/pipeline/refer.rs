//! References: `${vars.NAME}` and `${steps.NAME.OUTPUT}`; `$${` is `${` itself.

use serde_json::Value;

/// What a reference names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reference {
    /// A variable.
    Var(String),
    /// An output of a step.
    Output(String, String),
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Reference(Reference),
}

/// `value` with all references replaced by what `find` says. A text that is one reference takes the kind of what it names.
///
/// # Errors
/// A message for what is no reference, and those of `find`.
pub(super) fn fill(value: &Value, find: &mut dyn FnMut(&Reference) -> Result<Value, String>) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => {
            let parts = parts(text)?;
            if let [Part::Reference(one)] = parts.as_slice() {
                return find(one);
            }
            let mut whole = String::new();
            for part in parts {
                match part {
                    Part::Text(text) => whole.push_str(&text),
                    Part::Reference(reference) => match find(&reference)? {
                        Value::String(text) => whole.push_str(&text),
                        found @ (Value::Number(_) | Value::Bool(_)) => whole.push_str(&found.to_string()),
                        _ => return Err("a list cannot stand within a text".into()),
                    },
                }
            }
            Value::String(whole)
        }
        Value::Array(items) => Value::Array(items.iter().map(|i| fill(i, find)).collect::<Result<_, _>>()?),
        Value::Object(map) => {
            let entries = map.iter().map(|(k, v)| Ok((k.clone(), fill(v, find)?)));
            Value::Object(entries.collect::<Result<_, String>>()?)
        }
        other => other.clone(),
    })
}

fn parts(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            plain.push_str(before);
            plain.push_str("${");
            rest = after;
            continue;
        }
        plain.push_str(before);
        let (inside, after) = after.split_once('}').ok_or_else(|| format!("`${{{after}` has no end; wanted: }}"))?;
        if !plain.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut plain)));
        }
        parts.push(Part::Reference(reference(inside.trim())?));
        rest = after;
    }
    plain.push_str(rest);
    if !plain.is_empty() || parts.is_empty() {
        parts.push(Part::Text(plain));
    }
    Ok(parts)
}

fn reference(text: &str) -> Result<Reference, String> {
    match text.split('.').collect::<Vec<_>>().as_slice() {
        ["vars", name] => Ok(Reference::Var((*name).to_owned())),
        ["steps", step, output] => Ok(Reference::Output((*step).to_owned(), (*output).to_owned())),
        _ => Err(format!("`${{{text}}}` is no reference; there are ${{vars.NAME}} and ${{steps.NAME.OUTPUT}}")),
    }
}

/// An order in which each one comes after what it `uses`, as near to that of the list as that allows.
///
/// # Errors
/// A circle: those in it, the first one again at the end.
pub(super) fn order(uses: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut order: Vec<usize> = Vec::new();
    while order.len() < uses.len() {
        let ready =
            |at: &usize| !order.contains(at) && uses.get(*at).is_some_and(|u| u.iter().all(|one| order.contains(one)));
        match (0..uses.len()).find(ready) {
            Some(next) => order.push(next),
            None => return Err(circle(uses, &order)),
        }
    }
    Ok(order)
}

/// What is left waits for something that is left: following it comes back.
fn circle(uses: &[Vec<usize>], done: &[usize]) -> Vec<usize> {
    let mut way: Vec<usize> = Vec::new();
    let mut at = (0..uses.len()).find(|i| !done.contains(i));
    while let Some(here) = at {
        if let Some(start) = way.iter().position(|w| *w == here) {
            let mut ring: Vec<usize> = way.into_iter().skip(start).collect();
            ring.push(here);
            return ring;
        }
        way.push(here);
        at = uses.get(here).and_then(|u| u.iter().copied().find(|one| !done.contains(one)));
    }
    way
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn filled(value: Value) -> Result<Value, String> {
        fill(&value, &mut |r| match r {
            Reference::Var(name) if name == "n" => Ok(json!(3)),
            Reference::Var(name) if name == "list" => Ok(json!([1, 2])),
            Reference::Var(name) => Err(format!("no {name}")),
            Reference::Output(step, output) => Ok(json!(format!("<{step}/{output}>"))),
        })
    }

    #[test]
    fn references_are_replaced() {
        assert_eq!(filled(json!("${vars.n}")).unwrap(), json!(3));
        assert_eq!(filled(json!("a${ vars.n }b")).unwrap(), json!("a3b"));
        assert_eq!(filled(json!(["${vars.list}", "$${vars.n}", "$5"])).unwrap(), json!([[1, 2], "${vars.n}", "$5"]));
        assert_eq!(filled(json!({ "a": "${steps.x.output}/f.txt" })).unwrap(), json!({ "a": "<x/output>/f.txt" }));
        assert_eq!(filled(json!("")).unwrap(), json!(""));
        for wrong in ["${vars.n", "${vars}", "${x.y}", "${steps.a}", "${steps.a.b.c}", "a${vars.list}", "${vars.z}"] {
            assert!(filled(json!(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn steps_come_after_what_they_use_and_circles_are_named() {
        assert_eq!(order(&[vec![], vec![0], vec![1]]).unwrap(), [0, 1, 2]);
        assert_eq!(order(&[vec![2], vec![], vec![1]]).unwrap(), [1, 2, 0]);
        assert_eq!(order(&[vec![], vec![2], vec![3], vec![1]]).unwrap_err(), [1, 2, 3, 1]);
        assert_eq!(order(&[vec![0]]).unwrap_err(), [0, 0]);
        assert_eq!(order(&[vec![1], vec![2], vec![1]]).unwrap_err(), [1, 2, 1]);
    }
}
