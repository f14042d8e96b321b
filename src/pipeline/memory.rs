//! What the process really holds, as the kernel counts it.

/// Resident memory of this process in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resident {
    /// Memory that the process allocated: frames, results, decoder, driver. This is what a memory limit is about.
    pub anonymous: u64,
    /// Pages of files: program code and shared libraries. The kernel can drop and reload them.
    pub file: u64,
}

/// Resident memory now; `None` where the system does not say (not Linux).
pub fn resident() -> Option<Resident> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kib = |name: &str| -> Option<u64> {
        status.lines().find_map(|l| l.strip_prefix(name))?.trim().strip_suffix("kB")?.trim().parse().ok()
    };
    // Shared memory belongs to us as well: nobody else frees it.
    let anonymous = kib("RssAnon:")? + kib("RssShmem:").unwrap_or(0);
    Some(Resident { anonymous: anonymous << 10, file: kib("RssFile:")? << 10 })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn allocating_shows() {
        let before = resident().expect("linux").anonymous;
        let block = vec![1u8; 32 << 20];
        let after = resident().expect("linux").anonymous;
        assert!(after >= before + (24 << 20), "{before} {after} {}", block.len());
    }
}
