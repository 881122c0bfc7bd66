//! Digests of what an answer was made from.

use serde::Serialize;

/// SHA-256 over shapes and values, the same whatever the format of the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline, extend("pattern" = "^[0-9a-f]{64}$")))]
pub struct Digest(String);

impl From<String> for Digest {
    fn from(digest: String) -> Self {
        Self(digest)
    }
}

/// Digests of data and weights.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PointDigest {
    /// Of X and Y, or of the target.
    pub data: Digest,
    /// Of matrices and biases.
    pub weights: Digest,
}

/// The digest of the data.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DataDigest {
    /// Of X and Y, or of the target.
    pub data: Digest,
}

/// The digest of the weights.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WeightsDigest {
    /// Of matrices and biases.
    pub weights: Digest,
}

/// Digests of the data and, where their widths were used, of weights.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LadderDigest {
    /// Of X and Y, or of the target.
    pub data: Digest,
    /// Of matrices and biases, where their widths were used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<Digest>,
}
