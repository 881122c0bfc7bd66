//! Orthonormal bases in which the factors and the target are diagonal.

use crate::linalg::{Matrix, orthonormal_complement, spectral_norm, symmetric_eigen, vector_norm};
use crate::network::SquareNetwork;
use crate::random::Stream;
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

/// One direction through the network: a unit vector at some of the nodes that every map sends to a multiple of the unit
/// vector at the next node, or to zero. Node 0 holds the columns of the data (or the input, where the data are the
/// identity); the last node is the output.
#[derive(Debug, Clone, PartialEq)]
pub struct Strand {
    /// Column of the basis at every node, where the strand is present.
    pub at: Vec<Option<usize>>,
    /// What the edge into every node but node 0 multiplies by; 0 where an end is missing.
    pub weights: Vec<f64>,
    /// What the target multiplies by, from node 0 to the last node.
    pub target: f64,
    /// Product of all weights minus the target; exactly zero where it is no more than rounding.
    pub residual: f64,
}

impl Strand {
    fn new(nodes: usize) -> Self {
        Self { at: vec![None; nodes], weights: vec![0.0; nodes - 1], target: 0.0, residual: 0.0 }
    }

    /// Product of the weights from node `from` to node `to >= from`; zero where the strand is broken between them.
    pub(super) fn through(&self, from: usize, to: usize) -> f64 {
        if from > to || self.at[from].is_none() { 0.0 } else { self.weights[from..to].iter().product() }
    }

    /// It runs from the first node to the last without a break.
    pub fn is_full(&self) -> bool {
        self.weights.iter().all(|&w| w != 0.0)
    }

    /// It is missing at some node.
    pub(super) fn has_gap(&self) -> bool {
        self.at.iter().any(Option::is_none)
    }

    /// The nodes at which it is present are consecutive.
    pub(super) fn is_connected(&self) -> bool {
        let present: Vec<usize> = (0..self.at.len()).filter(|&k| self.at[k].is_some()).collect();
        present.windows(2).all(|pair| pair[0] + 1 == pair[1] && self.weights[pair[0]] != 0.0)
    }

    fn is_close(&self, other: &Self, ties: &[f64], target_tie: f64) -> bool {
        let present = self.at.iter().zip(&other.at).all(|(a, b)| a.is_some() == b.is_some());
        let present = present && (self.residual == 0.0) == (other.residual == 0.0);
        let mut weights = self.weights.iter().zip(&other.weights).zip(ties);
        present
            && weights.all(|((a, b), tie)| (a - b).abs() <= *tie)
            && (self.target - other.target).abs() <= target_tie
    }
}

/// Bases at all nodes, the strands they consist of, and how well they fit.
#[derive(Debug, Clone)]
pub struct Alignment {
    /// An orthonormal basis at every node.
    pub bases: Vec<Matrix>,
    /// Classes of strands of equal weights: a representative and all members.
    pub classes: Vec<Vec<Strand>>,
    /// Largest part of a map off its diagonal, relative to its norm.
    pub defect: f64,
    /// The first edge is that of the data: it has no parameters.
    pub has_data: bool,
    /// Two values of strands that differ by no more than this count as equal.
    pub tie: f64,
}

/// The maps around the cycle: data (where they are not the identity) and factors forward, the target across.
struct Cycle<'a> {
    edges: Vec<&'a Matrix>,
    norms: Vec<f64>,
    target: &'a Matrix,
    target_norm: f64,
    /// Relative size of a defect that is let pass; an image below it counts as zero.
    defect: f64,
}

/// Stream of the coefficients that make the spectra of the loops simple; any will do.
const COEFFICIENTS: u64 = 0x0a11_19ed;
/// Generic combinations of loops that are diagonalized together.
const COMBINATIONS: usize = 3;
/// Values of all combinations closer than this, relative to the largest, belong to one class of strands: any basis does.
const SAME_VALUE: f64 = 1e-10;
/// A first-order correction of eigenvectors is not to be trusted beyond this angle.
const LARGEST_CORRECTION: f64 = 1e-2;

impl Alignment {
    /// Finds the bases of an unbiased network, if there are any up to `tolerances.alignment`.
    pub fn new(network: &SquareNetwork, tolerances: &Tolerances) -> Option<Self> {
        if !network.biased_layers().is_empty() {
            return None;
        }
        let edges: Vec<&Matrix> = network.inputs().into_iter().chain(network.layers()).collect();
        let input = network.inputs().map(|_| network.input_norm());
        let target = network.target();
        let widest = edges.iter().map(|edge| edge.larger_dimension()).max().unwrap_or(1) as f64;
        let cycle = Cycle {
            norms: input.into_iter().chain(network.layer_norms().iter().copied()).collect(),
            target_norm: spectral_norm(target),
            defect: tolerances.alignment * UNIT_ROUNDOFF * widest.sqrt(),
            edges,
            target,
        };
        if !cycle.loops_commute() {
            return None;
        }
        let mut builder = Builder::new(&cycle);
        builder.add_through_inputs()?;
        for node in 1..builder.columns.len() {
            builder.add_from(node)?;
        }
        let defect = builder.defect();
        let size = cycle.norms.iter().product::<f64>() + cycle.target_norm;
        for strand in &mut builder.strands {
            let residual = strand.weights.iter().product::<f64>() - strand.target;
            strand.residual = if residual.abs() <= cycle.defect * size { 0.0 } else { residual };
        }
        let relative = tolerances.tie * UNIT_ROUNDOFF * widest.sqrt();
        let ties: Vec<f64> = cycle.norms.iter().map(|n| relative * n).collect();
        (defect <= cycle.defect).then(|| Self {
            classes: classes(builder.strands, &ties, relative * cycle.target_norm),
            tie: relative * cycle.target_norm,
            bases: builder.columns.iter().map(|columns| from_columns(columns)).collect(),
            defect,
            has_data: network.inputs().is_some(),
        })
    }
}

fn classes(strands: Vec<Strand>, ties: &[f64], target_tie: f64) -> Vec<Vec<Strand>> {
    let mut classes: Vec<Vec<Strand>> = Vec::new();
    for strand in strands {
        match classes.iter_mut().find(|class| class[0].is_close(&strand, ties, target_tie)) {
            Some(class) => class.push(strand),
            None => classes.push(vec![strand]),
        }
    }
    classes
}

fn from_columns(columns: &[Vec<f64>]) -> Matrix {
    let rows = columns.first().map_or(0, Vec::len);
    Matrix::from_column_major(rows, columns.len(), &columns.concat())
}

impl Cycle<'_> {
    /// `C x` with `C` a generic combination of the symmetric loops `F_k' F_k` at node 0, `F_k = E_k ... E_1`, and
    /// `(E_n ... E_{k+1})' Z` likewise, applied factor by factor.
    fn apply_loops(&self, x: &Matrix, stream: &mut Stream) -> Matrix {
        let normalized = |m: Matrix, norm: f64| if norm > 0.0 { m.scaled(1.0 / norm) } else { m };
        let mut out = Matrix::zeros(x.nrows(), x.ncols());
        let forward = |m: &Matrix, k: usize| normalized(self.edges[k] * m, self.norms[k]);
        let back = |m: &Matrix, k: usize| normalized(self.edges[k].transpose_times(m), self.norms[k]);
        let mut image = x.clone();
        for k in 0..self.edges.len() {
            image = forward(&image, k);
            let returned = (0..=k).rev().fold(image.clone(), |m, l| back(&m, l));
            out.add_scaled(1.0 + stream.uniform(), &returned);
        }
        let across = normalized(self.target * x, self.target_norm);
        let returned = (0..self.edges.len()).rev().fold(across.clone(), |m, l| back(&m, l));
        out.add_scaled(1.0 + stream.uniform(), &returned);
        out.add_scaled(1.0 + stream.uniform(), &normalized(self.target.transpose_times(&image), self.target_norm));
        let mut image = across;
        for k in (0..self.edges.len()).rev() {
            let returned = (k + 1..self.edges.len()).fold(image.clone(), |m, l| forward(&m, l));
            let home = normalized(self.target.transpose_times(&returned), self.target_norm);
            out.add_scaled(1.0 + stream.uniform(), &home);
            image = back(&image, k);
        }
        out
    }

    /// A cheap necessary condition, on one random vector: two generic combinations of loops commute.
    fn loops_commute(&self) -> bool {
        let size = self.edges[0].ncols();
        let x = Stream::new(COEFFICIENTS, 1).normal_matrix(size, 1);
        let a = |x: &Matrix| self.apply_loops(x, &mut Stream::new(COEFFICIENTS, 2));
        let b = |x: &Matrix| self.apply_loops(x, &mut Stream::new(COEFFICIENTS, 3));
        // Every term has norm at most 2, and there are 2 n + 2 of them.
        let size = (4.0 * (self.edges.len() + 1) as f64).powi(2) * vector_norm(x.column(0));
        (&a(&b(&x)) - &b(&a(&x))).frobenius_norm() <= self.defect * size
    }
}

/// Orthonormal eigenvectors that commuting symmetric matrices have in common: those of the first, corrected to first
/// order by the matrix that tells a pair of them apart best, so that values of one matrix that happen to be close do no
/// harm.
fn common_eigenvectors(matrices: [Matrix; COMBINATIONS]) -> Option<Matrix> {
    let mut basis = symmetric_eigen(&matrices[0])?.vectors;
    let scale = matrices.iter().map(Matrix::max_abs).fold(0.0, f64::max);
    for _pass in 0..2 {
        let turned: Vec<Matrix> = matrices.iter().map(|m| &basis.transpose_times(m) * &basis).collect();
        let gap = |m: &Matrix, i: usize, j: usize| m[(j, j)] - m[(i, i)];
        let angle = |i: usize, j: usize| {
            let best = turned.iter().max_by(|a, b| gap(a, i, j).abs().total_cmp(&gap(b, i, j).abs()));
            let angle = best.map_or(0.0, |m| m[(i, j)] / gap(m, i, j));
            let apart = best.is_some_and(|m| gap(m, i, j).abs() > SAME_VALUE * scale);
            if apart && i != j && angle.abs() < LARGEST_CORRECTION { angle } else { 0.0 }
        };
        let skew = Matrix::from_fn(basis.ncols(), basis.ncols(), angle);
        let moved = &basis + &(&basis * &skew);
        // Orthonormal again, to the same order.
        let excess = &moved.transpose_times(&moved) - &Matrix::identity(basis.ncols());
        basis = &moved - &(&moved * &excess.scaled(0.5));
    }
    Some(basis)
}

/// Bases under construction.
struct Builder<'a> {
    cycle: &'a Cycle<'a>,
    columns: Vec<Vec<Vec<f64>>>,
    strands: Vec<Strand>,
}

impl<'a> Builder<'a> {
    fn new(cycle: &'a Cycle<'a>) -> Self {
        Self { cycle, columns: vec![Vec::new(); cycle.edges.len() + 1], strands: Vec::new() }
    }

    /// The strands that are present at node 0: forward from there, and backward from where the target leads.
    fn add_through_inputs(&mut self) -> Option<()> {
        let size = self.cycle.edges[0].ncols();
        let identity = Matrix::identity(size);
        let basis = common_eigenvectors([4, 5, 6].map(|stream| {
            let loops = self.cycle.apply_loops(&identity, &mut Stream::new(COEFFICIENTS, stream));
            &loops + &loops.transpose()
        }))?;
        let nodes = self.columns.len();
        for j in 0..size {
            let mut strand = Strand::new(nodes);
            self.place(&mut strand, 0, basis.column(j).to_vec());
            self.follow(&mut strand, 0);
            let across = self.cycle.target * &basis.columns(j, j + 1);
            self.come_back(&mut strand, &across);
            self.strands.push(strand);
        }
        Some(())
    }

    /// The strands that begin at an inner or the last node: eigenvectors of the forward loops on what is left there.
    fn add_from(&mut self, node: usize) -> Option<()> {
        let rows = self.cycle.edges[node - 1].nrows();
        let taken =
            if self.columns[node].is_empty() { Matrix::zeros(rows, 0) } else { from_columns(&self.columns[node]) };
        if taken.ncols() > rows {
            return None;
        }
        let rest = orthonormal_complement(&taken);
        let mut loops = [(); COMBINATIONS].map(|()| Matrix::zeros(rest.ncols(), rest.ncols()));
        let mut stream = Stream::new(COEFFICIENTS, 7 + node as u64);
        let mut image = rest.clone();
        for k in node..self.cycle.edges.len() {
            let norm = self.cycle.norms[k];
            image = (self.cycle.edges[k] * &image).scaled(if norm > 0.0 { 1.0 / norm } else { 0.0 });
            let gram = image.transpose_times(&image);
            loops.iter_mut().for_each(|sum| sum.add_scaled(1.0 + stream.uniform(), &gram));
        }
        let basis = &rest * &common_eigenvectors(loops)?;
        for j in 0..basis.ncols() {
            let mut strand = Strand::new(self.columns.len());
            self.place(&mut strand, node, basis.column(j).to_vec());
            self.follow(&mut strand, node);
            self.strands.push(strand);
        }
        Some(())
    }

    fn place(&mut self, strand: &mut Strand, node: usize, vector: Vec<f64>) {
        strand.at[node] = Some(self.columns[node].len());
        self.columns[node].push(vector);
    }

    /// Images under the edges after `node`, until one is zero.
    fn follow(&mut self, strand: &mut Strand, node: usize) {
        for k in node..self.cycle.edges.len() {
            let Some(at) = strand.at[k] else { return };
            let image = self.cycle.edges[k] * &column(&self.columns[k][at]);
            let Some((length, unit)) = normalized(&image, self.cycle.defect * self.cycle.norms[k]) else { return };
            strand.weights[k] = length;
            self.place(strand, k + 1, unit);
        }
    }

    /// What the target makes of the vector at node 0, and its images under the transposed edges.
    fn come_back(&mut self, strand: &mut Strand, across: &Matrix) {
        let last = self.cycle.edges.len();
        let Some((length, unit)) = normalized(across, self.cycle.defect * self.cycle.target_norm) else { return };
        match strand.at[last] {
            Some(at) => {
                strand.target = unit.iter().zip(&self.columns[last][at]).map(|(x, y)| x * y).sum::<f64>() * length;
                return;
            }
            None => {
                strand.target = length;
                self.place(strand, last, unit);
            }
        }
        for k in (0..last).rev() {
            let (Some(at), None) = (strand.at[k + 1], strand.at[k]) else { return };
            let image = self.cycle.edges[k].transpose_times(&column(&self.columns[k + 1][at]));
            let Some((length, unit)) = normalized(&image, self.cycle.defect * self.cycle.norms[k]) else { return };
            strand.weights[k] = length;
            self.place(strand, k, unit);
        }
    }

    /// Largest part of a map that the strands do not account for, relative to its norm; infinite if the vectors are no
    /// orthonormal bases.
    fn defect(&self) -> f64 {
        let nodes = self.columns.len();
        let sizes = std::iter::once(self.cycle.edges[0].ncols()).chain(self.cycle.edges.iter().map(|e| e.nrows()));
        if sizes.zip(&self.columns).any(|(size, columns)| size != columns.len()) {
            return f64::INFINITY;
        }
        let bases: Vec<Matrix> = self.columns.iter().map(|columns| from_columns(columns)).collect();
        let skew = |q: &Matrix| (&q.transpose_times(q) - &Matrix::identity(q.ncols())).frobenius_norm();
        let mut worst = bases.iter().map(skew).fold(0.0, f64::max);
        let mut check = |map: &Matrix, norm: f64, (from, to): (usize, usize), weight: &dyn Fn(&Strand) -> f64| {
            let mut rest = &bases[to].transpose_times(map) * &bases[from];
            for strand in &self.strands {
                if let (Some(j), Some(i)) = (strand.at[from], strand.at[to]) {
                    rest[(i, j)] -= weight(strand);
                }
            }
            if norm > 0.0 {
                worst = worst.max(rest.frobenius_norm() / norm);
            }
        };
        for k in 0..nodes - 1 {
            check(self.cycle.edges[k], self.cycle.norms[k], (k, k + 1), &|strand| strand.weights[k]);
        }
        check(self.cycle.target, self.cycle.target_norm, (0, nodes - 1), &|strand| strand.target);
        worst
    }
}

fn column(vector: &[f64]) -> Matrix {
    Matrix::from_column_major(vector.len(), 1, vector)
}

/// Length and direction of a vector that is longer than `zero`.
fn normalized(image: &Matrix, zero: f64) -> Option<(f64, Vec<f64>)> {
    let length = vector_norm(image.column(0));
    (length > zero).then(|| (length, image.column(0).iter().map(|x| x / length).collect()))
}
