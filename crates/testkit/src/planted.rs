//! Critical points of the square loss with everything known about them, for any data.
//!
//! A critical point of `1/2 ||W_h ... W_1 X - Y||^2` is, in whitened coordinates, a direct sum of strings (see
//! [`crate::strings`] and `docs/inertia.md`): `e` full ones, one for each captured singular value, and others in which
//! no composite of `h` arrows is non-zero. So a [`Blueprint`] lists the strings and the singular values, and
//! [`Planted::build`] turns it into weights and data in random bases. Every critical point has such a blueprint.

use crate::barcode::arrow;
use crate::grid::Grid;
use crate::inertia::{Inertia, Ranks};
use crate::random::Draw;
use crate::random_matrix::RandomMatrix;
use crate::reference::Network;
use crate::scalar::Scalar;
use crate::strings::{self, Strand};

/// Class of a critical point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// No lower value exists.
    GlobalMinimum,
    /// The Hessian has a negative eigenvalue.
    StrictSaddle,
    /// A saddle whose Hessian has no negative eigenvalue.
    NonStrictSaddle,
}

impl Class {
    /// All three.
    pub const ALL: [Self; 3] = [Self::GlobalMinimum, Self::StrictSaddle, Self::NonStrictSaddle];

    /// As in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::GlobalMinimum => "global_minimum",
            Self::StrictSaddle => "strict_saddle",
            Self::NonStrictSaddle => "non_strict_saddle",
        }
    }
}

/// Bounds for random blueprints.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Fewest factors.
    pub min_depth: usize,
    /// Most factors.
    pub max_depth: usize,
    /// Largest width, that of the whitened input included.
    pub max_width: usize,
}

/// What a critical point is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Blueprint {
    /// Number of factors.
    pub depth: usize,
    /// Captured singular values of the whitened target, any order, repeated values allowed.
    pub kept: Vec<f64>,
    /// Omitted positive singular values, one for each wrapping strand.
    pub omitted: Vec<f64>,
    /// All strings except the full ones.
    pub strands: Vec<Strand>,
}

impl Blueprint {
    /// A random blueprint; all singular values are multiples of 1/4, and ties are frequent.
    pub fn draw(draw: &mut Draw, limits: Limits) -> Self {
        loop {
            let depth = draw.size(limits.min_depth, limits.max_depth);
            let wrapping = if depth >= 2 { draw.size(0, limits.max_width.min(3)) } else { 0 };
            let segments = draw.size(0, limits.max_width + 1);
            let captured = draw.size(0, limits.max_width.min(2));
            let mut strands: Vec<Strand> = (0..wrapping).map(|_| Strand::draw_wrapping(draw, depth)).collect();
            strands.extend((0..segments).map(|_| Strand::draw_segment(draw, depth)));
            let mut values: Vec<f64> = Vec::new();
            for _ in 0..captured + wrapping {
                let repeat = !values.is_empty() && draw.chance(0.25);
                let value = if repeat { values[values.len() - 1] } else { 0.25 * draw.integer(2, 12) as f64 };
                values.push(value);
            }
            if draw.chance(0.6) {
                values.sort_by(|a, b| b.total_cmp(a));
            }
            let omitted = values.split_off(captured);
            let blueprint = Self { depth, kept: values, omitted, strands };
            let widths = blueprint.widths();
            let fits = widths.iter().all(|&width| width <= limits.max_width);
            if fits && widths[1..].iter().all(|&width| width >= 1) && (widths[0] >= 1 || draw.chance(0.1)) {
                return blueprint;
            }
        }
    }

    /// A random blueprint of one class. Non-strict saddles need `max_depth >= 3`.
    pub fn draw_class(draw: &mut Draw, limits: Limits, class: Class) -> Self {
        loop {
            let blueprint = Self::draw(draw, limits);
            if blueprint.class() == class {
                return blueprint;
            }
        }
    }

    /// Widths of nodes `0..=h`; node 0 is the whitened input, of dimension rank X.
    pub fn widths(&self) -> Vec<usize> {
        (0..=self.depth).map(|node| self.kept.len() + strings::width(&self.strands, node)).collect()
    }

    /// The product is a best approximation of its rank.
    pub fn is_top(&self) -> bool {
        self.kept.iter().all(|a| self.omitted.iter().all(|b| a >= b))
    }

    /// The class, from the singular values, the smallest width and the pairs of strings.
    pub fn class(&self) -> Class {
        let smallest = self.widths().into_iter().min().unwrap_or(0);
        if self.is_top() && (self.omitted.is_empty() || self.kept.len() == smallest) {
            Class::GlobalMinimum
        } else if !self.is_top() || strings::linked_pairs(&self.strands) > 0 {
            Class::StrictSaddle
        } else {
            Class::NonStrictSaddle
        }
    }

    /// The ranks of all partial products and wrapped products.
    pub fn ranks(&self) -> Ranks {
        let captured = self.kept.len();
        Ranks::tabulate(
            self.depth,
            |i, j| captured + strings::rank(&self.strands, i, j),
            |s, t| strings::wrapped_rank(&self.strands, s, t),
        )
    }

    /// Inertia in whitened parameters, from pairs of strings counted one by one.
    pub fn inertia(&self) -> Inertia {
        let widths = self.widths();
        let (e, linked) = (self.kept.len(), strings::linked_pairs(&self.strands));
        let mut inertia = Inertia { negative: linked, zero: 0, positive: e * e + linked };
        inertia.positive += strings::free_pairs(&self.strands, self.depth);
        for &kept in &self.kept {
            inertia.positive += widths[0] + widths[self.depth] - 2 * e;
            inertia.negative += self.omitted.iter().filter(|&&omitted| omitted > kept).count();
            inertia.positive -= self.omitted.iter().filter(|&&omitted| omitted >= kept).count();
        }
        let parameters: usize = widths.windows(2).map(|pair| pair[0] * pair[1]).sum();
        inertia.zero = parameters - inertia.negative - inertia.positive;
        inertia
    }

    /// Singular values of the whitened target in non-increasing order, zeros included.
    pub fn spectrum(&self) -> Vec<f64> {
        let widths = self.widths();
        let mut values: Vec<f64> = self.kept.iter().chain(&self.omitted).copied().collect();
        values.sort_by(|a, b| b.total_cmp(a));
        values.resize(widths[0].min(widths[self.depth]), 0.0);
        values
    }

    /// 1-based positions of the captured values in the spectrum, the lowest ones inside a block of equal values.
    pub fn captured(&self) -> Vec<usize> {
        let spectrum = self.spectrum();
        let mut taken = vec![false; spectrum.len()];
        for &value in &self.kept {
            let place =
                (0..spectrum.len()).find(|&i| !taken[i] && spectrum[i] == value).expect("a value of the spectrum");
            taken[place] = true;
        }
        (0..taken.len()).filter(|&i| taken[i]).map(|i| i + 1).collect()
    }
}

/// The data around a whitened problem: `d_0 = rank X + extra_inputs`, `n = rank X + extra_samples`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Data {
    /// `d_0 - rank X`.
    pub extra_inputs: usize,
    /// `n - rank X`.
    pub extra_samples: usize,
    /// `X` is the identity; needs both extras to be 0.
    pub identity: bool,
}

impl Data {
    /// `X = I`.
    pub const IDENTITY: Self = Self { extra_inputs: 0, extra_samples: 0, identity: true };

    /// Up to two more inputs and samples than the rank; never an empty side.
    pub fn draw(draw: &mut Draw, rank: usize) -> Self {
        if rank > 0 && draw.chance(0.3) {
            return Self::IDENTITY;
        }
        let least = usize::from(rank == 0);
        Self { extra_inputs: draw.size(least, 2), extra_samples: draw.size(least, 2), identity: false }
    }
}

/// A critical point with its answers.
#[derive(Debug, Clone)]
pub struct Planted<T> {
    /// What it is made of.
    pub blueprint: Blueprint,
    /// Weights, `X` and `Y` (samples are columns), without biases.
    pub network: Network<T>,
    /// Whitened factors: the first is `W_1 U_x S_x`.
    pub whitened: Vec<Grid<T>>,
    /// Whitened target `Z`.
    pub target: Grid<T>,
    /// `d_0, ..., d_h` of the network.
    pub widths: Vec<usize>,
    /// Rank of `W X`.
    pub rank: usize,
    /// Loss at the point.
    pub loss: f64,
    /// Smallest value of the loss.
    pub global_minimum: f64,
    /// Class of the point.
    pub class: Class,
    /// Inertia of the Hessian in all parameters, flat directions of `X` included.
    pub inertia: Inertia,
}

impl<T: RandomMatrix> Planted<T> {
    /// A random critical point within limits.
    pub fn draw(draw: &mut Draw, limits: Limits) -> Self {
        let blueprint = Blueprint::draw(draw, limits);
        let data = Data::draw(draw, blueprint.widths()[0]);
        Self::build(draw, blueprint, data)
    }

    /// A random critical point of one class within limits.
    pub fn draw_class(draw: &mut Draw, limits: Limits, class: Class) -> Self {
        let blueprint = Blueprint::draw_class(draw, limits, class);
        let data = Data::draw(draw, blueprint.widths()[0]);
        Self::build(draw, blueprint, data)
    }

    /// Weights and data for a blueprint, in random bases.
    pub fn build(draw: &mut Draw, blueprint: Blueprint, data: Data) -> Self {
        let whitened_widths = blueprint.widths();
        let (rho, h) = (whitened_widths[0], blueprint.depth);
        let (target, whitened) = whitened_point(draw, &blueprint);

        let (d0, n) = (rho + data.extra_inputs, rho + data.extra_samples);
        assert!(!data.identity || (d0, n) == (rho, rho), "the identity leaves no room for extra inputs or samples");
        let frame = |draw: &mut Draw, n: usize| if data.identity { Grid::identity(n) } else { T::orthogonal(draw, n) };
        let (inputs, samples) = (frame(draw, d0), frame(draw, n));
        let stretch: Vec<T> =
            (0..rho).map(|_| T::ratio(if data.identity { 2 } else { draw.integer(1, 5) }, 2)).collect();
        let shrink: Vec<T> = stretch.iter().map(|s| T::one() / s.clone()).collect();
        let x = inputs.matmul(&Grid::diagonal(d0, n, &stretch)).matmul(&samples.transpose());
        let outside = Grid::draw(draw, whitened_widths[h], n - rho);
        let y = target.beside(&outside).matmul(&samples.transpose());
        let first = whitened[0].matmul(&Grid::diagonal(rho, rho, &shrink));
        let flat = Grid::draw(draw, first.rows(), d0 - rho);
        let mut weights = whitened.clone();
        weights[0] = first.beside(&flat).matmul(&inputs.transpose());

        let half_squares = |values: &[f64]| 0.5 * values.iter().map(|value| value * value).sum::<f64>();
        let floor = 0.5 * outside.entries().iter().map(|entry| entry.size().powi(2)).sum::<f64>();
        let smallest = whitened_widths.iter().copied().min().unwrap_or(0);
        let mut widths = whitened_widths;
        widths[0] = d0;
        let mut inertia = blueprint.inertia();
        inertia.zero += widths[1] * (d0 - rho);
        Self {
            network: Network::new(weights, x, y),
            whitened,
            target,
            widths,
            rank: blueprint.kept.len(),
            loss: floor + half_squares(&blueprint.omitted),
            global_minimum: floor + half_squares(&blueprint.spectrum()[smallest..]),
            class: blueprint.class(),
            inertia,
            blueprint,
        }
    }
}

/// Whitened target and factors: random singular bases at both ends, random bases at the inner nodes.
///
/// With singular vectors `v` at node 0 and `u` at node h, the end vectors of a full string are `v_a` and
/// `sigma_a u_a`. The end vectors of the wrapping strings are combinations of the omitted `u_b` (the same combination
/// of `-s_b v_b` at node 0, since `G' u_b = -s_b v_b`) plus anything in the kernel of `G'`; the other strings that end
/// at `h` span that kernel, and the other strings that start at 0 are free.
fn whitened_point<T: RandomMatrix>(draw: &mut Draw, blueprint: &Blueprint) -> (Grid<T>, Vec<Grid<T>>) {
    let (h, e, omitted) = (blueprint.depth, blueprint.kept.len(), blueprint.omitted.len());
    let widths = blueprint.widths();
    let (right, left) = (T::orthogonal(draw, widths[0]), T::orthogonal(draw, widths[h]));
    let kept: Vec<T> = blueprint.kept.iter().map(|&value| T::from_double(value)).collect();
    let left_out: Vec<T> = blueprint.omitted.iter().map(|&value| T::from_double(value)).collect();
    let all: Vec<T> = kept.iter().chain(&left_out).cloned().collect();
    let target = left.matmul(&Grid::diagonal(widths[h], widths[0], &all)).matmul(&right.transpose());

    let mut strands = vec![Strand::Segment { from: 0, to: h }; e];
    strands.extend(&blueprint.strands);
    let wrapping = strands.iter().filter(|strand| strand.wraps()).count();
    assert_eq!(wrapping, omitted, "one omitted singular value for each wrapping string");

    let aligned = draw.chance(0.25);
    let invertible = |draw: &mut Draw, n: usize| if aligned { Grid::identity(n) } else { T::invertible(draw, n) };
    let anything =
        |draw: &mut Draw, m: usize, n: usize| if aligned { Grid::zeros(m, n) } else { Grid::draw(draw, m, n) };
    let mix: Grid<T> = invertible(draw, omitted);
    let (zero_right, zero_left) = (widths[0] - e - omitted, widths[h] - e - omitted);
    // Coordinates of the end vectors in the singular bases, columns ordered full, wrapping, other.
    let start = stack(
        &Grid::identity(e),
        &stack_upper(
            &Grid::diagonal(omitted, omitted, &left_out).scale(&-T::one()).matmul(&mix),
            &anything(draw, omitted, zero_right),
            &invertible(draw, zero_right),
        ),
    );
    let end = stack(
        &Grid::diagonal(e, e, &kept),
        &stack_lower(&mix, &anything(draw, zero_left, omitted), &invertible(draw, zero_left)),
    );

    let mut bases: Vec<Grid<T>> = widths.iter().map(|&width| T::invertible(draw, width)).collect();
    bases[0] = right.matmul(&start).columns(&column_order(&strands, 0, h));
    bases[h] = left.matmul(&end).columns(&column_order(&strands, h, h));
    let factor = |k: usize| {
        let inverse = bases[k - 1].inverse().expect("bases are invertible");
        bases[k].matmul(&arrow(&strands, k)).matmul(&inverse)
    };
    (target, (1..=h).map(factor).collect())
}

/// For each string at `node`, in order, its column among full, wrapping, other.
fn column_order(strands: &[Strand], node: usize, h: usize) -> Vec<usize> {
    let kind = |strand: &Strand| match strand {
        Strand::Segment { from: 0, to } if *to == h => 0,
        Strand::Wrapping { .. } => 1,
        Strand::Segment { .. } => 2,
    };
    let kinds: Vec<usize> = strands.iter().filter(|strand| strand.contains(node)).map(kind).collect();
    let mut sorted: Vec<usize> = (0..kinds.len()).collect();
    sorted.sort_by_key(|&i| kinds[i]);
    let mut order = vec![0; kinds.len()];
    for (column, &string) in sorted.iter().enumerate() {
        order[string] = column;
    }
    order
}

/// Block diagonal.
fn stack<T: Scalar>(a: &Grid<T>, b: &Grid<T>) -> Grid<T> {
    stack_upper(a, &Grid::zeros(a.rows(), b.cols()), b)
}

/// `[[a, b], [0, d]]`.
fn stack_upper<T: Scalar>(a: &Grid<T>, b: &Grid<T>, d: &Grid<T>) -> Grid<T> {
    let top = a.beside(b);
    let bottom = Grid::zeros(d.rows(), a.cols()).beside(d);
    Grid::from_fn(a.rows() + d.rows(), a.cols() + d.cols(), |i, j| {
        if i < a.rows() { top[(i, j)].clone() } else { bottom[(i - a.rows(), j)].clone() }
    })
}

/// `[[a, 0], [c, d]]`.
fn stack_lower<T: Scalar>(a: &Grid<T>, c: &Grid<T>, d: &Grid<T>) -> Grid<T> {
    stack_upper(&a.transpose(), &c.transpose(), &d.transpose()).transpose()
}
