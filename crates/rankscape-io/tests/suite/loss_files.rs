//! Samples that are kept whole for a loss: every format gives the same numbers, gaps and digest.

use rankscape::linalg::Matrix;
use rankscape::loss::Loss as _;
use rankscape_io::loss::{LossOptions, LossSpec, ReadLossData};
use rankscape_io::{DataFiles, SampleOptions};
use testkit::files::{assert_says, npy_f64, npz, put};

fn spec(loss: &str) -> LossSpec {
    LossSpec::read(&LossOptions { loss: loss.to_owned(), ..LossOptions::default() }).unwrap()
}

fn read(samples: &str, loss: &LossSpec) -> rankscape::error::Result<ReadLossData> {
    DataFiles { samples: Some(samples.to_owned()), ..DataFiles::default() }.read_loss(loss, &[])
}

/// Loss at outputs that are all the same number.
fn value_at(read: &ReadLossData, output: f64) -> f64 {
    let data = &read.data;
    data.loss().value(&Matrix::from_fn(data.outputs(), data.samples(), |_, _| output))
}

#[test]
fn every_format_keeps_the_same_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let (x, y) = ([1.0, 0.5, -2.0, 3.0, 0.0, 7.0], [1.5, f64::NAN, -4.0]);
    let files = [
        put(folder.path(), "d.json", br#"{"X": [[1.0, 0.5], [-2, 3], [0, 7]], "Y": [1.5, null, -4]}"#),
        put(folder.path(), "d.csv", b"x1,x2,y\n1,0.5,1.5\n-2,3,\n0,7,-4\n"),
        put(folder.path(), "d.tsv", b"x1\tx2\ty\n1\t0.5\t1.5\n-2\t3\tNA\n0\t7\t-4\n"),
        put(folder.path(), "d.npz", &npz(&[("X", npy_f64(&[3, 2], &x)), ("Y", npy_f64(&[3], &y))])),
    ];
    put(folder.path(), "x.npy", &npy_f64(&[3, 2], &x));
    put(folder.path(), "y.npy", &npy_f64(&[3, 1], &y));
    let pair = ["x.npy", "y.npy"].map(|name| folder.path().join(name).display().to_string()).join(",");
    let names: Vec<String> = files.iter().map(|path| path.display().to_string()).chain([pair]).collect();
    let all: Vec<ReadLossData> = names.iter().map(|name| read(name, &spec("logcosh")).unwrap()).collect();
    let expected = Matrix::from_rows(&[vec![1.0, -2.0, 0.0], vec![0.5, 3.0, 7.0]]);
    for (found, name) in all.iter().zip(&names) {
        assert_eq!(found.data.inputs(), Some(&expected), "{name}");
        assert_eq!(value_at(found, 0.5), 1.0_f64.cosh().ln() + 4.5_f64.cosh().ln(), "{name}");
        assert_eq!(found.digest, all[0].digest, "{name}");
        assert!(found.notes.iter().any(|note| note.contains("1 entry of Y was not observed")), "{:?}", found.notes);
    }
    assert_ne!(read(&names[0], &spec("square")).unwrap().digest, all[0].digest);
}

#[test]
fn gaps_in_inputs_and_infinite_targets_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str, bytes: &[u8], says: &[&str]| {
        let path = put(folder.path(), name, bytes);
        assert_says(&read(path.to_str().unwrap(), &spec("logcosh")).unwrap_err(), says);
    };
    refused("x.json", br#"{"X": [[1, null]], "Y": [[1]]}"#, &["x.json", "X", "NaN in row 0, column 1"]);
    refused("x.csv", b"x1,x2,y\n1,,1\n", &["x.csv", "x2", "missing"]);
    refused("y.csv", b"x1,x2,y\n1,2,inf\n", &["y.csv", "y", "inf at index [0, 2]"]);
    refused("n.json", br#"{"X": [[1, 2]], "Y": [[NaN]]}"#, &["n.json", "write null in JSON"]);
    refused("all.json", br#"{"X": [[1, 2]], "Y": [[null]]}"#, &["all.json", "Y", "no entry was observed"]);
}

#[test]
fn an_autoencoder_has_its_inputs_as_targets() {
    let folder = tempfile::tempdir().unwrap();
    let path = put(folder.path(), "d.json", br#"{"X": [[1, 2], [3, 4.5]]}"#);
    let options = SampleOptions { autoencoder: true, ..SampleOptions::default() };
    let files = DataFiles { samples: Some(path.display().to_string()), options, ..DataFiles::default() };
    let found = files.read_loss(&spec("logcosh"), &[]).unwrap();
    let inputs = found.data.inputs().unwrap().clone();
    assert_eq!(found.data.loss().value(&inputs), 0.0);
}

#[cfg(feature = "parquet")]
#[test]
fn gaps_in_parquet_are_those_of_the_table() {
    let table = |name: &str| format!("{}/../../oracles/tables/{name}.parquet", env!("CARGO_MANIFEST_DIR"));
    for name in ["missing", "nan"] {
        let found = read(&table(name), &spec("logcosh")).unwrap();
        assert!(found.notes.iter().any(|note| note.contains("1 entry of Y was not observed")), "{:?}", found.notes);
        assert!(value_at(&found, 0.0).is_finite());
    }
}
