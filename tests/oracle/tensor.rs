//! Model inputs against golden vectors.

use crate::color::{format_of, slot_of};
use crate::golden::Golden;
use crate::{check, wide};
use frameloom::core::{ChannelOrder, ChromaSiting, ColorRange, ColorSpec, Rect, Sampling, Size, TensorSpec};
use frameloom::reference::FrameSlot;
use frameloom::reference::tensor::pack_nchw::pack_nchw;

#[test]
fn tensors_follow_opencv_blobs_and_scikit_image() {
    for file in Golden::all("tensor/pack_nchw", 8) {
        let (format, size) = (format_of(file.text("format")), file.size());
        let (layout, data) = slot_of(format, size, &file.input(format.frame_bytes(size) as usize));
        let frame = FrameSlot::new(layout, &data).unwrap();
        let order = match file.text("order") {
            "bgr" => ChannelOrder::Bgr,
            "gray" => ChannelOrder::Gray,
            _ => ChannelOrder::Rgb,
        };
        // OpenCV: (value - mean) * scale on 0..=255; here: value/255 * mul + add.
        let scale = file.number("scale");
        let mean = file.numbers("mean");
        let spec = TensorSpec {
            order,
            mul: [(255.0 * scale) as f32; 3],
            add: [0, 1, 2].map(|c| (-mean[c] * scale) as f32),
            ..TensorSpec::unit(Size::new(file.integer("to_width"), file.integer("to_height")))
        };
        let color = ColorSpec { siting: ChromaSiting::Center, ..ColorSpec::BT601 };
        let wanted = file.numbers("out");
        let pack = |color, spec: &TensorSpec| {
            wide(&pack_nchw(&[(frame, Rect::full(size))], color, spec, Sampling::Bilinear).unwrap())
        };
        check(&file, &pack(color, &spec), &wanted);
        if order == ChannelOrder::Gray {
            // Grey that was made of the wrong code values must not pass.
            let full = ColorSpec { range: ColorRange::Full, ..color };
            let swapped = TensorSpec { order: ChannelOrder::Bgr, ..spec };
            let wrong =
                if format.has_chroma() { pack(full, &spec) } else { pack(color, &swapped)[..wanted.len()].to_vec() };
            assert!(crate::compare::abs(&wrong, &wanted, file.number("tolerance")).is_err());
            continue;
        }
        // The other order of channels must not pass, nor another siting where there is chroma.
        let swapped = if order == ChannelOrder::Bgr { ChannelOrder::Rgb } else { ChannelOrder::Bgr };
        let bound = file.number("tolerance");
        assert!(crate::compare::abs(&pack(color, &TensorSpec { order: swapped, ..spec }), &wanted, bound).is_err());
        if format.has_chroma() {
            assert!(crate::compare::abs(&pack(ColorSpec::BT601, &spec), &wanted, bound).is_err());
        }
    }
}
