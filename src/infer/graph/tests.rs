#[allow(unreachable_pub, reason = "shared with the tests outside of the crate")]
#[path = "../../../tests/support/onnx.rs"]
mod onnx;

use onnx::{Dim, F32, Graph, I64, Message, external, node, port, tensor};

use super::*;
use crate::infer::io::{ElementType, Extent};

fn cause(bytes: &[u8]) -> &'static str {
    match GraphInfo::read(bytes) {
        Err(Error::Model { cause, .. }) => cause,
        other => panic!("{other:?}"),
    }
}

/// A model with everything that is read.
fn rich() -> Vec<u8> {
    let branch = Graph { nodes: vec![node("odd", "Inner", &[], &["b"])], ..Graph::default() };
    let attribute = Message::new().bytes(1, "then_branch").message(6, branch.message()).int(20, 5);
    let constant =
        Message::new().bytes(1, "value").message(5, external("c", &[2], &[("location", "c.bin")])).int(20, 4);
    let function = Message::new().bytes(1, "Twice").message(7, node("", "Mul", &["a"], &["b"])).bytes(10, "own");
    let graph = Graph {
        nodes: vec![
            node("ai.onnx", "Conv", &["x", "w"], &["t"]),
            node("", "Conv", &["t", "w"], &["u"]),
            node("com.microsoft", "FusedConv", &["u"], &["v"]),
            node("own", "Twice", &["v"], &["k"]),
            node("", "If", &["v"], &["k"]).message(5, attribute),
            node("", "Constant", &[], &["c"]).message(5, constant),
        ],
        initializers: vec![
            tensor("w", &[2], &[1.0, 2.0]),
            external("far", &[3, 5], &[("location", "a/b.bin"), ("offset", "64")]),
        ],
        inputs: vec![
            port("x", F32, &[Dim::Any("batch"), Dim::N(3), Dim::N(-1)]),
            port("w", F32, &[Dim::N(2)]),
            port("sr", I64, &[]),
        ],
        outputs: vec![port("y", F32, &[Dim::N(1)])],
    };
    let set = Message::new().bytes(1, "").int(2, 17);
    Message::new()
        .int(1, 8)
        .bytes(2, "maker")
        .bytes(3, "2.1")
        .message(7, graph.message())
        .message(8, set)
        .message(14, Message::new().bytes(1, "names").bytes(2, "cat,dog"))
        .message(25, function)
        .0
}

#[test]
fn everything_is_found() {
    let info = GraphInfo::read(&rich()).unwrap();
    assert_eq!((info.ir_version, info.producer.as_str()), (8, "maker 2.1"));
    assert_eq!(info.opsets, [(String::new(), 17)]);
    let x = &info.inputs[0];
    assert_eq!((x.name.as_str(), x.element), ("x", ElementType::F32));
    assert_eq!(x.shape, [Extent::Dynamic("batch".into()), Extent::Fixed(3), Extent::Dynamic(String::new())]);
    let names: Vec<_> = info.inputs.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(names, ["x", "sr"], "an initialiser need not be given");
    assert_eq!(info.inputs[1].element, ElementType::I64);
    assert!(info.inputs[1].shape.is_empty());
    assert_eq!(info.outputs[0].name, "y");
    let conv = Operator { domain: String::new(), name: "Conv".into() };
    assert_eq!(info.operators[&conv], 2, "ai.onnx is the domain without name");
    assert_eq!(info.initializers, 2);
    assert_eq!(info.metadata["names"], "cat,dog");
}

#[test]
fn custom_operators_are_found_in_branches_but_own_functions_are_none() {
    let info = GraphInfo::read(&rich()).unwrap();
    let custom: Vec<String> = info.custom_operators().iter().map(ToString::to_string).collect();
    assert_eq!(custom, ["odd:Inner"]);
}

#[test]
fn data_outside_is_found_wherever_it_hides() {
    let info = GraphInfo::read(&rich()).unwrap();
    let find = |name: &str| info.external.iter().find(|e| e.tensor == name).unwrap();
    let far = find("far");
    assert_eq!((far.location.as_str(), far.offset, far.length, far.initializer), ("a/b.bin", 64, Some(60), true));
    let constant = find("c");
    assert_eq!((constant.location.as_str(), constant.initializer), ("c.bin", false));
    assert_eq!(info.external_files().into_iter().collect::<Vec<_>>(), ["a/b.bin", "c.bin"]);
}

/// The location alone is enough: the runtime would look at it.
#[test]
fn a_location_without_the_flag_counts() {
    let entry = Message::new().bytes(1, "location").bytes(2, "x.bin");
    let sly = Message::new().int(1, 1).int(2, F32).bytes(8, "w").message(13, entry);
    let info = GraphInfo::read(&onnx::add(Dim::N(1), 1, sly)).unwrap();
    assert_eq!(info.external.len(), 1);
}

#[test]
fn what_is_no_model_is_refused() {
    assert_eq!(cause(b""), "truncated");
    assert_eq!(cause(b"this is a text, not a model"), "invalid");
    assert_eq!(cause(&[0x08, 0x08]), "invalid", "a version alone");
    assert_eq!(cause(b"\x18\0\0\0ORTM\0\0\0\0"), "invalid");
    assert_eq!(cause(&[0x89, b'P', b'N', b'G', 13, 10, 26, 10]), "invalid");
}

#[test]
fn a_cut_anywhere_in_the_graph_is_truncation() {
    let whole = onnx::add(Dim::N(1), 4, tensor("w", &[4], &[0.0; 4]));
    assert!(GraphInfo::read(&whole).is_ok());
    // The graph begins after the version and the producer; it is one field up to the operator sets.
    for keep in 24..whole.len() - 8 {
        assert_eq!(cause(&whole[..keep]), "truncated", "{keep} of {}", whole.len());
    }
}

#[test]
fn nesting_is_bounded() {
    let mut inner = Graph { nodes: vec![node("", "Relu", &["a"], &["b"])], ..Graph::default() }.message();
    for depth in 1..200 {
        let attribute = Message::new().bytes(1, "body").message(6, inner);
        let nodes = vec![node("", "Loop", &["a"], &["b"]).message(5, attribute)];
        inner = Graph { nodes, ..Graph::default() }.message();
        let file = Message::new().int(1, 8).message(7, inner.clone()).0;
        match GraphInfo::read(&file) {
            Ok(_) => assert!(depth <= 32, "{depth}"),
            Err(e) => assert!(depth > 16 && e.to_string().contains("graphs within graphs"), "{depth}: {e}"),
        }
    }
}

#[test]
fn many_kinds_and_long_names_are_bounded() {
    let nodes = (0..70_000).map(|i| node("", &format!("Op{i}"), &[], &[])).collect();
    assert_eq!(cause(&Graph { nodes, ..Graph::default() }.file(&[])), "invalid");
    let nodes = vec![node("", &"N".repeat(5000), &[], &[])];
    assert_eq!(cause(&Graph { nodes, ..Graph::default() }.file(&[])), "invalid");
}

#[test]
fn a_port_that_is_no_tensor_is_noted() {
    let sequence = Message::new().bytes(1, "s").message(2, Message::new().message(4, Message::new()));
    let graph = Graph { nodes: vec![node("", "X", &[], &[])], inputs: vec![sequence], ..Graph::default() };
    assert_eq!(GraphInfo::read(&graph.file(&[])).unwrap().not_tensors, ["s"]);
}

/// Bytes flipped, put in, taken out and cut: an answer or an error, never a panic, never much time.
#[test]
fn mutants_never_panic() {
    let whole = rich();
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let (mut read, mut refused) = (0, 0);
    for _ in 0..2000 {
        let mut bytes = whole.clone();
        for _ in 0..=random(3) {
            let at = random(bytes.len());
            match random(4) {
                0 => bytes[at] ^= 1 << random(8),
                1 => bytes[at] = [0, 0x7f, 0x80, 0xff][random(4)],
                2 => bytes.insert(at, random(256) as u8),
                _ => drop(bytes.remove(at)),
            }
        }
        match GraphInfo::read(&bytes) {
            Ok(_) => read += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(read > 100 && refused > 100, "{read} read, {refused} refused: the mutants are too tame or too wild");
}
