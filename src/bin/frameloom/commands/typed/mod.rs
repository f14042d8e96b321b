//! Commands that are written as tables: the steps of a pipeline and the units of a worker.
//!
//! A table has the options of the command line by name. It becomes a list of arguments, which the command's own parser reads: names, kinds and ranges
//! are checked in one place.

mod kinds;
mod words;

pub(crate) use kinds::{At, Kind, kind};
pub(crate) use words::{Problem, Within, Words, parse, words};

/// What could be meant by `name`, or all that there is.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.sort_unstable();
    known.dedup();
    let near = known.iter().map(|k| (strsim::damerau_levenshtein(k, name), *k)).min();
    match near {
        Some((distance, near)) if distance <= name.chars().count().div_ceil(3).max(1) => {
            format!("did you mean `{near}`?")
        }
        Some(_) => format!("there are {}", known.join(", ")),
        None => "there are none".into(),
    }
}
