//! The workspace is tidy: layers, module documentation, file lengths, citations, paths, serialization, tolerances.

use testkit::tidy;

#[test]
fn workspace_obeys_its_own_rules() {
    let files = tidy::workspace_files(&tidy::workspace_root());
    assert!(
        files.iter().filter(|file| tidy::is_source(file)).count() > 10,
        "the files of the workspace were not found"
    );
    let findings: Vec<String> = tidy::check(&files).iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "{} places to mend:\n{}", findings.len(), findings.join("\n"));
}
