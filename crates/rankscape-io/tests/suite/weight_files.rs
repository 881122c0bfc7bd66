//! Weight files: every format gives the same weights and digest, and every bad file one clear message.

use rankscape::{InputError, Matrix};
use rankscape_io::{Convention, ElementType, WeightOptions, Weights, read_weights, rewrite_weights, write_weights};
use testkit::files::{assert_says, f64_bytes, npy, npy_f64, npz, put, safetensors};

fn read(path: &std::path::Path) -> Result<Weights, InputError> {
    read_weights(path, &WeightOptions::default())
}

fn refusal(name: &str, bytes: &[u8]) -> InputError {
    let folder = tempfile::tempdir().unwrap();
    let error = read(&put(folder.path(), name, bytes)).unwrap_err();
    assert!(error.file.as_ref().is_some_and(|file| file.ends_with(name)), "no file in {error}");
    error
}

fn refused_json(text: &str) -> InputError {
    refusal("w.json", text.as_bytes())
}

#[test]
fn every_format_gives_the_same_weights_and_digest() {
    let folder = tempfile::tempdir().unwrap();
    let values = [1.0, -2.5, 3.25, 0.0, 5.5, -0.125];
    let header = r#"{"W1":{"dtype":"F64","shape":[3,2],"data_offsets":[0,48]}}"#;
    let fortran = [1.0, 3.25, 5.5, -2.5, 0.0, -0.125];
    let half: Vec<u8> = values.iter().flat_map(|&value| half::f16::from_f64(value).to_be_bytes()).collect();
    let files = [
        put(folder.path(), "a.npz", &npz(&[("W1", npy_f64(&[3, 2], &values))])),
        put(folder.path(), "f.npz", &npz(&[("W1", npy("'<f8'", true, &[3, 2], &f64_bytes(&fortran)))])),
        put(folder.path(), "h.npz", &npz(&[("W1", npy("'>f2'", false, &[3, 2], &half))])),
        put(folder.path(), "a.safetensors", &safetensors(header, &f64_bytes(&values))),
        put(folder.path(), "a.json", br#"{"W1": [[1.0, -2.5], [3.25, -0.0], [5.5, -0.125]]}"#),
    ];
    let first = read(&files[0]).unwrap();
    for path in &files {
        let weights = read(path).unwrap();
        assert!(weights.matrices == first.matrices, "{}", path.display());
        assert_eq!(weights.digest, first.digest, "{}", path.display());
        assert!(weights.exact.is_none());
    }
    assert_eq!(read(&files[2]).unwrap().unit_roundoff, 2.0_f64.powi(-11));
    assert_eq!(first.digest.len(), 64);
}

#[test]
fn weights_are_written_back_with_names_types_and_orientation() {
    let folder = tempfile::tempdir().unwrap();
    let bf16: Vec<u8> = [1.5, 2.0, -3.0, 0.5].iter().flat_map(|&v| half::bf16::from_f64(v).to_le_bytes()).collect();
    let f32s: Vec<u8> = [0.1_f32, 0.2].iter().flat_map(|v| v.to_le_bytes()).collect();
    let header = r#"{"__metadata__":{"format":"pt"},"net.0.weight":{"dtype":"BF16","shape":[2,2],"data_offsets":[0,8]},
        "net.2.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]},
        "net.2.bias":{"dtype":"F64","shape":[1],"data_offsets":[16,24]}}"#;
    let data = [bf16, f32s, f64_bytes(&[7.0])].concat();
    let source = read(&put(folder.path(), "w.safetensors", &safetensors(header, &data))).unwrap();
    assert_eq!(source.types, [ElementType::Bf16, ElementType::F32]);
    assert_eq!(source.unit_roundoff, 2.0_f64.powi(-8));
    for name in ["copy.safetensors", "copy.npz", "copy.json"] {
        let path = folder.path().join(name);
        write_weights(&path, &source).unwrap();
        let copy = read(&path).unwrap();
        assert_eq!((&copy.names, &copy.bias_names, &copy.digest), (&source.names, &source.bias_names, &source.digest));
        assert!(name != "copy.safetensors" || copy.types == source.types);
    }
    let moved = source.matrices.iter().map(|matrix| matrix.scaled(2.0)).collect();
    let moved = source.with_parameters(moved, source.biases.clone()).unwrap();
    assert_ne!(moved.digest, source.digest);
    assert!(source.with_parameters(vec![], vec![]).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4, "a temporary file was left");
}

#[test]
fn flax_kernels_are_transposed_on_the_way_in_and_out() {
    let folder = tempfile::tempdir().unwrap();
    let text =
        br#"{"Dense_0/kernel": [[1, 2, 3], [4, 5, 6]], "Dense_1/kernel": [[1], [2], [3]], "Dense_0/bias": [0, 0, 1]}"#;
    let path = put(folder.path(), "flax.json", text);
    let options = WeightOptions { convention: Some(Convention::Flax), ..WeightOptions::default() };
    let weights = read_weights(&path, &options).unwrap();
    assert_eq!(weights.widths(), [2, 3, 1]);
    assert_eq!(weights.matrices[0][(2, 0)], 3.0);
    assert_eq!(weights.exact.as_ref().unwrap()[0][(2, 1)].to_string(), "6");
    let copy = folder.path().join("copy.json");
    write_weights(&copy, &weights).unwrap();
    assert!(read_weights(&copy, &options).unwrap() == weights);
}

#[test]
fn weights_are_exact_only_if_every_number_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = put(folder.path(), "w.json", br#"{"W1": [[1, "-2/6"]], "b1": [12345678901234567890]}"#);
    let weights = read(&path).unwrap();
    assert_eq!(weights.exact.as_ref().unwrap()[0][(0, 1)].to_string(), "-1/3");
    assert_eq!(weights.exact_biases.as_ref().unwrap()[0].as_ref().unwrap()[0].to_string(), "12345678901234567890");
    let copy = folder.path().join("copy.json");
    write_weights(&copy, &weights).unwrap();
    assert!(read(&copy).unwrap() == weights);
    let path = put(folder.path(), "f.json", br#"{"W1": [[1, "-2/6"]], "b1": [1.0]}"#);
    assert!(read(&path).unwrap().exact.is_none());
}

#[test]
fn layers_can_be_chosen_and_one_layer_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let text = br#"{"enc": [[1, 2]], "other": [1, 2, 3], "dec": [[1], [2]]}"#;
    let path = put(folder.path(), "w.json", text);
    let chosen = |names: &[&str]| {
        let layers = names.iter().map(|name| (*name).to_owned()).collect();
        read_weights(&path, &WeightOptions { layers: Some(layers), ..WeightOptions::default() })
    };
    assert_eq!(chosen(&["enc", "dec"]).unwrap().widths(), [2, 1, 2]);
    assert_eq!(chosen(&["enc"]).unwrap().depth(), 1);
    assert_says(&chosen(&["enc", "dek"]).unwrap_err(), &["array dek", "no array of this name", "enc, other, dec"]);
    assert_says(&chosen(&["other"]).unwrap_err(), &["array other", "two dimensions", "shape (3,)"]);
    assert_says(&chosen(&["enc", "enc"]).unwrap_err(), &["listed twice"]);
    assert_says(&read(&path).unwrap_err(), &["--layers"]);
}

#[test]
fn matrices_of_the_caller_become_weights() {
    let weights = Weights::from_matrices(vec![Matrix::zeros(2, 3), Matrix::zeros(1, 2)]).unwrap();
    assert_eq!((weights.widths(), weights.names), (vec![3, 2, 1], vec!["W1".to_owned(), "W2".to_owned()]));
    assert!(Weights::from_matrices(vec![]).is_err());
    assert!(Weights::from_matrices(vec![Matrix::zeros(2, 3), Matrix::zeros(1, 3)]).is_err());
}

#[test]
fn shapes_that_do_not_chain_name_both_layers_and_the_remedy() {
    let error = refused_json(r#"{"W1": [[1, 2, 3], [4, 5, 6]], "W2": [[1], [2], [3]]}"#);
    assert_says(&error, &["W1 gives 2", "W2 takes 1", "W1 is 2 x 3, W2 is 3 x 1", "--convention flax"]);
    let error = refused_json(r#"{"W1": [[1, 2]], "W2": [[1, 2, 3]]}"#);
    assert_says(&error, &["W1 is 1 x 2, W2 is 1 x 3", "(out, in)"]);
    let error =
        refused_json(r#"{"W1": [[1, 2, 3, 4], [1, 2, 3, 4]], "W2": [[1, 2, 3], [1, 2, 3], [1, 2, 3], [1, 2, 3]]}"#);
    assert_says(&error, &["--convention flax"]);
    let error = refused_json(r#"{"W1": [[1, 2]], "b1": [1, 2]}"#);
    assert_says(&error, &["array b1", "does not fit the layer W1", "2 entries, the layer has 1 outputs"]);
}

#[test]
fn bad_json_is_refused_with_the_place() {
    for (text, parts) in [
        ("", &["ends too early"][..]),
        (r#"{"W1": [[1, 2"#, &["ends too early", "truncated"]),
        (r#"{"W1": [[1, NaN]]}"#, &["not a finite number", "line 1"]),
        (r#"{"W1": [[1, -Infinity]]}"#, &["not a finite number"]),
        (r#"{"W1": [[1]], "W1": [[2]]}"#, &["\"W1\" occurs twice"]),
        (r#"{"W1": []}"#, &["W1"]),
        (r#"{"W1": [[]]}"#, &["array W1", "empty"]),
        (r#"{"W1": [[1, 2], [3]]}"#, &["array W1", "different lengths"]),
        (r#"{"W1": [["a"]]}"#, &["array W1", "\"a\" at [0, 0]", "3/7"]),
        (r#"{"W1": [[1e400]]}"#, &["array W1", "too large", "400 at [0, 0]"]),
        (r#"{"W1": {"a": 1}}"#, &["array W1", "not a number"]),
        (r#"{"W1": [[[1]]]}"#, &["3 dimensions"]),
        ("{}", &["no matrix"]),
        ("[1, 2]", &["no matrix"]),
        ("nonsense", &["not valid JSON"]),
    ] {
        assert_says(&refused_json(text), parts);
    }
}

#[test]
fn bad_safetensors_are_refused() {
    let one = |dtype: &str, shape: &str, to: usize| {
        format!(r#"{{"W1":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[0,{to}]}}}}"#)
    };
    let good = safetensors(&one("F64", "[1,1]", 8), &f64_bytes(&[f64::NAN]));
    assert_says(&refusal("w.safetensors", &good), &["array W1", "not a finite number", "NaN at index [0, 0]"]);
    for (bytes, parts) in [
        (vec![], &["ends too early"][..]),
        (vec![1, 2, 3], &["ends too early"]),
        (good[..good.len() - 3].to_vec(), &["ends too early", "truncated"]),
        ([good.clone(), vec![0; 5]].concat(), &["longer than its header says"]),
        (100_000_001_u64.to_le_bytes().to_vec(), &["header", "100000001 bytes, at most 100000000"]),
        (99_000_000_u64.to_le_bytes().to_vec(), &["ends too early"]),
        (safetensors("nonsense", &[]), &["safetensors header is not valid"]),
        (safetensors(&one("F64", "[1,1]", 9), &[0; 9]), &["header is not valid"]),
        (safetensors(&one("F64", "[18446744073709551615,18446744073709551615]", 8), &[0; 8]), &["header is not valid"]),
        (safetensors(&one("F8_E5M2", "[1,1]", 1), &[0]), &["array W1", "dtype F8_E5M2", "torch.float32"]),
        (safetensors(&one("F64", "[0,3]", 0), &[]), &["array W1", "empty", "0 x 3"]),
        (
            safetensors(
                r#"{"W1":{"dtype":"F64","shape":[1,1],"data_offsets":[0,8]},"W1":{"dtype":"F64","shape":[1,1],"data_offsets":[8,16]}}"#,
                &[0; 16],
            ),
            &["\"W1\" occurs twice"],
        ),
    ] {
        assert_says(&refusal("w.safetensors", &bytes), parts);
    }
}

#[test]
fn bad_archives_are_refused() {
    let good = npz(&[("W1", npy_f64(&[1, 2], &[1.0, f64::INFINITY]))]);
    assert_says(&refusal("w.npz", &good), &["array W1", "inf at index [0, 1]"]);
    for (bytes, parts) in [
        (vec![], &["the file is empty"][..]),
        (good[..good.len() / 2].to_vec(), &["not a readable zip archive"]),
        (b"not an archive at all".to_vec(), &["not a readable zip archive"]),
        (npz(&[("W1", npy("'|O'", false, &[1, 1], &[0; 8]))]), &["array W1", "object arrays", "dtype=float"]),
        (npz(&[("W1", npy("'<c16'", false, &[1, 1], &[0; 16]))]), &["array W1", "dtype '<c16'", "complex"]),
        (npz(&[("W1", npy("'<U3'", false, &[1, 1], &[0; 12]))]), &["array W1", "dtype '<U3'"]),
        (npz(&[("W1", npy("[('a', '<f8')]", false, &[1], &[0; 8]))]), &["structured arrays"]),
        (npz(&[("W1", npy_f64(&[2, 2], &[1.0, 2.0]))]), &["array W1", "2 x 2 needs"]),
        (npz(&[("W1", npy_f64(&[usize::MAX, 2], &[1.0]))]), &["array W1", "too large"]),
        (npz(&[("W1", b"garbage that is long enough".to_vec())]), &["array W1", "not an NPY array"]),
        (npz(&[("W1", vec![])]), &["array W1", "ends too early"]),
        (npz(&[("W1", npy_f64(&[2, 0], &[]))]), &["array W1", "empty", "2 x 0"]),
        (npz(&[("W1", npy_f64(&[1, 1, 1], &[1.0]))]), &["3 dimensions"]),
    ] {
        assert_says(&refusal("w.npz", &bytes), parts);
    }
}

#[test]
fn two_arrays_of_one_name_in_an_archive_are_refused() {
    let mut bytes = npz(&[("W1", npy_f64(&[1, 1], &[1.0])), ("W2", npy_f64(&[1, 1], &[2.0]))]);
    while let Some(at) = bytes.windows(6).position(|window| window == b"W2.npy") {
        bytes[at + 1] = b'1';
    }
    assert_says(&refusal("w.npz", &bytes), &["same name", "rename or remove"]);
}

#[test]
fn a_zip_bomb_is_refused_before_anything_is_allocated() {
    let small = npy_f64(&[1, 1], &[1.0]);
    let mut bytes = npz(&[("W1", small.clone())]);
    // The size of the entry as the central directory declares it: 24 bytes after its signature.
    let directory = bytes.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    bytes[directory + 24..directory + 28].copy_from_slice(&0xf000_0000_u32.to_le_bytes());
    assert_says(&refusal("w.npz", &bytes), &["array W1", "declares a size over the limit", "4026531840 bytes"]);
}

#[test]
fn pickles_are_refused_with_the_line_that_converts_them() {
    let parts = ["pickle", "torch.load", "weights_only=True", "safetensors"];
    for name in ["model.pt", "model.pth", "model.ckpt", "model.pkl"] {
        assert_says(&refusal(name, b"anything"), &parts);
    }
    assert_says(&refusal("model.npz", &[0x80, 0x02, 0x7d, 0x71]), &parts);
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file("model/data.pkl", zip::write::SimpleFileOptions::default()).unwrap();
    assert_says(&refusal("model.npz", &archive.finish().unwrap().into_inner()), &parts);
}

#[test]
fn missing_files_directories_and_unknown_formats_are_named() {
    let folder = tempfile::tempdir().unwrap();
    assert_says(&read(&folder.path().join("none.json")).unwrap_err(), &["none.json", "does not exist"]);
    std::fs::create_dir(folder.path().join("d.json")).unwrap();
    assert_says(&read(&folder.path().join("d.json")).unwrap_err(), &["is a directory"]);
    assert_says(&refusal("w.txt", b""), &["format", ".txt", ".safetensors"]);
    assert_says(&refusal("w.csv", b"1,2\n"), &["weights are not read from this format"]);
    let weights = Weights::from_matrices(vec![Matrix::identity(2)]).unwrap();
    let error = write_weights(folder.path().join("no/such/folder.npz"), &weights).unwrap_err();
    assert_says(&error, &["cannot be written"]);
}

/// The library that writes tensors orders metadata anew in every process.
#[test]
fn metadata_is_carried_over_in_the_order_of_its_names() {
    let folder = tempfile::tempdir().unwrap();
    let header = r#"{"__metadata__":{"step":"7","alpha":"a \"b\"","rank":"2","base":"x"},"W1":{"dtype":"F64","shape":[1,1],"data_offsets":[0,8]}}"#;
    let original = put(folder.path(), "w.safetensors", &safetensors(header, &f64_bytes(&[3.0])));
    let weights = read(&original).unwrap();
    let copy = folder.path().join("copy.safetensors");
    rewrite_weights(&copy, &weights, &original).unwrap();
    let bytes = std::fs::read(&copy).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    assert!(length.is_multiple_of(8) && bytes.len() == 8 + length + 8);
    let metadata = r#"{"__metadata__":{"alpha":"a \"b\"","base":"x","rank":"2","step":"7"},"W1":"#;
    assert!(bytes[8..].starts_with(metadata.as_bytes()), "{}", String::from_utf8_lossy(&bytes[8..8 + length]));
    assert_eq!(read(&copy).unwrap().digest, weights.digest);
}
