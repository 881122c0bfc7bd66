//! Where a balanced adapter must not be written.

use std::path::Path;

use testkit::random::Draw;

use super::checkpoint::put_checkpoint;
use super::{answer, pair, refused};
use testkit::files::put;

fn adapter_in(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    put_checkpoint(folder, "adapter_model.safetensors", &pair("m", 2, &mut Draw::new(95, 0)));
    put(folder, "adapter_config.json", br#"{"r": 2, "lora_alpha": 4}"#);
}

#[cfg(unix)]
#[test]
fn a_link_to_an_input_is_refused_as_the_input_is() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    adapter_in(&folder.join("A"));
    let input = folder.join("A/adapter_model.safetensors");
    for kind in ["hard", "symbolic"] {
        let out = folder.join(kind);
        std::fs::create_dir(&out).unwrap();
        let name = out.join("adapter_model.safetensors");
        if kind == "hard" {
            std::fs::hard_link(&input, &name).unwrap();
        } else {
            std::os::unix::fs::symlink(&input, &name).unwrap();
        }
        let before = std::fs::read(&input).unwrap();
        refused(folder, &["A", "--balance", "--save", kind, "--force"], &["the output is one of the inputs", kind]);
        assert_eq!(std::fs::read(&input).unwrap(), before);
        assert!(!out.join("adapter_config.json").exists(), "nothing is written");
    }
}

#[test]
fn a_folder_that_holds_another_adapter_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    adapter_in(&folder.join("A"));
    answer(folder, &["A", "--balance", "--save", "B"], 0);
    adapter_in(&folder.join("B/second"));
    let before = std::fs::read(folder.join("B/adapter_model.safetensors")).unwrap();
    refused(folder, &["A", "--balance", "--save", "B", "--force"], &["the folder holds another adapter", "second"]);
    assert_eq!(std::fs::read(folder.join("B/adapter_model.safetensors")).unwrap(), before);
    std::fs::remove_dir_all(folder.join("B/second")).unwrap();
    answer(folder, &["A", "--balance", "--save", "B"], 0);
}

#[test]
fn a_folder_inside_the_input_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    adapter_in(&folder.join("A"));
    for inside in ["A/sub", "A/sub/deeper", "A/../A/sub", "A/sub/x.safetensors"] {
        refused(folder, &["A", "--balance", "--save", inside], &["a folder inside the one that is read", inside]);
        assert!(!folder.join("A/sub").exists());
    }
    refused(&folder.join("A"), &[".", "--balance", "--save", "sub"], &["a folder inside the one that is read"]);
    answer(folder, &["A", "--balance", "--save", "B"], 0);
    answer(folder, &["A/adapter_model.safetensors", "--balance", "--save", "C"], 0);
    assert_eq!(answer(folder, &["A"], 0)["pairs"].as_array().unwrap().len(), 1);
}
