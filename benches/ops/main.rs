//! Benchmarks of operations: `cargo bench --bench ops [-- FILTER] [--samples N] [--json] [--peer COMMAND]`; see `program.rs`.
#![allow(missing_docs, unreachable_pub, reason = "a program")]

mod program;

fn main() -> std::process::ExitCode {
    program::main()
}
