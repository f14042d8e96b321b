//! Finding inputs and outputs of a graph by role or by shape, never by a fixed name or order.

use half::f16;

use super::fit::list;
use crate::error::{Error, Result};
use crate::infer::io::{ElementType, Extent, IoInfo};
use crate::infer::manifest::ModelEntry;
use crate::infer::tensor::{Tensor, TensorData, check};

/// A number of the entry, or `default`.
pub(crate) fn number(entry: &ModelEntry, key: &str, default: f64) -> f64 {
    entry.numbers.get(key).copied().unwrap_or(default)
}

/// Whether an axis may have this extent.
pub(crate) fn may_be(info: &IoInfo, axis: usize, extent: usize) -> bool {
    match info.shape.get(axis) {
        Some(Extent::Fixed(n)) => *n == extent,
        Some(Extent::Dynamic(_)) => true,
        None => false,
    }
}

/// The input or output for `role`: the one that the entry names, else the only one for which `fits` holds.
///
/// `side` is "input" or "output"; it is the cause of the error as well.
fn choose<'a>(
    side: &'static str,
    entry: &ModelEntry,
    named: Option<&String>,
    infos: &'a [IoInfo],
    role: &str,
    fits: impl Fn(&IoInfo) -> bool,
) -> Result<&'a IoInfo> {
    if let Some(name) = named {
        return infos.iter().find(|i| &i.name == name).ok_or_else(|| {
            let has = list(infos);
            Error::model(
                side,
                format!("the entry `{}` names `{name}` as {side} `{role}`; the model has {has}", entry.name),
            )
        });
    }
    let mut found = infos.iter().filter(|i| fits(i));
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (first, _) => {
            let why = if first.is_some() { "more than one" } else { "none" };
            Err(Error::model(
                side,
                format!(
                    "{why} of the {side}s of `{}` can be `{role}`: {}; name it in the entry: {side}s = {{ {role} = \"…\" }}",
                    entry.name,
                    list(infos)
                ),
            ))
        }
    }
}

/// The input for `role`.
pub(crate) fn input<'a>(
    entry: &ModelEntry,
    inputs: &'a [IoInfo],
    role: &str,
    fits: impl Fn(&IoInfo) -> bool,
) -> Result<&'a IoInfo> {
    choose("input", entry, entry.inputs.get(role), inputs, role, fits)
}

/// The output for `role`. One whose shape the model does not say is taken for anything.
pub(crate) fn output<'a>(
    entry: &ModelEntry,
    outputs: &'a [IoInfo],
    role: &str,
    fits: impl Fn(&IoInfo) -> bool,
) -> Result<&'a IoInfo> {
    choose("output", entry, entry.outputs.get(role), outputs, role, |i| i.shape.is_empty() || fits(i))
}

/// A tensor of the type that an input wants, from floats.
///
/// Integers are rounded and clamped to their range; a truth value is what exceeds a half. For 64-bit floats 32-bit ones are given: whoever
/// runs the model widens them.
pub(crate) fn tensor_of(element: ElementType, shape: Vec<usize>, values: Vec<f32>) -> Result<Tensor> {
    check(&shape, values.len())?;
    let data = match element {
        ElementType::F32 | ElementType::F64 => TensorData::F32(values),
        ElementType::F16 => TensorData::F16(values.into_iter().map(f16::from_f32).collect()),
        ElementType::I64 => TensorData::I64(values.into_iter().map(|v| v.round() as i64).collect()),
        ElementType::I32 => TensorData::I32(values.into_iter().map(|v| v.round() as i32).collect()),
        ElementType::U8 => TensorData::U8(values.into_iter().map(|v| v.round() as u8).collect()),
        ElementType::Bool => TensorData::Bool(values.into_iter().map(|v| v > 0.5).collect()),
        ElementType::Other => {
            return Err(Error::model("input", "an input has an element type that no adapter can fill"));
        }
    };
    Ok(Tensor { shape, data })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::infer::manifest::Task;

    pub(crate) fn info(name: &str, element: ElementType, shape: &[i64]) -> IoInfo {
        let extent = |n: &i64| usize::try_from(*n).map_or(Extent::Dynamic(String::new()), Extent::Fixed);
        IoInfo { name: name.into(), element, shape: shape.iter().map(extent).collect() }
    }

    pub(crate) fn entry(task: Task) -> ModelEntry {
        let text =
            "name = \"m\"\ntask = \"classify\"\nfile = \"m.onnx\"\nsha256 = \"\"\nlicence = \"MIT\"\nsource = \"\"\n";
        ModelEntry { task, ..toml::from_str(text).unwrap() }
    }

    #[test]
    fn roles_come_before_shapes_and_doubt_is_an_error() {
        let infos = [info("b", ElementType::F32, &[1, 3]), info("a", ElementType::F32, &[1, 3])];
        let mut e = entry(Task::Vad);
        let doubt = input(&e, &infos, "audio", |i| i.shape.len() == 2).unwrap_err().to_string();
        assert!(doubt.contains("more than one") && doubt.contains("`a` [1, 3]"), "{doubt}");
        assert!(input(&e, &infos, "audio", |i| i.shape.len() == 3).unwrap_err().to_string().contains("none"));
        e.inputs.insert("audio".into(), "a".into());
        assert_eq!(input(&e, &infos, "audio", |_| false).unwrap().name, "a");
        e.inputs.insert("audio".into(), "gone".into());
        assert!(input(&e, &infos, "audio", |_| true).unwrap_err().to_string().contains("`gone`"));
        assert!(super::super::fit::check_task(&e, Task::Segment).is_err());
    }

    #[test]
    fn integers_are_rounded_and_clamped() {
        let t = tensor_of(ElementType::U8, vec![3], vec![-3.0, 1.6, 300.0]).unwrap();
        assert_eq!(t.data, TensorData::U8(vec![0, 2, 255]));
        assert_eq!(tensor_of(ElementType::F64, vec![], vec![0.5]).unwrap().data, TensorData::F32(vec![0.5]));
        assert!(tensor_of(ElementType::Other, vec![0], vec![]).is_err());
        assert!(tensor_of(ElementType::F32, vec![2], vec![0.0]).is_err());
    }
}
