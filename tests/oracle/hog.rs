//! Histograms of oriented gradients against scikit-image.

use crate::check;
use crate::golden::{Golden, numbers};
use frameloom::core::{HogParams, Size};
use frameloom::reference::{Plane, hog};

#[test]
fn hog_equals_scikit_image_also_on_borders_between_bins() {
    for file in Golden::all("hog/hog", 9) {
        let size = file.size();
        let mut data = file.input(size.area() as usize);
        if let Ok(levels @ ..=255) = u8::try_from(file.integer("levels")) {
            data.iter_mut().for_each(|v| *v %= levels);
        }
        let sides = |key: &str| {
            let v = numbers(file.value(key));
            Size::new(v[0] as u32, v[1] as u32)
        };
        let params = HogParams { bins: file.integer("bins"), cell: sides("cell"), block: sides("block") };
        let got = hog::hog::hog(&Plane::tight(size, &data).unwrap(), params).unwrap();
        assert_eq!(got.len() as u64, params.dim(size));
        check(&file, &got, &file.numbers("out"));
    }
}
