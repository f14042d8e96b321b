//! Pictures that a collage can be made of, when none are given.

use std::path::Path;

use frameloom::Result;
use frameloom::core::Size;
use frameloom::media::encode_jpeg;
use frameloom::store::{OsIo, commit};

use super::canvas::{Bounds, Canvas, Dice, mix};
use super::scene::{coast, night, speaker};

/// Size of a picture.
const SIZE: Size = Size::new(480, 270);

/// Writes `count` pictures as JPEGs into `folder`; what is there already stays.
pub(super) fn make(folder: &Path, count: u32) -> Result<()> {
    for number in 0..count {
        let path = folder.join(format!("{number:04}.jpg"));
        if !path.exists() {
            let picture = picture(number);
            let jpeg = encode_jpeg(picture.size, &picture.rgba, 88)?;
            commit(&OsIo, &path, |w| std::io::Write::write_all(w, &jpeg))?;
        }
    }
    Ok(())
}

fn picture(number: u32) -> Canvas {
    let mut dice = Dice::new(1000 + u64::from(number));
    match number % 6 {
        0 | 1 => coast(dice.between(0.0, 5.0), &mut dice, SIZE),
        2 => night(dice.between(0.0, 3.0), &mut dice, SIZE),
        3 => speaker(dice.unit(), 1.0, &mut dice, SIZE),
        4 => front(&mut dice),
        _ => discs(&mut dice),
    }
}

/// Windows of a house.
fn front(dice: &mut Dice) -> Canvas {
    let mut canvas = Canvas::new(SIZE);
    let (wall, pane) = (dice.color(0.25, 0.9), dice.color(0.05, 0.6));
    let (w, h) = (SIZE.width as f32, SIZE.height as f32);
    let street = dice.between(0.55, 0.95) * h;
    canvas.shade(|_, y| if y < street { wall } else { [0.6, 0.58, 0.55] });
    let (wide, tall) = (dice.between(24.0, 70.0), dice.between(30.0, 80.0));
    for row in 0..((street / tall) as usize) {
        for column in 0..((w / wide) as usize) {
            let (left, top) = (column as f32 * wide + 0.25 * wide, row as f32 * tall + 0.2 * tall);
            let lit = mix(pane, [1.0, 0.9, 0.6], if dice.unit() < 0.2 { 0.8 } else { 0.0 });
            canvas.rect(Bounds { left, top, right: left + 0.5 * wide, bottom: top + 0.6 * tall }, lit);
        }
    }
    canvas
}

/// Discs on a gradient.
fn discs(dice: &mut Dice) -> Canvas {
    let mut canvas = Canvas::new(SIZE);
    let (from, to) = (dice.color(0.1, 0.9), dice.color(0.1, 0.9));
    canvas.shade(|x, y| mix(from, to, (x + 2.0 * y) / 1020.0));
    for _ in 0..3 + dice.below(12) {
        let center = [dice.between(0.0, 480.0), dice.between(0.0, 270.0)];
        let (radius, color) = (dice.between(8.0, 70.0), dice.color(0.1, 1.0));
        canvas.disc(center, radius, color);
    }
    canvas
}
