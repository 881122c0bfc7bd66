//! The library against independent answers: oracles, dense references, planted points, invariances.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod biases;
mod caustics;
mod construct;
mod corner_points;
mod decay;
mod escape_paths;
mod exact_map;
mod flow;
mod flow_closed_forms;
mod hessian_operator;
mod homotopy;
mod invariances;
mod ladder;
mod ladder_points;
mod landscape_oracles;
mod leaving;
mod lift_oracles;
mod loss_oracles;
mod losses;
mod near_reference;
mod orders;
mod parametrization;
mod parse;
mod planted_points;
mod points;
mod product_map;
mod quadratic;
mod quadratic_oracles;
mod quadratic_scales;
mod reach_targets;
mod rungs;
mod sample_factor;
mod spectra;
mod strata;
