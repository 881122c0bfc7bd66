//! Documents about points and landscapes of losses other than the square.

use super::critical::{AnyWitness, BadLocalMinimaDocument, CriticalDocument, CriticalInputs, RungsDocument};
use super::diagnose::{DiagnoseDocument, GradientDocument, HessianDocument, LossDocument, ParametrizationName};
use super::digests::{Digest, LadderDigest, PointDigest};
use super::hessian::lost_end;
use super::inputs::DiagnoseInputs;
use super::landscape::{LocalMinimumDocument, SeparabilityDocument, lower_bound};
use super::path::loss_escape_document;
use super::point::{DifferentialDocument, EvidenceDocument, bars};
use super::run::RunDocument;
use crate::words::Word;
use rankscape::answers::{LossDiagnosis, LossLandscape};
use rankscape::evidence::{Evidence, Grade};
use rankscape::riemannian::BadLocalMinima;

impl DiagnoseDocument {
    /// The document of a point of any loss; losses, gradients and eigenvalues are multiplied by the normalization.
    pub fn of_loss(found: &LossDiagnosis, inputs: &DiagnoseInputs) -> Self {
        let architecture = &found.architecture;
        let factor = inputs.normalization.factor(inputs.samples, architecture.outputs());
        let lowest = found.extremes.smallest.converged.then_some(found.extremes.smallest.value);
        Self {
            schema: "rankscape.diagnose/1",
            seed: inputs.seed,
            digest: PointDigest {
                data: inputs.data_digest.clone().into(),
                weights: inputs.weights_digest.clone().into(),
            },
            widths: architecture.widths().to_vec(),
            bottleneck_rank: architecture.bottleneck_rank(),
            filling: architecture.is_filling(),
            samples: (!inputs.from_target).then_some(inputs.samples),
            data_rank: None,
            centred: false,
            normalization: Word(inputs.normalization),
            parametrization: Word(ParametrizationName::Plain),
            loss: loss_document(found, factor),
            gradient: GradientDocument {
                norm: Some(factor * found.gradient_norm),
                relative: Some(found.gradient_relative),
                threshold: found.gradient_threshold,
            },
            critical: found.critical,
            class: Word(found.class),
            reason: Some(found.reason),
            separability: found.bound.separability.as_ref().map(SeparabilityDocument::from),
            effective_filling: Some(found.effective_filling),
            origin: found.origin.map(Word),
            stationary_in_function_space: found.stationary_in_function_space.known(),
            spectrum: None,
            captured: None,
            weight_decay: None,
            roots: None,
            layer_values: None,
            near: None,
            stall: None,
            hessian: HessianDocument::new(&found.extremes, found.inertia, factor),
            escape: found.escape.as_ref().map(|escape| loss_escape_document(escape, factor)),
            leave: None,
            outlook: None,
            rank_profile: (&found.rank_profile).into(),
            barcode: found.barcode.as_ref().map(bars),
            differential: DifferentialDocument::new(&found.rank_profile),
            evidence: EvidenceDocument::from(&found.evidence),
            tolerances: (&inputs.tolerances).into(),
            notes: inputs.notes.iter().cloned().chain(lost_end(found.inertia, lowest)).collect(),
            run: RunDocument::default(),
        }
    }
}

fn loss_document(found: &LossDiagnosis, factor: f64) -> LossDocument {
    let above = |value: f64| factor * (found.loss - value).max(0.0);
    let bound = found.bound.lower_bound.map(|(value, _)| value).filter(|value| value.is_finite());
    LossDocument {
        kind: found.kind.name(),
        value: Some(factor * found.loss),
        global_minimum: found.global_minimum.map(|value| factor * value),
        gap: found.global_minimum.map(above),
        lower_bound: lower_bound(&found.bound, factor),
        gap_at_most: bound.map(above),
        infimum_attained: found.infimum_attained,
    }
}

impl From<&BadLocalMinima> for BadLocalMinimaDocument {
    fn from(found: &BadLocalMinima) -> Self {
        Self { verdict: Word(found.verdict), reason: found.reason, witness: found.witness.map(AnyWitness::Place) }
    }
}

impl CriticalDocument {
    /// The document of the landscape of any loss; values are multiplied by the normalization.
    pub fn of_loss(found: &LossLandscape, kind: &'static str, inputs: &CriticalInputs) -> Self {
        let LossLandscape { architecture, minima, level } = found;
        let factor = inputs.normalization.factor(inputs.samples, architecture.outputs());
        Self {
            schema: "rankscape.critical/1",
            seed: inputs.seed,
            digest: LadderDigest {
                data: inputs.data_digest.clone().into(),
                weights: inputs.weights_digest.clone().map(Digest::from),
            },
            widths: architecture.widths().to_vec(),
            bottleneck_rank: architecture.bottleneck_rank(),
            filling: architecture.is_filling(),
            samples: (!inputs.from_target).then_some(inputs.samples),
            loss: kind,
            data_rank: None,
            effective_bottleneck_rank: None,
            normalization: Word(inputs.normalization),
            spectrum: None,
            levels: None,
            weight_decay: None,
            closed_form: None,
            thresholds: None,
            barrier: None,
            rungs: RungsDocument::none(),
            rungs_total: None,
            global_minimum: minima.global_minimum.map(|(value, _)| factor * value),
            lower_bound: lower_bound(&minima.bound, factor),
            infimum_attained: minima.infimum_attained,
            level: level.map(|value| factor * value),
            separability: minima.bound.separability.as_ref().map(SeparabilityDocument::from),
            minima: Some(minima.minima.iter().map(|one| LocalMinimumDocument::new(one, factor)).collect()),
            value_at_origin: factor * minima.value_at_zero,
            global_minima: None,
            bad_local_minima: (&minima.bad_local_minima).into(),
            graph: None,
            graph_total: None,
            evidence: EvidenceDocument::from(&Evidence::new(Grade::Numerical)),
            tolerances: (&inputs.tolerances).into(),
            notes: inputs.notes.clone(),
            run: RunDocument::default(),
        }
    }
}
