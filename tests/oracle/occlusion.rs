//! Occlusion and blending against golden vectors.

use crate::golden::Golden;
use crate::{check, wide};
use frameloom::core::blend::{Alpha, TemporalMode};
use frameloom::core::occlusion::{EdgeBlur, Erasing, Fill, Grid, Hiding, Inside, LayMode, Paste, Region, Side};
use frameloom::core::random::Draw;
use frameloom::core::{Rect, Size};
use frameloom::reference::occlusion::{edge_blur, erase, grid_mask, hide_and_seek, overlay, paste_object};
use frameloom::reference::pattern::lcg_bytes;
use frameloom::reference::{Plane, blend};

fn plane(size: Size, channels: u32, data: &[u8]) -> Plane<'_> {
    Plane::interleaved(size, channels, (size.width * channels) as usize, data).unwrap()
}

/// Compares the result for the picture of each of `count` files, and the covered pixels where the file names them.
fn each(op: &str, count: usize, channels: u32, of: impl Fn(&Golden, &Plane<'_>) -> (Vec<u8>, u64)) {
    for file in Golden::all(op, count) {
        let size = file.size();
        let data = file.input((size.area() * u64::from(channels)) as usize);
        let (got, pixels) = of(&file, &plane(size, channels, &data));
        check(&file, &wide(&got), &wide(&file.bytes("out")));
        assert!(!file.has("pixels") || pixels == u64::from(file.integer("pixels")), "{}: {pixels}", file.name);
    }
}

fn pair(file: &Golden, key: &str) -> [f64; 2] {
    file.numbers(key).try_into().unwrap()
}

fn draw(file: &Golden) -> Draw {
    let [seed, picture] = pair(file, "draw").map(|v| v as u32);
    Draw { seed, picture }
}

fn counted((data, covered): (Vec<u8>, frameloom::core::Covered)) -> (Vec<u8>, u64) {
    (data, covered.pixels)
}

#[test]
fn edge_blur_equals_opencv() {
    each("occlusion/edge_blur", 18, 4, |file, src| {
        let side = match file.text("side") {
            "left" => Side::Left,
            "right" => Side::Right,
            "top" => Side::Top,
            _ => Side::Bottom,
        };
        let inside = if file.text("inside") == "band" { Inside::Band } else { Inside::Picture };
        let (share, radius) = (file.number("share"), file.integer("radius"));
        counted(edge_blur::edge_blur(src, &EdgeBlur { side, share, radius, feather: 0, inside }).unwrap())
    });
}

#[test]
fn overlay_equals_opencv() {
    each("occlusion/overlay", 3, 4, |file, src| {
        let mode = if file.text("mode") == "add" { LayMode::Add } else { LayMode::Blend };
        let (x, width) = (file.integer("x"), file.integer("columns"));
        let region = Region::Rect(Rect { x, y: 0, width, height: src.size().height });
        counted(overlay::overlay(src, region, [50, 200, 0], file.number("opacity"), mode).unwrap())
    });
}

#[test]
fn erase_draws_the_same_rectangles_and_noise() {
    each("occlusion/erase", 3, 4, |file, src| {
        let erasing = Erasing {
            count: file.integer("count"),
            probability: file.number("probability"),
            area: pair(file, "area"),
            aspect: pair(file, "aspect"),
        };
        let rects = erasing.rects(src.size(), draw(file));
        let flat: Vec<f64> = rects.iter().flat_map(|r| [r.x, r.y, r.width, r.height]).map(f64::from).collect();
        assert_eq!(flat, file.numbers("rects"));
        let fill = match file.text("fill") {
            "constant" => Fill::Constant([1, 2, 3]),
            "mean" => Fill::Mean,
            _ => Fill::Noise,
        };
        counted(erase::erase(src, &rects, fill, draw(file)).unwrap())
    });
}

#[test]
fn grid_mask_equals_numpy() {
    each("occlusion/grid_mask", 4, 1, |file, src| {
        let grid = Grid {
            period: file.integer("period"),
            ratio: file.number("ratio"),
            offset: pair(file, "offset").map(|v| v as u32),
            degrees: file.number("degrees"),
        };
        counted(grid_mask::grid_mask(src, &grid, Fill::Constant([7; 3]), Draw::default()).unwrap())
    });
}

#[test]
fn hide_and_seek_equals_numpy() {
    each("occlusion/hide_and_seek", 3, 1, |file, src| {
        let hiding = Hiding { cells: file.integer("cells"), probability: file.number("probability") };
        counted(hide_and_seek::hide_and_seek(src, &hiding, Fill::Constant([200; 3]), draw(file)).unwrap())
    });
}

#[test]
fn paste_object_follows_opencv() {
    each("occlusion/paste_object", 4, 4, |file, src| {
        let data = file.bytes("object");
        let object = plane(Size::new(file.integer("object_width"), file.integer("object_height")), 4, &data);
        let [x, y] = ["x", "y"].map(|key| file.number(key) as i32);
        let paste = Paste { object: 0, x, y, scale: file.number("scale"), opacity: file.number("opacity") };
        counted(paste_object::paste_object(src, &object, &paste).unwrap())
    });
}

#[test]
fn temporal_blend_equals_numpy() {
    each("blend/temporal_blend", 7, 4, |file, src| {
        let mode = match file.text("mode") {
            "weighted" => TemporalMode::Weighted { index: file.integer("index"), count: file.integer("count") },
            "average" => TemporalMode::Average,
            "max_alpha" => TemporalMode::MaxAlpha,
            _ => TemporalMode::MinAlpha,
        };
        let other = lcg_bytes(file.integer("seed") + 1, src.size().area() as usize * 4);
        (blend::temporal_blend::temporal_blend(src, &plane(src.size(), 4, &other), mode).unwrap(), 0)
    });
}

#[test]
fn alpha_over_equals_numpy() {
    each("blend/alpha_over", 2, 4, |file, src| {
        let alpha = if file.text("alpha") == "straight" { Alpha::Straight } else { Alpha::Premultiplied };
        let other = lcg_bytes(file.integer("seed") + 1, src.size().area() as usize * 4);
        (blend::alpha_over::alpha_over(src, &plane(src.size(), 4, &other), alpha).unwrap(), 0)
    });
}

#[test]
fn feather_composite_equals_numpy() {
    each("blend/feather_composite", 1, 4, |file, src| {
        let tiles: Vec<[u32; 5]> =
            file.numbers("tiles").chunks(5).map(|t| [t[0], t[1], t[2], t[3], t[4]].map(|v| v as u32)).collect();
        let data: Vec<Vec<u8>> =
            tiles.iter().map(|[seed, _, _, w, h]| lcg_bytes(*seed, (w * h * 4) as usize)).collect();
        let placed: Vec<_> =
            tiles.iter().zip(&data).map(|([_, x, y, w, h], d)| (plane(Size::new(*w, *h), 4, d), *x, *y)).collect();
        counted(blend::feather_composite::feather_composite(src, &placed, file.integer("feather")).unwrap())
    });
}
