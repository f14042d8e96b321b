//! The benchmark framework refuses to time what is wrong or missing.

use crate::gpu::on_every_adapter;
use frameloom::core::Work;
use frameloom::gpu::{BufferUse, GpuBuffer, GpuContext, Kernel, Recorder};
use frameloom::ops::OPS;
use frameloom::ops::bench::{Bench, BenchOptions, BenchReport, BenchWarning, Case, CaseSet, Timing, run};
use frameloom::{Error, Result};

fn none(_: &Bench<'_>) -> Result<Vec<Case>> {
    Ok(Vec::new())
}

fn case(bench: &Bench<'_>, right: bool) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let kernel = Kernel::new(ctx, "bench/ceilings", "write_words", &[])?;
    let buffer = GpuBuffer::new(ctx, "t", 1 << 16, BufferUse::Storage)?;
    let bind = kernel.bind(ctx, &[("dst_words", &buffer)])?;
    Ok(vec![Case {
        variant: "v".into(),
        content: "c".into(),
        input: "i".into(),
        batch: 2,
        work: Work { bytes_read: 0, bytes_written: 1 << 15, ops: 0 },
        record: Box::new(move |rec: &mut Recorder<'_>, _| {
            rec.dispatch(&kernel, &bind, [8, 1, 1]);
            Ok(())
        }),
        verify: Box::new(move |_: &GpuContext| Ok(right)),
    }])
}

fn right(bench: &Bench<'_>) -> Result<Vec<Case>> {
    case(bench, true)
}

fn wrong(bench: &Bench<'_>) -> Result<Vec<Case>> {
    case(bench, false)
}

/// Empty sets for all operations but the first.
fn sets(first: fn(&Bench<'_>) -> Result<Vec<Case>>) -> Vec<CaseSet> {
    OPS.iter().enumerate().map(|(i, op)| CaseSet { op: op.name, cases: if i == 0 { first } else { none } }).collect()
}

fn small(ctx: &GpuContext, sets: &[CaseSet], filter: Option<&str>) -> Result<BenchReport> {
    let options = BenchOptions { small: true, filter: filter.map(str::to_owned), ..BenchOptions::default() };
    run(ctx, &options, sets, None, &mut |_| {})
}

#[test]
fn a_wrong_result_is_not_timed() {
    on_every_adapter("bench verifies", |ctx| match small(ctx, &sets(wrong), None) {
        Err(Error::Bug(text)) => assert!(text.contains(OPS[0].name) && text.contains("wrong"), "{text}"),
        other => panic!("{other:?}"),
    });
}

#[test]
fn an_operation_without_a_benchmark_is_named() {
    on_every_adapter("bench is complete", |ctx| {
        let all = sets(none);
        let text = small(ctx, &all[1..], None).unwrap_err().to_string();
        assert!(text.contains(&format!("{} has no benchmark", OPS[0].name)), "{text}");
        assert!(matches!(small(ctx, &all, Some("no such operation")), Err(Error::Usage { .. })));
    });
}

#[test]
fn a_row_says_what_was_measured_on_what() {
    on_every_adapter("bench report", |ctx| {
        let report = small(ctx, &sets(right), Some(OPS[0].name)).unwrap();
        assert_eq!((report.adapter.as_str(), report.rows.len()), (ctx.caps().name.as_str(), 1));
        let row = &report.rows[0];
        assert_eq!((row.op, row.batch, row.samples), (OPS[0].name, 2, 2));
        assert!(row.min_ns > 0 && row.min_ns <= row.median_ns);
        assert_eq!(row.timing == Timing::DeviceTimestamps, ctx.caps().timestamps);
        // 2 frames of 2^15 bytes.
        assert!((row.gb_per_s * row.median_ns as f64 - 65_536.0).abs() < 1.0);
        assert_eq!(row.percent_of_ceiling.is_none(), ctx.caps().is_software());
        let c = report.ceilings;
        assert!([c.copy_gb_per_s, c.read_gb_per_s, c.write_gb_per_s, c.submit_and_wait_us].iter().all(|v| *v > 0.0));
        assert!(report.warnings.contains(&BenchWarning::Small));
    });
}
