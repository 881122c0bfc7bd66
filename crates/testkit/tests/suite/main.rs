//! The references themselves, and the tidy rules.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod nearest;
mod oracles;
mod planted;
mod search;
mod tidy;
