//! Finite limits for untrusted input. There is no "unlimited": each limit is a number that can be overridden by a number.

use crate::error::{Error, Result};

/// Limits checked before memory is allocated for an input and again before every copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest side of a picture in pixels.
    pub side: u64,
    /// Pixels of a picture.
    pub pixels: u64,
    /// Bytes of one decoded picture.
    pub frame_bytes: u64,
    /// Bytes of one compressed packet.
    pub packet_bytes: u64,
    /// Streams of one container.
    pub streams: u64,
    /// Frames of one video stream.
    pub frames: u64,
    /// Duration in seconds.
    pub duration_seconds: u64,
    /// Seconds without any progress of the decoder.
    pub stall_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            side: 16_384,
            pixels: 134_217_728,
            frame_bytes: 512 << 20,
            packet_bytes: 256 << 20,
            streams: 64,
            frames: 10_000_000,
            duration_seconds: 48 * 3600,
            stall_seconds: 30,
        }
    }
}

impl Limits {
    /// Names of all limits, as `set` takes them.
    pub const NAMES: [&'static str; 8] =
        ["side", "pixels", "frame_bytes", "packet_bytes", "streams", "frames", "duration_seconds", "stall_seconds"];

    /// Sets the limit called `name`. Zero and unknown names are errors.
    pub fn set(&mut self, name: &str, value: u64) -> Result<()> {
        let field = match name {
            "side" => &mut self.side,
            "pixels" => &mut self.pixels,
            "frame_bytes" => &mut self.frame_bytes,
            "packet_bytes" => &mut self.packet_bytes,
            "streams" => &mut self.streams,
            "frames" => &mut self.frames,
            "duration_seconds" => &mut self.duration_seconds,
            "stall_seconds" => &mut self.stall_seconds,
            _ => {
                return Err(Error::Config {
                    field: format!("limit.{name}"),
                    message: format!("unknown; the limits are {}", Self::NAMES.join(", ")),
                });
            }
        };
        if value == 0 {
            return Err(Error::Config { field: format!("limit.{name}"), message: "must be at least 1, got 0".into() });
        }
        *field = value;
        Ok(())
    }

    /// Checks `value` against a limit: `Err(LimitExceeded)` when it is larger.
    pub fn check(name: &'static str, limit: u64, value: u64, what: impl FnOnce() -> String) -> Result<()> {
        if value > limit { Err(Error::LimitExceeded { name, what: what(), value, limit }) } else { Ok(()) }
    }

    /// Checks the side lengths, the pixel count and the byte count of a picture.
    pub fn check_picture(&self, width: u64, height: u64, bytes_per_pixel: u64) -> Result<()> {
        Self::check("side", self.side, width.max(height), || format!("the longer side of a {width}x{height} picture"))?;
        Self::check("pixels", self.pixels, width * height, || {
            format!("the pixel count of a {width}x{height} picture")
        })?;
        let bytes = width * height * bytes_per_pixel;
        Self::check("frame_bytes", self.frame_bytes, bytes, || format!("the byte count of a {width}x{height} picture"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_k_passes_and_a_bomb_does_not() {
        let l = Limits::default();
        assert!(l.check_picture(7680, 4320, 3).is_ok());
        assert!(matches!(l.check_picture(100_000, 100_000, 3), Err(Error::LimitExceeded { name: "side", .. })));
        assert!(matches!(l.check_picture(16_384, 16_384, 1), Err(Error::LimitExceeded { name: "pixels", .. })));
    }

    #[test]
    fn every_name_can_be_set_and_nothing_else() {
        let mut l = Limits::default();
        for name in Limits::NAMES {
            l.set(name, 1).expect("known limit");
        }
        assert!(l.set("depth", 1).is_err() && l.set("side", 0).is_err());
        assert!(l.check_picture(2, 2, 1).is_err());
    }
}
