//! Files that would take far more memory than they are large are refused before they do.

use rankscape_io::{
    CLASSES_LIMIT, EXPANSION_FREE, JSON_ENTRIES_LIMIT, SampleOptions, WeightOptions, read_certificate, read_matrix,
    read_samples, read_weights,
};
use testkit::files::{f64_bytes, npy, npz, put, safetensors};

/// An archive with a matrix of zeros, one byte each, that is just too large.
fn zeros(name: &str, more: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let count = EXPANSION_FREE as usize / 8 + 1;
    let zeros = npy("'|i1'", false, &[count, 1], &vec![0; count]);
    npz(&[&[(name, zeros)], more].concat())
}

#[test]
fn an_archive_that_grows_beyond_measure_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let weights = put(folder.path(), "w.npz", &zeros("W1", &[]));
    for error in
        [read_weights(&weights, &WeightOptions::default()).unwrap_err(), read_matrix(&weights, "W1").unwrap_err()]
    {
        let message = error.to_string();
        for part in ["w.npz", "array W1", "134217736 bytes", "at most 134217728", "numpy.savez instead"] {
            assert!(message.contains(part), "{message}");
        }
    }
}

#[test]
fn labels_of_an_archive_are_held_in_memory_and_streamed_samples_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let sample = npy("'|i1'", false, &[2, 1], &[0, 1]);
    let data = put(folder.path(), "d.npz", &zeros("Y", &[("X", sample)]));
    let read = |one_hot| {
        let options = SampleOptions { one_hot, ..SampleOptions::default() };
        read_samples(data.to_str().unwrap(), &options).unwrap_err().to_string()
    };
    assert!(read(true).contains("array Y: the arrays of the archive take far more memory"), "{}", read(true));
    assert!(read(false).contains("different numbers of samples"), "{}", read(false));
}

#[test]
fn json_of_too_many_entries_is_refused_before_it_is_parsed() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{{\"W1\": [[1{}]]}}", ",1".repeat(JSON_ENTRIES_LIMIT));
    let path = put(folder.path(), "w.json", text.as_bytes());
    let header = safetensors(&text, &f64_bytes(&[1.0]));
    let tensors = put(folder.path(), "w.safetensors", &header);
    for (error, name) in [
        (read_matrix(&path, "W1").unwrap_err(), "w.json"),
        (read_certificate(&path).unwrap_err(), "w.json"),
        (read_matrix(&tensors, "W1").unwrap_err(), "w.safetensors"),
    ] {
        let message = error.to_string();
        assert!(message.contains(name) && message.contains("4194305 entries, at most 4194304"), "{message}");
    }
}

#[test]
fn labels_make_no_more_classes_than_the_limit_unless_a_network_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = put(folder.path(), "d.csv", format!("x1,y\n1,{CLASSES_LIMIT}\n2,0\n").as_bytes());
    let read = |expected| {
        read_samples(path.to_str().unwrap(), &SampleOptions { one_hot: true, expected, ..SampleOptions::default() })
    };
    let message = read(None).unwrap_err().to_string();
    assert!(message.contains("array y") && message.contains("the largest is 4096, at most 4096 classes"), "{message}");
    assert_eq!(read(Some((1, CLASSES_LIMIT + 1))).unwrap().factor.outputs(), CLASSES_LIMIT + 1);
}

#[test]
fn a_whole_number_of_very_many_digits_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = put(folder.path(), "w.json", format!("[[1{}.0]]", "0".repeat(4_000_000)).as_bytes());
    let message = read_matrix(&path, "W1").unwrap_err().to_string();
    assert!(message.contains("would be rounded") && message.len() < 400, "{message}");
}
