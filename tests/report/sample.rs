//! A page with everything on it, made from 800 frames of invented but plausible metrics.

use frameloom::core::Size;
use frameloom::report::{
    Cell, Colormap, ColumnType, Histogram, HtmlTable, ImageItem, LinePlot, Note, Page, PngFormat, Schema, Table, Tile,
    Tone, encode_png, heat_rgb,
};

/// Evenly distributed between 0 and 1, always the same.
pub(crate) fn noise(seed: u32) -> impl FnMut() -> f64 {
    let mut x = seed.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
    move || {
        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(x >> 8) / f64::from(1 << 24)
    }
}

pub(crate) fn schema() -> Schema {
    Schema::new("sample.frames", 1)
        .column("frame", ColumnType::U64, "", "Frame number, a label")
        .column("time", ColumnType::F64, "s", "Presentation time")
        .column("sharpness", ColumnType::F64, "1", "Tenengrad, 0 to 1")
        .column("offset", ColumnType::I64, "ms", "Audio relative to video; positive: audio late")
        .column("kept", ColumnType::Bool, "", "Whether the frame was kept")
        .column("reason", ColumnType::Str, "", "Why")
}

pub(crate) fn table(rows: u32) -> Table {
    let mut table = Table::new(schema()).unwrap();
    rows_of(rows).for_each(|row| table.push(row).unwrap());
    table
}

pub(crate) fn rows_of(rows: u32) -> impl Iterator<Item = [Cell; 6]> {
    let mut random = noise(3);
    (0..rows).map(move |i| {
        let sharp = 0.55 + 0.25 * (f64::from(i) * 0.013).sin() + 0.18 * (random() - 0.5);
        let offset = if i % 50 < 5 { Cell::Null } else { Cell::I64(i64::from(i / 9) - 40) };
        let reason = match i % 7 {
            0 => Cell::Null,
            1 => Cell::from("blurred, \"soft\""),
            2 => Cell::from(""),
            3 => Cell::from("line\nbreak"),
            _ => Cell::from("sharp – ok"),
        };
        let sharp = if i % 100 == 42 { f64::NAN } else { sharp };
        [i.into(), (f64::from(i) / 29.97).into(), sharp.into(), offset, (sharp > 0.4).into(), reason]
    })
}

fn picture(seed: u32) -> Vec<u8> {
    let size = Size::new(192, 108);
    let mut random = noise(seed);
    let (cx, cy, hue) = (random() * 192.0, random() * 108.0, random());
    let rgb = (0..108).flat_map(|y| (0..192).map(move |x| (f64::from(x), f64::from(y)))).flat_map(|(x, y)| {
        let d = ((x - cx).powi(2) + (y - cy).powi(2)).sqrt();
        let v = (1.0 - d / 140.0).max(0.0);
        [v * 255.0, (y / 108.0 * 160.0 + 60.0 * hue), 90.0 + 120.0 * hue * (1.0 - v)].map(|c| c as u8)
    });
    encode_png(size, PngFormat::Rgb8, &rgb.collect::<Vec<_>>()).unwrap()
}

fn heat() -> Vec<u8> {
    let size = Size::new(320, 60);
    let blob = |x: f64, y: f64, cx: f64, cy: f64| (-((x - cx).powi(2) + (y - cy).powi(2)) / 300.0).exp();
    let values: Vec<f32> = (0..60)
        .flat_map(|y| (0..320).map(move |x| (f64::from(x), f64::from(y))))
        .map(|(x, y)| (blob(x, y, 60.0, 30.0) + 0.7 * blob(x, y, 180.0, 20.0) + 0.4 * blob(x, y, 260.0, 45.0)) as f32)
        .collect();
    encode_png(size, PngFormat::Rgb8, &heat_rgb(&values, size, Colormap::Viridis, None).unwrap()).unwrap()
}

/// The page; `name` is the name of the input.
pub(crate) fn page(name: &str) -> Page {
    let mut random = noise(11);
    let times = |i: u32| f64::from(i) / 29.97;
    let sharp: Vec<(f64, Option<f64>)> = (0..800)
        .map(|i| {
            (
                times(i),
                (!(300..340).contains(&i))
                    .then(|| 0.55 + 0.25 * (f64::from(i) * 0.013).sin() + 0.16 * (random() - 0.5)),
            )
        })
        .collect();
    let bright: Vec<(f64, Option<f64>)> = (0..800)
        .map(|i| (times(i), Some(0.4 + 0.1 * (f64::from(i) * 0.007).cos() + if i / 160 % 2 == 0 { 0.12 } else { 0.0 })))
        .collect();
    let offset: Vec<(f64, Option<f64>)> =
        (0..800).step_by(12).map(|i| (times(i), Some(-12.0 + f64::from(i) * 0.11 + 14.0 * (random() - 0.5)))).collect();
    let tones = [Tone::Good, Tone::Good, Tone::Warn, Tone::Good, Tone::Bad, Tone::Good];
    let images = (0..12u32).map(|i| {
        let tone = tones[i as usize % tones.len()];
        let note = ["sharpness 0.71", "sharpness 0.68, kept for coverage", "underexposed"][i as usize % 3];
        ImageItem::png(&picture(i), format!("frame {} · 0:{:02}", i * 66, i * 2)).note(note).tone(tone)
    });
    Page::new(format!("Analysis of {name}"))
        .subtitle("1920 × 1080, 29.97 fps, H.264, 26.7 s, 800 frames, stereo AAC 48 kHz")
        .badge(Tone::Warn, "partial: 40 frames missing")
        .tiles([
            Tile::new("Frames analysed", "760").unit("of 800").note("40 could not be decoded").tone(Tone::Warn),
            Tile::new("Sharpness, median", "0.58").note("middle half 0.41 to 0.74").spark(sharp.iter().map(|p| p.1)),
            Tile::new("Cuts", "4").note("one every 5.3 s"),
            Tile::new("Audio offset", "+31")
                .unit("ms")
                .note("audio late, drifting 3.3 ms/s")
                .spark(offset.iter().map(|p| p.1)),
            Tile::new("Speed", "212").unit("frames/s").tone(Tone::Good),
            Tile::new("Peak memory", "184").unit("MB").note("limit 512 MB"),
        ])
        .notes([
            Note::new(
                Tone::Warn,
                "Frames 300 to 339 (0:10.01 to 0:11.31) could not be decoded: the packets are damaged.",
            ),
            Note::new(Tone::Neutral, "Software adapter: times below say nothing about a GPU."),
        ])
        .section("Over time")
        .plot(
            LinePlot::new("Sharpness and brightness", "0 to 1")
                .series("sharpness", sharp.clone())
                .series("brightness", bright)
                .threshold(0.4, "least sharpness 0.40")
                .band(times(300), times(340), "not decoded", Tone::Bad)
                .marker(times(160), "cut", Tone::Neutral)
                .marker(times(320), "cut", Tone::Neutral)
                .marker(times(480), "cut", Tone::Neutral)
                .marker(times(640), "cut", Tone::Neutral),
        )
        .plot(
            LinePlot::new("Audio offset", "ms, positive: audio late")
                .series("offset", offset)
                .threshold(0.0, "in sync"),
        )
        .histogram(
            Histogram::of_values("Distribution of sharpness", "sharpness", sharp.iter().filter_map(|p| p.1), 40)
                .threshold(0.4, "least 0.40"),
        )
        .section("Where the motion is")
        .images([ImageItem::png(&heat(), "Mean motion energy").note("viridis, 0 to 0.83").wide()])
        .section("Frames kept and dropped")
        .text("The frames that explain the decision best: the sharpest of each scene, and those nearest to a limit.")
        .images(images)
        .section("Numbers")
        .table(HtmlTable::of(&table(800), "Frames", 8, "frames.parquet"))
        .table(
            HtmlTable::new("Stages")
                .text("stage")
                .number("frames", "")
                .number("time", "s")
                .number("share", "%")
                .row(["decode", "800", "1.92", "51"])
                .row(["quality kernels", "760", "1.21", "32"])
                .row(["read back", "760", "0.18", "5"]),
        )
        .footer("frameloom", "0.1.0")
        .footer("adapter", "llvmpipe (LLVM 15.0.6, 256 bits), Vulkan")
        .footer("driver", "Mesa 22.3.6")
        .footer("input", format!("{name}, 12,345,678 bytes"))
        .footer("settings", "batch 8, device auto, seed 7, run key 3f2a…91")
}
