//! The command `rankscape`.
fn main() {}
