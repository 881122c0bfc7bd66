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

            /// All fields as pairs of name and value.
            pub fn entries(&self) -> Vec<(&'static str, f64)> {
                vec![$((stringify!($name), self.$name)),+]
            }

            /// Sets the field called `name`.
            ///
            /// # Errors
            /// If there is no such field, or the value is negative or not finite.
            pub fn set(&mut self, name: &str, value: f64) -> Result<()> {
                if !(value.is_finite() && value >= 0.0) {
                    return Err(InputError::new("a tolerance must be a finite number that is not negative")
                        .array(name)
                        .value(value));
                }
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
    /// (u) Two singular values of the target count as equal when they differ by at most
    /// `tie * u * sqrt(larger dimension) * largest`.
    tie = 64.0;
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
    /// A point counts as near a critical point only if its scaled gradient
    /// `max_k ||grad_k||_F s_k / ||Z||_F^2` is at most this, where `s_k = max(||W_k||_2, s)` and `s` is the natural
    /// scale of a layer, `||Z||_2^(1/h)`.
    near_gradient = 0.05;
    /// The same bound where the nearest spectral projection of the target is zero: there all gradients are small.
    near_gradient_at_zero = 0.015;
    /// A rank of a nearby critical point is read off only where consecutive singular values differ by this factor.
    near_gap = 10.0;
    /// Largest relative distance `||theta - theta*|| / ||theta||` (whitened coordinates) at which a critical point counts as near.
    near_distance = 0.2;
    /// Critical points of different class within this relative distance leave the class of the nearby one undecided.
    near_rival = 0.01;
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

/// Unit roundoff of IEEE double precision, 2^-53.
pub const UNIT_ROUNDOFF: f64 = f64::EPSILON / 2.0;

impl Tolerances {
    /// Threshold for `gradient.relative` at unit roundoff `u`.
    pub fn critical_threshold(&self, unit_roundoff: f64) -> f64 {
        (self.critical * unit_roundoff).max(self.critical_floor)
    }

    /// A product counts as zero in the relative gradient when its norm is at most this times the product of the norms of its
    /// factors: rounding errors of entries with unit roundoff `unit_roundoff`.
    pub fn vanishing_product(&self, unit_roundoff: f64, largest_width: usize) -> f64 {
        (self.rank * unit_roundoff * (largest_width as f64).sqrt()).min(self.stored_zero)
    }

    /// Singular values of a target that differ by at most this count as equal: `larger_dimension` is that of the target,
    /// `largest` its largest singular value.
    pub fn tie_threshold(&self, larger_dimension: usize, largest: f64) -> f64 {
        self.tie * UNIT_ROUNDOFF * (larger_dimension as f64).sqrt() * largest
    }
}
