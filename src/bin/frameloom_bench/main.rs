//! Benchmarks of operations as a program that can be carried to a machine that has only a GPU and a Vulkan loader.
//!
//! `cargo build --release --no-default-features --features bench`; the same program as `cargo bench --bench ops`.
#![allow(unreachable_pub, reason = "a program")]

#[path = "../../../benches/ops/program.rs"]
mod program;

fn main() -> std::process::ExitCode {
    program::main()
}
