//! Sample files: every format gives the same factor and digest, and every bad file one clear message.

use std::path::{Path, PathBuf};

use rankscape::data::{StoredArray, Whitening};
use rankscape::{InputError, Tolerances};
use rankscape_io::{SampleOptions, Samples, read_matrix, read_samples, read_target};
use testkit::files::{assert_says, f64_bytes, npy, npy_f64, npz, put, safetensors};

fn read(path: &Path, options: &SampleOptions) -> Result<Samples, InputError> {
    read_samples(path.to_str().unwrap(), options)
}

fn expecting(inputs: usize, outputs: usize) -> SampleOptions {
    SampleOptions { expected: Some((inputs, outputs)), ..SampleOptions::default() }
}

fn autoencoder() -> SampleOptions {
    SampleOptions { autoencoder: true, ..SampleOptions::default() }
}

fn refusal_of(name: &str, bytes: &[u8], options: &SampleOptions) -> InputError {
    let folder = tempfile::tempdir().unwrap();
    let error = read(&put(folder.path(), name, bytes), options).unwrap_err();
    assert!(error.file.is_some(), "{error}");
    error
}

fn refusal(name: &str, bytes: &[u8]) -> InputError {
    refusal_of(name, bytes, &SampleOptions::default())
}

const X: [f64; 6] = [1.0, 2.0, 0.5, -1.0, 0.0, 4.0];
const Y: [f64; 3] = [1.0, 0.25, -2.0];

fn in_every_format(folder: &Path) -> Vec<PathBuf> {
    let columns: Vec<f64> = [0, 2, 4, 1, 3, 5].iter().map(|&at| X[at]).collect();
    let x_fortran = npy("'<f8'", true, &[3, 2], &f64_bytes(&columns));
    let big: Vec<u8> = X.iter().flat_map(|&value| (value as f32).to_be_bytes()).collect();
    let header = r#"{"X":{"dtype":"F64","shape":[3,2],"data_offsets":[0,48]},
                     "Y":{"dtype":"F64","shape":[3,1],"data_offsets":[48,72]}}"#;
    put(folder, "x.npy", &npy_f64(&[3, 2], &X));
    put(folder, "y.npy", &npy_f64(&[3, 1], &Y));
    let pair = format!("{},{}", folder.join("x.npy").display(), folder.join("y.npy").display());
    vec![
        put(
            folder,
            "a.npz",
            &npz(&[("Y", npy_f64(&[3, 1], &Y)), ("X", npy_f64(&[3, 2], &X)), ("more", npy_f64(&[1], &[0.0]))]),
        ),
        put(folder, "f.npz", &npz(&[("X", x_fortran), ("Y", npy_f64(&[3, 1], &Y))])),
        put(folder, "b.npz", &npz(&[("X", npy("'>f4'", false, &[3, 2], &big)), ("Y", npy_f64(&[3, 1], &Y))])),
        put(folder, "a.json", br#"{"X": [[1, 2], [0.5, -1], [0, 4]], "Y": [[1], [0.25], [-2]]}"#),
        put(folder, "a.safetensors", &safetensors(header, &[f64_bytes(&X), f64_bytes(&Y)].concat())),
        put(folder, "a.csv", b"x1,y1,x2\n1,1,2\n0.5, 0.25,-1\n0,-2,4\n"),
        PathBuf::from(pair),
    ]
}

#[test]
fn every_format_gives_the_same_factor_and_digest() {
    let folder = tempfile::tempdir().unwrap();
    let files = in_every_format(folder.path());
    for options in [expecting(2, 1), SampleOptions { threads: 2, ..expecting(2, 1) }] {
        let first = read(&files[0], &options).unwrap();
        assert_eq!((first.factor.samples(), first.factor.inputs(), first.factor.outputs()), (3, 2, 1));
        for path in &files {
            let samples = read(path, &options).unwrap();
            // One of the files is in single precision, which the factor remembers.
            assert!(
                samples.factor.stored_with(StoredArray::DOUBLE, StoredArray::DOUBLE) == first.factor,
                "{}",
                path.display()
            );
            assert_eq!(samples.digest, first.digest, "{}", path.display());
            assert!(samples.exact.is_none());
            let told = match path.file_name().and_then(|name| name.to_str()) {
                Some("a.npz") => "more",
                Some("a.csv") => "X is x1, x2; Y is y1",
                _ => "",
            };
            assert_eq!(samples.notes.len(), usize::from(!told.is_empty()), "{:?}", samples.notes);
            assert!(samples.notes.iter().all(|note| note.contains(told)), "{:?}", samples.notes);
        }
    }
    assert_eq!(read(&files[2], &expecting(2, 1)).unwrap().unit_roundoff, 2.0_f64.powi(-24));
    let (image, label) = (read(&files[0], &autoencoder()).unwrap(), read(&files[5], &autoencoder()).unwrap());
    assert!(image.factor == label.factor && image.digest == label.digest);
    assert_eq!((image.factor.inputs(), image.factor.outputs()), (2, 2));
}

#[test]
fn json_integers_and_fractions_keep_exact_samples() {
    let folder = tempfile::tempdir().unwrap();
    let path = put(folder.path(), "d.json", br#"{"X": [[1, "1/3"], [2, 0]], "Y": [[3], ["-5/10"]]}"#);
    let samples = read(&path, &SampleOptions::default()).unwrap();
    let (x, y) = samples.exact.unwrap();
    assert_eq!((x.shape(), y.shape()), ((2, 2), (2, 1)));
    assert_eq!((x[(0, 1)].to_string(), y[(1, 0)].to_string()), ("1/3".to_owned(), "-1/2".to_owned()));
    let (x, y) = read(&path, &autoencoder()).unwrap().exact.unwrap();
    assert!(x == y);
    let weighted =
        SampleOptions { sample_weights: Some(put(folder.path(), "w.json", b"[1, 2]")), ..SampleOptions::default() };
    let weighted = read(&path, &weighted).unwrap();
    assert!(weighted.exact.is_none() && weighted.notes[0].contains("sample weights"));
    let many = vec!["[1]"; 40_000].join(",");
    let path = put(folder.path(), "many.json", format!(r#"{{"X": [{many}], "Y": [{many}]}}"#).as_bytes());
    let samples = read(&path, &SampleOptions::default()).unwrap();
    assert!(samples.exact.is_none() && samples.notes[0].contains("80000 entries"));
}

#[test]
fn tables_take_inputs_by_name_or_by_number() {
    let folder = tempfile::tempdir().unwrap();
    let named = put(folder.path(), "n.csv", b"X_a,X_b,Y_a\n1,2,1\n0.5,-1,0.25\n0,4,-2\n");
    let plain = put(folder.path(), "p.csv", b"1,2,1\n0.5,-1,0.25\n0,4,-2\n");
    let foreign = put(folder.path(), "o.csv", b"age,height,size\n1,2,1\n0.5,-1,0.25\n0,4,-2\n");
    let by_number = SampleOptions { inputs: Some(2), ..SampleOptions::default() };
    let expected = read(&named, &SampleOptions::default()).unwrap();
    for (path, note) in [(&plain, "X is column 0, column 1; Y is column 2"), (&foreign, "X is age, height; Y is size")]
    {
        let found = read(path, &by_number).unwrap();
        assert!(found.factor == expected.factor && found.digest == expected.digest);
        assert!(found.notes[0].contains(note), "{:?}", found.notes);
    }
    assert_eq!(read(&plain, &autoencoder()).unwrap().factor.inputs(), 3);
    let error = read(&foreign, &SampleOptions::default()).unwrap_err();
    assert_says(&error, &["o.csv", "array age", "neither input nor output", "--inputs N"]);
    assert_says(&read(&plain, &SampleOptions::default()).unwrap_err(), &["no header", "--inputs N"]);
    let three = SampleOptions { inputs: Some(3), ..SampleOptions::default() };
    assert_says(&read(&plain, &three).unwrap_err(), &["no output columns"]);
    let four = SampleOptions { inputs: Some(4), ..SampleOptions::default() };
    assert_says(&read(&plain, &four).unwrap_err(), &["--inputs 4, 3 columns"]);
    assert_says(&read(&named, &expecting(3, 1)).unwrap_err(), &["3 inputs", "X has 2 columns"]);
}

#[test]
fn bad_tables_are_refused_with_row_and_column() {
    for (text, parts) in [
        ("", &["the file is empty"][..]),
        ("x1,y1\n", &["no samples"]),
        ("x1,y1\n1,2\n1\n", &["different lengths", "1 fields in row 1", "2 columns"]),
        ("x1,y1\n1,two\n", &["array y1", "\"two\" in row 0", "not a number"]),
        ("x1,y1\n1,\n", &["array y1", "\"\" in row 0"]),
        ("x1,y1\n1,2\nnan,2\n", &["array x1", "NaN at index [1, 0]"]),
        ("y1,y2\n1,2\n", &["no input columns"]),
        ("x1,x2\n1,2\n", &["no output columns"]),
        ("x1,label\n1,2\n", &["array label"]),
    ] {
        assert_says(&refusal("d.csv", text.as_bytes()), parts);
    }
}

#[test]
fn a_one_dimensional_target_is_a_column_with_a_note() {
    let folder = tempfile::tempdir().unwrap();
    let file = npz(&[("X", npy_f64(&[3, 2], &X)), ("Y", npy_f64(&[3], &Y))]);
    let samples = read(&put(folder.path(), "d.npz", &file), &expecting(2, 1)).unwrap();
    assert_eq!(samples.factor.outputs(), 1);
    assert_eq!(samples.notes, ["Y has one dimension and is taken as a column: 3 samples of one number"]);
}

#[test]
fn data_that_do_not_fit_the_widths_suggest_the_transpose() {
    let file = npz(&[("X", npy_f64(&[2, 3], &X)), ("Y", npy_f64(&[1, 3], &Y))]);
    let error = refusal_of("d.npz", &file, &expecting(2, 1));
    assert_says(&error, &["different numbers of samples", "X is 2 x 3, Y is 1 x 3", "transpose X and Y"]);
    let file = npz(&[("X", npy_f64(&[2, 3], &X)), ("Y", npy_f64(&[2, 1], &Y[..2]))]);
    let error = refusal_of("d.npz", &file, &expecting(2, 1));
    assert_says(&error, &["array X", "2 inputs", "X is 2 x 3", "belong together"]);
    let file = npz(&[("X", npy_f64(&[3, 2], &X)), ("Y", npy_f64(&[3, 1], &Y))]);
    assert_says(
        &refusal_of("d.npz", &file, &expecting(2, 5)),
        &["array Y", "5 outputs", "Y is 3 x 1", "belong together"],
    );
    assert_says(&refusal_of("d.npz", &file, &expecting(1, 2)), &["exchanged, in the data or in the weights"]);
    let options = SampleOptions { autoencoder: true, ..expecting(2, 5) };
    assert_says(&refusal_of("d.npz", &file, &options), &["as many outputs as inputs", "2 inputs, 5 outputs"]);
}

#[test]
fn bad_arrays_of_samples_are_refused() {
    let y = || npy_f64(&[3, 1], &Y);
    for (entries, parts) in [
        (vec![("Y", y())], &["array X", "no array X", "holds Y"][..]),
        (vec![("X", npy_f64(&[3, 2], &X))], &["array Y", "holds X", "autoencoder"]),
        (vec![("X", npy_f64(&[0, 2], &[])), ("Y", npy_f64(&[0, 1], &[]))], &["no samples", "X is 0 x 2"]),
        (vec![("X", npy_f64(&[3, 0], &[])), ("Y", y())], &["no numbers", "X is 3 x 0"]),
        (
            vec![("X", npy_f64(&[2, 2], &X[..4])), ("Y", y())],
            &["different numbers of samples", "X is 2 x 2, Y is 3 x 1"],
        ),
        (vec![("X", npy_f64(&[3, 2, 1], &X)), ("Y", y())], &["array X", "two dimensions", "3 x 2 x 1"]),
        (vec![("X", npy("'|O'", false, &[3, 1], &[0; 24])), ("Y", y())], &["array X", "object arrays"]),
        (
            vec![("X", npy_f64(&[3, 2], &[1.0, 2.0, f64::NAN, 0.0, 0.0, 0.0])), ("Y", y())],
            &["array X", "NaN in row 1, column 0"],
        ),
        (
            vec![("X", npy_f64(&[3, 2], &X)), ("Y", npy_f64(&[3, 1], &[0.0, 0.0, f64::NEG_INFINITY]))],
            &["array Y", "-inf in row 2, column 0"],
        ),
        (
            vec![("X", npy_f64(&[1, 40_000], &vec![0.0; 40_000])), ("Y", npy_f64(&[1, 1], &[0.0]))],
            &["too many numbers", "transposed"],
        ),
        (vec![("X", npy_f64(&[3, 2], &[1.5e308; 6])), ("Y", y())], &["too large", "scale the data"]),
    ] {
        assert_says(&refusal("d.npz", &npz(&entries)), parts);
    }
    assert_says(&refusal("d.json", br#"{"X": [[1, 2], [3]], "Y": [[1], [2]]}"#), &["array X", "different lengths"]);
    assert_says(&refusal("d.npy", &npy_f64(&[3, 2], &X)), &["X.npy,Y.npy"]);
    assert_says(&refusal("d.txt", b""), &["format"]);
}

#[test]
fn pairs_name_the_file_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let x = put(folder.path(), "x.npy", &npy_f64(&[3, 2], &X));
    let cut = put(folder.path(), "cut.npy", &npy_f64(&[3, 1], &Y)[..140]);
    let csv = put(folder.path(), "y.csv", b"1\n2\n3\n");
    let pair = |y: &Path| read_samples(&format!("{},{}", x.display(), y.display()), &SampleOptions::default());
    assert_says(&pair(&cut).unwrap_err(), &["cut.npy", "ends too early", "header needs"]);
    assert_says(&pair(&csv).unwrap_err(), &["y.csv", "both be .npy"]);
    assert_says(&pair(&folder.path().join("none.npy")).unwrap_err(), &["none.npy", "does not exist"]);
}

#[test]
fn sample_weights_count_rows_and_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let data = put(folder.path(), "d.npz", &npz(&[("X", npy_f64(&[3, 2], &X)), ("Y", npy_f64(&[3, 1], &Y))]));
    let table = put(folder.path(), "d.csv", b"x1,x2,y1\n1,2,1\n0.5,-1,0.25\n0,4,-2\n");
    let weighted = |path: &Path, name: &str, bytes: &[u8]| {
        let sample_weights = Some(put(folder.path(), name, bytes));
        read(path, &SampleOptions { sample_weights, ..SampleOptions::default() })
    };
    let samples = weighted(&data, "w.npy", &npy_f64(&[3], &[2.0, 0.0, 1.0])).unwrap();
    let same = weighted(&table, "w.csv", b"2\n0\n1\n").unwrap();
    assert!(samples.factor == same.factor && samples.digest == same.digest);
    assert_ne!(samples.digest, read(&data, &SampleOptions::default()).unwrap().digest);
    assert!((samples.factor.total_weight() - 3.0).abs() < 1e-15);
    let gram = samples.factor.plain().xx();
    assert!((gram.transpose_times(&gram)[(0, 0)] - 2.0).abs() < 1e-14);
    for path in [&data, &table] {
        assert_says(&weighted(path, "v.json", b"[1, 2]").unwrap_err(), &["v.json", "one weight for each sample"]);
        assert_says(&weighted(path, "v.json", b"[1, 2, 3, 4]").unwrap_err(), &["v.json", "4 weights, 3 samples"]);
        assert_says(&weighted(path, "v.json", b"[1, -2, 3]").unwrap_err(), &["v.json", "-2 for sample 1"]);
        assert_says(&weighted(path, "v.json", b"[[1, 2], [3, 4]]").unwrap_err(), &["a vector", "2 x 2"]);
        assert_says(&weighted(path, "v.json", b"[0, 0, 0]").unwrap_err(), &["all sample weights are zero"]);
    }
}

#[test]
fn targets_and_metrics_come_from_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        put(folder.path(), "t.json", b"[[1.5, 2, 3], [4, 5, 6]]"),
        put(folder.path(), "n.json", br#"{"Y": [[1.5, 2, 3], [4, 5, 6]], "Z": [[1]]}"#),
        put(folder.path(), "t.npy", &npy_f64(&[2, 3], &[1.5, 2.0, 3.0, 4.0, 5.0, 6.0])),
        put(folder.path(), "t.npz", &npz(&[("Y", npy_f64(&[2, 3], &[1.5, 2.0, 3.0, 4.0, 5.0, 6.0]))])),
        put(folder.path(), "t.csv", b"1.5,2,3\n4,5,6\n"),
    ];
    let first = read_target(&files[0]).unwrap();
    assert_eq!(first.matrix.shape(), (2, 3));
    for path in &files {
        assert!(read_target(path).unwrap() == first, "{}", path.display());
    }
    let exact = read_target(put(folder.path(), "e.json", br#"{"Y": [["1/3"]]}"#)).unwrap();
    assert_eq!(exact.exact.unwrap()[(0, 0)].to_string(), "1/3");
    let error = read_target(put(folder.path(), "two.json", br#"{"A": [[1]], "B": [[2]]}"#)).unwrap_err();
    assert_says(&error, &["two.json", "no array Y", "A, B"]);
    let error = read_matrix(put(folder.path(), "v.json", b"[1, 2]"), "metric").unwrap_err();
    assert_says(&error, &["v.json", "array metric", "rows and columns", "shape (2,)"]);
    assert_says(&read_target(put(folder.path(), "z.json", b"[[]]")).unwrap_err(), &["1 x 0"]);
}

/// The second singular value of X is what rounding to single precision left.
#[test]
fn the_rank_of_inputs_is_decided_by_the_type_that_they_are_stored_in() {
    let rows = [1.0, 0.1_f32, 3.0, 0.3_f32];
    let folder = tempfile::tempdir().unwrap();
    let y = npy_f64(&[2, 1], &[1.0, 1.0]);
    let bytes: Vec<u8> = rows.iter().flat_map(|value| value.to_le_bytes()).collect();
    let single = put(folder.path(), "f32.npz", &npz(&[("X", npy("'<f4'", false, &[2, 2], &bytes)), ("Y", y.clone())]));
    let widened: Vec<f64> = rows.iter().map(|&value| f64::from(value)).collect();
    let double = put(folder.path(), "f64.npz", &npz(&[("X", npy_f64(&[2, 2], &widened)), ("Y", y)]));
    let rank = |path: &Path| {
        let samples = read(path, &SampleOptions::default()).unwrap();
        let white = Whitening::new(&samples.factor.plain(), &Tolerances::default());
        assert!(white.rank.clear);
        (white.rank.rank, white.minimum_at_rank(1))
    };
    let (found, minimum) = rank(&single);
    assert!(found == 1 && (minimum - 0.2).abs() < 1e-6, "{found} {minimum}");
    let (found, minimum) = rank(&double);
    assert!(found == 2 && minimum < 1e-6, "{found} {minimum}");
}
