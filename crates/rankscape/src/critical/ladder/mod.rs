//! Every critical value of the square loss for given data and widths: the ladder.
//!
//! At a critical point the whitened product is `P_S Z`: it captures some singular directions of the whitened target.
//! A *rung* says how many of each distinct positive singular value. Rungs stream in order of value, are counted without
//! being listed, and carry what is known of the critical points over them. Definitions, formulas and proofs are in
//! `docs/ladder.md`.

mod count;
mod descent;
mod dimension;
mod levels;
mod minima;
mod rung;
mod stream;

pub use descent::{Descent, DescentKind, Descents};
pub use levels::{Level, Levels};
pub use minima::{BadLocalMinima, GlobalMinima};
pub use rung::{Rung, RungClasses};
pub use stream::Rungs;

use std::collections::BTreeMap;

use num_bigint::BigUint;

use crate::architecture::Architecture;
use crate::data::Whitening;
use crate::error::{InputError, Result};
use crate::tolerance::Tolerances;

use crate::data::ExactMoments;

/// Most parameters, so that no dimension overflows.
const LARGEST_COUNT: usize = usize::MAX >> 2;

/// The critical values of the square loss of a linear network, for any data, widths and depth.
#[derive(Debug, Clone)]
pub struct Ladder {
    architecture: Architecture,
    levels: Levels,
    effective_bottleneck: usize,
    free: usize,
}

impl Ladder {
    /// The ladder of whitened data; exact data decide ranks and equal singular values over the rationals.
    ///
    /// # Errors
    /// If the data do not fit the widths, the parameters are too many to count, or values of the loss overflow or
    /// underflow.
    ///
    /// ```
    /// use rankscape::architecture::Architecture;
    /// use rankscape::critical::Ladder;
    /// use rankscape::data::{TriangularFactor, Whitening};
    /// use rankscape::{Matrix, Tolerances};
    /// let target = TriangularFactor::from_target(&Matrix::from_diagonal(2, 2, &[2.0, 1.0]));
    /// let tolerances = Tolerances::default();
    /// let widths = Architecture::new(vec![2, 1, 2]).unwrap();
    /// let ladder = Ladder::new(widths, &Whitening::new(&target, &tolerances), None, &tolerances).unwrap();
    /// let values: Vec<f64> = ladder.rungs().map(|rung| rung.value).collect();
    /// assert_eq!(values, [0.5, 2.0, 2.5]);
    /// assert_eq!(ladder.rungs_total(), 3u32.into());
    /// ```
    pub fn new(
        architecture: Architecture,
        whitening: &Whitening,
        exact: Option<&ExactMoments>,
        tolerances: &Tolerances,
    ) -> Result<Self> {
        let data = (whitening.basis.nrows(), whitening.target.nrows());
        let wanted = (architecture.inputs(), architecture.outputs());
        if data != wanted {
            return Err(InputError::new(format!(
                "the data do not fit the widths: they have {} inputs and {} outputs",
                data.0, data.1
            ))
            .array("data")
            .value(format!("widths {:?}", architecture.widths()))
            .hint("the first width is the number of columns of X, the last one that of Y"));
        }
        let parameters = architecture
            .widths()
            .windows(2)
            .try_fold(0usize, |sum, pair| pair[0].checked_mul(pair[1]).and_then(|product| product.checked_add(sum)));
        if parameters.is_none_or(|count| count > LARGEST_COUNT) {
            return Err(InputError::new("the network is too large to count its parameters")
                .array("widths")
                .value(format!("{:?}", architecture.widths())));
        }
        let ladder = Self::unchecked(architecture, whitening, exact, tolerances);
        ladder.levels.check_range()?;
        Ok(ladder)
    }

    fn unchecked(
        architecture: Architecture,
        whitening: &Whitening,
        exact: Option<&ExactMoments>,
        tolerances: &Tolerances,
    ) -> Self {
        let levels = match exact {
            Some(exact) => Levels::exact(whitening, exact, tolerances),
            None => Levels::numerical(whitening, tolerances),
        };
        let narrowest = architecture.widths()[1..].iter().copied().min().unwrap_or(0);
        Self { effective_bottleneck: narrowest.min(levels.data_rank), levels, architecture, free: 0 }
    }

    /// The smallest value of the loss for data that fit the widths, also where other values are not representable: a function of
    /// data and widths alone.
    pub fn minimum_of(
        architecture: &Architecture,
        whitening: &Whitening,
        exact: Option<&ExactMoments>,
        tolerances: &Tolerances,
    ) -> f64 {
        Self::unchecked(architecture.clone(), whitening, exact, tolerances).global_minimum()
    }

    /// Counts `free` more parameters that the loss does not depend on, such as biases of inner layers.
    #[must_use]
    pub fn with_free_parameters(mut self, free: usize) -> Self {
        self.free = free;
        self
    }

    /// The widths.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The distinct singular values and what they rest on.
    pub fn levels(&self) -> &Levels {
        &self.levels
    }

    /// `min(rank X, d_1, ..., d_h)`: the largest rank of a whitened product.
    pub fn effective_bottleneck(&self) -> usize {
        self.effective_bottleneck
    }

    /// How many rungs there are.
    pub fn rungs_total(&self) -> BigUint {
        if self.architecture.depth() == 1 {
            return 1u32.into();
        }
        count::patterns(self.levels.multiplicities(), self.effective_bottleneck)
    }

    /// Smallest value of the loss.
    pub fn global_minimum(&self) -> f64 {
        self.levels.value(&self.top(self.effective_bottleneck))
    }

    /// Loss of the zero map.
    pub fn value_at_origin(&self) -> f64 {
        self.levels.value(&self.top(0))
    }

    /// The pattern that captures the `rank` largest singular values.
    pub(super) fn top(&self, rank: usize) -> Vec<usize> {
        let mut left = rank;
        self.levels
            .multiplicities()
            .map(|m| {
                let taken = m.min(left);
                left -= taken;
                taken
            })
            .collect()
    }

    /// Dimensions of the critical points over one product, by the rank of that product; each is computed once.
    fn fiber_dimension(&self, rank: usize, known: &mut BTreeMap<usize, usize>) -> usize {
        *known.entry(rank).or_insert_with(|| {
            let widths = self.architecture.widths();
            let whitened: Vec<usize> = std::iter::once(self.levels.data_rank).chain(widths[1..].to_vec()).collect();
            let flat = widths[1] * (widths[0] - self.levels.data_rank);
            flat + self.free + dimension::over_one_product(&whitened, rank, self.levels.rank() - rank)
        })
    }
}
