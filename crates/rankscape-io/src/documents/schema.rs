//! The contract of every document, read off its type: JSON Schemas of draft 2020-12.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::*;

/// The schema of every document, the verbs in the order of the guide.
pub fn schemas() -> Vec<Value> {
    vec![
        schema_of::<DiagnoseDocument>(),
        schema_of::<HessianSpectrumDocument>(),
        schema_of::<EscapeVerbDocument>(),
        schema_of::<CertificateDocument>(),
        schema_of::<VerifyDocument>(),
        schema_of::<CriticalDocument>(),
        schema_of::<StrataDocument>(),
        schema_of::<ConstructDocument>(),
        schema_of::<ParseDocument>(),
        schema_of::<MapDocument>(),
        schema_of::<ConnectDocument>(),
        schema_of::<BalanceDocument>(),
        schema_of::<ReachDocument>(),
        schema_of::<AdapterDocument>(),
        schema_of::<EdDocument>(),
        schema_of::<SolveDocument>(),
        schema_of::<MinimaDocument>(),
        schema_of::<FlowDocument>(),
        schema_of::<PredictorDocument>(),
        schema_of::<PyramidDocument>(),
        schema_of::<ItineraryDocument>(),
        schema_of::<SweepDocument>(),
        schema_of::<CostsDocument>(),
        schema_of::<DoctorDocument>(),
        schema_of::<ToleranceTableDocument>(),
        schema_of::<ErrorDocument>(),
    ]
}

/// The name of a document, as in `diagnose.schema.json`, of its schema.
pub fn schema_name(schema: &Value) -> Option<&str> {
    schema["title"].as_str()?.strip_prefix("rankscape.")?.split('/').next()
}

fn schema_of<D: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize().with_transform(RecursiveTransform(tidy));
    let mut schema = settings.into_generator().into_root_schema_for::<D>().to_value();
    let title = schema["properties"]["schema"]["const"].as_str().unwrap_or_default().to_owned();
    let head = json!({
        "$schema": schema["$schema"],
        "$id": format!("urn:{}", title.replace(['.', '/'], ":")),
        "title": title,
        "description": schema["description"],
    });
    let mut whole = Map::new();
    for part in [head, schema.take()] {
        for (key, value) in part.as_object().into_iter().flatten() {
            whole.entry(key).or_insert_with(|| value.clone());
        }
    }
    whole.insert("title".into(), title.into());
    Value::Object(whole)
}

/// Nothing but the fields of the type; one line for each description; no formats, which say how Rust holds a number; parts
/// without the ending that the names of all types of documents have.
fn tidy(schema: &mut Schema) {
    let short = |name: &str| name.strip_suffix("Document").unwrap_or(name).to_owned();
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        schema.insert("$ref".into(), short(target).into());
    }
    if let Some(Value::Object(parts)) = schema.get_mut("$defs") {
        *parts = std::mem::take(parts).into_iter().map(|(name, part)| (short(&name), part)).collect();
    }
    schema.remove("format");
    if schema.get("type").is_some_and(|kind| kind == "object") && schema.get("properties").is_some() {
        schema.insert("additionalProperties".into(), false.into());
        let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        let fields = schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten();
        fields.filter(|(name, _)| !required.contains(&name.as_str().into())).for_each(|(_, field)| forbid_null(field));
    }
    if let Some(text) = schema.get("description").and_then(Value::as_str) {
        schema.insert("description".into(), text.replace('\n', " ").into());
    }
}

/// A field that may be missing is left out where it would be null.
fn forbid_null(field: &mut Value) {
    let is_null = |choice: &Value| choice == "null" || choice["type"] == "null";
    for choices in ["type", "anyOf"] {
        let Some(Value::Array(list)) = field.get_mut(choices) else { continue };
        list.retain(|choice| !is_null(choice));
        if list.len() > 1 {
            continue;
        }
        let only = list.pop().unwrap_or_default();
        match (choices, only) {
            ("type", only) => field["type"] = only,
            (_, Value::Object(only)) => {
                if let Some(members) = field.as_object_mut() {
                    members.remove(choices);
                    members.extend(only);
                }
            }
            _ => {}
        }
    }
}
