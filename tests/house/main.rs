//! The house rules as tests: who may depend on whom, what a source file is, that pages and
//! deployment say what the code says.
//!
//! `WEIR_BLESS=1 cargo test -p weir-house` writes the generated pages anew. Not here:
//! what rustc, clippy and cargo-deny check.

mod circles;
mod crates;
mod deployment;
mod files;
mod grants;
mod pages;
mod policy_pages;
mod self_watch;
mod sources;
mod terraform;
