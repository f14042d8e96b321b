//! Colour conversions against golden vectors.

use crate::golden::{Golden, numbers};
use crate::{check, wide};
use frameloom::core::{
    ChromaSiting, ChromaUpsampling, ColorRange, ColorSpec, FrameLayout, HsvRange, PixelFormat, RgbCoefficients, Size,
    YuvMatrix,
};
use frameloom::reference::color::gray_from_rgb::{gray_from_rgb, gray_of};
use frameloom::reference::color::hsv_from_rgb::{hsv_from_rgb, hsv_of};
use frameloom::reference::color::hsv_range::hsv_range;
use frameloom::reference::color::rgb_from_yuv::{rgb_from_yuv, rgb_of};
use frameloom::reference::pattern::splitmix64;
use frameloom::reference::{FrameSlot, Plane};

/// One number for the results of all 2^24 colours, and the same with a single result off by one.
fn mixed(result: impl Fn([u8; 3]) -> u32) -> [String; 2] {
    let mix = |i: u32, result: u32| splitmix64(u64::from(result) << 32 | u64::from(i));
    let of = |i: u32| {
        let [r, g, b, _] = i.to_le_bytes();
        result([r, g, b])
    };
    let sum = (0..1 << 24).fold(0u64, |sum, i| sum.wrapping_add(mix(i, of(i))));
    let odd = 0x0012_3456;
    let sabotaged = sum.wrapping_sub(mix(odd, of(odd))).wrapping_add(mix(odd, of(odd) ^ 1));
    [sum.to_string(), sabotaged.to_string()]
}

fn for_each_picture(op: &str, all: impl Fn([u8; 3]) -> u32, picture: impl Fn(&Plane<'_>) -> Vec<u8>) {
    for file in Golden::all(op, 3) {
        if file.has("mixed") {
            let [sum, sabotaged] = mixed(&all);
            assert_eq!(sum, file.text("mixed"), "{}", file.name);
            assert_ne!(sabotaged, file.text("mixed"), "a sabotaged colour must be seen");
            continue;
        }
        let size = file.size();
        let data = file.input(size.area() as usize * 4);
        let plane = Plane::interleaved(size, 4, size.width as usize * 4, &data).unwrap();
        check(&file, &wide(&picture(&plane)), &wide(&file.bytes("out")));
    }
}

/// R, G, B (or H, S, V) of packed words.
fn three_bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_le_bytes().into_iter().take(3)).collect()
}

#[test]
fn gray_equals_opencv_for_all_colours() {
    for_each_picture("color/gray_from_rgb", |c| u32::from(gray_of(c)), |p| gray_from_rgb(p).unwrap());
}

#[test]
fn hsv_equals_opencv_for_all_colours() {
    let word = |c| {
        let [h, s, v] = hsv_of(c);
        u32::from_le_bytes([h, s, v, 0])
    };
    for_each_picture("color/hsv_from_rgb", word, |p| three_bytes(&hsv_from_rgb(p).unwrap()));
}

#[test]
fn colours_of_a_range_equal_opencv_for_all_colours() {
    for file in Golden::all("color/hsv_range", 8) {
        let ends = |key: &str| -> [u8; 3] { std::array::from_fn(|i| file.numbers(key)[i] as u8) };
        let range = HsvRange { low: ends("low"), high: ends("high") };
        range.check().unwrap();
        if file.has("mixed") {
            let [sum, sabotaged] = mixed(|c| if range.holds(hsv_of(c)) { 255 } else { 0 });
            assert_eq!(sum, file.text("mixed"), "{}", file.name);
            assert_ne!(sabotaged, file.text("mixed"), "a sabotaged colour must be seen");
            continue;
        }
        let size = file.size();
        let data = file.input(size.area() as usize * 4);
        let plane = Plane::interleaved(size, 4, size.width as usize * 4, &data).unwrap();
        check(&file, &wide(&hsv_range(&plane, range).unwrap()), &wide(&file.bytes("out")));
    }
}

/// A slot with the given tight planes; padding is poisoned.
pub(crate) fn slot_of(format: PixelFormat, size: Size, tight: &[u8]) -> (FrameLayout, Vec<u8>) {
    let layout = FrameLayout::of(format, size).unwrap();
    let mut data = vec![0xFF; layout.slot_bytes() as usize];
    let mut rest = tight;
    for plane in layout.planes() {
        for y in 0..plane.shape.rows {
            let (row, after) = rest.split_at(plane.shape.row_bytes() as usize);
            let at = (plane.offset + y * plane.stride) as usize;
            data[at..at + row.len()].copy_from_slice(row);
            rest = after;
        }
    }
    assert!(rest.is_empty());
    (layout, data)
}

pub(crate) fn format_of(name: &str) -> PixelFormat {
    PixelFormat::ALL.into_iter().find(|f| f.name() == name).unwrap()
}

fn frame(file: &Golden) {
    let (format, size) = (format_of(file.text("format")), file.size());
    let mut tight = file.input(format.frame_bytes(size) as usize);
    let floor = file.integer("luma_at_least") as u8;
    tight.iter_mut().take(size.area() as usize).for_each(|v| *v = floor.max(*v));
    let (layout, data) = slot_of(format, size, &tight);
    let slot = FrameSlot::new(layout, &data).unwrap();
    let out = rgb_from_yuv(&slot, ColorSpec::BT601, ChromaUpsampling::Nearest).unwrap();
    assert!(out.iter().all(|w| w >> 24 == 255));
    check(file, &wide(&three_bytes(&out)), &wide(&file.bytes("out")));
}

fn equations(file: &Golden) {
    let cases = file.value("cases").as_array().unwrap();
    assert_eq!(cases.len(), 12);
    for case in cases {
        let matrix = [YuvMatrix::Bt601, YuvMatrix::Bt709, YuvMatrix::Bt2020];
        let range = [ColorRange::Limited, ColorRange::Full];
        let color = ColorSpec {
            matrix: matrix.into_iter().find(|m| case["matrix"] == m.name()).unwrap(),
            range: range.into_iter().find(|r| case["range"] == r.name()).unwrap(),
            siting: ChromaSiting::Left,
        };
        let coefficients = RgbCoefficients::new(color, case["bits"].as_u64().unwrap() as u32);
        let codes: Vec<u32> = numbers(&case["codes"]).into_iter().map(|v| v as u32).collect();
        let got: Vec<u8> = codes.chunks_exact(3).flat_map(|c| rgb_of([c[0], c[1], c[2]], &coefficients)).collect();
        check(file, &wide(&got), &numbers(&case["rgb"]));
        // A matrix of the wrong standard must not pass.
        let other = ColorSpec { matrix: matrix.into_iter().find(|m| *m != color.matrix).unwrap(), ..color };
        let wrong = RgbCoefficients::new(other, case["bits"].as_u64().unwrap() as u32);
        let got: Vec<u8> = codes.chunks_exact(3).flat_map(|c| rgb_of([c[0], c[1], c[2]], &wrong)).collect();
        assert!(crate::compare::abs(&wide(&got), &numbers(&case["rgb"]), file.number("tolerance")).is_err());
    }
}

fn chroma(file: &Golden) {
    let size = file.size();
    let mut tight = vec![0; PixelFormat::I420.frame_bytes(size) as usize];
    let quarter = size.area() as usize / 4;
    tight[4 * quarter..5 * quarter].copy_from_slice(&file.input(quarter));
    let (layout, data) = slot_of(PixelFormat::I420, size, &tight);
    let slot = FrameSlot::new(layout, &data).unwrap();
    let u = |siting| -> Vec<f64> {
        let at = |x, y| f64::from(slot.chroma(x, y, siting, ChromaUpsampling::Bilinear)[0]);
        (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y))).map(|(x, y)| at(x, y)).collect()
    };
    let wanted = wide(&file.bytes("out"));
    check(file, &u(ChromaSiting::Center), &wanted);
    for wrong in [ChromaSiting::Left, ChromaSiting::TopLeft] {
        assert!(crate::compare::abs(&u(wrong), &wanted, file.number("tolerance")).is_err());
    }
}

#[test]
fn rgb_from_yuv_follows_opencv_scikit_image_and_the_equations() {
    for file in Golden::all("color/rgb_from_yuv", 7) {
        match file.text("kind") {
            "frame" => frame(&file),
            "equations" => equations(&file),
            "chroma" => chroma(&file),
            other => panic!("{}: unknown kind {other}", file.name),
        }
    }
}
