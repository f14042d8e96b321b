//! Sessions: checks of inputs, batches, element types, options, failures.

use frameloom::Error;
use frameloom::infer::{
    ElementType, Extent, NamedTensor, OnnxSession, Optimization, Provider, SessionOptions, Task, Tensor, TensorData,
    TensorModel,
};

use crate::onnx::{self, Dim, F16, F32, Graph, I64, external, node, node_with, port, tensor};
use crate::support::*;

fn defaults() -> SessionOptions {
    SessionOptions::default()
}

/// `y = x + w` computed here.
fn expected(x: &Tensor) -> Vec<f32> {
    x.to_f32().iter().enumerate().map(|(i, v)| v + (i % 4 + 1) as f32).collect()
}

#[test]
fn inputs_and_outputs_are_what_the_file_says() {
    let session = session_of(&plus(Dim::Any("batch")), &defaults());
    let x = &session.inputs()[0];
    assert_eq!((x.name.as_str(), x.element), ("x", ElementType::F32));
    assert_eq!(x.shape, [Extent::Dynamic("batch".into()), Extent::Fixed(4)]);
    assert_eq!(session.outputs()[0].name, "y");
}

/// Open, and fixed to 1, 3 and 4: any number of elements, the same results.
#[test]
fn any_batch_on_any_model() {
    for batch in [Dim::Any("n"), Dim::N(1), Dim::N(3), Dim::N(4)] {
        let mut session = session_of(&plus(batch), &defaults());
        for count in 1..10 {
            let x = rows(count);
            let y = run(&mut session, &[("x", &x)]).unwrap();
            let y = y.get("y").unwrap();
            assert_eq!(y.shape, [count, 4]);
            assert_eq!(y.to_f32().as_ref(), expected(&x));
        }
        assert_eq!(session.stats().elements, (1..10).sum::<usize>() as u64, "padding is not counted");
    }
}

#[test]
fn parts_of_fixed_batches_keep_other_inputs_whole() {
    // z = x + s with x in batches of 2 and s for all.
    let graph = Graph {
        nodes: vec![node("", "Add", &["x", "s"], &["z"])],
        inputs: vec![port("s", F32, &[Dim::N(4)]), port("x", F32, &[Dim::N(2), Dim::N(4)])],
        outputs: vec![port("z", F32, &[Dim::N(2), Dim::N(4)])],
        ..Graph::default()
    };
    let mut session = session_of(&graph.file(&[]), &defaults());
    let s = Tensor::f32([4], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
    let x = rows(5);
    let z = run(&mut session, &[("x", &x), ("s", &s)]).unwrap();
    assert_eq!(z.get("z").unwrap().to_f32().as_ref(), expected(&x));
    assert_eq!(session.stats().runs, 3);
}

#[test]
fn a_result_without_batch_cannot_be_put_together() {
    let graph = Graph {
        nodes: vec![node_with("ReduceSum", &["x"], &["y"], &[("keepdims", 0)])],
        inputs: vec![port("x", F32, &[Dim::N(2), Dim::N(4)])],
        outputs: vec![port("y", F32, &[])],
        ..Graph::default()
    };
    let mut session = session_of(&graph.file(&[]), &defaults());
    assert!(run(&mut session, &[("x", &rows(2))]).is_ok());
    assert_eq!(cause(run(&mut session, &[("x", &rows(4))])), "batch");
}

#[test]
fn wrong_inputs_are_refused_by_name() {
    let mut session = session_of(&plus(Dim::N(2)), &defaults());
    let good = rows(2);
    let wide = Tensor::f32([2, 5], vec![0.0; 10]).unwrap();
    let flat = Tensor::f32([8], vec![0.0; 8]).unwrap();
    let none = Tensor::f32([0, 4], vec![]).unwrap();
    let whole = Tensor { shape: vec![2, 4], data: TensorData::I64(vec![0; 8]) };
    let short = Tensor { shape: vec![2, 4], data: TensorData::F32(vec![0.0; 7]) };
    for (inputs, said) in [
        (&[("x", &wide)][..], "must have the shape [2, 4], [2, 5] was given"),
        (&[("x", &flat)], "must have the shape"),
        (&[("x", &none)], "must have the shape"),
        (&[("x", &whole)], "must be F32, I64 was given"),
        (&[("y", &good)], "input `y` is none of the model `m`, which takes x"),
        (&[("x", &good), ("x", &good)], "given twice"),
        (&[], "input `x` of `m` is missing"),
        (&[("x", &short)], "has 8 elements, 7 were given"),
    ] {
        let found = message(run(&mut session, inputs));
        assert!(found.contains(said), "{found}");
    }
    assert_eq!(session.stats().runs, 0, "nothing of it reached the runtime");
    assert!(run(&mut session, &[("x", &good)]).is_ok());
}

#[test]
fn halves_go_in_and_come_out() {
    let graph = Graph {
        nodes: vec![node("", "Add", &["x", "x"], &["y"])],
        inputs: vec![port("x", F16, &[Dim::N(1), Dim::N(3)])],
        outputs: vec![port("y", F16, &[Dim::N(1), Dim::N(3)])],
        ..Graph::default()
    };
    let mut session = session_of(&graph.file(&[]), &defaults());
    assert_eq!(session.inputs()[0].element, ElementType::F16);
    let halves = |v: &[f32]| TensorData::F16(v.iter().map(|x| half::f16::from_f32(*x)).collect());
    for count in [1, 2] {
        let x = Tensor { shape: vec![count, 3], data: halves(&[0.5, -1.0, 3.0].repeat(count)) };
        let y = run(&mut session, &[("x", &x)]).unwrap();
        assert_eq!(y.get("y").unwrap().data, halves(&[1.0, -2.0, 6.0].repeat(count)));
    }
    assert!(message(run(&mut session, &[("x", &Tensor::f32([1, 3], vec![0.0; 3]).unwrap())])).contains("must be F16"));
}

#[test]
fn integers_truth_values_and_doubles() {
    const BOOL: i64 = 9;
    const F64: i64 = 11;
    let graph = Graph {
        nodes: vec![
            node("", "Greater", &["i", "i2"], &["b"]),
            node("", "Not", &["t"], &["f"]),
            node("", "Add", &["d", "d"], &["dd"]),
        ],
        inputs: vec![
            port("i", I64, &[Dim::N(2)]),
            port("i2", I64, &[]),
            port("t", BOOL, &[Dim::N(2)]),
            port("d", F64, &[Dim::N(1)]),
        ],
        outputs: vec![port("b", BOOL, &[Dim::N(2)]), port("f", BOOL, &[Dim::N(2)]), port("dd", F64, &[Dim::N(1)])],
        ..Graph::default()
    };
    let mut session = session_of(&graph.file(&[]), &defaults());
    let i = Tensor { shape: vec![2], data: TensorData::I64(vec![1 << 40, -3]) };
    let zero = Tensor { shape: vec![], data: TensorData::I64(vec![0]) };
    let t = Tensor { shape: vec![2], data: TensorData::Bool(vec![true, false]) };
    let d = Tensor::f32([1], vec![0.1]).unwrap();
    let out = run(&mut session, &[("d", &d), ("t", &t), ("i2", &zero), ("i", &i)]).unwrap();
    assert_eq!(out.names().collect::<Vec<_>>(), ["b", "f", "dd"]);
    assert_eq!(out.get("b").unwrap().data, TensorData::Bool(vec![true, false]));
    assert_eq!(out.get("f").unwrap().data, TensorData::Bool(vec![false, true]));
    assert_eq!(out.get("dd").unwrap().data, TensorData::F32(vec![0.2]));
}

#[test]
fn weights_outside_of_the_file_come_from_memory() {
    let second = external("v", &[4], &[("location", "deep/w.bin"), ("offset", "20"), ("length", "16")]);
    let graph = Graph {
        nodes: vec![node("", "Add", &["x", "w"], &["t"]), node("", "Add", &["t", "v"], &["y"])],
        initializers: vec![external("w", &[4], &[("location", "w.bin")]), second],
        inputs: vec![port("x", F32, &[Dim::Any("n"), Dim::N(4)])],
        outputs: vec![port("y", F32, &[Dim::Any("n"), Dim::N(4)])],
    };
    let mut folder = Folder::new();
    folder.list("m.onnx", Task::Embed, &graph.file(&[]));
    folder.weights("w.bin", &[1.0f32, 2.0, 3.0, 4.0].map(f32::to_le_bytes).concat());
    folder.weights("deep/w.bin", &[9.0f32, 9.0, 9.0, 9.0, 9.0, 10.0, 20.0, 30.0, 40.0].map(f32::to_le_bytes).concat());
    let model = folder.load("m").unwrap();
    let mut session = OnnxSession::open(&model, &defaults()).unwrap();
    // The session must not hold on to anything that goes away now.
    drop((model, folder));
    let x = rows(3);
    let wanted: Vec<f32> = expected(&x).iter().enumerate().map(|(i, v)| v + 10.0 * (i % 4 + 1) as f32).collect();
    for _ in 0..3 {
        let y = run(&mut session, &[("x", &x)]).unwrap();
        assert_eq!(y.get("y").unwrap().to_f32().as_ref(), wanted);
    }
}

#[test]
fn a_run_that_fails_leaves_the_session_usable() {
    // The last axis is open: the runtime finds out by itself that 3 and 4 do not add.
    let graph = Graph {
        nodes: vec![node("", "Add", &["x", "w"], &["y"])],
        initializers: vec![tensor("w", &[4], &[1.0, 2.0, 3.0, 4.0])],
        inputs: vec![port("x", F32, &[Dim::Any("n"), Dim::Any("width")])],
        outputs: vec![port("y", F32, &[Dim::Any("n"), Dim::Any("width")])],
    };
    let mut session = session_of(&graph.file(&[]), &defaults());
    let bad = Tensor::f32([2, 3], vec![0.0; 6]).unwrap();
    for _ in 0..3 {
        let found = message(run(&mut session, &[("x", &bad)]));
        assert!(found.contains("`m` failed") && found.contains("Add"), "{found}");
        assert_eq!(cause(run(&mut session, &[("x", &bad)])), "run");
        let x = rows(2);
        assert_eq!(run(&mut session, &[("x", &x)]).unwrap().get("y").unwrap().to_f32().as_ref(), expected(&x));
    }
    assert_eq!((session.stats().failures, session.stats().runs), (6, 3));
}

#[test]
fn a_provider_that_is_missing_is_an_error() {
    let mut folder = Folder::new();
    folder.list("m.onnx", Task::Embed, &plus(Dim::N(1)));
    let there = Provider::available().unwrap();
    let mut missing = 0;
    for (name, provider) in Provider::ALL.into_iter().filter(|(_, p)| !there.contains(p)) {
        let found = folder.open("m", &SessionOptions { provider, ..defaults() });
        let said = message(found);
        assert!(
            said.contains(&format!("`{name}` is not in this ONNX Runtime")) && said.contains("it has cpu"),
            "{said}"
        );
        missing += 1;
    }
    assert!(missing > 0, "a runtime with everything");
    let numbered = folder.open("m", &SessionOptions { device: Some(1), ..defaults() });
    assert!(message(numbered).contains("`cpu` takes no device number"));
}

#[test]
fn open_axes_can_be_set() {
    let mut folder = Folder::new();
    folder.list("m.onnx", Task::Embed, &plus(Dim::Any("batch")));
    let with = |dimensions: &[(&str, usize)]| SessionOptions {
        dimensions: dimensions.iter().map(|(n, s)| ((*n).to_owned(), *s)).collect(),
        ..defaults()
    };
    let mut session = folder.open("m", &with(&[("batch", 3)])).unwrap();
    assert_eq!(session.inputs()[0].shape, [Extent::Fixed(3), Extent::Fixed(4)]);
    let x = rows(4);
    assert_eq!(run(&mut session, &[("x", &x)]).unwrap().get("y").unwrap().to_f32().as_ref(), expected(&x));
    assert!(message(folder.open("m", &with(&[("bath", 3)]))).contains("no open axis `bath`; it has batch"));
    assert_eq!(cause(folder.open("m", &with(&[("batch", 0)]))), "dimension");
}

#[test]
fn every_option_gives_the_same_results() {
    let x = rows(7);
    for options in [
        SessionOptions { threads: Some(1), ..defaults() },
        SessionOptions { threads: Some(3), spinning: true, ..defaults() },
        SessionOptions { optimization: Optimization::Off, memory_pattern: false, ..defaults() },
        SessionOptions { optimization: Optimization::Basic, deterministic: true, ..defaults() },
        SessionOptions { optimization: Optimization::Extended, cpu_fallback: false, ..defaults() },
    ] {
        let mut session = session_of(&plus(Dim::Any("n")), &options);
        assert_eq!(run(&mut session, &[("x", &x)]).unwrap().get("y").unwrap().to_f32().as_ref(), expected(&x));
    }
    let mut folder = Folder::new();
    folder.list("m.onnx", Task::Embed, &plus(Dim::N(1)));
    for threads in [0, 257] {
        let refused = folder.open("m", &SessionOptions { threads: Some(threads), ..defaults() });
        assert!(matches!(refused, Err(Error::Config { .. })), "{threads}");
    }
}

#[test]
fn warm_up_is_not_counted_and_times_are() {
    let mut session = session_of(&plus(Dim::Any("n")), &defaults());
    let zeros = session.zeros(|_, _| 5).unwrap();
    assert_eq!((zeros[0].0.as_str(), zeros[0].1.shape.as_slice()), ("x", &[5, 4][..]));
    let named: Vec<NamedTensor<'_>> = zeros.iter().map(|(n, t)| NamedTensor { name: n, tensor: t.view() }).collect();
    session.warm_up(&named, 3).unwrap();
    assert_eq!(session.stats().runs, 0);
    let y = session.run(&named).unwrap();
    assert_eq!(y.get("y").unwrap().to_f32()[..4], [1.0, 2.0, 3.0, 4.0]);
    let stats = session.stats();
    assert_eq!((stats.runs, stats.elements), (1, 5));
    assert!(stats.total >= stats.median && !stats.median.is_zero());
}

#[test]
fn a_session_moves_to_another_thread() {
    let mut sessions: Vec<OnnxSession> = (0..3).map(|_| session_of(&plus(Dim::N(1)), &defaults())).collect();
    std::thread::scope(|scope| {
        for session in &mut sessions {
            scope.spawn(|| {
                for count in 1..5 {
                    let x = rows(count);
                    let y = run(session, &[("x", &x)]).unwrap();
                    assert_eq!(y.get("y").unwrap().to_f32().as_ref(), expected(&x));
                }
            });
        }
    });
    let moved = sessions.pop().unwrap();
    assert_eq!(std::thread::spawn(move || moved.stats().runs).join().unwrap(), 1 + 2 + 3 + 4);
}

#[test]
fn a_model_without_weights_or_inputs() {
    let constant = onnx::Message::new().bytes(1, "value").message(5, tensor("", &[2], &[5.0, 6.0])).int(20, 4);
    let graph = Graph {
        nodes: vec![node("", "Constant", &[], &["y"]).message(5, constant)],
        outputs: vec![port("y", F32, &[Dim::N(2)])],
        ..Graph::default()
    };
    let mut session = session_of(&graph.file(&[]), &defaults());
    assert_eq!(run(&mut session, &[]).unwrap().get("y").unwrap().to_f32().as_ref(), [5.0, 6.0]);
}
