//! The command as a user runs it: arguments, files, documents, text, exit codes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod about;
mod adapter;
mod bad_input;
mod certificates;
mod common;
mod construct;
mod corners;
mod critical;
mod decay;
mod documents;
mod escape;
mod extremes;
mod flow;
mod guide;
mod hessian;
mod hints;
mod itinerary;
mod landscape_cases;
mod layouts;
mod leave;
mod losses;
mod map;
mod near_cases;
mod normalized;
mod outputs;
mod predictor;
mod pyramid;
mod quadratic;
mod real_points;
mod sweep;
mod text;
mod verify;
