//! What a decoder process has, and what it has not.

use frameloom::media::{DecodeOptions, HardwareDecode, VideoDecoder};

use crate::{isolated, long_clip, with};

fn read(pid: u32, name: &str) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap()
}

/// Filters of system calls in force; a container may have given us one.
fn filters(status: &str) -> u32 {
    status.lines().find_map(|l| l.strip_prefix("Seccomp_filters:")).unwrap().trim().parse().unwrap()
}

#[test]
fn it_has_limits_a_filter_and_no_file_but_its_input() {
    let folder = tempfile::tempdir().unwrap();
    let path = long_clip(folder.path());
    let apart = with(|i| (i.cpu_seconds, i.memory_bytes) = (77, 300 << 20));
    // What a program has open that it started us with: not closed on `exec`.
    let _open = rustix::io::dup(std::fs::File::open("/proc/self/status").unwrap()).unwrap();
    let mut decoder = VideoDecoder::open(&path, &isolated(&apart)).unwrap();
    decoder.next_frame().unwrap().unwrap();
    let pid = decoder.worker().unwrap();
    assert_eq!(apart.workers(), [pid]);
    let limits = read(pid, "limits");
    let limit = |name: &str| -> u64 {
        let line = limits.lines().find_map(|l| l.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    assert_eq!((limit("Max core file size"), limit("Max file size"), limit("Max cpu time")), (0, 0, 77));
    assert!(limit("Max open files") <= 64);
    // Data: what it had at its start, 300 MB, and stacks.
    assert!((300 << 20..600 << 20).contains(&limit("Max data size")), "{limits}");
    assert!(limit("Max address space") > 300 << 20);
    let status = read(pid, "status");
    let field = |name: &str| status.lines().find_map(|l| l.strip_prefix(name)).unwrap().trim().to_owned();
    if cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
        assert_eq!((field("Seccomp:"), field("NoNewPrivs:")), ("2".into(), "1".into()));
        // Every thread of it, also those that the decoder started.
        for task in std::fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
            let text = std::fs::read_to_string(task.unwrap().path().join("status")).unwrap();
            assert_eq!(filters(&text), filters(&read(std::process::id(), "status")) + 1, "{text}");
        }
    }
    // Its own process group: signals of the terminal are not for it.
    let stat = read(pid, "stat");
    let after: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    assert_eq!(after[2], pid.to_string());
    let mut files: Vec<String> = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .filter_map(|e| std::fs::read_link(e.ok()?.path()).ok())
        .map(|p| p.to_string_lossy().into_owned())
        .filter(|p| {
            !p.starts_with("socket:")
                && !p.starts_with("pipe:")
                && !p.starts_with("/memfd:frameloom")
                && p != "/dev/null"
        })
        .collect();
    files.dedup();
    let input = std::fs::canonicalize(&path).unwrap();
    assert_eq!(files, [input.to_string_lossy()], "nothing but its input");
}

/// Devices are files: with hardware decoding the filter stays away, and everything else is as it was.
#[test]
fn hardware_decoding_goes_without_the_filter() {
    let folder = tempfile::tempdir().unwrap();
    let path = long_clip(folder.path());
    let options = DecodeOptions { hardware: HardwareDecode::Auto, ..isolated(&with(|_| ())) };
    let mut decoder = VideoDecoder::open(&path, &options).unwrap();
    decoder.next_frame().unwrap().unwrap();
    let pid = decoder.worker().unwrap();
    assert_eq!(filters(&read(pid, "status")), filters(&read(std::process::id(), "status")));
    assert!(read(pid, "limits").lines().any(|l| l.starts_with("Max core file size") && l.contains(" 0 ")));
}
