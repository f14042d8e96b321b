use super::edge_maps::{edges_of, planes_of};
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::{refused, run};
use crate::table;
use frameloom::core::*;
use frameloom::ops::edges::BitPlanes;
use frameloom::ops::edges::canny::{CannyParams, CannyPlan};
use frameloom::ops::edges::edge_density::{EdgeDensityPlan, edge_density};
use frameloom::ops::{BatchShape, Record};
use frameloom::reference::edges::edge_density::edge_density as reference;

fn want(trial: &table::Trial) -> Vec<EdgeCount> {
    edges_of(trial, 50, 150).iter().map(|(_, edges)| reference(edges)).collect()
}

#[test]
fn equals_the_reference() {
    on_every_adapter("edges/edge_density equals the reference", |ctx| {
        table::each(ctx, &[PixelFormat::Gray8], |trial| {
            let edges = edges_of(trial, 50, 150);
            let plan = EdgeDensityPlan::new(ctx, BatchShape::of(trial.batch.as_ref()).unwrap()).unwrap();
            let got = plan.bind(ctx, &planes_of(ctx, &edges)).unwrap().run(ctx).unwrap();
            let want: Vec<EdgeCount> = edges.iter().map(|(_, edges)| reference(edges)).collect();
            assert_eq!(got, want, "{}", trial.name);
        });
        // With Canny before, in every format.
        for format in LUMA_FORMATS {
            let trial = table::mixed(ctx, format, &[(77, 55), (130, 41)], 6);
            let got = edge_density(ctx, trial.batch.as_ref(), CannyParams::default()).unwrap();
            assert_eq!(got, want(&trial), "{format}");
        }
    });
}

/// All bits of a plane set: as many as pixels, whatever the width; none set: none.
#[test]
fn full_and_empty_planes() {
    on_every_adapter("edges/edge_density extremes", |ctx| {
        let sizes: Vec<Size> = SHAPES.iter().map(|(w, h)| Size::new(*w, *h)).collect();
        for value in [0u8, 1] {
            let data: Vec<Vec<u8>> = sizes.iter().map(|s| vec![value; s.area() as usize]).collect();
            let planes: Vec<(Size, &[u8])> = sizes.iter().copied().zip(data.iter().map(Vec::as_slice)).collect();
            let planes = BitPlanes::from_host(ctx, "test", &planes).unwrap();
            let shape = BatchShape::mixed(PixelFormat::Gray8, Size::new(200, 200)).unwrap();
            let bound = EdgeDensityPlan::new(ctx, shape).unwrap().bind(ctx, &planes).unwrap();
            for _ in 0..2 {
                let got = bound.run(ctx).unwrap();
                assert!(
                    got.iter().zip(&sizes).all(|(c, s)| c.edges == s.area() * u64::from(value) && c.pixels == s.area())
                );
            }
        }
    });
}

#[test]
fn follows_canny_without_a_hop() {
    on_every_adapter("edges/edge_density chain and slots", |ctx| {
        let trial = table::mixed(ctx, PixelFormat::Nv12, &[(5, 4), (40, 31), (170, 30)], 6);
        let shape = BatchShape::of(trial.batch.as_ref()).unwrap();
        let canny = CannyPlan::new(ctx, shape, CannyParams::default()).unwrap();
        let canny = canny.bind_bits(ctx, trial.batch.as_ref(), 1).unwrap();
        let density = EdgeDensityPlan::new(ctx, shape).unwrap().bind(ctx, canny.edges()).unwrap();
        let chain = canny.chain(density.clone());
        table::deterministic(|| {
            run(ctx, |rec| chain.record(rec, chain.capacity()));
            let got = density.decode(&density.results().read(ctx, 2 * density.frame_bytes()).unwrap());
            assert_eq!(got, want(&trial)[1..]);
            got
        });
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("edges/edge_density refuses", |ctx| {
        refused(EdgeDensityPlan::new(ctx, &layout(PixelFormat::Gray8, (1, 32_769))), "input");
        let plan = EdgeDensityPlan::new(ctx, &layout(PixelFormat::Gray8, (20, 4))).unwrap();
        refused(plan.bind(ctx, &BitPlanes::new(ctx, "test", &[Size::new(20, 5)]).unwrap()), "edges");
        let rgba = table::uniform(ctx, layout(PixelFormat::Rgba8, (4, 4)), 0, 1);
        refused(edge_density(ctx, rgba.batch.as_ref(), CannyParams::default()), "input");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("edges/edge_density negative control", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Gray8, (33, 19)), 0, 1);
        let got = edge_density(ctx, trial.batch.as_ref(), CannyParams::default()).unwrap();
        let (_, mut edges) = edges_of(&trial, 50, 150).remove(0);
        assert_eq!(got, [reference(&edges)]);
        edges[40] ^= 255;
        assert_ne!(got, [reference(&edges)]);
    });
}
