//! Sound of the rendered video: a street, syllables that open a mouth, a chord.

use super::canvas::Dice;
use super::scene::SHOTS;

/// Samples a second.
pub(super) const SOUND_RATE: u32 = 48_000;

struct Syllable {
    start: f32,
    length: f32,
    pitch: f32,
    /// Two resonances in Hz: which vowel it is.
    formants: [f32; 2],
    loud: f32,
}

impl Syllable {
    /// Loudness at `t`, 0 outside.
    fn envelope(&self, t: f32) -> f32 {
        let along = (t - self.start) / self.length;
        if (0.0..1.0).contains(&along) { self.loud * (along * std::f32::consts::PI).sin().powf(0.7) } else { 0.0 }
    }
}

/// Syllables at odd times, with pauses.
pub(super) struct Speech {
    syllables: Vec<Syllable>,
}

impl Speech {
    /// Speech of so many seconds.
    pub(super) fn new(seconds: f32) -> Self {
        let mut dice = Dice::new(77);
        let vowels = [[730.0, 1090.0], [270.0, 2290.0], [300.0, 870.0], [530.0, 1840.0], [570.0, 840.0]];
        let (mut syllables, mut start) = (Vec::new(), 0.3);
        while start < seconds - 0.5 {
            let length = dice.between(0.11, 0.26);
            syllables.push(Syllable {
                start,
                length,
                pitch: dice.between(105.0, 150.0),
                formants: vowels.get(dice.below(vowels.len())).copied().unwrap_or([500.0, 1500.0]),
                loud: dice.between(0.45, 1.0),
            });
            start += length + if dice.unit() < 0.2 { dice.between(0.25, 0.5) } else { dice.between(0.02, 0.09) };
        }
        Self { syllables }
    }

    /// How far the mouth is open at `t`, 0 to 1.
    pub(super) fn open(&self, t: f32) -> f32 {
        self.syllables.iter().map(|s| s.envelope(t)).fold(0.0, f32::max)
    }

    /// The voice at `t`.
    fn sample(&self, t: f32) -> f32 {
        let Some(s) = self.syllables.iter().find(|s| s.envelope(t) > 0.0) else { return 0.0 };
        let gain = |f: f32| {
            let near = |formant: f32, wide: f32| 1.0 / (1.0 + ((f - formant) / wide).powi(2));
            near(s.formants[0], 90.0) + 0.6 * near(s.formants[1], 140.0) + 0.02
        };
        let voice: f32 = (1..=24)
            .map(|k| {
                let f = s.pitch * k as f32;
                gain(f) / (k as f32).sqrt() * (std::f32::consts::TAU * (f * (t - s.start)).fract()).sin()
            })
            .sum();
        0.3 * voice * s.envelope(t)
    }
}

/// All samples of the video, one channel.
pub(super) fn samples(speech: &Speech) -> Vec<f32> {
    let mut dice = Dice::new(101);
    let (mut rumble, mut out) = (0.0f32, Vec::new());
    for i in 0..(SHOTS[5] * SOUND_RATE as f32) as u32 {
        let t = i as f32 / SOUND_RATE as f32;
        rumble += 0.02 * (dice.between(-1.0, 1.0) - rumble);
        out.push(if t < SHOTS[1] {
            rumble * 0.6
        } else if t < SHOTS[2] {
            (speech.sample(t - SHOTS[1]) + 0.02 * rumble).clamp(-0.98, 0.98)
        } else {
            let fade = ((t - SHOTS[2]) * 2.0).min((SHOTS[5] - t) * 2.0).clamp(0.0, 1.0);
            let chord = [220.0f32, 277.18, 329.63].iter().map(|f| (std::f32::consts::TAU * (f * t).fract()).sin());
            0.06 * fade * chord.sum::<f32>()
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mouth_is_open_where_the_voice_is_loud() {
        let speech = Speech::new(7.0);
        let all = samples(&speech);
        let power = |t: f32| {
            let at = ((SHOTS[1] + t) * SOUND_RATE as f32) as usize;
            all[at..at + 960].iter().map(|s| s * s).sum::<f32>() / 960.0
        };
        let (mut loud, mut quiet) = (Vec::new(), Vec::new());
        for i in 0..330 {
            let t = i as f32 * 0.02;
            if speech.open(t + 0.01) > 0.5 {
                loud.push(power(t))
            } else if speech.open(t) + speech.open(t + 0.02) == 0.0 {
                quiet.push(power(t))
            }
        }
        let mean = |v: &[f32]| v.iter().sum::<f32>() / v.len() as f32;
        assert!(loud.len() > 50 && quiet.len() > 30, "{} {}", loud.len(), quiet.len());
        assert!(mean(&loud) > 100.0 * mean(&quiet), "{} {}", mean(&loud), mean(&quiet));
        assert!(all.iter().all(|s| s.abs() < 1.0));
    }
}
