//! Arguments → a command → an exit code.

use std::process::ExitCode;

/// A start, when every target is met for the first time, needs three times the
/// memory of the days after it. This allocator gives it back.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    bakewatch::cli::main().into()
}
