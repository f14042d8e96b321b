//! What the shapes of a graph suggest. The figures of preprocessing are those that the published exports of each family state.

use super::Proposal;
use crate::infer::graph::GraphInfo;
use crate::infer::io::{Extent, IoInfo};
use crate::infer::manifest::{AnchorKind, FitKind, Layout, Order, PictureInput, Task};

/// Means and deviations of ImageNet, for values in 0..=1.
const IMAGENET: ([f32; 3], [f32; 3]) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);

fn fixed(extent: Option<&Extent>) -> Option<usize> {
    match extent {
        Some(Extent::Fixed(n)) => Some(*n),
        _ => None,
    }
}

fn axis(io: &IoInfo, at: usize) -> Option<usize> {
    fixed(io.shape.get(at))
}

fn last(io: &IoInfo) -> Option<usize> {
    fixed(io.shape.last())
}

/// An input that takes pictures: layout, channels, width and height where they are fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Port {
    layout: Layout,
    channels: usize,
    size: [Option<usize>; 2],
}

fn port(io: &IoInfo) -> Option<Port> {
    if io.shape.len() != 4 {
        return None;
    }
    let colours = |n: &usize| *n == 3 || *n == 1;
    // Three channels decide before one: a height or a batch of 1 is common, one of 3 is not.
    let (first, last) = (axis(io, 1).filter(colours), axis(io, 3).filter(colours));
    let (layout, channels, [width, height]) = match (first, last) {
        (Some(c), None | Some(1)) => (Layout::Nchw, c, [3, 2]),
        (None | Some(1), Some(c)) => (Layout::Nhwc, c, [2, 1]),
        (Some(c), Some(_)) => (Layout::Nchw, c, [3, 2]),
        (None, None) => return None,
    };
    Some(Port { layout, channels, size: [axis(io, width), axis(io, height)] })
}

/// Cells of grids of these strides over a picture.
fn cells(size: [Option<usize>; 2], strides: &[usize]) -> Option<usize> {
    let [width, height] = [size[0]?, size[1]?];
    Some(strides.iter().map(|s| width.div_ceil(*s) * height.div_ceil(*s)).sum())
}

/// A decoder that the outputs fit, with a word on why.
fn decoder(task: Task, port: Option<Port>, outputs: &[IoInfo]) -> Option<(&'static str, &'static str)> {
    let size = port.map_or([None; 2], |p| p.size);
    let widths: Vec<Option<usize>> = outputs.iter().map(last).collect();
    let count = |n: usize| widths.iter().filter(|w| **w == Some(n)).count();
    match task {
        Task::Detect => detector(size, outputs),
        Task::Face => match (outputs.len(), count(1), count(4), count(10)) {
            (12, 6, 3, 3) => Some(("yunet", "four outputs for each of three strides")),
            (9, 3, 3, 3) => Some(("scrfd", "three outputs for each of three strides")),
            (6, 3, 3, 0) => Some(("scrfd", "two outputs for each of three strides")),
            (2, 0, 1, 0) if count(2) == 1 => Some(("ultraface", "two scores and four corners a row")),
            (2, 1, 0, 0) if count(16) == 1 => Some(("blazeface", "one score and sixteen numbers a row")),
            _ => None,
        },
        Task::Landmarks => Some(("landmarks", "the task has one decoder")),
        Task::Segment => {
            let mask = outputs.iter().find(|o| o.shape.len() == 4)?;
            let classes = match (axis(mask, 1), axis(mask, 3)) {
                (Some(a), Some(b)) => a.min(b),
                (a, b) => a.or(b)?,
            };
            Some(if classes > 2 { ("semantic", "one plane a class") } else { ("alpha", "one plane, or two") })
        }
        Task::Vad => Some(("silero", "the task has one decoder")),
        Task::Classify => Some(("softmax", "the task has one decoder")),
        _ => None,
    }
}

fn detector(size: [Option<usize>; 2], outputs: &[IoInfo]) -> Option<(&'static str, &'static str)> {
    let coarse = cells(size, &[8, 16, 32, 64]);
    let grids = [cells(size, &[8, 16, 32]), coarse];
    let is_grid = |n: Option<usize>| n.is_some() && grids.contains(&n);
    let rows: Vec<&IoInfo> = outputs.iter().filter(|o| o.shape.len() == 3).collect();
    match rows.as_slice() {
        [one] => match (axis(one, 1), last(one)) {
            (n, Some(112)) if n.is_some() && n == coarse => {
                Some(("nanodet-plus", "80 scores and 32 distances a cell of the strides 8 to 64"))
            }
            (n, Some(width)) if is_grid(n) && width > 5 => Some(("yolox", "a row a cell of the strides 8, 16, 32")),
            (_, Some(6)) => Some(("end-to-end", "six numbers a row")),
            (Some(width), n) if is_grid(n) && width > 4 => Some(("yolov8", "a column a cell of the strides 8, 16, 32")),
            (Some(n), Some(width)) if width > 5 && is_grid(Some(n / 3)) => Some(("yolov5", "three rows a cell")),
            // The size is open, so that the number of cells is too: the longer axis is that of the cells.
            (None, Some(width)) if width > 5 => Some(("yolox", "a row a cell, it seems")),
            (Some(width), None) if width > 5 => Some(("yolov8", "a column a cell, it seems")),
            _ => None,
        },
        [a, b] if axis(a, 1) == axis(b, 1) && (last(a) == Some(4)) != (last(b) == Some(4)) => {
            Some(("detr", "scores and boxes a query; `detr-sigmoid` when no class stands for nothing"))
        }
        many if many.len() >= 4 && many.len() % 2 == 0 => {
            let distances = many.iter().filter(|o| last(o).is_some_and(|w| w % 4 == 0 && w / 4 >= 8)).count();
            (distances >= many.len() / 2).then_some(("nanodet", "scores and distances for each stride"))
        }
        _ => None,
    }
}

/// Preprocessing by decoder, else by task: a picture input, and on what the guess rests.
fn preprocessing(task: Task, decoder: Option<&str>, port: Port) -> (PictureInput, String) {
    let base = PictureInput::default();
    let unit = |(mean, std): ([f32; 3], [f32; 3])| PictureInput { mean, std, ..PictureInput::default() };
    let bytes = |mean: [f32; 3], std: [f32; 3]| PictureInput { scale: 255.0, mean, std, ..PictureInput::default() };
    let boxed = |input: PictureInput, anchor, pad| PictureInput { fit: FitKind::Letterbox, anchor, pad, ..input };
    let family = |name: &str| format!("as the exports of {name} want it; check");
    match (decoder, task) {
        (Some("yolox"), _) => {
            let input = PictureInput { order: Order::Bgr, ..bytes([0.0; 3], [1.0; 3]) };
            (boxed(input, AnchorKind::TopLeft, 114.0), family("YOLOX"))
        }
        (Some("yolov8" | "yolov5" | "end-to-end"), _) => {
            let input = PictureInput { scale: 255.0, std: [255.0; 3], ..base };
            (boxed(input, AnchorKind::Center, 114.0), family("YOLOv5 and later"))
        }
        (Some("nanodet" | "nanodet-plus"), _) => {
            let input = bytes([103.53, 116.28, 123.675], [57.375, 57.12, 58.395]);
            (PictureInput { order: Order::Bgr, ..input }, family("NanoDet"))
        }
        (Some("detr"), _) => (unit(IMAGENET), family("DETR")),
        (Some("yunet"), _) => {
            let input = PictureInput { order: Order::Bgr, multiple: Some(32), ..bytes([0.0; 3], [1.0; 3]) };
            (boxed(input, AnchorKind::TopLeft, 0.0), family("YuNet"))
        }
        (Some("ultraface"), _) => (bytes([127.0; 3], [128.0; 3]), family("UltraFace")),
        (Some("blazeface"), _) => (boxed(bytes([127.5; 3], [127.5; 3]), AnchorKind::Center, 0.0), family("BlazeFace")),
        (Some("scrfd"), _) => (boxed(bytes([127.5; 3], [128.0; 3]), AnchorKind::TopLeft, 0.0), family("SCRFD")),
        (_, Task::Embed) if port.size == [Some(112); 2] => {
            (bytes([127.5; 3], [127.5; 3]), "112x112 is what networks for faces take; check".into())
        }
        (_, Task::Embed | Task::Reid | Task::Classify) if port.channels == 3 => {
            (unit(IMAGENET), "as for most networks trained on ImageNet; check".into())
        }
        (_, Task::RestoreFace) => (unit(([0.5; 3], [0.5; 3])), "values in -1..=1, as CodeFormer; check".into()),
        _ => (base, "values in 0..=1; the file does not say, check".into()),
    }
}

/// Names of classes that exporters leave in the metadata: `{0: 'cat', 1: 'dog'}`, or a comma-separated list.
fn names(graph: &GraphInfo) -> Option<String> {
    let text = graph.metadata.get("names").or_else(|| graph.metadata.get("classes"))?;
    let quoted: Vec<&str> = text.split(['\'', '"']).skip(1).step_by(2).collect();
    if quoted.is_empty() { (!text.contains('{')).then(|| text.clone()) } else { Some(quoted.join(",")) }
}

/// Adds to a proposal what the graph suggests.
pub(super) fn fill(proposal: &mut Proposal, graph: &GraphInfo) {
    let task = proposal.entry.task;
    let ports: Vec<(&IoInfo, Port)> = graph.inputs.iter().filter_map(|i| Some((i, port(i)?))).collect();
    // A picture has three channels; one channel is a mask beside it, or luma when there is nothing else.
    let chosen = ports.iter().find(|(_, p)| p.channels == 3).or(ports.first()).copied();
    let picture = chosen.map(|(_, p)| p);

    if let Some((decoder, why)) = decoder(task, picture, &graph.outputs) {
        proposal.entry.decoder = Some(decoder.into());
        proposal.notes.insert("decoder", format!("guessed: {why}"));
    } else if matches!(task, Task::Detect | Task::Face) {
        proposal.notes.insert("decoder", "the shapes of the outputs fit none that is known: to be filled in".into());
    }
    if task == Task::Detect || task == Task::Classify || proposal.entry.decoder.as_deref() == Some("semantic") {
        if let Some(names) = names(graph) {
            proposal.entry.classes = Some(names);
            proposal.notes.insert("classes", "from the metadata of the file".into());
        } else if task == Task::Detect && eighty(&graph.outputs) {
            proposal.entry.classes = Some("coco80".into());
            proposal.notes.insert("classes", "guessed: there are 80".into());
        }
    }
    let Some((io, port)) = chosen else {
        if !matches!(task, Task::Vad | Task::Lipsync) {
            proposal.notes.insert("picture", "no input looks like one of pictures: to be filled in".into());
        }
        return;
    };
    let (mut input, why) = preprocessing(task, proposal.entry.decoder.as_deref(), port);
    input.input = Some(io.name.clone());
    input.layout = port.layout;
    for key in ["order", "scale", "mean", "std", "fit", "anchor", "pad"] {
        proposal.notes.insert(key, format!("guessed: {why}"));
    }
    if port.channels == 1 {
        input.order = Order::Gray;
        proposal.notes.insert("order", "the input has one channel".into());
    }
    let shape: Vec<String> = io.shape.iter().map(Extent::to_string).collect();
    proposal.notes.insert("layout", format!("the input is {}", shape.join("x")));
    if ports.len() > 1 {
        let others: Vec<&str> = ports.iter().map(|(i, _)| i.name.as_str()).filter(|n| *n != io.name).collect();
        proposal.notes.insert("input", format!("guessed: {} could be it too", others.join(", ")));
    }
    if port.size.contains(&None) {
        proposal.notes.insert("size", "the model takes any width or height: `size = [width, height]` sets one".into());
    }
    proposal.entry.picture = Some(input);
}

/// Whether some output has 80 classes: alone, behind a box, or behind a box and a score.
fn eighty(outputs: &[IoInfo]) -> bool {
    outputs.iter().flat_map(|o| [axis(o, 1), last(o)]).flatten().any(|n| matches!(n, 80 | 84 | 85 | 112))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::propose;
    use super::*;
    use crate::infer::io::ElementType;
    use crate::infer::manifest_file::parse_manifest;

    fn io(name: &str, shape: &[i64]) -> IoInfo {
        let extent = |n: &i64| usize::try_from(*n).map_or(Extent::Dynamic("d".into()), Extent::Fixed);
        IoInfo { name: name.into(), element: ElementType::F32, shape: shape.iter().map(extent).collect() }
    }

    fn proposal(task: Task, inputs: &[&[i64]], outputs: &[&[i64]]) -> Proposal {
        let all = |list: &[&[i64]], kind: &str| {
            list.iter().enumerate().map(|(i, s)| io(&format!("{kind}{i}"), s)).collect::<Vec<_>>()
        };
        let graph = GraphInfo { inputs: all(inputs, "in"), outputs: all(outputs, "out"), ..GraphInfo::default() };
        propose(&graph, task, Path::new("some dir/my net.onnx"), &"0".repeat(64))
    }

    #[test]
    fn layouts() {
        let of = |shape: &[i64]| port(&io("x", shape)).map(|p| (p.layout, p.channels, p.size));
        assert_eq!(of(&[1, 3, 480, 640]), Some((Layout::Nchw, 3, [Some(640), Some(480)])));
        assert_eq!(of(&[-1, 256, 128, 3]), Some((Layout::Nhwc, 3, [Some(128), Some(256)])));
        assert_eq!(of(&[-1, 1, -1, -1]), Some((Layout::Nchw, 1, [None, None])));
        assert_eq!(of(&[1, 28, 28, 1]), Some((Layout::Nhwc, 1, [Some(28), Some(28)])));
        assert_eq!(of(&[1, 1, 640, 3]), Some((Layout::Nhwc, 3, [Some(640), Some(1)])), "three channels decide");
        assert_eq!(of(&[1, 512]), None);
        assert_eq!(of(&[1, 64, 20, 20]), None);
    }

    #[test]
    fn detectors_by_their_outputs() {
        let of = |size: i64, outputs: &[&[i64]]| {
            proposal(Task::Detect, &[&[1, 3, size, size]], outputs).entry.decoder.unwrap_or_default()
        };
        assert_eq!(of(416, &[&[1, 3549, 85]]), "yolox");
        assert_eq!(of(416, &[&[1, 3598, 112]]), "nanodet-plus");
        assert_eq!(of(640, &[&[1, 84, 8400]]), "yolov8");
        assert_eq!(of(640, &[&[1, 25200, 85]]), "yolov5");
        assert_eq!(of(640, &[&[1, 300, 6]]), "end-to-end");
        assert_eq!(of(800, &[&[1, 100, 92], &[1, 100, 4]]), "detr");
        let nano: [&[i64]; 6] =
            [&[1, 1600, 80], &[1, 400, 80], &[1, 100, 80], &[1, 1600, 32], &[1, 400, 32], &[1, 100, 32]];
        assert_eq!(of(320, &nano), "nanodet");
        assert_eq!(of(640, &[&[1, 17]]), "");
    }

    #[test]
    fn faces_by_their_outputs() {
        let of =
            |outputs: &[&[i64]]| proposal(Task::Face, &[&[1, 3, -1, -1]], outputs).entry.decoder.unwrap_or_default();
        let strides = |widths: &[i64]| -> Vec<Vec<i64>> {
            widths.iter().flat_map(|w| [100, 400, 1600].map(|n| vec![1, n, *w])).collect()
        };
        let slices = |v: &[Vec<i64>]| v.to_vec();
        for (widths, wanted) in [(&[1, 1, 4, 10][..], "yunet"), (&[1, 4, 10], "scrfd"), (&[1, 4], "scrfd")] {
            let shapes = slices(&strides(widths));
            let shapes: Vec<&[i64]> = shapes.iter().map(Vec::as_slice).collect();
            assert_eq!(of(&shapes), wanted);
        }
        assert_eq!(of(&[&[1, 4420, 4], &[1, 4420, 2]]), "ultraface");
        assert_eq!(of(&[&[1, 896, 16], &[1, 896, 1]]), "blazeface");
    }

    #[test]
    fn a_proposal_is_a_manifest_with_remarks() {
        let p = proposal(Task::Detect, &[&[1, 3, 416, 416]], &[&[1, 3549, 85]]);
        let text = p.to_toml().unwrap();
        assert_eq!(parse_manifest(&text, Path::new("x")).unwrap(), std::slice::from_ref(&p.entry), "{text}");
        assert!(text.contains("name = \"my-net\"") && text.contains("file = \"my net.onnx\""), "{text}");
        assert!(text.contains("decoder = \"yolox\"  # guessed: "), "{text}");
        assert!(text.contains("classes = \"coco80\"  # guessed: there are 80"), "{text}");
        assert!(text.contains("layout = \"nchw\"  # the input is 1x3x416x416"), "{text}");
        assert!(text.contains("pad = 114.0  # guessed"), "{text}");
        assert!(text.contains("licence = \"\"  # to be filled in"), "{text}");
        let odd = proposal(Task::Face, &[&[1, 3, -1, -1]], &[&[1, 7]]).to_toml().unwrap();
        assert!(odd.contains("# decoder: the shapes of the outputs fit none"), "{odd}");
        assert!(odd.contains("# size: the model takes any width or height"), "{odd}");
    }

    #[test]
    fn the_picture_is_the_input_with_three_channels() {
        let p = proposal(Task::Inpaint, &[&[-1, 1, -1, -1], &[-1, 3, -1, -1]], &[&[-1, 3, -1, -1]]);
        assert_eq!(p.entry.picture.unwrap().input.as_deref(), Some("in1"));
        let gray = proposal(Task::Upscale, &[&[-1, 1, -1, -1]], &[&[-1, 1, -1, -1]]);
        assert_eq!(gray.entry.picture.unwrap().order, Order::Gray);
        assert_eq!(proposal(Task::Vad, &[&[-1, -1], &[2, -1, 128], &[]], &[&[-1, 1]]).entry.picture, None);
    }

    #[test]
    fn names_of_classes_come_from_the_metadata() {
        let mut graph = GraphInfo { outputs: vec![io("o", &[1, 6, 8400])], ..GraphInfo::default() };
        graph.inputs = vec![io("i", &[1, 3, 640, 640])];
        graph.metadata.insert("names".into(), "{0: 'cat', 1: 'big dog'}".into());
        let p = propose(&graph, Task::Detect, Path::new("a.onnx"), "");
        assert_eq!(p.entry.classes.as_deref(), Some("cat,big dog"));
        assert_eq!(p.entry.decoder.as_deref(), Some("yolov8"));
    }
}
