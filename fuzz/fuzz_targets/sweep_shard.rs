//! A shard of a sweep. The digest of its counts is put right, so that what is behind that check is reached too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rankscape::sweep::Plan;
use rankscape_fuzz::{folder, put};
use rankscape_io::sweep::SweepDirectory;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const NAME: &str = "shard-000000-of-000002.json";

fn with_digest(bytes: &[u8], plan: &str) -> Option<Vec<u8>> {
    let mut shard: Value = serde_json::from_slice(bytes).ok()?;
    let members = shard.as_object_mut()?;
    members.insert("plan".to_owned(), json!(plan));
    let of = |name: &str| members.get(name).cloned().unwrap_or_default();
    let parts = ["schema", "plan", "shard", "shards", "items"].map(of);
    let text = json!([parts, of("counts"), of("unproved"), of("contradictions")]).to_string();
    let digest: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
    members.insert("digest".to_owned(), json!(digest));
    serde_json::to_vec(&shard).ok()
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(sweep) = SweepDirectory::create(folder(), &Plan::table_2(4, 1), 2) else { return };
    for bytes in [Some(bytes.to_vec()), with_digest(bytes, sweep.digest())].into_iter().flatten() {
        put(NAME, &bytes);
        let _ = sweep.load(0);
    }
    let _ = sweep.merge();
});
