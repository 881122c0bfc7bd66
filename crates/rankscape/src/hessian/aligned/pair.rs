//! The Hessian on the coordinates of two strands.

use super::alignment::Strand;
use crate::linalg::{Matrix, orthonormal_complement, symmetric_eigen, symmetric_eigenvalues};

/// One coordinate: `q_i q_j'` in the layer of edge `edge`, where the row direction is the one strand's and the column
/// direction the other's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Coordinate {
    pub(super) edge: usize,
    /// The row direction is that of the second strand.
    pub(super) swapped: bool,
}

/// The block of the Hessian on the span of `q_i q_j'` and `q_j q_i'` in all layers, `i` and `j` two strands or one.
pub(super) struct PairBlock {
    pub(super) coordinates: Vec<Coordinate>,
    form: Form,
}

enum Form {
    /// `sum_k v_k v_k'` with orthogonal `v_k`, one for each of the one or two halves of the coordinates.
    Squares(Vec<Vec<f64>>),
    /// In orthonormal vectors along `a` and `b` the matrix `[[(x |a|)^2, r |a| |b|], [r |a| |b|, (y |b|)^2]]`.
    Plane { a: Vec<f64>, b: Vec<f64>, x: f64, y: f64, r: f64 },
    /// Anything else.
    Dense(Matrix),
}

/// What all pairs share.
pub(super) struct Layers<'a> {
    /// Edges that have parameters, the first of them and what their coordinates are scaled by.
    pub(super) first: usize,
    pub(super) scales: &'a [f64],
    /// Values closer than this are equal.
    pub(super) tie: f64,
}

impl Layers<'_> {
    fn edges(&self, nodes: usize) -> std::ops::Range<usize> {
        self.first..nodes - 1
    }

    fn scale(&self, edge: usize) -> f64 {
        self.scales[edge - self.first]
    }
}

impl PairBlock {
    /// Of two different strands, which may have the same weights.
    pub(super) fn of_two(i: &Strand, j: &Strand, layers: &Layers<'_>) -> Self {
        let half = |row: &Strand, col: &Strand, swapped| -> Vec<Coordinate> {
            let edges = layers.edges(row.at.len());
            let present = edges.filter(|&edge| row.at[edge + 1].is_some() && col.at[edge].is_some());
            present.map(|edge| Coordinate { edge, swapped }).collect()
        };
        let mut coordinates = half(i, j, false);
        coordinates.extend(half(j, i, true));
        let form = match (i.residual == 0.0, j.residual == 0.0) {
            (true, true) => Form::Squares(vec![
                first_order(&coordinates, false, i, j, layers),
                first_order(&coordinates, true, j, i, layers),
            ]),
            (true, false) if i.is_connected() && j.has_gap() => plane(&coordinates, false, i, j, layers),
            (false, true) if j.is_connected() && i.has_gap() => plane(&coordinates, true, j, i, layers),
            _ => Form::Dense(dense(&coordinates, i, j, layers)),
        };
        Self { coordinates, form }
    }

    /// Of one strand with itself.
    pub(super) fn of_one(i: &Strand, layers: &Layers<'_>) -> Self {
        let edges = layers.edges(i.at.len());
        let present = edges.filter(|&edge| i.at[edge + 1].is_some() && i.at[edge].is_some());
        let coordinates: Vec<Coordinate> = present.map(|edge| Coordinate { edge, swapped: false }).collect();
        let first = first_order(&coordinates, false, i, i, layers);
        if i.residual == 0.0 || i.has_gap() {
            return Self { coordinates, form: Form::Squares(vec![first]) };
        }
        let last = i.at.len() - 1;
        let entry = |a: usize, b: usize| {
            let (e, f) = (coordinates[a.min(b)].edge, coordinates[a.max(b)].edge);
            let scale = layers.scale(e) * layers.scale(f);
            let second = i.residual * i.through(0, e) * i.through(e + 1, f) * i.through(f + 1, last);
            first[a] * first[b] + if a == b { 0.0 } else { scale * second }
        };
        let form = Form::Dense(Matrix::from_fn(coordinates.len(), coordinates.len(), entry));
        Self { coordinates, form }
    }

    pub(super) fn is_closed_form(&self) -> bool {
        !matches!(self.form, Form::Dense(_))
    }

    /// All eigenvalues; `None` if an iteration fails.
    pub(super) fn values(&self, tie: f64) -> Option<Vec<f64>> {
        let mut values = match &self.form {
            Form::Dense(matrix) => return symmetric_eigenvalues(matrix),
            Form::Squares(vectors) => vectors.iter().map(|v| squared(v)).filter(|&value| value > 0.0).collect(),
            Form::Plane { a, b, x, y, r } => plane_values(norm(a), norm(b), *x, *y, *r, tie).to_vec(),
        };
        values.resize(self.coordinates.len(), 0.0);
        values.sort_by(f64::total_cmp);
        Some(values)
    }

    /// All eigenvalues with orthonormal eigenvectors as columns.
    pub(super) fn eigen(&self, tie: f64) -> Option<(Vec<f64>, Matrix)> {
        let columns: Vec<(f64, Vec<f64>)> = match &self.form {
            Form::Dense(matrix) => return symmetric_eigen(matrix).map(|found| (found.values, found.vectors)),
            Form::Squares(vectors) => {
                vectors.iter().map(|v| (squared(v), unit(v))).filter(|&(value, _)| value > 0.0).collect()
            }
            Form::Plane { a, b, x, y, r } => {
                let values = plane_values(norm(a), norm(b), *x, *y, *r, tie);
                let (p, q, off) = ((x * norm(a)).powi(2), (y * norm(b)).powi(2), r * norm(a) * norm(b));
                // The eigenvector of the larger value, by the half angle; the other one is orthogonal to it.
                let angle = 0.5 * (2.0 * off).atan2(p - q);
                let (c, s) = (angle.cos(), angle.sin());
                let mix = |c: f64, s: f64| unit(a).iter().zip(unit(b)).map(|(x, y)| c * x + s * y).collect();
                vec![(values[0], mix(-s, c)), (values[1], mix(c, s))]
            }
        };
        let size = self.coordinates.len();
        let known = Matrix::from_fn(size, columns.len(), |i, k| columns[k].1[i]);
        let rest = orthonormal_complement(&known);
        let mut all: Vec<(f64, Vec<f64>)> = columns;
        all.extend((0..rest.ncols()).map(|k| (0.0, rest.column(k).to_vec())));
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let values = all.iter().map(|(value, _)| *value).collect();
        Some((values, Matrix::from_fn(size, size, |i, k| all[k].1[i])))
    }
}

/// `s_e P_row(n, e+1) P_col(e, 0)` on the coordinates of one half, zero on the others: the change of the product.
fn first_order(coordinates: &[Coordinate], swapped: bool, row: &Strand, col: &Strand, layers: &Layers<'_>) -> Vec<f64> {
    let last = row.at.len() - 1;
    let entry = |c: &Coordinate| layers.scale(c.edge) * row.through(c.edge + 1, last) * col.through(0, c.edge);
    coordinates.iter().map(|c| if c.swapped == swapped { entry(c) } else { 0.0 }).collect()
}

/// A strand `i` without residual and without a gap against a strand `j` that misses an inner node, with one: the coordinates `q_i q_j'` on the
/// first segment of `j` and `q_j q_i'` on its last segment couple through `j`'s residual by a matrix of rank one, whose
/// factors are parallel to the first-order changes.
fn plane(coordinates: &[Coordinate], swapped: bool, i: &Strand, j: &Strand, layers: &Layers<'_>) -> Form {
    let last = i.at.len() - 1;
    let before = |c: &Coordinate| c.swapped == swapped && j.through(0, c.edge) != 0.0;
    let behind = |c: &Coordinate| c.swapped != swapped && j.through(c.edge + 1, last) != 0.0;
    // All of `i` between the two: a node that both sides reach from where they are.
    let meeting = coordinates.iter().filter(|c| behind(c)).map(|c| c.edge).min();
    let (Some(node), true) = (meeting, coordinates.iter().any(before)) else {
        return Form::Squares(vec![
            first_order(coordinates, swapped, i, j, layers),
            first_order(coordinates, !swapped, j, i, layers),
        ]);
    };
    let along = |c: &Coordinate, present: bool, value: &dyn Fn(usize) -> f64| {
        if present { layers.scale(c.edge) * value(c.edge) } else { 0.0 }
    };
    let a = coordinates.iter().map(|c| along(c, before(c), &|e| j.through(0, e) * i.through(e + 1, node)));
    let b = coordinates.iter().map(|c| along(c, behind(c), &|f| j.through(f + 1, last) * i.through(node, f)));
    Form::Plane { a: a.collect(), b: b.collect(), x: i.through(node, last), y: i.through(0, node), r: j.residual }
}

/// Eigenvalues of `[[(x a)^2, r a b], [r a b, (y b)^2]]`, the smaller one through the determinant
/// `(a b)^2 (x y - r) (x y + r)`, so that it keeps its sign and relative accuracy.
fn plane_values(a: f64, b: f64, x: f64, y: f64, r: f64, tie: f64) -> [f64; 2] {
    let (p, q, off) = ((x * a).powi(2), (y * b).powi(2), r * a * b);
    let larger = 0.5 * (p + q) + (0.5 * (p - q)).hypot(off);
    let gap = (x * y).abs() - r.abs();
    let gap = if gap.abs() <= tie { 0.0 } else { gap };
    let smaller = if larger == 0.0 { 0.0 } else { (a * b * gap / larger) * (a * b * ((x * y).abs() + r.abs())) };
    [smaller, larger]
}

/// The whole block, entry by entry.
fn dense(coordinates: &[Coordinate], i: &Strand, j: &Strand, layers: &Layers<'_>) -> Matrix {
    let last = i.at.len() - 1;
    let halves = [first_order(coordinates, false, i, j, layers), first_order(coordinates, true, j, i, layers)];
    let entry = |a: usize, b: usize| {
        let (c, d) = (coordinates[a], coordinates[b]);
        let half = &halves[usize::from(c.swapped)];
        if c.swapped == d.swapped {
            return half[a] * half[b];
        }
        let (earlier, later) = if c.edge < d.edge { (c, d) } else { (d, c) };
        if earlier.edge == later.edge {
            return 0.0;
        }
        // The earlier coordinate has the column strand `col` and the row strand `row`; the later one the reverse.
        let (row, col) = if earlier.swapped { (j, i) } else { (i, j) };
        let (e, f) = (earlier.edge, later.edge);
        let scale = layers.scale(e) * layers.scale(f);
        scale * col.residual * col.through(0, e) * col.through(f + 1, last) * row.through(e + 1, f)
    };
    Matrix::from_fn(coordinates.len(), coordinates.len(), entry)
}

fn squared(v: &[f64]) -> f64 {
    v.iter().map(|x| x * x).sum()
}

fn norm(v: &[f64]) -> f64 {
    v.iter().fold(0.0, |sum: f64, x| sum.hypot(*x))
}

fn unit(v: &[f64]) -> Vec<f64> {
    let length = norm(v);
    v.iter().map(|x| if length > 0.0 { x / length } else { 0.0 }).collect()
}
