//! Whether the hypotheses of pyramidal networks hold.

use super::Answer;
pub use crate::pyramidal::{Pyramid, PyramidFindings, pyramid};

impl Answer for PyramidFindings {
    fn is_undecided(&self) -> bool {
        !self.is_open()
    }
}
