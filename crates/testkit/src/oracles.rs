//! Loader of the answers under `oracles/` that no code of this project produced; each folder has a `PROVENANCE.md`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::grid::Dense;

/// Nested rows.
pub type Rows = Vec<Vec<f64>>;

/// A linear network under the square loss. Samples are **columns** of `x` and `y`.
#[derive(Debug, Clone, Deserialize)]
pub struct LandscapeCase {
    /// Name of the case.
    pub id: String,
    /// What it is about.
    pub note: String,
    /// `d_0, ..., d_h`.
    pub widths: Vec<usize>,
    /// `d_0 x n`.
    #[serde(rename = "X")]
    pub x: Rows,
    /// `d_h x n`.
    #[serde(rename = "Y")]
    pub y: Rows,
    /// All critical values.
    pub ladder: Ladder,
    /// Points with their answers.
    pub points: Vec<LandscapePoint>,
}

/// The critical values of a case, ascending.
#[derive(Debug, Clone, Deserialize)]
pub struct Ladder {
    /// Distinct positive eigenvalues of `Y X^+ X Y'` (squared singular values of the whitened target).
    pub sigma: Vec<SquaredValue>,
    /// Multiplicity of the eigenvalue 0.
    pub zero_mult: usize,
    /// Largest rank that the product times `X` can have.
    pub max_rank: usize,
    /// Part of the loss that no network reaches.
    pub floor: f64,
    /// Levels, ascending.
    pub levels: Vec<Level>,
    /// Their number.
    pub n_levels: usize,
    /// The first level.
    pub global_min: f64,
}

/// An eigenvalue and its multiplicity.
#[derive(Debug, Clone, Deserialize)]
pub struct SquaredValue {
    /// Squared singular value.
    pub value: f64,
    /// Multiplicity.
    pub mult: usize,
}

/// One critical value and the patterns that have it.
#[derive(Debug, Clone, Deserialize)]
pub struct Level {
    /// The loss.
    pub value: f64,
    /// Patterns: how many of each eigenvalue are captured, in the order of `sigma`.
    pub p: Vec<Vec<usize>>,
}

/// One point of a case.
#[derive(Debug, Clone, Deserialize)]
pub struct LandscapePoint {
    /// Name of the point.
    pub name: String,
    /// `W_1` first.
    #[serde(rename = "W")]
    pub factors: Vec<Rows>,
    /// The decimals are the point exactly.
    pub exact: bool,
    /// `L`.
    pub loss: f64,
    /// Norm of the whole gradient.
    pub grad_norm: f64,
    /// Whether the gradient is zero.
    pub critical: bool,
    /// Ranks of the factors.
    pub ranks: Vec<usize>,
    /// Rank of the product.
    pub rank_product: usize,
    /// Rank of the product times `X`.
    #[serde(rename = "rank_product_X")]
    pub rank_product_x: usize,
    /// Position in the ladder, for critical points.
    pub level: Option<usize>,
    /// Number of parameters.
    pub n_params: usize,
    /// Number of negative eigenvalues of the Hessian.
    pub index: usize,
    /// Number of zero eigenvalues.
    pub nullity: usize,
    /// Number of positive eigenvalues.
    pub n_positive: usize,
    /// Smallest eigenvalue.
    pub lambda_min: f64,
    /// All eigenvalues, ascending.
    pub spectrum: Vec<f64>,
    /// `global_min`, `strict_saddle`, `non_strict_saddle` or `noncritical`.
    pub class: String,
}

impl LandscapePoint {
    /// The class in the words of this project's documents.
    pub fn class_name(&self) -> &str {
        match self.class.as_str() {
            "global_min" => "global_minimum",
            "noncritical" => "not_critical",
            other => other,
        }
    }
}

/// A tuple of factors, no data.
#[derive(Debug, Clone, Deserialize)]
pub struct LiftCase {
    /// Number of the case.
    pub id: u32,
    /// What it is about.
    pub name: String,
    /// `d_0, ..., d_h`.
    pub widths: Vec<usize>,
    /// `W_1` first.
    pub factors: Vec<Rows>,
    /// `W_h ... W_1`.
    pub product: Rows,
    /// `"i:j"` to the rank of `W_j ... W_{i+1}`, `0 <= i < j <= h`.
    pub rank_profile: BTreeMap<String, usize>,
    /// Rank of the product.
    pub rank_product: usize,
    /// Bottleneck rank.
    pub r: usize,
    /// Whether the bottleneck is one of the ends.
    pub filling: bool,
    /// Dimension of the matrices of rank at most `r`.
    #[serde(rename = "dim_Mr")]
    pub dim_mr: usize,
    /// Rank of the differential of the product map.
    pub rank_dmu: usize,
    /// Whether that is `dim_mr`.
    #[serde(rename = "submersion_onto_Mr")]
    pub submersion_onto_mr: bool,
    /// Number of path components of the fiber.
    pub fiber_components: u64,
    /// Open at the point, relative to the matrices of rank at most `r`.
    #[serde(rename = "open_rel_Mr")]
    pub open_rel_mr: bool,
    /// What each inner node needs and has.
    pub open_nodes: Vec<OpenNode>,
    /// Lift property.
    pub local_to_local: bool,
    /// Lift property.
    pub local_to_1: bool,
    /// Lift property.
    pub one_to_1: bool,
    /// Lift property.
    pub two_to_1: bool,
    /// The component of the fiber.
    pub invariant: FiberComponent,
    /// A second factorization of the same product.
    pub other_factors: Option<Vec<Rows>>,
    /// Its signs, for the same columns and nodes.
    pub other_signs: Option<Vec<i32>>,
    /// Whether both lie in one component.
    pub same_component: Option<bool>,
}

/// The openness criterion at an inner node: open when `need <= have`.
#[derive(Debug, Clone, Deserialize)]
pub struct OpenNode {
    /// The node.
    pub i: usize,
    /// Left side.
    pub need: i64,
    /// Right side.
    pub have: i64,
}

/// Label of a component: columns of the product, nodes as wide as its rank, signs of the determinants there.
#[derive(Debug, Clone, Deserialize)]
pub struct FiberComponent {
    /// 0-based columns of the product.
    pub columns: Vec<usize>,
    /// Inner nodes whose width is the rank of the product.
    pub nodes: Vec<usize>,
    /// One sign for each node.
    pub signs: Vec<i32>,
}

/// Nested rows as matrices; an empty list of rows has no columns.
pub fn matrices(factors: &[Rows]) -> Vec<Dense> {
    factors.iter().map(|rows| Dense::from_rows(rows)).collect()
}

/// The cases on linear networks.
pub fn landscape_cases() -> Vec<LandscapeCase> {
    records("landscape/landscape_cases.jsonl", |record| record["kind"] == "linear")
}

/// The cases on one hidden ReLU unit, as plain JSON.
pub fn relu_cases() -> Vec<Value> {
    records("landscape/landscape_cases.jsonl", |record| record["kind"] == "relu1")
}

/// The cases on the product map.
pub fn lift_cases() -> Vec<LiftCase> {
    records("lift/lift_cases.jsonl", |_| true)
}

fn records<T: DeserializeOwned>(file: &str, wanted: impl Fn(&Value) -> bool) -> Vec<T> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../oracles").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("oracles/{file}: {error}"));
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let place = format!("oracles/{file}:{}", number + 1);
        let record: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{place}: {error}"));
        if wanted(&record) {
            found.push(serde_json::from_value(record).unwrap_or_else(|error| panic!("{place}: {error}")));
        }
    }
    found
}
