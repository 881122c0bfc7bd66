//! The contract in `docs/` is the one that the types of the documents make.

use std::path::{Path, PathBuf};

use rankscape_io::documents::{schema_name, schemas};
use serde_json::Value;

use crate::documents_page::page;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// Names and texts of the files that are made from the types.
fn files() -> Vec<(PathBuf, String)> {
    let schemas = schemas();
    let schema = |schema: &Value| {
        let name = schema_name(schema).unwrap();
        (docs().join(format!("schema/{name}.schema.json")), serde_json::to_string_pretty(schema).unwrap() + "\n")
    };
    schemas.iter().map(schema).chain([(docs().join("documents.md"), page(&schemas))]).collect()
}

/// `UPDATE_SCHEMAS=1` writes them.
#[test]
fn schemas_and_their_page_are_those_of_the_types() {
    for (path, text) in files() {
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(&path, text).unwrap();
            continue;
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        let update = "UPDATE_SCHEMAS=1 cargo test -p rankscape-io --features schema schemas";
        assert!(found == text, "{} is not what the types say; this writes it: {update}", path.display());
    }
}

#[test]
fn no_other_schema_lies_beside_them() {
    let mut made: Vec<PathBuf> = files()
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    let folder = std::fs::read_dir(docs().join("schema")).unwrap();
    let mut found: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    made.sort();
    found.sort();
    assert_eq!(made, found);
}

#[test]
fn schemas_describe_every_field() {
    fn undescribed(schema: &Value, path: &str, missing: &mut Vec<String>) {
        for (name, member) in schema.as_object().into_iter().flatten() {
            let fields = (name == "properties").then(|| member.as_object()).flatten();
            for (name, field) in fields.into_iter().flatten() {
                if field["description"].as_str().is_none_or(|text| text.len() < 5) {
                    missing.push(format!("{path}/{name}"));
                }
            }
            // What stands beside a reference only narrows fields that have their description there.
            if name != "allOf" {
                undescribed(member, &format!("{path}/{name}"), missing);
            }
        }
        for (at, member) in schema.as_array().into_iter().flatten().enumerate() {
            undescribed(member, &format!("{path}/{at}"), missing);
        }
    }
    for schema in schemas() {
        let mut missing = Vec::new();
        undescribed(&schema, schema_name(&schema).unwrap(), &mut missing);
        assert!(missing.is_empty(), "{missing:?}");
    }
}

#[test]
fn objects_of_schemas_are_closed() {
    fn open(schema: &Value, path: &str, found: &mut Vec<String>) {
        if schema["type"] == "object" && schema["additionalProperties"].is_null() {
            found.push(path.to_owned());
        }
        match schema {
            Value::Object(members) => {
                members.iter().for_each(|(name, member)| open(member, &format!("{path}/{name}"), found));
            }
            Value::Array(members) => members.iter().for_each(|member| open(member, path, found)),
            _ => {}
        }
    }
    for schema in schemas() {
        let mut found = Vec::new();
        open(&schema, schema_name(&schema).unwrap(), &mut found);
        found.retain(|path| !path.contains("/allOf"));
        assert!(found.is_empty(), "{found:?}");
    }
}
