//! No file of a crate uses, over others, itself: what two files share lies in a third, below both.

use std::collections::{BTreeMap, BTreeSet};

use super::modules::{Modules, Use};
use super::text::{Finding, Source};

/// Every set of files of a crate that all use each other, directly or over others of them; tests inside a file and
/// mere re-exports do not count.
pub fn rings(files: &[Source]) -> Vec<Finding> {
    let folder = |file: &Source| file.path.split_once("/src/").map(|(folder, _)| folder.to_owned());
    let crates: BTreeSet<String> = files.iter().filter_map(folder).filter(|name| name.starts_with("crates/")).collect();
    crates.iter().flat_map(|name| rings_of(&Modules::of_crate(files, name).uses())).collect()
}

fn rings_of(uses: &[Use]) -> Vec<Finding> {
    let mut below: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for each in uses {
        below.entry(&each.file).or_default().insert(&each.used);
    }
    let reached: BTreeMap<&str, BTreeSet<&str>> = below.keys().map(|&file| (file, reach(&below, file))).collect();
    let reaches = |from: &str, to: &str| reached.get(from).is_some_and(|files| files.contains(to));
    let mut findings = Vec::new();
    let mut listed: BTreeSet<&str> = BTreeSet::new();
    for &file in below.keys().filter(|file| reaches(file, file)) {
        if listed.contains(file) {
            continue;
        }
        let ring: Vec<&str> =
            below.keys().copied().filter(|other| reaches(file, other) && reaches(other, file)).collect();
        listed.extend(&ring);
        let links: Vec<&Use> = ring
            .iter()
            .filter_map(|&user| uses.iter().find(|each| each.file == user && ring.contains(&each.used.as_str())))
            .collect();
        let told: Vec<String> = links
            .iter()
            .map(|link| format!("{}:{} uses `{}` of {}", link.file, link.line, link.path, link.used))
            .collect();
        let message = format!(
            "{} files use each other in a ring; move what they share to a file below them: {}",
            ring.len(),
            told.join("; ")
        );
        findings.push(Finding::new(file, links.first().map_or(1, |link| link.line), message));
    }
    findings
}

/// All files that a file uses, directly or over others.
fn reach<'a>(below: &BTreeMap<&str, BTreeSet<&'a str>>, file: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = below.get(file).into_iter().flatten().copied().collect();
    while let Some(next) = open.pop() {
        if found.insert(next) {
            open.extend(below.get(next).into_iter().flatten());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(files: &[(&str, &str)]) -> Vec<String> {
        let source = |(path, text): &(&str, &str)| Source::new(format!("crates/a/src/{path}"), *text);
        let root = [("lib.rs", "")];
        rings(&root.iter().chain(files).map(source).collect::<Vec<_>>()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn two_files_that_use_each_other_fail_in_every_spelling() {
        for text in [
            "use super::b::Thing;",
            "use crate::b::{Thing, other};",
            "fn f() { super::b::thing(); }",
            "use super::b;\nfn f() { b::thing(); }",
            "use crate::Thing;",
        ] {
            let lib = ("lib.rs", "mod a;\nmod b;\npub use b::Thing;");
            let found = findings(&[lib, ("a.rs", text), ("b.rs", "\nuse super::a::Shared;")]);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].starts_with("crates/a/src/a.rs:"), "{found:?}");
            assert!(found[0].contains("2 files use each other in a ring"), "{found:?}");
            let link = "crates/a/src/b.rs:2 uses `super::a::Shared` of crates/a/src/a.rs";
            assert!(found[0].contains(link), "{found:?}");
        }
    }

    #[test]
    fn a_ring_of_three_is_one_finding_and_a_chain_is_none() {
        let chain = [("a.rs", "use crate::b::B;"), ("b.rs", "use crate::c::C;"), ("c.rs", "")];
        assert_eq!(findings(&chain), [""; 0]);
        let ring = [chain[0], chain[1], ("c.rs", "use crate::a::A;")];
        let found = findings(&ring);
        assert!(found.len() == 1 && found[0].contains("3 files"), "{found:?}");
    }

    #[test]
    fn a_folder_that_uses_a_child_that_uses_what_it_defines_is_a_ring() {
        let child = ("m/child.rs", "use super::Shared;");
        let private = findings(&[("m/mod.rs", "mod child;\nuse child::Thing;\npub struct Shared;"), child]);
        let exported = "mod child;\npub use child::Thing;\npub struct Shared(Thing);";
        let called = "mod child;\npub use child::thing;\npub struct Shared;\nfn f() { thing() }";
        for found in [private, findings(&[("m/mod.rs", exported), child]), findings(&[("m/mod.rs", called), child])] {
            assert_eq!(found.len(), 1, "{found:?}");
        }
    }

    #[test]
    fn a_re_export_alone_is_no_use_and_leads_to_where_the_name_is_defined() {
        let folder =
            ("m/mod.rs", "mod child;\nmod other;\npub use child::child;\npub use other::Other;\npub struct Shared;");
        let files = [folder, ("m/child.rs", "use super::{Other, Shared};"), ("m/other.rs", "use super::Shared;")];
        assert_eq!(findings(&files), [""; 0]);
        let ring = [folder, ("m/child.rs", "use super::Other;"), ("m/other.rs", "use super::child;")];
        assert_eq!(findings(&ring).len(), 1);
    }

    #[test]
    fn tests_comments_and_other_crates_do_not_count() {
        let tests = "//! See [`crate::a`].\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}";
        assert_eq!(findings(&[("a.rs", "use crate::b::B;\nuse other::a::A;"), ("b.rs", tests)]), [""; 0]);
    }
}
