//! Widths of a network and what they alone decide: bottleneck rank, filling or not, counts.

use crate::error::{InputError, Result};

/// Widths `d_0, ..., d_h` of a network with `h` factors, `W_k` of shape `d_k x d_{k-1}`.
///
/// ```
/// use rankscape::architecture::Architecture;
/// let narrow = Architecture::new(vec![4, 2, 3]).unwrap();
/// assert_eq!((narrow.depth(), narrow.bottleneck_rank(), narrow.is_filling()), (2, 2, false));
/// assert_eq!((narrow.parameters(), narrow.variety_dimension()), (14, 10));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Architecture {
    widths: Vec<usize>,
}

impl Architecture {
    /// Checks the widths.
    ///
    /// # Errors
    /// If there are fewer than two widths, or one is zero.
    pub fn new(widths: Vec<usize>) -> Result<Self> {
        if widths.len() < 2 {
            return Err(InputError::new("a network needs at least two widths, input and output")
                .value(format!("{widths:?}"))
                .hint("give d0,d1,...,dh"));
        }
        if let Some(layer) = widths.iter().position(|&width| width == 0) {
            return Err(InputError::new(format!("width d{layer} is zero"))
                .value(format!("{widths:?}"))
                .hint("every layer needs at least one unit"));
        }
        Ok(Self { widths })
    }

    /// Number of factors, `h`.
    pub fn depth(&self) -> usize {
        self.widths.len() - 1
    }

    /// The widths `d_0, ..., d_h`.
    pub fn widths(&self) -> &[usize] {
        &self.widths
    }

    /// Input width `d_0`.
    pub fn inputs(&self) -> usize {
        self.widths[0]
    }

    /// Output width `d_h`.
    pub fn outputs(&self) -> usize {
        self.widths[self.depth()]
    }

    /// `r = min d_i`: the function space is the set of matrices of rank at most `r`.
    pub fn bottleneck_rank(&self) -> usize {
        self.widths.iter().copied().min().unwrap_or(0)
    }

    /// Whether every `d_h x d_0` matrix is a product, `r = min(d_0, d_h)`.
    pub fn is_filling(&self) -> bool {
        self.bottleneck_rank() == self.inputs().min(self.outputs())
    }

    /// Number of entries of all factors.
    pub fn parameters(&self) -> usize {
        self.widths.windows(2).map(|pair| pair[0] * pair[1]).sum()
    }

    /// Dimension `r (d_0 + d_h - r)` of the determinantal variety of matrices of rank at most `r`.
    pub fn variety_dimension(&self) -> usize {
        let r = self.bottleneck_rank();
        r * (self.inputs() + self.outputs() - r)
    }
}
