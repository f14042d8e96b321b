use crate::edges::{edges_of, planes_of};
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::{refused, run};
use crate::seed_frames::{SEED_FRAMES, seed_gray};
use crate::table;
use frameloom::core::*;
use frameloom::ops::edges::BitPlanes;
use frameloom::ops::edges::canny::{CannyParams, CannyPlan};
use frameloom::ops::quality::border_occlusion::{BORDER, BorderOcclusionPlan, border_occlusion};
use frameloom::ops::{BatchShape, GpuPictures, Record};
use frameloom::reference::{Plane, quality::border_occlusion::border_occlusion as reference};

const CANNY: CannyParams = CannyParams { low: 50, high: 150 };

fn want(trial: &table::Trial, border: u32) -> Vec<BorderSums> {
    let sums = |((size, luma), (_, edges)): ((Size, Vec<u8>), (Size, Vec<u8>))| {
        reference(&Plane::tight(size, &luma).unwrap(), &Plane::tight(size, &edges).unwrap(), border).unwrap()
    };
    trial.lumas().zip(edges_of(trial, 50, 150)).map(sums).collect()
}

#[test]
fn equals_the_reference() {
    on_every_adapter("quality/border_occlusion equals the reference", |ctx| {
        let mut turn = 0;
        table::each(ctx, &LUMA_FORMATS, |trial| {
            let border = [BORDER, 1, 17, 64, 1000][turn % 5];
            turn += 1;
            let planes = planes_of(ctx, &edges_of(trial, 50, 150));
            let plan = BorderOcclusionPlan::new(ctx, BatchShape::of(trial.batch.as_ref()).unwrap(), border).unwrap();
            let got = plan.bind(ctx, trial.batch.as_ref(), 0, &planes).unwrap().run(ctx).unwrap();
            assert_eq!(got, want(trial, border), "{} border {border}", trial.name);
        });
    });
}

/// The levels that the system before this one gave these frames, edges counted as bytes.
#[test]
fn levels_are_those_of_the_system_before() {
    let levels: [f64; 9] = [0.30414043339159963, 1.0, 0.0390625, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    on_every_adapter("quality/border_occlusion levels of the system before", |ctx| {
        let frames = SEED_FRAMES.map(seed_gray);
        // Rows of 384 and 512 pixels need no padding.
        let slots: Vec<(Size, &[u8])> = frames.iter().map(|(size, gray)| (*size, gray.as_slice())).collect();
        let src = GpuPictures::from_host(ctx, "test", PixelFormat::Gray8, &slots).unwrap();
        let got = border_occlusion(ctx, &src, BORDER, CANNY).unwrap();
        for ((name, sums), level) in SEED_FRAMES.iter().zip(&got).zip(levels) {
            assert!((sums.occlusion(EdgeWeight::Byte) - level).abs() <= 1e-9, "{name}: {sums:?}");
            assert!(sums.occlusion(EdgeWeight::One) <= level, "{name}: {sums:?}");
        }
        // Counted as bytes, edges saturate: as shares they still tell noise from a board.
        let [board, noise] = [1, 3].map(|i| got[i].occlusion(EdgeWeight::One));
        assert!(board < 0.5 && noise < 0.5 && (board - noise).abs() > 0.01, "{board} {noise}");
    });
}

/// A border as wide as the picture counts every pixel four times; what lies inside does not matter.
#[test]
fn only_the_border_counts() {
    on_every_adapter("quality/border_occlusion invariants", |ctx| {
        let size = Size::new(90, 60);
        let mut luma = vec![50u8; size.area() as usize];
        let sums = |luma: &[u8], edges: &[u8], border| {
            let layout = FrameLayout::of(PixelFormat::Gray8, size).unwrap();
            let mut slot = vec![0; layout.slot_bytes() as usize];
            for (to, row) in slot.chunks_mut(96).zip(luma.chunks(90)) {
                to[..90].copy_from_slice(row);
            }
            let src = upload(ctx, &layout, &[slot]);
            let planes = BitPlanes::from_host(ctx, "test", &[(size, edges)]).unwrap();
            let plan = BorderOcclusionPlan::new(ctx, &layout, border).unwrap();
            plan.bind(ctx, &src, 0, &planes).unwrap().run(ctx).unwrap()[0]
        };
        let all = sums(&luma, &vec![1; luma.len()], 90);
        assert_eq!((all.sum, all.edges, all.samples()), (4 * 50 * 5400, 4 * 5400, 4 * 5400));
        let none = vec![0; luma.len()];
        let flat = sums(&luma, &none, 20);
        for y in 20..40 {
            for x in 20..70 {
                luma[y * 90 + x] = 255;
            }
        }
        assert_eq!(sums(&luma, &none, 20), flat);
        assert_eq!(flat.occlusion(EdgeWeight::One), 0.0);
        assert_ne!(sums(&luma, &none, 21), BorderSums { border: 21, ..flat });
    });
}

#[test]
fn follows_canny_from_a_later_slot() {
    on_every_adapter("quality/border_occlusion chain and slots", |ctx| {
        let trial = table::mixed(ctx, PixelFormat::Nv12, &[(5, 4), (140, 71), (70, 55)], 5);
        let (src, shape) = (trial.batch.as_ref(), BatchShape::of(trial.batch.as_ref()).unwrap());
        let canny = CannyPlan::new(ctx, shape, CANNY).unwrap().bind_bits(ctx, src, 1).unwrap();
        let plan = BorderOcclusionPlan::new(ctx, shape, 9).unwrap();
        let border = plan.bind(ctx, src, 1, canny.edges()).unwrap();
        refused(plan.bind(ctx, src, 0, canny.edges()), "edges");
        let chain = canny.chain(border.clone());
        assert_eq!(chain.capacity(), 2);
        table::deterministic(|| {
            run(ctx, |rec| chain.record(rec, 2));
            let got = border.decode(&border.results().read(ctx, 2 * border.frame_bytes()).unwrap());
            assert_eq!(got, want(&trial, 9)[1..]);
        });
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("quality/border_occlusion refuses", |ctx| {
        let gray = layout(PixelFormat::Gray8, (20, 5));
        refused(BorderOcclusionPlan::new(ctx, &layout(PixelFormat::Rgba8, (20, 5)), 20), "input");
        refused(BorderOcclusionPlan::new(ctx, &gray, 0), "border");
        refused(BorderOcclusionPlan::new(ctx, &gray, 32_769), "border");
        let plan = BorderOcclusionPlan::new(ctx, &gray, 20).unwrap();
        let src = table::uniform(ctx, gray, 0, 1);
        refused(
            plan.bind(ctx, src.batch.as_ref(), 0, &BitPlanes::new(ctx, "test", &[Size::new(20, 6)]).unwrap()),
            "edges",
        );
        let other = table::uniform(ctx, layout(PixelFormat::Gray8, (21, 5)), 0, 1);
        refused(
            plan.bind(ctx, other.batch.as_ref(), 0, &BitPlanes::new(ctx, "test", &[Size::new(21, 5)]).unwrap()),
            "input",
        );
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("quality/border_occlusion negative control", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Gray8, (70, 50)), 0, 1);
        let got = border_occlusion(ctx, trial.batch.as_ref(), 20, CANNY).unwrap();
        assert_eq!(got, want(&trial, 20));
        let (size, mut luma) = trial.lumas().next().unwrap();
        let (_, edges) = edges_of(&trial, 50, 150).remove(0);
        luma[69] ^= 1;
        let sabotaged =
            reference(&Plane::tight(size, &luma).unwrap(), &Plane::tight(size, &edges).unwrap(), 20).unwrap();
        assert_ne!(got, [sabotaged]);
    });
}
