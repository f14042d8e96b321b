//! What FFmpeg may open: containers and decoders by name. Everything else is refused with its name in the message.
//!
//! No container of this list can refer to another file or address (no hls, dash, concat, sdp, image2).

/// What always works.
pub(crate) const CONVERT: &str = "convert it: `ffmpeg -i FILE -c:v libx264 -pix_fmt yuv420p OUT.mp4`";

/// Containers, by the names of libavformat's demuxers.
#[rustfmt::skip]
pub(crate) const FORMATS: &[&str] = &[
    "mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "avi", "mpeg", "mpegts", "mpegvideo", "gif", "ogg", "flv",
    "wav", "w64", "mp3", "aac", "flac", "ac3", "aiff", "caf",
];

/// Decoders, by the names of libavcodec.
#[rustfmt::skip]
pub(crate) const CODECS: &[&str] = &[
    // pictures
    "h264", "hevc", "libdav1d", "libaom-av1", "av1", "vp8", "vp9", "mpeg1video", "mpeg2video", "mpeg4", "h263", "mjpeg", "gif",
    "png", "prores", "dnxhd", "theora", "ffv1", "huffyuv", "ffvhuff", "utvideo", "qtrle", "rawvideo", "flv", "msmpeg4",
    // sound
    "aac", "mp3", "mp3float", "mp2", "mp2float", "opus", "libopus", "vorbis", "flac", "ac3", "eac3", "alac", "pcm_s16le",
    "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_u8",
    "pcm_s8", "pcm_alaw", "pcm_mulaw",
    // text
    "mov_text", "subrip", "srt", "ass", "ssa", "webvtt",
];

/// The list as FFmpeg's `format_whitelist` and `codec_whitelist` options take it.
pub(crate) fn comma_list(names: &[&str]) -> String {
    names.join(",")
}

/// Whether one of the comma-separated `names` of a demuxer is on the list.
pub(crate) fn format_allowed(names: &str) -> bool {
    names.split(',').any(|n| FORMATS.contains(&n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_that_refer_to_other_files_are_not_on_the_list() {
        for name in [
            "hls",
            "dash",
            "concat",
            "concatf",
            "sdp",
            "image2",
            "image2pipe",
            "rtsp",
            "tty",
            "lavfi",
            "imf",
            "vapoursynth",
        ] {
            assert!(!format_allowed(name), "{name}");
        }
        assert!(format_allowed("mov,mp4,m4a,3gp,3g2,mj2") && format_allowed("matroska,webm"));
    }
}
