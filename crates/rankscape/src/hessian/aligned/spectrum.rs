//! All eigenvalues of the Hessian at an aligned point, with multiplicities and eigenvectors.

use std::ops::Range;

use super::alignment::{Alignment, Strand};
use super::pair::{Coordinate, Layers, PairBlock};
use crate::hessian::{HessianOperator, Part};
use crate::linalg::{Inertia, Matrix};
use crate::tolerance::Tolerances;

/// How the eigenvalues were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpectrumKind {
    /// Every block has rank at most two on known vectors.
    ClosedForm,
    /// Some blocks were diagonalized numerically.
    Blocks,
}

/// An eigenvalue that a pair of classes of strands contributes.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// The eigenvalue.
    pub value: f64,
    /// How many eigenvectors of this pair of classes have it.
    pub multiplicity: usize,
    /// The two classes of strands, as indices into the classes of the alignment.
    pub classes: (usize, usize),
    /// One strand with itself, rather than two different ones.
    pub diagonal: bool,
    /// Position among the eigenvalues of the block.
    place: usize,
}

/// A matrix `coefficient * left * right'` in one layer.
#[derive(Debug, Clone, PartialEq)]
pub struct RankOne {
    /// The layer, counted from 1.
    pub layer: usize,
    /// The coefficient.
    pub coefficient: f64,
    /// Unit vector at the output of the layer.
    pub left: Vec<f64>,
    /// Unit vector at its input.
    pub right: Vec<f64>,
}

/// A unit eigenvector as a sum of matrices of rank one, at most two in a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct SpectralVector {
    /// Its eigenvalue.
    pub value: f64,
    /// Its parts.
    pub parts: Vec<RankOne>,
}

/// The complete spectrum at an aligned point.
#[derive(Debug, Clone)]
pub struct AlignedSpectrum {
    /// Bases and strands.
    pub alignment: Alignment,
    /// Every eigenvalue, non-decreasing.
    pub families: Vec<Family>,
    /// How they were found.
    pub kind: SpectrumKind,
    scales: Vec<f64>,
}

impl AlignedSpectrum {
    /// The spectrum of the Hessian, if the point is aligned up to `tolerances.alignment`: see
    /// [`Alignment::new`]. Networks with biases or an output metric are not looked at.
    pub fn new(operator: &HessianOperator<'_>, tolerances: &Tolerances) -> Option<Self> {
        if operator.part != Part::Full || operator.output_factor.is_some() {
            return None;
        }
        let alignment = Alignment::new(operator.network, tolerances)?;
        let mut found =
            Self { families: Vec::new(), kind: SpectrumKind::ClosedForm, scales: operator.scales.clone(), alignment };
        let classes: Vec<(Strand, usize)> =
            found.alignment.classes.iter().map(|class| (class[0].clone(), class.len())).collect();
        for (i, (strand, count)) in classes.iter().enumerate() {
            found.add(PairBlock::of_one(strand, &found.layers()), (i, i), true, *count)?;
            if *count > 1 {
                found.add(
                    PairBlock::of_two(strand, strand, &found.layers()),
                    (i, i),
                    false,
                    count * (count - 1) / 2,
                )?;
            }
            for (j, (other, others)) in classes.iter().enumerate().skip(i + 1) {
                found.add(PairBlock::of_two(strand, other, &found.layers()), (i, j), false, count * others)?;
            }
        }
        found.families.sort_by(|a, b| a.value.total_cmp(&b.value));
        Some(found)
    }

    /// The eigenvalues at these places, counted from 0 in non-decreasing order, are zero. A family whose members lie partly
    /// outside stays as it is.
    pub fn put_zeros(&mut self, places: &Range<usize>) {
        let mut first = 0;
        for family in &mut self.families {
            let end = first + family.multiplicity;
            if places.start <= first && end <= places.end {
                family.value = 0.0;
            }
            first = end;
        }
    }

    fn layers(&self) -> Layers<'_> {
        Layers { first: usize::from(self.alignment.has_data), scales: &self.scales, tie: self.alignment.tie }
    }

    fn add(&mut self, block: PairBlock, classes: (usize, usize), diagonal: bool, count: usize) -> Option<()> {
        if !block.is_closed_form() && !block.coordinates.is_empty() {
            self.kind = SpectrumKind::Blocks;
        }
        let values = block.values(self.alignment.tie)?;
        let families = values.into_iter().enumerate();
        self.families.extend(families.map(|(place, value)| Family {
            value,
            multiplicity: count,
            classes,
            diagonal,
            place,
        }));
        Some(())
    }

    /// All eigenvalues, each as often as it occurs, non-decreasing.
    pub fn values(&self) -> Vec<f64> {
        self.families.iter().flat_map(|family| std::iter::repeat_n(family.value, family.multiplicity)).collect()
    }

    /// Multiplies the weights and targets that the strands report, one number for each edge and one for the target: for a
    /// network that was scaled before. The eigenvalues stay.
    pub fn report_scaled(&mut self, edges: &[f64], target: f64) {
        for strand in self.alignment.classes.iter_mut().flatten() {
            strand.weights.iter_mut().zip(edges).for_each(|(weight, scale)| *weight *= scale);
            strand.target *= target;
            strand.residual *= target;
        }
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        self.families.iter().map(|family| family.multiplicity).sum()
    }

    /// Counts by sign; in closed form zeros are exact.
    pub fn inertia(&self) -> Inertia {
        let count = |test: &dyn Fn(f64) -> bool| -> usize {
            self.families.iter().filter(|family| test(family.value)).map(|family| family.multiplicity).sum()
        };
        Inertia { negative: count(&|v| v < 0.0), zero: count(&|v| v == 0.0), positive: count(&|v| v > 0.0) }
    }

    /// Orthonormal eigenvectors of the `count` smallest eigenvalues.
    pub fn vectors(&self, count: usize) -> Option<Vec<SpectralVector>> {
        let mut out = Vec::new();
        for family in &self.families {
            for (i, j) in self.members(family) {
                if out.len() == count {
                    return Some(out);
                }
                let layers = self.layers();
                let block =
                    if family.diagonal { PairBlock::of_one(i, &layers) } else { PairBlock::of_two(i, j, &layers) };
                let (values, vectors) = block.eigen(layers.tie)?;
                let column = vectors.column(family.place);
                let parts = block.coordinates.iter().zip(column).filter(|&(_, &c)| c != 0.0);
                let parts = parts.map(|(at, &c)| self.rank_one(*at, c, i, j)).collect();
                out.push(SpectralVector { value: values[family.place], parts });
            }
        }
        Some(out)
    }

    /// The pairs of strands of a family.
    fn members(&self, family: &Family) -> impl Iterator<Item = (&Strand, &Strand)> {
        let (a, b) = family.classes;
        let (left, right) = (&self.alignment.classes[a], &self.alignment.classes[b]);
        let diagonal = family.diagonal;
        left.iter().enumerate().flat_map(move |(k, i)| {
            let from = if a == b && !diagonal {
                k + 1
            } else if diagonal {
                k
            } else {
                0
            };
            let to = if diagonal { k + 1 } else { right.len() };
            right[from.min(to)..to].iter().map(move |j| (i, j))
        })
    }

    fn rank_one(&self, at: Coordinate, coefficient: f64, i: &Strand, j: &Strand) -> RankOne {
        let (row, col) = if at.swapped { (j, i) } else { (i, j) };
        let vector = |strand: &Strand, node: usize| {
            let basis: &Matrix = &self.alignment.bases[node];
            strand.at[node].map_or_else(Vec::new, |k| basis.column(k).to_vec())
        };
        RankOne {
            layer: at.edge + 1 - usize::from(self.alignment.has_data),
            coefficient,
            left: vector(row, at.edge + 1),
            right: vector(col, at.edge),
        }
    }
}
