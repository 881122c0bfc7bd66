//! The claims about a point in double precision: gradient, ranks and class, from enclosures of its products.
//!
//! Every number in the file is a rational. Products are enclosed to about 30 digits and singular values to 15, so that a rank at a
//! stated tolerance is proved, not decided a second time. What is left to believe is the tolerance itself: that singular values
//! below it are meant to be zero.

use super::claim::{CLASS, CheckedClaim, Finding, GRADIENT, GROUNDS, TOLERANCES, misstated};
use super::point::{EnclosedPoint, FIRST_DECISION, Gradient, relative_rounding};
use super::statement::{Criticality, FloatingStatement, StatedRank};
use super::words::{Ranks, all_quantities, given_quantities, seen};
use crate::critical::CriticalClass;
use crate::evidence::{Grade, Quantity, Truth};
use crate::linalg::interval::Interval;
use crate::multiplication::Factors;
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

/// A tolerance from here on leaves nothing to be found: relative gradients and singular values are at most 1.
const MEANINGLESS: f64 = 0.1;

/// What enclosures leave of a product that is zero, relative to its scale.
const NOTHING: f64 = 1e-20;
/// Unit roundoff of single precision.
const SINGLE: f64 = 1.0 / (1 << 24) as f64;

/// The claims about the point. `curvature` encloses `<A_1, H A_1> / ||A_1||^2` with the Hessian `H`, where a path is straight.
pub(super) fn class_checks(
    statement: &FloatingStatement,
    stated: Criticality,
    curvature: Option<Interval>,
    tolerances: &Tolerances,
) -> (Vec<CheckedClaim>, Vec<String>) {
    let claimed = statement.class;
    let Some(point) = EnclosedPoint::new(&statement.point, &statement.data) else {
        let found = "the point is too large for enclosures";
        let open = |claim| CheckedClaim::graded(claim, None, Grade::Numerical, found);
        return (vec![open(GRADIENT), open(CLASS), open(GROUNDS)], Vec::new());
    };
    let gradient = point.gradient(stated, tolerances);
    let decided = RanksAtTolerances { point: &point, stated, ranks: &statement.rests_on };
    let gradient_check = gradient.check(stated, claimed);
    let proof = match gradient_check.holds() {
        Truth::Yes => point.proof(claimed, curvature, stated, tolerances),
        Truth::No => Some((false, "the gradient is not that of this class".to_owned())),
        Truth::Undecided => None,
    };
    let (tolerances_check, mut warnings) = decided.tolerances_check(claimed, &gradient, tolerances);
    if !are_of_type(&statement.point, stated.unit_roundoff) {
        let unit = stated.unit_roundoff;
        warnings
            .push(format!("the weights are no numbers of a type with unit roundoff {unit:.2e}: they have more digits"));
    }
    let checks =
        vec![tolerances_check, gradient_check, decided.class_check(claimed, proof), decided.grounds_check(claimed)];
    (checks, warnings)
}

/// Whether all entries have no more digits than a type with this unit roundoff.
fn are_of_type(point: &Factors, unit_roundoff: f64) -> bool {
    // Veltkamp's splitting rounds to the digits of the type.
    let lift = unit_roundoff / UNIT_ROUNDOFF;
    let rounded = |x: f64| {
        let far = (lift + 1.0) * x;
        far - (far - x)
    };
    lift <= 1.0 || point.matrices().iter().all(|matrix| matrix.entries().all(|x| (rounded(x) - x).abs() <= 0.0))
}

/// The ranks at their stated tolerances.
struct RanksAtTolerances<'a> {
    point: &'a EnclosedPoint,
    stated: Criticality,
    ranks: &'a [StatedRank],
}

impl RanksAtTolerances<'_> {
    /// The stated tolerance of a quantity, times its scale.
    fn tolerance(&self, quantity: Quantity) -> Option<Interval> {
        let stated = self.ranks.iter().find(|stated| stated.quantity.known() == Some(quantity))?;
        Some(Interval::point(stated.tolerance) * self.point.scale(quantity))
    }

    /// The rank, where every singular value is clearly above or below.
    fn clear(&self, quantity: Quantity) -> Option<usize> {
        let tolerance = self.tolerance(quantity)?;
        let values = self.point.values(quantity);
        let gap = if quantity == Quantity::Inputs { 1.0 } else { self.stated.rank_gap };
        let floor = tolerance.high.max(NOTHING * self.point.scale(quantity).high);
        let rank = values.iter().take_while(|value| value.low > floor * gap / FIRST_DECISION).count();
        values[rank..].iter().all(|value| value.high <= FIRST_DECISION * floor).then_some(rank)
    }

    /// The captured singular values and the omitted ones.
    fn pairs(&self) -> Option<(&[Interval], &[Interval])> {
        let kept = self.clear(Quantity::Output)?;
        let omitted = self.clear(Quantity::Residual)?;
        Some((&self.point.values(Quantity::Output)[..kept], &self.point.values(Quantity::Residual)[..omitted]))
    }

    /// `omitted - captured` over all pairs.
    fn differences(&self) -> Option<Vec<Interval>> {
        let (kept, omitted) = self.pairs()?;
        // Together they are the target.
        if self.clear(Quantity::Target).is_some_and(|rank| rank != kept.len() + omitted.len()) {
            return None;
        }
        let unit = self.point.product_unit;
        Some(kept.iter().flat_map(|a| omitted.iter().map(move |b| *b - *a * unit)).collect())
    }

    /// Some omitted singular value is larger than some captured one; `None` where a difference is neither clear nor nothing.
    fn omitted_larger(&self) -> Option<bool> {
        let tolerance = self.tolerance(Quantity::Comparison)?.high;
        let differences = self.differences()?;
        let clear = tolerance * self.stated.rank_gap / FIRST_DECISION;
        if differences.iter().any(|d| d.low > clear) {
            return Some(true);
        }
        differences.iter().all(|d| d.high <= FIRST_DECISION * tolerance).then_some(false)
    }

    /// The class of a critical point.
    fn class(&self) -> Option<CriticalClass> {
        if self.clear(Quantity::Inputs)? == 0 || self.point.depth() == 1 {
            return Some(CriticalClass::GlobalMinimum);
        }
        Ranks {
            widths: &self.point.widths,
            residual: self.clear(Quantity::Residual)?,
            seen: &|i, j| self.clear(seen(self.point.depth(), i, j)),
            wrapped: &|s, t| self.clear(Quantity::Wrapped { depth: self.point.depth(), s, t }),
            omitted_larger: self.omitted_larger()?,
        }
        .class()
    }

    fn class_check(&self, claimed: CriticalClass, proof: Option<(bool, String)>) -> CheckedClaim {
        let again = match claimed {
            CriticalClass::NotCritical | CriticalClass::Undecided => None,
            _ => self.class(),
        };
        let (holds, grade, found) = match (proof, again) {
            _ if claimed == CriticalClass::Undecided => (None, Grade::Numerical, "nothing is claimed".to_owned()),
            (Some((false, found)), _) => (Some(false), Grade::Certified, found),
            (_, Some(again)) if again != claimed => (Some(false), Grade::Numerical, format!("by its ranks: {again}")),
            (Some((true, found)), _) => (Some(true), Grade::Certified, found),
            (None, Some(again)) => {
                (Some(true), Grade::Numerical, format!("{again}, by ranks at the stated tolerances"))
            }
            (None, None) => (None, Grade::Numerical, "the ranks do not settle it".to_owned()),
        };
        CheckedClaim::graded(CLASS, holds, grade, found)
    }

    /// The ranks that a class rests on.
    fn expected(&self, claimed: CriticalClass) -> Vec<Quantity> {
        let depth = self.point.depth();
        if claimed == CriticalClass::NotCritical || self.point.widths[0] == 0 {
            return std::iter::once(Quantity::Inputs).chain(given_quantities(depth)).collect();
        }
        all_quantities(depth)
    }

    /// Every rank is stated, and is one of those that the enclosures leave at its tolerance.
    fn grounds_check(&self, claimed: CriticalClass) -> CheckedClaim {
        let certified = |holds, found: Finding| CheckedClaim::graded(GROUNDS, holds, Grade::Certified, found);
        let expected = self.expected(claimed);
        if let Some(problem) = misstated(self.ranks, &expected) {
            return certified(Some(false), problem);
        }
        let mut open = None;
        for (ground, &quantity) in self.ranks.iter().zip(&expected) {
            match self.possible(quantity) {
                Some((least, most)) if (least..=most).contains(&ground.rank) => {}
                Some((least, most)) => return certified(Some(false), Finding::Rank { quantity, least, most }),
                None => open = Some(Finding::NotEnclosed(quantity)),
            }
        }
        let found = format!("{} ranks, from enclosures of singular values", expected.len());
        open.map_or_else(|| certified(Some(true), found.into()), |open| certified(None, open))
    }

    /// The smallest and the largest rank that someone can have found at the stated tolerance.
    fn possible(&self, quantity: Quantity) -> Option<(usize, usize)> {
        let tolerance = self.tolerance(quantity)?;
        let count = |values: &[Interval], above: &dyn Fn(&Interval) -> bool| values.iter().filter(|v| above(v)).count();
        let (low, high) = (tolerance.low / FIRST_DECISION, tolerance.high * FIRST_DECISION);
        if quantity != Quantity::Comparison {
            let values = self.point.values(quantity);
            return Some((count(values, &|v| v.low > high), count(values, &|v| v.high > low)));
        }
        // Pairs of values that were kept and omitted, whichever of the doubtful ones were.
        let between = |at: Quantity| self.possible(at);
        let (kept, omitted) = (between(Quantity::Output)?, between(Quantity::Residual)?);
        let pairs = |kept: usize, omitted: usize| {
            let unit = self.point.product_unit;
            let (a, b) = (self.point.values(Quantity::Output), self.point.values(Quantity::Residual));
            let all = a[..kept].iter().flat_map(|a| b[..omitted].iter().map(move |b| *b - *a * unit));
            all.collect::<Vec<Interval>>()
        };
        let least = count(&pairs(kept.0, omitted.0), &|d| d.low > high || d.high < -high);
        let most = count(&pairs(kept.1, omitted.1), &|d| d.high > low || d.low < -low);
        Some((least, most))
    }

    /// The tolerances leave the verdict a meaning; a warning where they do not, or are looser than the default ones.
    fn tolerances_check(
        &self,
        claimed: CriticalClass,
        gradient: &Gradient,
        tolerances: &Tolerances,
    ) -> (CheckedClaim, Vec<String>) {
        let stated = self.stated;
        let usual = tolerances.critical_threshold(stated.unit_roundoff);
        let found = format!(
            "gradients count as zero up to {:e} at a unit roundoff of {:.2e}, a rank is clear at a gap of {}",
            stated.threshold, stated.unit_roundoff, stated.rank_gap
        );
        let meaningless = self.meaningless(claimed, gradient, tolerances);
        let warnings = match &meaningless {
            Some(reason) => vec![format!("the verdict has no meaning at its tolerances: {reason}")],
            None => self.looser(usual, tolerances),
        };
        let holds = meaningless.is_none().then_some(true);
        let found = meaningless.unwrap_or(found);
        (CheckedClaim::graded(TOLERANCES, holds, Grade::Exact, found), warnings)
    }

    /// What counts as zero by the statement and would not by default.
    fn looser(&self, threshold: f64, tolerances: &Tolerances) -> Vec<String> {
        let (stated, widths) = (self.stated, &self.point.all_widths);
        let widest = widths.iter().copied().max().unwrap_or(1);
        // Data may be stored in single precision beside weights in double.
        let of_ranks = FIRST_DECISION * relative_rounding(stated.unit_roundoff.max(SINGLE), widths, tolerances);
        let ranks = self.ranks.iter().map(|ground| ground.tolerance).fold(0.0, f64::max);
        [
            ("gradients count as zero", stated.threshold, threshold),
            (
                "rounding errors of a gradient count",
                stated.rounding,
                relative_rounding(UNIT_ROUNDOFF, widths, tolerances),
            ),
            (
                "products count as rounding errors",
                stated.vanishing,
                tolerances.vanishing_product(stated.unit_roundoff, widest),
            ),
            ("singular values count as zero", ranks, of_ranks),
        ]
        .into_iter()
        .filter(|(_, found, usual)| *found > usual * (1.0 + 1e-9))
        .map(|(what, found, usual)| format!("{what} up to {found:e}, by default up to {usual:e}"))
        .chain(
            (stated.rank_gap < tolerances.rank_gap).then(|| {
                format!("a rank is clear at a gap of {}, by default of {}", stated.rank_gap, tolerances.rank_gap)
            }),
        )
        .collect()
    }

    /// Why tolerances as stated would give the same verdict to everything.
    fn meaningless(&self, claimed: CriticalClass, gradient: &Gradient, tolerances: &Tolerances) -> Option<String> {
        let stated = self.stated;
        let usual = tolerances.critical_threshold(stated.unit_roundoff);
        if claimed == CriticalClass::NotCritical {
            let nothing = gradient.relative.high <= gradient.evaluation;
            return nothing.then(|| "the gradient is nothing but rounding errors of double precision".to_owned());
        }
        let of_ranks = relative_rounding(stated.unit_roundoff, &self.point.all_widths, tolerances);
        let given = |ground: &&StatedRank| matches!(ground.quantity.known(), Some(Quantity::Given { .. }));
        let decisive = self.ranks.iter().filter(|ground| !given(ground));
        let largest = decisive.map(|ground| ground.tolerance).fold(0.0, f64::max);
        if stated.threshold > usual && stated.threshold >= MEANINGLESS {
            Some(format!("at a threshold of {:e} every point is critical, or nearly so", stated.threshold))
        } else if stated.rounding >= MEANINGLESS {
            Some(format!("where rounding errors may be {:e} of all terms every point is critical", stated.rounding))
        } else if stated.rank_gap <= 1.0 {
            Some(format!("with a gap of {} every rank is clear", stated.rank_gap))
        } else if largest >= MEANINGLESS && largest > FIRST_DECISION * of_ranks {
            Some(format!("singular values up to {largest:e} of the norms of the factors count as zero"))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::statement::{ReducedData, StatedQuantity, Statement};
    use super::super::{BiasKind, Reduction};
    use super::*;
    use crate::linalg::Matrix;
    use crate::tolerance::UNIT_ROUNDOFF;

    #[test]
    fn digits_beyond_those_of_the_type_are_seen() {
        let point = |x: f64| Factors::new(vec![Matrix::from_rows(&[vec![x]]), Matrix::identity(1)]).unwrap();
        for (unit, inside, beyond) in [
            (1.0 / 256.0, 255.0 / 256.0, 0.985),
            (1.0 / 2048.0, 2047.0 / 1024.0, 2049.0 / 1024.0),
            (SINGLE, f64::from(0.1_f32), 0.1),
        ] {
            assert!(are_of_type(&point(inside), unit) && !are_of_type(&point(beyond), unit), "{unit}");
        }
        assert!(are_of_type(&point(0.1), UNIT_ROUNDOFF));
    }

    fn data(inputs: Matrix, target: Matrix) -> ReducedData {
        ReducedData { norm: target.frobenius_norm(), inputs, target, floor: 0.0 }
    }

    fn ranks(depth: usize, of: impl Fn(Quantity) -> usize) -> Vec<StatedRank> {
        let stated = |at: Quantity| StatedRank { quantity: StatedQuantity::Known(at), rank: of(at), tolerance: 1e-14 };
        all_quantities(depth).into_iter().map(stated).collect()
    }

    /// `diag(scale a, scale b)` and `diag(1/scale, 1/scale)` where the values are not zero, with the target `diag(0.3, 0.1)`.
    fn verified(scale: f64, class: CriticalClass, values: [f64; 2]) -> Vec<CheckedClaim> {
        verified_with(scale, class, values, &Tolerances::default())
    }

    fn verified_with(scale: f64, class: CriticalClass, values: [f64; 2], tolerances: &Tolerances) -> Vec<CheckedClaim> {
        let diagonal = |values: &[f64]| Matrix::from_diagonal(2, 2, values);
        let second = values.map(|value| f64::from(u8::from(value != 0.0)));
        let layers = vec![diagonal(&values).scaled(scale), diagonal(&second).scaled(1.0 / scale)];
        let point = Factors::new(layers).unwrap();
        let data = data(diagonal(&[1.0, 1.0]), diagonal(&[0.3, 0.1]));
        let kept = values.iter().filter(|v| **v != 0.0).count();
        let rests_on = ranks(2, |at| match at {
            Quantity::Inputs | Quantity::Target => 2,
            Quantity::Residual | Quantity::Wrapped { .. } => 2 - kept,
            Quantity::Comparison => kept * (2 - kept),
            _ => kept,
        });
        let stated = Criticality::of(&point, UNIT_ROUNDOFF, &Tolerances::default());
        let reduction = Reduction { biases: BiasKind::None, output_metric: false };
        let statement = Statement { point, data, class, rests_on, criticality: Some(stated), reduction, path: None };
        class_checks(&statement, stated, None, tolerances).0
    }

    fn of<'a>(checks: &'a [CheckedClaim], claim: &str) -> &'a CheckedClaim {
        checks.iter().find(|check| check.claim() == claim).unwrap()
    }

    #[test]
    fn rounding_errors_are_those_of_the_tolerances_given() {
        let found = |tolerances: &Tolerances| {
            let claims = verified_with(1.0, CriticalClass::NotCritical, [0.3, 0.1 + 1e-9], tolerances);
            of(&claims, TOLERANCES).holds()
        };
        let mut tolerances = Tolerances::default();
        assert_eq!(found(&tolerances), Truth::Yes);
        // A gradient of 1e-9 is nothing but rounding errors where these may be as large.
        tolerances.rank = 1e9;
        assert_eq!(found(&tolerances), Truth::Undecided);
    }

    #[test]
    fn a_global_minimum_is_proved_at_any_scale_and_another_class_is_refuted() {
        use CriticalClass::{GlobalMinimum, NonStrictSaddle, NotCritical, StrictSaddle};
        for scale in [1.0, 2.0_f64.powi(400), 2.0_f64.powi(-400)] {
            let minimum = verified(scale, GlobalMinimum, [0.3, 0.1]);
            assert_eq!((of(&minimum, CLASS).holds(), of(&minimum, CLASS).grade()), (Truth::Yes, Grade::Certified));
            assert_eq!(
                (of(&minimum, GRADIENT).holds(), of(&minimum, GROUNDS).holds()),
                (Truth::Yes, Truth::Yes),
                "{minimum:?}"
            );
            let saddle = verified(scale, GlobalMinimum, [0.3, 0.0]);
            assert_eq!((of(&saddle, CLASS).holds(), of(&saddle, CLASS).grade()), (Truth::No, Grade::Certified));
            assert_eq!(of(&verified(scale, StrictSaddle, [0.3, 0.1]), CLASS).holds(), Truth::No);
            assert_eq!(of(&verified(scale, NonStrictSaddle, [0.3, 0.0]), CLASS).holds(), Truth::No);
            let saddle = verified(scale, StrictSaddle, [0.3, 0.0]);
            assert!(saddle.iter().all(|check| check.holds() == Truth::Yes), "{saddle:?}");
            let off = verified(scale, GlobalMinimum, [0.3, 0.1 + 1e-9]);
            assert_eq!((of(&off, GRADIENT).holds(), of(&off, CLASS).holds()), (Truth::No, Truth::No));
            let off = verified(scale, NotCritical, [0.3, 0.1 + 1e-9]);
            assert_eq!((of(&off, CLASS).holds(), of(&off, CLASS).grade()), (Truth::Yes, Grade::Certified));
        }
    }
}
