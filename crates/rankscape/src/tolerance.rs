//! Named tolerances: one field per bounded quantity; `docs/accuracy.md` says what each does not promise.

use crate::error::{InputError, Result};

macro_rules! tolerances {
    ($($(#[doc = $doc:literal])+ $name:ident = $default:literal;)+) => {
        /// Every tolerance of the library. Those marked *u* multiply the unit roundoff of the type in which the
        /// arrays were stored (2^-53 for f64, 2^-24 for f32, 2^-11 for f16, 2^-8 for bf16).
        ///
        /// ```
        /// use rankscape::Tolerances;
        /// let mut tolerances = Tolerances::default();
        $(#[doc = concat!("assert_eq!(tolerances.", stringify!($name), ", ", stringify!($default), ");")])+
        /// tolerances.set("rank", 100.0).unwrap();
        /// assert!(tolerances.set("rnak", 1.0).is_err());
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub struct Tolerances {
            $($(#[doc = $doc])+ pub $name: f64,)+
        }

        impl Default for Tolerances {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        impl Tolerances {
            /// The names of all fields, in order.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),+];

            /// What each field bounds, in order; `(u)` stands before those that multiply the unit roundoff.
            pub fn meanings() -> Vec<String> {
                vec![$(concat!($($doc),+).trim().to_owned()),+]
            }

            /// All fields as pairs of name and value.
            pub fn entries(&self) -> Vec<(&'static str, f64)> {
                vec![$((stringify!($name), self.$name)),+]
            }

            /// Sets the field called `name`.
            ///
            /// # Errors
            /// If there is no such field, the value is negative or not finite, or no verdict would mean anything with it.
            pub fn set(&mut self, name: &str, value: f64) -> Result<()> {
                if !(value.is_finite() && value >= 0.0) {
                    return Err(InputError::new("a tolerance must be a finite number that is not negative")
                        .array(name)
                        .value(value));
                }
                check_meaning(name, value)?;
                match name {
                    $(stringify!($name) => self.$name = value,)+
                    _ => {
                        return Err(InputError::new("there is no tolerance of this name")
                            .value(name)
                            .hint(format!("the names are {}", Self::NAMES.join(", "))));
                    }
                }
                Ok(())
            }
        }
    };
}

tolerances! {
    /// (u) A singular value counts as zero when it is at most `rank * u * sqrt(larger dimension) * scale`, where the
    /// scale is the product of the spectral norms of the factors (the size of the rounding errors of the product).
    rank = 8.0;
    /// A rank is clear when no singular value lies between the tolerance and `rank_gap` times the tolerance.
    rank_gap = 100.0;
    /// A rank of stored weights is clear when no kept singular value is below `stored_gap` times what the rounding of the
    /// entries can have moved it.
    stored_gap = 4.0;
    /// Singular values that the rounding of stored entries can have made count as zero up to `stored_zero` times the
    /// product of the norms of the factors.
    stored_zero = 1e-5;
    /// (u) A point is critical when `gradient.relative <= max(critical * u, critical_floor)`.
    critical = 8.0;
    /// Lower limit of the criticality threshold: what arithmetic in double precision can be asked for.
    critical_floor = 1e-12;
    /// The threshold of criticality is this many times larger for losses other than the square one: their slopes are those of
    /// functions with rounding errors of their own, summed over the samples.
    critical_losses = 8.0;
    /// (u) Two singular values of the target count as equal when they differ by at most
    /// `tie * u * sqrt(larger dimension) * largest`.
    tie = 64.0;
    /// (u) With weight decay, X counts as orthonormal up to scale, and Y as a rotation of X, when the relative defect is at most
    /// `isotropy * u * sqrt(larger dimension)`.
    isotropy = 512.0;
    /// The product is a spectral projection of the target when its captured counts are integers up to this.
    projection = 0.01;
    /// The product is a spectral projection when `||W - P_S Z||_F / ||Z||_F` is at most this times the threshold of
    /// criticality.
    projection_distance = 1000.0;
    /// Residual of an eigenvalue, relative to the largest eigenvalue in absolute value, at which a Krylov method stops.
    krylov = 1e-8;
    /// Residual of the leading singular directions of a base weight, relative to its largest singular value, at which their
    /// search stops.
    overlap = 1e-7;
    /// (u) Orthonormal bases make the factors and the target diagonal when what is left off the diagonal is at most
    /// `alignment * u * sqrt(larger dimension)` times the norm.
    alignment = 4096.0;
    /// (u) An eigenvalue of a dense Hessian counts as zero when it is at most
    /// `zero_curvature * u * sqrt(parameters) * largest`.
    zero_curvature = 16.0;
    /// A singular direction of the target is tried both as captured and as not where its share of the product lies between this
    /// and one minus this.
    near_share = 0.1;
    /// A singular value of the target that is at most this times the largest, and that the rounding of stored weights hides,
    /// counts as zero in the search for nearby critical points.
    near_hidden = 1e-6;
    /// Largest relative distance `||theta - theta*|| / ||theta||` at which a critical point counts as near.
    near_distance = 0.125;
    /// Largest `gradient.relative` at a nearby critical point that was found.
    near_gradient = 1e-9;
    /// A point whose nearest critical point is a strict saddle is called next to a non-strict one where one of the same rung
    /// is at most this many times as far.
    near_flat_ratio = 10.0;
    /// The same non-strict saddle is at most at this relative distance.
    near_flat_distance = 0.15;
    /// Training is moving where the most negative curvature exceeds this part of the curvature scale; else it stalls.
    stall = 0.003;
    /// (u) Two factorizations have the same product when the products differ by at most
    /// `same_product * u * sqrt(largest width) * prod ||W_k||_F`.
    same_product = 64.0;
    /// Constructed factors count as reaching a target when the product is off by at most this times the distance of
    /// the target, plus rounding.
    reach_product = 1e-6;
    /// Rows of a constructed partial product, brought to one length, count as dependent when a singular value is at most
    /// this times the largest.
    reach_rows = 1e-8;
    /// Estimated relative error of a path predictor that a step length is chosen for.
    path_prediction = 3e-3;
    /// Largest relative Newton correction of an accepted step of a path.
    path_correction = 0.03;
    /// Largest ratio of the second correction of a step to the first; a small one keeps a path from jumping to another.
    path_contraction = 0.1;
    /// A second correction of at most this relative size is accepted whatever the ratio.
    path_accuracy = 1e-10;
    /// Shortest step of a path parameter that runs from 0 to 1.
    path_smallest_step = 1e-9;
    /// A solution whose imaginary parts are at most this, relative to its size, is first tried as a real one. It is called
    /// real or not real only by a certificate.
    real_candidate = 1e-6;
    /// Two tracked solutions count as one when all entries agree to this, relative to the largest.
    same_solution = 1e-6;
    /// (u) A metric is definite when the smallest eigenvalue of `phi' phi` exceeds `metric_rank * u * size * largest`; below that
    /// the rank of `phi` over the rationals decides.
    metric_rank = 128.0;
    /// A metric with a larger condition number, after its rows and columns are scaled, is called badly scaled where paths to it
    /// are lost.
    metric_condition = 1e7;
    /// A minor of the weights, rows and columns scaled, that is not zero but at most this times the norms of its rows leaves it open
    /// whether a count below the generic one belongs to these weights or to special ones nearby.
    weights_minor = 1e-4;
    /// (u) A metric looks like a product of one on rows and one on columns when its diagonal and its correlations are products to
    /// this relative error. Only exact vanishing counts in a proof.
    metric_product = 64.0;
    /// Largest relative second difference of the sum of all solutions along a line of targets at which a trace test passes.
    trace = 1e-6;
    /// (u) A coefficient of the gradient of a layer along a path counts as zero when it is at most this times the threshold of
    /// criticality, relative to the norms of what was multiplied.
    escape_zero = 8.0;
    /// A local minimum on matrices of bounded rank is isolated when the smallest eigenvalue of the Hessian there exceeds this times the
    /// largest; a descent leaves a point where one is below minus this times the largest.
    flat_curvature = 1e-9;
    /// Two descents ended at the same matrix when the difference is at most this, relative to its norm.
    same_minimum = 1e-5;
    /// Two values of a loss count as different when they differ by more than this, relative to the larger.
    same_value = 1e-8;
    /// A number that a certificate in double precision claims agrees with the enclosure found when they differ by at most this,
    /// relative to the number.
    certificate_match = 1e-6;
    /// Orders below the one that a certificate in double precision claims may change the loss at `t` by at most this share of
    /// the decrease.
    certificate_lower = 0.01;
    /// A certificate in double precision of a global minimum is proved when the loss is at most this share of `1/2 ||Y||^2`
    /// above a lower bound of the smallest value, or at most the square of the threshold of criticality where that is larger.
    certificate_minimum = 1e-12;
}

/// Relative to the largest, what no rounding error of double precision reaches: a tenth.
const ALL_DIGITS: f64 = 0.1 / UNIT_ROUNDOFF;

/// Between which values a tolerance has a meaning: name, least, most, what happens beyond.
const MEANINGS: [(&str, f64, f64, &str); 15] = [
    ("rank", 1.0, ALL_DIGITS, "below, rounding errors count for the rank; above, everything is a rounding error"),
    ("rank_gap", 1.0, f64::MAX, "below, every rank counts as clear"),
    ("stored_gap", 1.0, f64::MAX, "below, what storing the entries has made counts as clear"),
    ("stored_zero", 0.0, 0.1, "above, values that are there count as zero"),
    ("critical", 0.0, ALL_DIGITS, "above, every point counts as critical: relative gradients are at most 1"),
    ("critical_floor", 0.0, 0.1, "above, every point counts as critical: relative gradients are at most 1"),
    ("tie", 1.0, ALL_DIGITS, "below, rounding errors tell equal values apart; above, all values are equal"),
    ("isotropy", 0.0, ALL_DIGITS, "above, all data are orthonormal"),
    ("projection", 0.0, 0.49, "above, every number is next to an integer"),
    ("krylov", 0.0, 0.1, "above, every vector counts as an eigenvector"),
    ("alignment", 0.0, ALL_DIGITS, "above, every matrix counts as diagonal"),
    ("zero_curvature", 1.0, ALL_DIGITS, "below, rounding errors count as curvature; above, there is no curvature"),
    ("certificate_match", 0.0, 0.1, "above, numbers that differ agree"),
    ("certificate_lower", 0.0, 0.5, "above, the lower orders outweigh the decrease"),
    ("certificate_minimum", 0.0, 0.1, "above, every point is a minimum"),
];

/// An error where no verdict would mean anything.
fn check_meaning(name: &str, value: f64) -> Result<()> {
    match MEANINGS.iter().find(|(known, ..)| *known == name) {
        Some((_, least, most, beyond)) if value < *least || value > *most => {
            let range =
                if *most == f64::MAX { format!("from {least} on") } else { format!("from {least} to {most:e}") };
            Err(InputError::new("a verdict with this tolerance would mean nothing")
                .array(name)
                .value(value)
                .hint(format!("it may be {range}; {beyond}")))
        }
        _ => Ok(()),
    }
}

/// Unit roundoff of IEEE double precision, 2^-53.
pub const UNIT_ROUNDOFF: f64 = f64::EPSILON / 2.0;

/// How far storing a number in a floating-point type can have moved it: `max(unit_roundoff |x|, smallest)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Storage {
    /// Half the distance of neighbours of 1, relative.
    pub unit_roundoff: f64,
    /// Half the distance of the subnormal numbers, absolute.
    pub smallest: f64,
}

impl Storage {
    /// Double precision.
    pub const DOUBLE: Self = Self { unit_roundoff: UNIT_ROUNDOFF, smallest: 0.0 };

    /// The type with this unit roundoff: it tells half, brain, single and double precision apart.
    ///
    /// ```
    /// use rankscape::Storage;
    /// assert_eq!(Storage::of_roundoff(2.0_f64.powi(-11)).smallest, 2.0_f64.powi(-25));
    /// ```
    pub fn of_roundoff(unit_roundoff: f64) -> Self {
        let half_of_a_subnormal = [(-24, -150), (-11, -25), (-8, -134)];
        let known = half_of_a_subnormal.iter().find(|(roundoff, _)| unit_roundoff == 2.0_f64.powi(*roundoff));
        Self { unit_roundoff, smallest: known.map_or(0.0, |(_, smallest)| 2.0_f64.powi(*smallest)) }
    }

    /// The coarser of two types, in either respect.
    #[must_use]
    pub fn coarser(self, other: Self) -> Self {
        Self { unit_roundoff: self.unit_roundoff.max(other.unit_roundoff), smallest: self.smallest.max(other.smallest) }
    }

    /// Bound of the Frobenius norm of what storing a matrix with this norm and so many entries can have moved.
    pub fn movement(self, frobenius_norm: f64, entries: f64) -> f64 {
        (self.unit_roundoff * frobenius_norm).hypot(self.smallest * entries.sqrt())
    }
}

impl Tolerances {
    /// # Errors
    /// If every point whose entries were stored with this unit roundoff would count as critical.
    pub fn check_criticality(&self, unit_roundoff: f64) -> Result<()> {
        let threshold = self.critical_threshold(unit_roundoff);
        if threshold <= 0.1 {
            return Ok(());
        }
        Err(InputError::new("a verdict with this tolerance would mean nothing: every point counts as critical")
            .array("critical")
            .value(format!("a threshold of {threshold:e} for relative gradients, which are at most 1"))
            .hint(format!("for the type of these weights it may be up to {:e}", 0.1 / unit_roundoff)))
    }

    /// Threshold for `gradient.relative` at unit roundoff `u`.
    pub fn critical_threshold(&self, unit_roundoff: f64) -> f64 {
        (self.critical * unit_roundoff).max(self.critical_floor)
    }

    /// A product counts as zero in the relative gradient when its norm is less than this times the product of the norms of its
    /// factors: rounding errors of entries with unit roundoff `unit_roundoff`.
    pub fn vanishing_product(&self, unit_roundoff: f64, largest_width: usize) -> f64 {
        self.relative_rounding(unit_roundoff, largest_width).min(self.stored_zero)
    }

    /// `rank * u * sqrt(size)`: what counts as rounding errors of products of matrices, relative to the terms that are added up in
    /// them, for entries with unit roundoff `u` and matrices whose larger dimension is at most `size`.
    pub fn relative_rounding(&self, unit_roundoff: f64, size: usize) -> f64 {
        self.rank * unit_roundoff * (size as f64).sqrt()
    }

    /// Singular values of a target that differ by at most this count as equal: `larger_dimension` is that of the target,
    /// `largest` its largest singular value.
    pub fn tie_threshold(&self, larger_dimension: usize, largest: f64) -> f64 {
        self.tie * UNIT_ROUNDOFF * (larger_dimension as f64).sqrt() * largest
    }
}
