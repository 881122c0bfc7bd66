//! Files of every kind, good and bad, read and written.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod adapter_shapes;
mod digits_files;
#[cfg(feature = "schema")]
mod documents_page;
mod limits;
mod loss_files;
mod mutated_files;
mod parquet_files;
mod sample_files;
#[cfg(feature = "schema")]
mod schemas;
mod weight_files;
