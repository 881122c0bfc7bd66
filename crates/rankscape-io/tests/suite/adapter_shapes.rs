//! Adapters whose tensors have shapes that fit nothing are refused, whatever stands beside.

use rankscape_io::adapter::open_adapter;
use testkit::files::{f64_bytes, put, safetensors};

/// The error of an adapter with these tensors of ones in double precision, with this configuration in the header of the file.
fn refusal(tensors: &[(&str, &[u64])], config: &str) -> String {
    let mut entries = Vec::new();
    let mut count = 0;
    for (name, shape) in tensors {
        let numbers: u64 = shape.iter().product();
        let (from, to) = (8 * count, 8 * (count + numbers));
        entries.push(format!("\"{name}\":{{\"dtype\":\"F64\",\"shape\":{shape:?},\"data_offsets\":[{from},{to}]}}"));
        count += numbers;
    }
    if !config.is_empty() {
        entries.push(format!("\"__metadata__\":{{\"lora_adapter_metadata\":{config:?}}}"));
    }
    let bytes = safetensors(&format!("{{{}}}", entries.join(",")), &f64_bytes(&vec![1.0; count as usize]));
    let folder = tempfile::tempdir().unwrap();
    let path = put(folder.path(), "a.safetensors", &bytes);
    let read = || {
        let file = open_adapter(&path, None)?;
        (0..file.len()).try_for_each(|k| file.load(k, None).map(|_| ()))
    };
    read().unwrap_err().to_string()
}

#[test]
fn empty_stacks_of_experts_are_refused_whatever_number_they_declare() {
    let many = 1 << 40;
    let mlx = refusal(&[("q.lora_a", &[many, 1, 0]), ("q.lora_b", &[many, 0, 1])], "");
    assert!(mlx.contains("lora_b does not fit lora_a"), "{mlx}");
    let config = r#"{"r": 1, "lora_alpha": 1, "target_parameters": ["experts.up_proj"]}"#;
    let pair = refusal(&[("experts.lora_A.weight", &[many, 0]), ("experts.lora_B.weight", &[0, many])], config);
    assert!(pair.contains("experts.lora_A.weight"), "{pair}");
}

#[test]
fn stacks_of_different_numbers_of_experts_are_refused() {
    let message = refusal(&[("q.lora_a", &[3, 1, 2]), ("q.lora_b", &[2, 2, 1])], "");
    assert!(message.contains("q.lora_b") && message.contains("lora_a is 3 x 1 x 2, lora_b is 2 x 2 x 1"), "{message}");
}

#[test]
fn block_diagonal_factors_that_are_single_numbers_are_refused() {
    let config = r#"{"lora_alpha": 1, "use_bdlora": {"target_modules_bd_a": ["q"], "nblocks": 1}}"#;
    let message = refusal(&[("q.lora_A.weight", &[]), ("q.lora_B.weight", &[1, 1])], config);
    assert!(message.contains("q.lora_A.weight"), "{message}");
}

#[test]
fn empty_tucker_cores_are_refused() {
    let message = refusal(
        &[
            ("m.lora_down.weight", &[1, 2, 1, 1]),
            ("m.lora_mid.weight", &[1, 1, 0, 1]),
            ("m.lora_up.weight", &[2, 1, 1, 1]),
        ],
        "",
    );
    assert!(message.contains("the Tucker core does not fit its sides"), "{message}");
}
