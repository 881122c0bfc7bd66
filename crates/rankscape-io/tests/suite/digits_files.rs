//! The shipped example is read as a user reads it.

use std::path::PathBuf;

use rankscape_io::{SampleOptions, WeightOptions, read_samples, read_weights};

fn example(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/digits").join(name)
}

#[test]
fn checkpoints_chain_and_keep_their_type() {
    let weights = read_weights(example("plateau.safetensors"), &WeightOptions::default()).unwrap();
    assert_eq!(weights.widths(), [64, 24, 8, 24, 64]);
    assert_eq!(weights.unit_roundoff, 2.0_f64.powi(-24));
    let weights = read_weights(example("classifier-converged.safetensors"), &WeightOptions::default()).unwrap();
    assert_eq!((weights.widths(), weights.unit_roundoff), (vec![64, 6, 10], 2.0_f64.powi(-53)));
}

#[test]
fn digits_enter_once_for_either_task() {
    let data = example("digits.npz");
    let data = data.to_str().unwrap();
    let options = SampleOptions { expected: Some((64, 10)), ..SampleOptions::default() };
    let labels = read_samples(data, &options).unwrap();
    assert_eq!((labels.factor.samples(), labels.factor.inputs(), labels.factor.outputs()), (1797, 64, 10));
    let options = SampleOptions { autoencoder: true, threads: 2, ..SampleOptions::default() };
    let images = read_samples(data, &options).unwrap();
    let factor = images.factor.plain();
    assert_eq!((factor.inputs, factor.outputs), (64, 64));
    assert!(factor.xx() == factor.xy() && factor.yy().max_abs() == 0.0);
    let largest = rankscape::linalg::spectral_norm(&factor.xx());
    assert!((largest - 2193.0).abs() < 1.0, "{largest}");
    assert!(
        images.exact.is_none() && images.notes.len() == 1 && images.notes[0].contains("labels"),
        "{:?}",
        images.notes
    );
}
