//! Motion against golden vectors.

use crate::check;
use crate::golden::Golden;
use frameloom::core::{BlockSearch, FlowScale};
use frameloom::reference::{Plane, motion};

#[test]
fn block_motion_equals_an_exhaustive_search() {
    for file in Golden::all("motion/block_motion", 4) {
        let size = file.size();
        let (w, h) = (size.width as usize, size.height as usize);
        let mut data = file.input(2 * w * h);
        if let Ok(levels @ ..=255) = u8::try_from(file.integer("levels")) {
            data.iter_mut().for_each(|v| *v %= levels);
        }
        let (before, now) = data.split_at_mut(w * h);
        for y in 2..h / 2 {
            now[y * w + 3..y * w + w / 2].copy_from_slice(&before[(y - 2) * w..][..w / 2 - 3]);
        }
        let plane = |data| Plane::tight(size, data).unwrap();
        let search = BlockSearch { block: file.integer("block"), range: file.integer("range") };
        let got = motion::block_motion::block_motion(&plane(before), &plane(now), search).unwrap();
        let got: Vec<f64> = got.iter().flat_map(|v| [v.dx.into(), v.dy.into(), v.sad.into()]).collect();
        check(&file, &got, &file.numbers("out"));
    }
}

/// Against the motion the pictures were made with, and not much worse than OpenCV's inverse search with its refinement.
#[test]
fn optical_flow_finds_the_motion() {
    for file in Golden::all("motion/optical_flow", 3) {
        let (size, m) = (file.size(), file.numbers("move"));
        let (before, now) = (file.bytes("before"), file.bytes("now"));
        let plane = |data| Plane::tight(size, data).unwrap();
        for (scale, bound) in [(FlowScale::Full, 0.15), (FlowScale::Half, file.number("tolerance"))] {
            let flow = motion::optical_flow::optical_flow(&plane(&before), &plane(&now), scale).unwrap();
            let step = f64::from(1u32 << scale.level());
            let mut errors = Vec::new();
            for (i, (u, v)) in flow.vectors.iter().enumerate() {
                let (i, across) = (i as u32, flow.size.width);
                let place = |at: u32| (f64::from(at) + 0.5) * step - 0.5;
                let (x, y) = (place(i % across), place(i / across));
                let (fx, fy) = (m[0] * x + m[1] * y + m[2] - x, m[3] * x + m[4] * y + m[5] - y);
                let inner =
                    |at: f64, d: f64, side: u32| at.min(at + d) >= 8.0 && at.max(at + d) < f64::from(side) - 8.0;
                if inner(x, fx, size.width) && inner(y, fy, size.height) {
                    let unit = step / 64.0;
                    errors.push((f64::from(*u) * unit - fx).hypot(f64::from(*v) * unit - fy));
                }
            }
            let mean = errors.iter().sum::<f64>() / errors.len() as f64;
            eprintln!(
                "{} {scale:?}: {mean:.3}, OpenCV {} {}",
                file.name,
                file.number("dis_fast"),
                file.number("dis_medium")
            );
            assert!(errors.len() > 50 && mean < bound, "{} {scale:?}: {mean}", file.name);
        }
    }
}
