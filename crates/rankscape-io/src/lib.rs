//! Files in and out for [`rankscape`]: weights, samples, targets, certificates; answers as versioned [`documents`] and as
//! text ([`report`]). Nothing below this crate opens a file.
//!
//! Whatever a file holds, a reader answers with a value or with one [`InputError`](rankscape::InputError) that says which
//! file, which array, what is wrong with which number, and what to do.

pub mod adapter;
mod array;
mod array_names;
mod atomic;
mod certificate;
mod columns;
mod container;
mod csv;
mod digest;
pub mod documents;
mod effective;
mod examples;
mod fields;
mod file;
mod format;
pub mod instances;
mod intake;
mod json;
mod json_text;
mod labels;
mod layers;
pub mod loss;
mod npy;
mod npz;
mod open_array;
mod others;
#[cfg(feature = "parquet")]
mod parquet;
mod pipe;
mod points;
mod predictor;
mod problem;
pub mod report;
mod rows;
mod safetensors;
mod sample_options;
mod sample_shapes;
mod samples;
mod sink;
pub mod start_set;
mod stored_run;
pub mod sweep;
mod table;
mod target;
mod weight_options;
mod weights;
mod words;
mod write;

pub use array::{ElementType, check_integers};
pub use atomic::{are_linked, is_device, output_target, write_atomically, write_atomically_by};
pub use certificate::{CertificateFile, read_certificate, write_certificate};
pub use examples::{EXAMPLE_FILES, EXAMPLE_NAMES};
pub use json::{JSON_ENTRIES_LIMIT, JSON_LIMIT};
pub use labels::CLASSES_LIMIT;
pub use npz::{ENTRY_LIMIT, EXPANSION_FREE, EXPANSION_LIMIT};
pub use others::rewrite_weights;
pub use points::{check_points_file, write_points};
pub use predictor::{MapFiles, ReadMap, ReadNetwork, Shapes, square_loss};
pub use problem::{DataFiles, PointFiles, ReadData, ReadLandscape, ReadPoint, read_map_point};
pub use rows::ARRAY_LIMIT;
pub use safetensors::HEADER_LIMIT;
pub use sample_options::{EXACT_ENTRIES_LIMIT, Outputs, SampleOptions, Samples};
pub use samples::read_samples;
pub use stored_run::RunFiles;
pub use target::{Target, read_matrix, read_matrix_path, read_target};
pub use weight_options::{Convention, WeightOptions};
pub use weights::{Weights, read_blocks, read_weights};
pub use words::{Word, Words};
pub use write::write_weights;
