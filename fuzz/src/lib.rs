//! Bytes as files, for readers that take paths: one folder for each process, whose files are written over.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rankscape_io::{
    SampleOptions, WeightOptions, read_matrix, read_matrix_path, read_samples, read_target, read_weights,
};

/// The folder of this process.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("rankscape-fuzz-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("the folder of temporary files can be written to");
        folder
    })
}

/// Writes a file into the folder of this process, over the one of the same name.
pub fn put(name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder().join(name);
    fs::write(&path, bytes).expect("the folder of temporary files can be written to");
    path
}

/// Weights, a matrix, a target, a path of matrices: whatever a file with named arrays may be.
pub fn read_arrays(path: &Path) {
    for layers in [None, Some(vec!["W1".to_owned()])] {
        let _ = read_weights(path, &WeightOptions { layers, ..WeightOptions::default() });
    }
    let _ = read_matrix(path, "W1");
    let _ = read_target(path);
    let _ = read_matrix_path(path);
}

/// Samples, in every way that a file may be read as such.
pub fn read_as_samples(path: &Path) {
    let spec = path.to_string_lossy();
    let plain = SampleOptions::default();
    for options in [
        plain.clone(),
        SampleOptions { autoencoder: true, ..plain.clone() },
        SampleOptions { inputs: Some(1), ..plain.clone() },
        SampleOptions { one_hot: true, ..plain.clone() },
        SampleOptions { sample_weights: Some(path.to_owned()), ..plain },
    ] {
        let _ = read_samples(&spec, &options);
    }
}
