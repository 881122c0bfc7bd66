//! Every case of `oracles/lift`, every field, over the rationals and in double precision.

use rankscape::evidence::Truth;
use rankscape::linalg::Matrix;
use rankscape::linalg::exact::RationalMatrix;
use rankscape::multiplication::{
    ComponentLabel, Connection, Differential, ExactFactors, Factors, Fiber, LiftProperties, MapPoint, Openness,
    RankProfile, connect,
};
use rankscape::tolerance::{Tolerances, UNIT_ROUNDOFF};
use testkit::oracles::{LiftCase, Rows, lift_cases};

fn exact(rows: &[Rows]) -> ExactFactors {
    let integers = |m: &Rows| m.iter().map(|row| row.iter().map(|&x| x as i64).collect()).collect::<Vec<_>>();
    ExactFactors::new(rows.iter().map(|m| RationalMatrix::from_integers(&integers(m))).collect()).unwrap()
}

fn floating(rows: &[Rows]) -> Factors {
    Factors::new(rows.iter().map(|m| Matrix::from_rows(m)).collect()).unwrap()
}

fn signs(label: &ComponentLabel) -> Vec<i32> {
    label.signs.iter().map(|&s| i32::from(s)).collect()
}

fn check_profile(case: &LiftCase, profile: &RankProfile) {
    let name = &case.name;
    assert_eq!(profile.widths(), case.widths, "{name}");
    assert_eq!(profile.decisions().count(), case.rank_profile.len(), "{name}");
    for ((i, j), decision) in profile.decisions() {
        assert_eq!(decision.rank, case.rank_profile[&format!("{i}:{j}")], "{name} {i}:{j}");
        assert!(decision.clear, "{name} {i}:{j}");
    }
    assert_eq!(profile.product_rank(), case.rank_product, "{name}");
    let differential = Differential::new(profile);
    assert_eq!(
        (differential.rank, differential.max_rank, differential.submersion),
        (case.rank_dmu, case.dim_mr, case.submersion_onto_mr),
        "{name}"
    );
    assert_eq!(Fiber::new(profile).components(), case.fiber_components.into(), "{name}");
    assert_eq!(Fiber::new(profile).nodes, case.invariant.nodes, "{name}");
    let openness = Openness::new(profile);
    assert_eq!(openness.verdict.holds, Truth::from(case.open_rel_mr), "{name}: {}", openness.verdict.reason);
    let found: Vec<(usize, i64, i64)> = openness.nodes.iter().map(|n| (n.node, n.need, n.have)).collect();
    let expected: Vec<(usize, i64, i64)> = case.open_nodes.iter().map(|n| (n.i, n.need, n.have)).collect();
    assert_eq!(found, expected, "{name}");
    let lift = LiftProperties::new(profile);
    assert_eq!(lift.local_local.holds, Truth::from(case.local_to_local), "{name}");
    assert_eq!(lift.local_1.holds, Truth::from(case.local_to_1), "{name}");
    assert_eq!(lift.one_1.holds, Truth::from(case.one_to_1), "{name}");
    assert_eq!(lift.two_1.holds, Truth::from(case.two_to_1), "{name}: {}", lift.two_1.reason);
    assert_eq!(lift.local_ambient.holds, Truth::from(case.filling || case.rank_product < case.r), "{name}");
    let least = lift.least_k.unwrap();
    assert_eq!([least <= 1, least <= 2], [case.one_to_1, case.two_to_1], "{name}");
    assert_eq!(lift.three_1.holds, Truth::from(least <= 3), "{name}");
}

#[test]
fn exact_answers_are_those_of_the_oracle() {
    let cases = lift_cases();
    assert!(cases.len() >= 31);
    for case in &cases {
        let factors = exact(&case.factors);
        check_profile(case, &RankProfile::exact(&factors));
        let label = ComponentLabel::exact(&factors);
        assert_eq!(label.columns, case.invariant.columns, "{}", case.name);
        assert_eq!(
            (&label.nodes, signs(&label)),
            (&case.invariant.nodes, case.invariant.signs.clone()),
            "{}",
            case.name
        );
        if let Some(other) = &case.other_factors {
            let other = ComponentLabel::exact(&exact(other));
            assert_eq!(other.columns, label.columns, "{}", case.name);
            assert_eq!(Some(signs(&other)), case.other_signs, "{}", case.name);
            assert_eq!(Some(other == label), case.same_component, "{}", case.name);
        }
    }
}

#[test]
fn floating_answers_are_those_of_the_oracle() {
    let tolerances = Tolerances::default();
    for case in &lift_cases() {
        let factors = floating(&case.factors);
        check_profile(case, &RankProfile::new(&factors, UNIT_ROUNDOFF, &tolerances));
        let same_columns = ComponentLabel::with_columns(&factors, case.invariant.columns.clone());
        assert_eq!(signs(&same_columns), case.invariant.signs, "{}", case.name);
        let pivoted = ComponentLabel::new(&factors, case.rank_product);
        let by_pivots = ComponentLabel::with_columns(&exact(&case.factors), pivoted.columns.clone());
        assert_eq!(pivoted, by_pivots, "{}", case.name);
        let Some(other) = &case.other_factors else { continue };
        let other = floating(other);
        let point = |factors: &Factors| MapPoint::stored(factors.clone(), UNIT_ROUNDOFF, &tolerances);
        match connect(&point(&factors), &point(&other), &tolerances).unwrap() {
            Connection::Path(path) => {
                assert_eq!(case.same_component, Some(true), "{}", case.name);
                let error = path.product_error(&factors.product(), 1000);
                assert!(
                    error < 1e-12 * (1.0 + factors.norm().powi(factors.depth() as i32)),
                    "{}: {error:e}",
                    case.name
                );
                assert_eq!(path.at(0.0), factors);
                assert_eq!(path.at(1.0), other);
            }
            Connection::Separated { first, second, .. } => {
                assert_eq!(case.same_component, Some(false), "{}", case.name);
                let product = |a: &[i8], b: &[i8]| a.iter().zip(b).map(|(x, y)| i32::from(x * y)).collect::<Vec<_>>();
                let relative: Vec<i32> =
                    signs(&same_columns).iter().zip(case.other_signs.as_ref().unwrap()).map(|(x, y)| x * y).collect();
                assert_eq!(product(&first, &second), relative, "{}", case.name);
            }
            other => panic!("{}: {other:?}", case.name),
        }
    }
}
