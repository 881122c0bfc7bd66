//! Files of every kind, good and bad, read and written.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod digits_files;
mod mutated_files;
mod parquet_files;
mod sample_files;
mod weight_files;
