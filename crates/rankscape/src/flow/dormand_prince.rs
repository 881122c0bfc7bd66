//! One step of the method of order 8 of Dormand and Prince with its errors of order 5 and 3 (`[@HNW]`, DOP853), for equations whose
//! right-hand side does not depend on time.

use crate::linalg::Matrix;

/// Stage `i + 1` is the slope at `theta + h sum_j a_j k_j` over these pairs `(j, a_j)`.
#[rustfmt::skip]
const STAGES: [&[(usize, f64)]; 11] = [
    &[(0, 0.05260015195876773)],
    &[(0, 0.0197250569845379), (1, 0.0591751709536137)],
    &[(0, 0.02958758547680685), (2, 0.08876275643042054)],
    &[(0, 0.2413651341592667), (2, -0.8845494793282861), (3, 0.924834003261792)],
    &[(0, 0.037037037037037035), (3, 0.17082860872947386), (4, 0.12546768756682242)],
    &[(0, 0.037109375), (3, 0.17025221101954405), (4, 0.06021653898045596), (5, -0.017578125)],
    &[(0, 0.03709200011850479), (3, 0.17038392571223998), (4, 0.10726203044637328), (5, -0.015319437748624402), (6, 0.008273789163814023)],
    &[(0, 0.6241109587160757), (3, -3.3608926294469414), (4, -0.868219346841726), (5, 27.59209969944671), (6, 20.154067550477894), (7, -43.48988418106996)],
    &[(0, 0.47766253643826434), (3, -2.4881146199716677), (4, -0.590290826836843), (5, 21.230051448181193), (6, 15.279233632882423), (7, -33.28821096898486), (8, -0.020331201708508627)],
    &[(0, -0.9371424300859873), (3, 5.186372428844064), (4, 1.0914373489967295), (5, -8.149787010746927), (6, -18.52006565999696), (7, 22.739487099350505), (8, 2.4936055526796523), (9, -3.0467644718982196)],
    &[(0, 2.273310147516538), (3, -10.53449546673725), (4, -2.0008720582248625), (5, -17.9589318631188), (6, 27.94888452941996), (7, -2.8589982771350235), (8, -8.87285693353063), (9, 12.360567175794303), (10, 0.6433927460157636)],
];

/// The step is `h sum_j b_j k_j`.
#[rustfmt::skip]
const STEP: &[(usize, f64)] = &[(0, 0.054293734116568765), (5, 4.450312892752409), (6, 1.8915178993145003), (7, -5.801203960010585), (8, 0.3111643669578199), (9, -0.1521609496625161), (10, 0.20136540080403034), (11, 0.04471061572777259)];

/// Its error of order 5 is `h sum_j e_j k_j`.
#[rustfmt::skip]
const FIFTH: &[(usize, f64)] = &[(0, 0.01312004499419488), (5, -1.2251564463762044), (6, -0.4957589496572502), (7, 1.6643771824549864), (8, -0.35032884874997366), (9, 0.3341791187130175), (10, 0.08192320648511571), (11, -0.022355307863886294)];

/// And that of order 3.
#[rustfmt::skip]
const THIRD: &[(usize, f64)] = &[(0, -0.18980075407240762), (5, 4.450312892752409), (6, 1.8915178993145003), (7, -5.801203960010585), (8, -0.4226823213237919), (9, -0.1521609496625161), (10, 0.20136540080403034), (11, 0.02265179219836082)];

/// Evaluations of the slope of a step, the first of which is that at its start.
pub(super) const STAGE_COUNT: usize = 12;

/// A step: where it leads and how wrong it may be.
pub(super) struct Step {
    /// `theta(t + h)`.
    pub(super) end: Vec<Matrix>,
    /// The estimated error beside the tolerance, root mean square; the step is good up to 1.
    pub(super) error: f64,
}

/// Steps by `h` from `theta`, where the slope is `first`. An entry may be wrong by `relative` of its block's largest entry, plus
/// `absolute`.
pub(super) fn step(
    theta: &[Matrix],
    first: &[Matrix],
    h: f64,
    (relative, absolute): (f64, f64),
    slope: impl Fn(&[Matrix]) -> Vec<Matrix>,
) -> Step {
    let mut slopes: Vec<Vec<Matrix>> = Vec::with_capacity(STAGE_COUNT);
    slopes.push(first.to_vec());
    for stage in STAGES {
        let at = moved(theta, h, stage, &slopes);
        slopes.push(slope(&at));
    }
    let end = moved(theta, h, STEP, &slopes);
    let (mut fifth, mut third, mut count) = (0.0, 0.0, 0.0);
    for (k, block) in theta.iter().enumerate() {
        let scale = absolute + relative * block.max_abs().max(end[k].max_abs());
        let norm = |weights: &[(usize, f64)]| {
            let mut sum = block.scaled(0.0);
            weights.iter().for_each(|&(j, weight)| sum.add_scaled(weight, &slopes[j][k]));
            (sum.frobenius_norm() / scale).powi(2)
        };
        fifth += norm(FIFTH);
        third += norm(THIRD);
        count += (block.nrows() * block.ncols()) as f64;
    }
    // As the authors weigh the two: a small error of order 3 trusts that of order 5.
    let weight = fifth + 0.01 * third;
    let error = if weight > 0.0 { h * fifth / (count * weight).sqrt() } else { 0.0 };
    Step { end, error }
}

fn moved(theta: &[Matrix], h: f64, weights: &[(usize, f64)], slopes: &[Vec<Matrix>]) -> Vec<Matrix> {
    let mut at = theta.to_vec();
    for &(j, weight) in weights {
        at.iter_mut().zip(&slopes[j]).for_each(|(block, slope)| block.add_scaled(h * weight, slope));
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `x' = -x^2` from 1 is `1 / (1 + t)`. Errors of short steps drown in rounding, those of long ones are of lower order, so the order shows as
    /// above that of the next method below only.
    #[test]
    fn the_step_is_of_a_high_order() {
        let slope = |x: &[Matrix]| vec![x[0].map(|x| -x * x)];
        let error = |parts: u32| {
            let h = 1.0 / f64::from(parts);
            let mut x = vec![Matrix::identity(1)];
            for _ in 0..parts {
                let first = slope(&x);
                x = step(&x, &first, h, (1e-10, 1e-10), slope).end;
            }
            (x[0][(0, 0)] - 0.5).abs()
        };
        let order = (error(1) / error(4)).log2() / 2.0;
        assert!(order > 5.5 && order < 9.5, "{order}");
    }
}
