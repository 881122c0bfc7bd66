//! Documents and files: the only place with serialization derives.

pub mod instances;
pub mod start_set;
pub mod sweep;
