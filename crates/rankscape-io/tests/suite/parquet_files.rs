//! Samples in Parquet: the same as the table of comma-separated numbers, and every bad column one clear message.
#![cfg(feature = "parquet")]

use rankscape_io::{SampleOptions, read_samples};
use testkit::files::{assert_says, put};

fn table(name: &str) -> String {
    format!("{}/../../oracles/tables/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn tables_are_the_same_as_comma_separated_ones() {
    for name in ["samples", "snappy"] {
        for inputs in [None, Some(2)] {
            let options = SampleOptions { inputs, ..SampleOptions::default() };
            let [found, expected] = ["parquet", "csv"]
                .map(|extension| read_samples(&table(&format!("{name}.{extension}")), &options).unwrap());
            assert_eq!(found, expected, "{name}");
        }
    }
    let single = read_samples(&table("single.parquet"), &SampleOptions::default()).unwrap();
    assert_eq!(single.unit_roundoff, 2f64.powi(-24));
}

#[test]
fn bad_columns_are_named() {
    for (name, says) in [
        ("missing", ["missing.parquet", "y1", "null in row 7"]),
        ("nan", ["nan.parquet", "y1", "NaN at index [3, 1]"]),
        ("text", ["text.parquet", "x1", "BYTE_ARRAY"]),
        ("nested", ["nested.parquet", "x", "nested"]),
    ] {
        let error = read_samples(&table(&format!("{name}.parquet")), &SampleOptions::default()).unwrap_err();
        assert_says(&error, &says);
    }
}

#[test]
fn damaged_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(table("samples.parquet")).unwrap();
    for (cut, from) in [(0, 0), (4, 0), (bytes.len() / 2, 0), (bytes.len() - 1, 0), (bytes.len(), 9)] {
        let path = put(folder.path(), "cut.parquet", &bytes[from..cut.max(from)]);
        let error = read_samples(path.to_str().unwrap(), &SampleOptions::default()).unwrap_err();
        assert_says(&error, &["cut.parquet"]);
    }
    for at in (0..bytes.len()).step_by(5) {
        let mut edited = bytes.clone();
        edited[at] ^= 0x55;
        let path = put(folder.path(), "edited.parquet", &edited);
        match read_samples(path.to_str().unwrap(), &SampleOptions::default()) {
            Ok(found) => assert_eq!((found.factor.inputs(), found.factor.outputs()), (3, 2), "byte {at}"),
            Err(error) => assert_says(&error, &["edited.parquet"]),
        }
    }
}
