//! `heatmap/decay`: lets a heat map fade.

/// Multiplies each value of `heat` by `factor`, rounded to `f32`; a result whose magnitude is below `2^-120` becomes 0.
pub fn decay(heat: &mut [f32], factor: f32) {
    let smallest = (-120f32).exp2();
    for v in heat {
        let product = *v * factor;
        *v = if product.abs() < smallest { 0.0 } else { product };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let mut heat = [8.0, -3.0, 0.0, 1e-36, 4e-36];
        decay(&mut heat, 0.25);
        assert_eq!(heat, [2.0, -0.75, 0.0, 0.0, 1e-36]);
        decay(&mut heat, 0.0);
        assert_eq!(heat, [0.0; 5]);
    }
}
