//! The nearest point of the orbit of a critical point under the symmetries of the critical set.
//!
//! For `g_k` in `GL(d_k)`, at the ends those that fix `T` and `G'` and the rotations inside a block of equal singular values, the
//! factors `g_k W_k g_{k-1}^-1` are critical with the same ranks of all compositions, hence of the same class. So every step is
//! exactly critical whatever its length. Levenberg and Marquardt's method minimises the distance over the orbit.

use super::nearest::Landed;
use super::rung::{Coordinates, Rung};
use super::split::{Cut, Path, Requirement, Split};
use crate::linalg::{Matrix, inverse, triangular_factor};
use crate::random::Stream;
use crate::tolerance::UNIT_ROUNDOFF;

/// Random cuts of a point, and how many of them, nearest first, are moved along their orbits.
const CUTS: usize = 80;
const MORE_CUTS: usize = 20;
const ORBITS: usize = 8;
/// Steps along an orbit; it ends after so many that gain less than this part of the distance.
const STEPS: usize = 80;
const SLOW: usize = 3;
const GAIN: f64 = 1e-4;
/// A symmetry that moves the point by less than this part of its size moves rounding errors only.
const ROUNDING: f64 = 1e-11;
/// Most that a group element may blow up the rounding errors of its start, and the part of the distance that these may be.
const GROWTH: f64 = 1e4;
const HARMLESS: f64 = 1e-4;
/// How much larger than rounding errors the defects of Newton steps can be.
const LANDED: f64 = 1e3;
/// Most operations of one step: orbits of large networks are left to the Newton steps.
const OPERATIONS: usize = 5_000_000;

/// Critical points that meet the requirements, each the nearest of its orbit, from cuts of the start and of these points;
/// `None` in networks that are too large.
pub(super) fn nearest_of_orbits(
    coordinates: &Coordinates,
    rung: &Rung,
    requirements: &[Requirement],
    points: &[&[Matrix]],
) -> Option<Vec<Landed>> {
    let parameters: usize = coordinates.start.iter().map(|w| w.nrows() * w.ncols()).sum();
    if operations(coordinates, rung, parameters) > OPERATIONS {
        return None;
    }
    let mut stream = Stream::new(0, 0);
    let seeds = std::iter::once((&coordinates.start[..], CUTS)).chain(points.iter().map(|&point| (point, MORE_CUTS)));
    let mut out = Vec::new();
    for (seed, cuts) in seeds {
        let Some(split) = Split::new(seed, rung) else { continue };
        let whole = Cut::new(&split.arrows, 1.0);
        let mut starts: Vec<(f64, Vec<Matrix>, Cut)> = (0..cuts)
            .filter_map(|_| whole.until(requirements, &mut stream))
            .map(|cut| (split.assemble(&cut.arrows()), cut))
            .map(|(layers, cut)| (coordinates.distance(&layers), layers, cut))
            .collect();
        starts.sort_by(|a, b| a.0.total_cmp(&b.0));
        starts.dedup_by(|a, b| a.0 <= b.0 * (1.0 + 1e-9));
        starts.truncate(ORBITS * cuts / CUTS);
        for (_, layers, cut) in starts {
            let Some(symmetries) = symmetries(rung, &split, &split.bases(&cut.arrows())) else { continue };
            let Some(zeros) = cut.zeros(requirements) else { continue };
            out.push(Orbit::new(coordinates, &symmetries, layers).nearest().landed(rung, &zeros));
        }
    }
    Some(out)
}

/// A point of Newton steps without what they have left where compositions are zero; `None` where that is more than rounding errors.
pub(super) fn without_rounding_errors(
    coordinates: &Coordinates,
    rung: &Rung,
    requirements: &[Requirement],
    landed: &Landed,
) -> Option<Landed> {
    let split = Some(rung).filter(|rung| rung.ties.is_empty()).and_then(|rung| Split::new(&landed.layers, rung))?;
    as_near(coordinates, cleaned(&split, requirements, LANDED)?, landed.distance)
}

/// The point with exact zeros where each requirement has a path that is nothing but rounding errors, which have grown by as little
/// as explains it; `None` where that is more than `most`.
fn cleaned(split: &Split, requirements: &[Requirement], most: f64) -> Option<Vec<Matrix>> {
    let growths = (0..).map(|k| 10.0_f64.powi(k)).take_while(|&growth| growth < 10.0 * most.max(1.0));
    let mut cuts = growths.map(|growth| Cut::new(&split.arrows, growth));
    let (cut, zeros) = cuts.find_map(|cut| cut.zeros(requirements).map(|zeros| (cut, zeros)))?;
    Some(split.assemble(&cut.without_rounding_errors(&zeros).arrows()))
}

fn as_near(coordinates: &Coordinates, layers: Vec<Matrix>, distance: f64) -> Option<Landed> {
    let found = coordinates.distance(&layers);
    (found <= distance * (1.0 + GAIN)).then_some(Landed { layers, distance: found, is_exact: true })
}

/// What one step along an orbit costs: the number of parameters times the square of that of the symmetries.
fn operations(coordinates: &Coordinates, rung: &Rung, parameters: usize) -> usize {
    let inner: usize = coordinates.start.iter().skip(1).map(|w| w.ncols() * w.ncols()).sum();
    let (first, last, rank) =
        (rung.right.nrows() - rung.rank(), rung.left.nrows() - rung.rank(), rung.wrap_left.ncols());
    let ends = rank * rank + (last - rank) * last + first * (first - rank);
    (inner + ends + rung.ties.len()).pow(2) * parameters
}

/// An infinitesimal symmetry.
enum Symmetry {
    /// Any matrix at an inner node.
    Inner { node: usize, matrix: Matrix },
    /// Matrices at the two ends that fix `T` and `G'`.
    Ends { first: Matrix, last: Matrix },
    /// A rotation that turns `T` inside a block of equal values: after all others.
    Tie { first: Matrix, last: Matrix },
}

/// Generators: elementary matrices in the given bases, at the ends what commutes with `G'`.
fn symmetries(rung: &Rung, split: &Split, bases: &[Matrix]) -> Option<Vec<Symmetry>> {
    let (h, e) = (bases.len() - 1, rung.rank());
    let mut out = Vec::new();
    for (node, basis) in bases.iter().enumerate().take(h).skip(1) {
        let dual = inverse(basis)?;
        for (i, j) in pairs(basis.ncols(), basis.ncols()) {
            let matrix = &basis.columns(i, i + 1) * &dual.block(j, 0, 1, dual.ncols());
            out.push(Symmetry::Inner { node, matrix });
        }
    }
    let elementary = |node: usize, i: usize, j: usize| {
        bases[node].columns(e + i, e + i + 1).times_transpose(&bases[node].columns(e + j, e + j + 1))
    };
    let zero = |node: usize| Matrix::zeros(bases[node].nrows(), bases[node].nrows());
    let (first, last, rank) = (split.spare[0].ncols(), split.spare[h].ncols(), split.wrap_rank);
    let value = |i: usize| split.arrows[0][(i, i)];
    for (i, j) in pairs(last, last) {
        if i < rank && j < rank {
            let matrix = elementary(0, i, j).scaled(value(i) / value(j));
            out.push(Symmetry::Ends { first: matrix, last: elementary(h, i, j) });
        } else if i >= rank {
            out.push(Symmetry::Ends { first: zero(0), last: elementary(h, i, j) });
        }
    }
    let free = pairs(first, first).filter(|&(_, j)| j >= rank);
    out.extend(free.map(|(i, j)| Symmetry::Ends { first: elementary(0, i, j), last: zero(h) }));
    out.extend(rung.ties.iter().map(|(a, b)| Symmetry::Tie { first: a.clone(), last: b.clone() }));
    Some(out)
}

fn pairs(rows: usize, cols: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).flat_map(move |i| (0..cols).map(move |j| (i, j)))
}

/// A point of an orbit: `turn (element start)`.
#[derive(Clone)]
struct Orbit<'a> {
    coordinates: &'a Coordinates,
    symmetries: &'a [Symmetry],
    start: Vec<Matrix>,
    /// A matrix a node, and its inverse.
    element: Vec<(Matrix, Matrix)>,
    /// What stands to the right of the first factor and to the left of the last one.
    turn: (Matrix, Matrix),
    /// Before and after the turn.
    unturned: Vec<Matrix>,
    point: Vec<Matrix>,
    distance: f64,
    size: f64,
}

impl<'a> Orbit<'a> {
    fn new(coordinates: &'a Coordinates, symmetries: &'a [Symmetry], start: Vec<Matrix>) -> Self {
        let (inputs, outputs) = (start[0].ncols(), start[start.len() - 1].nrows());
        let widths = std::iter::once(inputs).chain(start.iter().map(Matrix::nrows));
        let element = widths.map(|n| (Matrix::identity(n), Matrix::identity(n))).collect();
        let weighed = start.iter().zip(&coordinates.weights).map(|(w, weight)| weight * w.frobenius_norm());
        Self {
            size: weighed.fold(coordinates.distance(&start), f64::hypot),
            distance: coordinates.distance(&start),
            turn: (Matrix::identity(inputs), Matrix::identity(outputs)),
            unturned: start.clone(),
            point: start.clone(),
            coordinates,
            symmetries,
            start,
            element,
        }
    }

    /// The point of the orbit that is nearest to the start of the search.
    fn nearest(mut self) -> Self {
        let mut damping = 1e-4_f64;
        let mut slow = 0;
        let mut derivatives = self.derivatives();
        for _ in 0..STEPS {
            let Some(next) = self.moved(&self.step(&derivatives, damping)) else {
                if damping > 1e4 {
                    break;
                }
                damping *= 30.0;
                continue;
            };
            slow = if next.distance > (1.0 - GAIN) * self.distance { slow + 1 } else { 0 };
            self = next;
            if slow >= SLOW || self.distance == 0.0 {
                break;
            }
            damping = (0.1 * damping).max(1e-20);
            derivatives = self.derivatives();
        }
        self
    }

    /// The point without the rounding errors where these paths are zero, which the group element has blown up.
    fn landed(self, rung: &Rung, zeros: &[Path]) -> Landed {
        let zeros: Vec<Requirement> = zeros.iter().map(|&path| vec![path]).collect();
        let cleaned = Split::new(&self.unturned, rung).and_then(|split| cleaned(&split, &zeros, self.growth()));
        let layers = cleaned.map(|layers| self.turned(layers));
        let nearest = Landed { layers: self.point, distance: self.distance, is_exact: true };
        layers.and_then(|layers| as_near(self.coordinates, layers, nearest.distance)).unwrap_or(nearest)
    }

    fn turned(&self, mut layers: Vec<Matrix>) -> Vec<Matrix> {
        let last = layers.len() - 1;
        layers[0] = &layers[0] * &self.turn.0;
        layers[last] = &self.turn.1 * &layers[last];
        layers
    }

    /// How much the group element blows up the rounding errors of the start.
    fn growth(&self) -> f64 {
        let norms = self.element.windows(2).map(|pair| pair[1].0.frobenius_norm() * pair[0].1.frobenius_norm());
        norms.fold(0.0, f64::max)
    }

    /// How each symmetry moves the layers.
    fn derivatives(&self) -> Vec<Vec<Option<Matrix>>> {
        let h = self.point.len();
        let derivative = |symmetry: &Symmetry| {
            let mut out: Vec<Option<Matrix>> = vec![None; h];
            match symmetry {
                Symmetry::Inner { node, matrix } => {
                    out[node - 1] = Some(matrix * &self.point[node - 1]);
                    out[*node] = Some((&self.point[*node] * matrix).scaled(-1.0));
                }
                Symmetry::Ends { first, last } => {
                    out[0] = Some((&(&self.unturned[0] * first) * &self.turn.0).scaled(-1.0));
                    out[h - 1] = Some(&self.turn.1 * &(last * &self.unturned[h - 1]));
                }
                Symmetry::Tie { first, last } => {
                    out[0] = Some((&self.point[0] * first).scaled(-1.0));
                    out[h - 1] = Some(last * &self.point[h - 1]);
                }
            }
            out
        };
        self.symmetries.iter().map(derivative).collect()
    }

    /// Minimises `||point - start + sum t_j d_j||^2 + damping sum (t_j ||d_j||)^2`. A symmetry that moves rounding errors only
    /// counts as large, lest they grow.
    fn step(&self, derivatives: &[Vec<Option<Matrix>>], damping: f64) -> Vec<f64> {
        let weights = &self.coordinates.weights;
        let count = derivatives.len();
        let rows: usize = self.point.iter().map(|w| w.nrows() * w.ncols()).sum();
        let mut stacked = Matrix::zeros(rows + count + 1, count + 1);
        for (j, derivative) in derivatives.iter().enumerate() {
            let mut at = 0;
            let mut square = 0.0;
            for ((layer, step), weight) in self.point.iter().zip(derivative).zip(weights) {
                if let Some(step) = step {
                    for (k, x) in step.entries().enumerate() {
                        stacked[(at + k, j)] = weight * x;
                        square += (weight * x).powi(2);
                    }
                }
                at += layer.nrows() * layer.ncols();
            }
            let norm = square.sqrt();
            let norm = if norm > ROUNDING * self.size { norm } else { self.size };
            stacked[(rows + j, j)] = damping.sqrt() * norm;
        }
        let mut at = 0;
        for ((a, b), weight) in self.point.iter().zip(&self.coordinates.start).zip(weights) {
            for (k, x) in (a - b).entries().enumerate() {
                stacked[(at + k, count)] = -weight * x;
            }
            at += a.nrows() * a.ncols();
        }
        let r = triangular_factor(stacked);
        let mut t = vec![0.0; count];
        for i in (0..count).rev() {
            let sum: f64 = (i + 1..count).map(|j| r[(i, j)] * t[j]).sum();
            t[i] = (r[(i, count)] - sum) / r[(i, i)];
        }
        t
    }

    /// The point after a step, where it is nearer and rounding errors have not grown to its distance.
    fn moved(&self, step: &[f64]) -> Option<Self> {
        let h = self.point.len();
        let mut next = self.clone();
        let mut elements: Vec<Matrix> = self.element.iter().map(|(g, _)| Matrix::identity(g.nrows())).collect();
        let mut turns = [&self.turn.0, &self.turn.1].map(|turn| Matrix::zeros(turn.nrows(), turn.ncols()));
        for (symmetry, &t) in self.symmetries.iter().zip(step) {
            match symmetry {
                Symmetry::Inner { node, matrix } => elements[*node].add_scaled(t, matrix),
                Symmetry::Ends { first, last } => {
                    elements[0].add_scaled(t, first);
                    elements[h].add_scaled(t, last);
                }
                Symmetry::Tie { first, last } => {
                    turns[0].add_scaled(t, first);
                    turns[1].add_scaled(t, last);
                }
            }
        }
        for ((g, back), step) in next.element.iter_mut().zip(&elements) {
            *back = &*back * &inverse(step)?;
            *g = step * &*g;
        }
        let [first, last] = turns;
        next.turn = (&self.turn.0 * &cayley(&first.scaled(-1.0))?, &cayley(&last)? * &self.turn.1);
        // From the start in one go, so that the rounding errors of a step are not blown up by the next ones.
        next.unturned = (0..h).map(|k| &(&next.element[k + 1].0 * &self.start[k]) * &next.element[k].1).collect();
        next.point = next.turned(next.unturned.clone());
        next.distance = self.coordinates.distance(&next.point);
        let growth = next.growth();
        let harmless = growth < GROWTH && growth * UNIT_ROUNDOFF * self.size < HARMLESS * next.distance;
        (harmless && next.distance < self.distance).then_some(next)
    }
}

/// `(I - A/2)^-1 (I + A/2)`: orthogonal for skew matrices, and in any other basis what they are there.
fn cayley(a: &Matrix) -> Option<Matrix> {
    let half = |sign: f64| {
        let mut out = Matrix::identity(a.nrows());
        out.add_scaled(sign * 0.5, a);
        out
    };
    Some(&inverse(&half(-1.0))? * &half(1.0))
}
