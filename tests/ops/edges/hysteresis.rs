use super::edge_maps::shapes;
use crate::gpu::on_every_adapter;
use crate::pictures::{SHAPES, poison_pool};
use crate::results::{refused, run};
use frameloom::core::Size;
use frameloom::gpu::GpuContext;
use frameloom::ops::edges::BitPlanes;
use frameloom::ops::edges::hysteresis::{HysteresisBound, HysteresisPlan, hysteresis};
use frameloom::ops::{MapSample, Record};
use frameloom::reference::edges::hysteresis::hysteresis as reference;
use proptest::prelude::*;

type Planes<'a> = Vec<(Size, &'a [u8])>;

fn upload(ctx: &GpuContext, weak: &Planes<'_>, strong: &Planes<'_>) -> [BitPlanes; 2] {
    poison_pool(ctx, 1 << 16);
    [weak, strong].map(|planes| BitPlanes::from_host(ctx, "test", planes).unwrap())
}

fn record(ctx: &GpuContext, bound: &HysteresisBound) {
    run(ctx, |rec| bound.record(rec, bound.capacity()));
    assert!(bound.status().complete(ctx).unwrap());
}

#[test]
fn long_lines_and_noise_equal_the_reference() {
    on_every_adapter("edges/hysteresis equals the reference", |ctx| {
        // Through word, tile and column borders; one batch with all of them.
        for (w, h) in [(300, 140), (129, 65), (33, 200), (1, 1), (1, 90), (200, 1), (31, 2)] {
            let size = Size::new(w, h);
            let shapes = shapes(size);
            let weak: Planes<'_> = shapes.iter().map(|(_, weak, _)| (size, weak.as_slice())).collect();
            let strong: Planes<'_> = shapes.iter().map(|(_, _, strong)| (size, strong.as_slice())).collect();
            let [weak, grown] = upload(ctx, &weak, &strong);
            hysteresis(ctx, &weak, &grown).unwrap();
            for (i, (name, weak, strong)) in (0..).zip(&shapes) {
                let want = reference(size, weak, strong).unwrap();
                assert!(grown.read(ctx, i).unwrap() == want, "{name} {size}, plane {i}");
            }
        }
    });
}

/// Sweeps alone do not follow a spiral or a snake to its end, so these go through the union-find; a straight line does not.
#[test]
fn what_sweeps_leave_over_is_settled() {
    on_every_adapter("edges/hysteresis union-find", |ctx| {
        let size = Size::new(300, 141);
        let plan = HysteresisPlan::with_sweeps(ctx, size, 2).unwrap();
        let mut left = Vec::new();
        for (name, weak, strong) in shapes(size) {
            let [weak_bits, grown] = upload(ctx, &vec![(size, weak.as_slice())], &vec![(size, strong.as_slice())]);
            let bound = plan.bind(ctx, &weak_bits, &grown).unwrap();
            record(ctx, &bound);
            assert!(grown.read(ctx, 0).unwrap() == reference(size, &weak, &strong).unwrap(), "{name}");
            left.push((name, bound.status().left_to_union_find(ctx).unwrap()));
            // Recorded again, from what was grown: nothing changes, and sweeps are enough.
            record(ctx, &bound);
            assert_eq!(bound.status().left_to_union_find(ctx).unwrap(), 0, "{name}");
            assert!(grown.read(ctx, 0).unwrap() == reference(size, &weak, &strong).unwrap(), "{name} again");
        }
        assert!(left.contains(&("spiral", 1)) && left.contains(&("snake", 1)), "{left:?}");
    });
}

#[test]
fn sizes_may_differ_and_fewer_may_be_recorded() {
    on_every_adapter("edges/hysteresis mixed sizes", |ctx| {
        let all: Vec<_> =
            SHAPES.iter().map(|(w, h)| Size::new(*w, *h)).map(|size| (size, shapes(size).pop().unwrap())).collect();
        let weak: Planes<'_> = all.iter().map(|(size, (_, weak, _))| (*size, weak.as_slice())).collect();
        let strong: Planes<'_> = all.iter().map(|(size, (_, _, strong))| (*size, strong.as_slice())).collect();
        let [weak, grown] = upload(ctx, &weak, &strong);
        let bound = HysteresisPlan::with_sweeps(ctx, Size::new(200, 200), 2).unwrap().bind(ctx, &weak, &grown).unwrap();
        run(ctx, |rec| bound.record(rec, bound.capacity() - 1));
        for (i, (size, (_, weak, strong))) in (0..).zip(&all) {
            let got = grown.read(ctx, i).unwrap();
            let want = if i + 1 == bound.capacity() { strong.clone() } else { reference(*size, weak, strong).unwrap() };
            assert!(got == want, "{size}");
        }
        assert!(grown.maps().is_none());
    });
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("edges/hysteresis is deterministic", |ctx| {
        let size = Size::new(260, 130);
        let (_, weak, strong) = shapes(size).remove(15);
        let plan = HysteresisPlan::with_sweeps(ctx, size, 2).unwrap();
        crate::table::deterministic(|| {
            let [weak, grown] = upload(ctx, &vec![(size, weak.as_slice())], &vec![(size, strong.as_slice())]);
            record(ctx, &plan.bind(ctx, &weak, &grown).unwrap());
            let maps = grown.maps().unwrap();
            assert_eq!(maps.layout().sample, MapSample::Bit);
            let bits = grown.read(ctx, 0).unwrap();
            assert_eq!(maps.read(ctx, 0).unwrap(), bits);
            bits
        });
    });
}

/// Growing is idempotent, keeps the seeds, adds only weak pixels, and adds the more the more seeds there are.
#[test]
fn grown_pixels_are_weak_and_more_seeds_grow_more() {
    on_every_adapter("edges/hysteresis invariants", |ctx| {
        let plan = HysteresisPlan::new(ctx, Size::new(150, 40)).unwrap();
        let strategy = (1u32..150, 1u32..40, any::<u64>(), 200u64..800);
        proptest!(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() }, |((w, h, seed, share) in strategy)| {
            let size = Size::new(w, h);
            let noise = |salt: u64, share: u64| -> Vec<u8> {
                (0..size.area()).map(|i| u8::from(frameloom::reference::pattern::splitmix64(seed ^ salt << 50 ^ i) % 1000 < share)).collect()
            };
            let (weak, few) = (noise(1, share), noise(2, 10));
            let more: Vec<u8> = few.iter().zip(noise(3, 10)).map(|(a, b)| a | b).collect();
            let grow = |strong: &[u8]| {
                let [weak, grown] = upload(ctx, &vec![(size, weak.as_slice())], &vec![(size, strong)]);
                record(ctx, &plan.bind(ctx, &weak, &grown).unwrap());
                grown.read(ctx, 0).unwrap()
            };
            let (a, b) = (grow(&few), grow(&more));
            prop_assert_eq!(&grow(&a), &a);
            for i in 0..weak.len() {
                prop_assert!(a[i] <= weak[i] | few[i] && a[i] >= few[i] && b[i] >= a[i]);
            }
        });
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("edges/hysteresis refuses", |ctx| {
        refused(HysteresisPlan::new(ctx, Size::new(0, 4)), "largest");
        refused(HysteresisPlan::new(ctx, Size::new(4, 32_769)), "largest");
        let plan = HysteresisPlan::new(ctx, Size::new(20, 9)).unwrap();
        let planes = |sizes: &[(u32, u32)]| {
            let sizes: Vec<Size> = sizes.iter().map(|(w, h)| Size::new(*w, *h)).collect();
            BitPlanes::new(ctx, "test", &sizes).unwrap()
        };
        let small = planes(&[(20, 9)]);
        refused(plan.bind(ctx, &small, &small), "strong");
        refused(plan.bind(ctx, &small, &planes(&[(19, 9)])), "strong");
        refused(plan.bind(ctx, &small, &planes(&[(20, 9), (20, 9)])), "strong");
        refused(plan.bind(ctx, &planes(&[(20, 10)]), &planes(&[(20, 10)])), "weak");
        refused(BitPlanes::new(ctx, "test", &[]), "sizes");
        refused(BitPlanes::new(ctx, "test", &[Size::new(3, 0)]), "size");
        assert!(BitPlanes::from_host(ctx, "test", &[(Size::new(3, 1), &[1, 0])]).is_err());
        assert!(small.read(ctx, 1).is_err());
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("edges/hysteresis negative control", |ctx| {
        let size = Size::new(130, 30);
        let (_, mut weak, strong) = shapes(size).remove(0);
        let [weak_bits, grown] = upload(ctx, &vec![(size, weak.as_slice())], &vec![(size, strong.as_slice())]);
        hysteresis(ctx, &weak_bits, &grown).unwrap();
        let got = grown.read(ctx, 0).unwrap();
        assert_eq!(got, reference(size, &weak, &strong).unwrap());
        // One pixel of the line gone: nothing behind it is reached.
        let middle = weak.iter().enumerate().filter(|(_, v)| **v != 0).nth(15).unwrap().0;
        weak[middle] = 0;
        assert_ne!(got, reference(size, &weak, &strong).unwrap());
    });
}
