//! No bytes make a reader panic: damaged files give a value or one error.

use proptest::prelude::*;
use rankscape_io::{SampleOptions, WeightOptions, read_matrix, read_samples, read_target, read_weights};
use testkit::files::{f64_bytes, npy, npy_f64, npz, put, safetensors};

/// Valid files that the mutations start from.
fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let header = r#"{"W1":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"b1":{"dtype":"F64","shape":[2],"data_offsets":[16,32]}}"#;
    let values = [1.0, 2.0, -3.5, 4.0];
    let archive =
        npz(&[("X", npy_f64(&[2, 2], &values)), ("Y", npy("'>i2'", true, &[2, 2], &[0, 1, 0, 2, 0, 3, 0, 4]))]);
    vec![
        ("w.safetensors", safetensors(header, &f64_bytes(&values))),
        ("w.npz", archive),
        ("w.npy", npy_f64(&[2, 2], &values)),
        ("w.json", br#"{"W1": [[1, "2/3"], [3, -4e2]], "b1": [0, 1], "X": [[1], [2]], "Y": [[1], [2]]}"#.to_vec()),
        ("w.csv", b"x1,x2,y1\n1,2,3\n4,5,\"6\"\n".to_vec()),
    ]
}

fn read_in_every_way(name: &str, bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = put(folder.path(), name, bytes);
    let spec = path.to_str().unwrap();
    for layers in [None, Some(vec!["W1".to_owned()]), Some(vec!["X".to_owned(), "Y".to_owned()])] {
        let _ = read_weights(&path, &WeightOptions { layers, ..WeightOptions::default() });
    }
    for autoencoder in [false, true] {
        let _ = read_samples(spec, &SampleOptions { autoencoder, ..SampleOptions::default() });
        let inputs = Some(1);
        let _ = read_samples(spec, &SampleOptions { autoencoder, inputs, ..SampleOptions::default() });
    }
    let _ = read_samples(&format!("{spec},{spec}"), &SampleOptions::default());
    let sample_weights = Some(path.clone());
    let _ = read_samples(spec, &SampleOptions { sample_weights, ..SampleOptions::default() });
    let _ = read_target(&path);
    let _ = read_matrix(&path, "W1");
}

#[test]
fn the_seeds_themselves_are_read() {
    for (name, bytes) in seeds() {
        read_in_every_way(name, &bytes);
    }
}

#[test]
fn every_truncation_is_survived() {
    for (name, bytes) in seeds() {
        for length in 0..bytes.len().min(400) {
            read_in_every_way(name, &bytes[..length]);
        }
    }
}

#[test]
fn deep_nesting_is_an_error() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let text = format!("{{\"W1\": {}1{}}}", open.repeat(20_000), close.repeat(20_000));
        read_in_every_way("w.json", text.as_bytes());
    }
    let header = format!("{{'descr': {}, 'fortran_order': False, 'shape': (1,), }}", "[(".repeat(20_000));
    let mut bytes = b"\x93NUMPY\x02\x00".to_vec();
    bytes.extend((header.len() as u32).to_le_bytes());
    bytes.extend(header.bytes());
    read_in_every_way("w.npy", &bytes);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn mutated_files_are_survived(
        seed in 0_usize..5,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
        doubled in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let (name, mut bytes) = seeds().swap_remove(seed);
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(at) = doubled {
            let tail = bytes[at.index(bytes.len())..].to_vec();
            bytes.extend(tail);
        }
        if let Some(at) = cut {
            bytes.truncate(at.index(bytes.len()));
        }
        read_in_every_way(name, &bytes);
    }

    #[test]
    fn random_bytes_are_survived(seed in 0_usize..5, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let (name, _) = seeds().swap_remove(seed);
        read_in_every_way(name, &bytes);
    }

    #[test]
    fn random_text_is_survived(seed in 3_usize..5, text in "[\\[\\]{}\",:0-9eE./xyW1 \\n-]{0,80}") {
        let (name, _) = seeds().swap_remove(seed);
        read_in_every_way(name, text.as_bytes());
    }
}
