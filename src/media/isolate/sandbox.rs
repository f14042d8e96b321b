//! What a decoder process takes away from itself before it looks at its input.
//!
//! Limits come from the system's own means and hold everywhere on Linux. The filter of system calls needs a kernel that has it; it refuses
//! rather than kills, because libraries ask for harmless things (the number of processors) and live without an answer.
#![allow(unsafe_code, reason = "signal dispositions, and the filter of system calls")]

use rustix::process::{Resource, Rlimit, setrlimit};

use super::wire::Job;

/// Bytes that the stack of a thread sets aside, most of which are never touched.
const PER_THREAD: u64 = 10 << 20;
/// Threads beside those of the decoder: three of ours, and one that FFmpeg may add.
const MORE_THREADS: u64 = 4;
/// Address space set aside per heap of the allocator; there are two.
const HEAPS: u64 = 2 * (64 << 20);

/// Sets limits for this process. What the input needs is counted from here.
pub(super) fn limit(job: &Job) -> Result<(), String> {
    let now = |name: &str| -> Option<u64> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':').map(str::to_owned))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
    };
    let threads = PER_THREAD.saturating_mul(u64::from(job.threads) + MORE_THREADS);
    let private = job.memory_bytes.saturating_add(threads);
    let [_, _, frame_bytes, ..] = job.limits;
    let shared = frame_bytes.saturating_mul(u64::from(job.slots) * 2);
    let set = |resource, value: u64, what: &str| {
        setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })
            .map_err(|e| format!("cannot limit {what} to {value}: {e}"))
    };
    set(Resource::Core, 0, "core files")?;
    // Drivers of devices set aside address space without measure, and open and write files of their own.
    if job.hardware == "off" {
        set(Resource::Fsize, 0, "files written")?;
        set(Resource::Nofile, 64, "open files")?;
        if let Some(data) = now("VmData") {
            set(Resource::Data, data.saturating_add(private), "memory")?;
        }
        if let Some(size) = now("VmSize") {
            let all = size.saturating_add(private).saturating_add(shared).saturating_add(HEAPS);
            set(Resource::As, all, "address space")?;
        }
    }
    let cpu = job.cpu_seconds.max(1);
    // The first limit sends a signal of its own, the second one kills.
    setrlimit(Resource::Cpu, Rlimit { current: Some(cpu), maximum: Some(cpu.saturating_add(5)) })
        .map_err(|e| format!("cannot limit CPU seconds to {cpu}: {e}"))
}

/// Keeps what the parent has open from the process that `command` starts: descriptors that somebody opened without closing them on `exec`.
pub(super) fn inherit_nothing(command: &mut std::process::Command) {
    use std::os::unix::process::CommandExt as _;
    let close = || {
        // SAFETY: the call takes three numbers and touches no memory; descriptors are marked, not closed, and only those of the new process. Kernels
        // before 5.11 refuse it, and then it is as it was.
        let _ = unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
        Ok(())
    };
    // SAFETY: the closure makes one system call, which is allowed between `fork` and `exec`.
    unsafe { command.pre_exec(close) };
}

/// Lets faults end the process at once, as the parent expects it. Rust's own handler for stack overflow would swallow the first such signal
/// that another process sends.
pub(super) fn default_faults() {
    for signal in [libc::SIGSEGV, libc::SIGBUS] {
        // SAFETY: the default disposition is valid for any signal, and nothing here relies on Rust's message about stack overflow.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod filter {
    use libc::{
        BPF_ABS, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO,
        SECCOMP_RET_KILL_PROCESS, sock_filter,
    };

    /// System calls that a decoder has no use for: files and folders, sockets, programs, other processes, the kernel.
    const REFUSED: &[libc::c_long] = &[
        libc::SYS_openat,
        libc::SYS_openat2,
        libc::SYS_open_by_handle_at,
        libc::SYS_name_to_handle_at,
        libc::SYS_unlinkat,
        libc::SYS_renameat2,
        libc::SYS_linkat,
        libc::SYS_symlinkat,
        libc::SYS_mkdirat,
        libc::SYS_mknodat,
        libc::SYS_fchmodat,
        libc::SYS_fchownat,
        libc::SYS_truncate,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_chroot,
        libc::SYS_memfd_create,
        libc::SYS_socket,
        libc::SYS_socketpair,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_listen,
        libc::SYS_accept,
        libc::SYS_accept4,
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_setsid,
        libc::SYS_setpgid,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_kill,
        libc::SYS_tkill,
        libc::SYS_pidfd_open,
        libc::SYS_pidfd_getfd,
        libc::SYS_pidfd_send_signal,
        libc::SYS_prlimit64,
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_userfaultfd,
        libc::SYS_io_uring_setup,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_delete_module,
        libc::SYS_kexec_load,
        libc::SYS_keyctl,
        libc::SYS_add_key,
        libc::SYS_request_key,
    ];

    /// The same under names that only the older architecture has.
    #[cfg(target_arch = "x86_64")]
    const REFUSED_TOO: &[libc::c_long] = &[
        libc::SYS_open,
        libc::SYS_creat,
        libc::SYS_unlink,
        libc::SYS_rename,
        libc::SYS_renameat,
        libc::SYS_link,
        libc::SYS_symlink,
        libc::SYS_mkdir,
        libc::SYS_rmdir,
        libc::SYS_mknod,
        libc::SYS_chmod,
        libc::SYS_chown,
        libc::SYS_lchown,
        libc::SYS_fork,
        libc::SYS_vfork,
    ];
    #[cfg(target_arch = "aarch64")]
    const REFUSED_TOO: &[libc::c_long] = &[libc::SYS_renameat];

    /// `AUDIT_ARCH_X86_64`, `AUDIT_ARCH_AARCH64`.
    const ARCHITECTURE: u32 = if cfg!(target_arch = "x86_64") { 0xc000_003e } else { 0xc000_00b7 };
    /// Numbers from here on are the 32-bit calling convention of x86-64.
    const X32: u32 = 0x4000_0000;

    const fn step(code: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
        sock_filter { code: code as u16, jt, jf, k }
    }

    fn program() -> Vec<sock_filter> {
        let load = |offset| step(BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
        let end = |action| step(BPF_RET | BPF_K, action, 0, 0);
        let refuse = end(SECCOMP_RET_ERRNO | libc::EPERM as u32);
        // The number of the call is the first field, the architecture the second.
        let mut all = vec![
            load(4),
            step(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
            end(SECCOMP_RET_KILL_PROCESS),
            load(0),
            step(BPF_JMP | BPF_JGE | BPF_K, X32, 0, 1),
            refuse,
        ];
        for call in REFUSED.iter().chain(REFUSED_TOO) {
            all.push(step(BPF_JMP | BPF_JEQ | BPF_K, *call as u32, 0, 1));
            all.push(refuse);
        }
        all.push(end(SECCOMP_RET_ALLOW));
        all
    }

    /// Installs the filter for all threads of this process; false where the kernel has none.
    pub(super) fn install() -> bool {
        if rustix::thread::set_no_new_privs(true).is_err() {
            return false;
        }
        let mut steps = program();
        let Ok(len) = u16::try_from(steps.len()) else { return false };
        let program = libc::sock_fprog { len, filter: steps.as_mut_ptr() };
        // SAFETY: the program is valid for the call, which copies it.
        let result = unsafe {
            libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                libc::SECCOMP_FILTER_FLAG_TSYNC,
                &raw const program,
            )
        };
        result == 0
    }
}

/// Gives up files, sockets and programs; false where the system has no means for that.
pub(super) fn close_doors() -> bool {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    {
        filter::install()
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        false
    }
}
