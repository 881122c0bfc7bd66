//! The diagnosis of a point with weight decay as a document.

use super::RunDocument;
use super::decay::ClosedForm;
use super::diagnose::{DiagnoseDocument, GradientDocument, HessianDocument, LossDocument, ParametrizationName};
use super::digests::PointDigest;
use super::inputs::DiagnoseInputs;
use super::outlook::OutlookDocument;
use super::point::{DifferentialDocument, EvidenceDocument, bars};
use crate::words::Word;
use rankscape::answers::DecayDiagnosis;

impl DiagnoseDocument {
    /// The document of a diagnosis with weight decay; losses, gradients and eigenvalues are multiplied by the normalization.
    pub fn with_decay(found: &DecayDiagnosis, inputs: &DiagnoseInputs) -> Self {
        let architecture = &found.architecture;
        let factor = inputs.normalization.factor(inputs.samples, architecture.outputs());
        let minimum = found.global_minimum;
        let gap = minimum.map(|minimum| factor * (found.loss - minimum).max(0.0));
        let rung = found.rung.as_ref();
        let captured = rung.and_then(|rung| rung.captured.clone());
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
            data_rank: Some(inputs.data_rank),
            centred: false,
            normalization: Word(inputs.normalization),
            parametrization: Word(ParametrizationName::Plain),
            loss: LossDocument {
                value: Some(factor * found.loss),
                kind: "square",
                global_minimum: minimum.map(|minimum| factor * minimum),
                gap,
                lower_bound: None,
                gap_at_most: gap,
                infimum_attained: Some(true),
            },
            gradient: GradientDocument {
                norm: Some(factor * found.gradient.norm),
                relative: Some(found.gradient.relative),
                threshold: found.gradient_threshold,
            },
            critical: found.critical,
            class: Word(found.class),
            reason: None,
            separability: None,
            effective_filling: None,
            origin: None,
            stationary_in_function_space: None,
            spectrum: Some(found.spectrum.clone()),
            weight_decay: Some(found.decay.strength()),
            roots: rung.and_then(|rung| Some(rung.roots.as_ref()?.iter().copied().map(Word).collect())),
            layer_values: rung.and_then(|rung| rung.layer_values.clone()),
            near: None,
            stall: None,
            hessian: HessianDocument::new(&found.extremes, found.inertia, factor),
            escape: None,
            leave: None,
            outlook: Some(OutlookDocument {
                learned: captured.clone().unwrap_or_default(),
                excess: Vec::new(),
                room: found.ladder.without_decay().effective_bottleneck(),
                ahead: Vec::new(),
                wider: None,
                value_at_origin: factor * found.ladder.without_decay().value_at_origin(),
            }),
            captured,
            rank_profile: (&found.rank_profile).into(),
            barcode: found.barcode.as_ref().map(bars),
            differential: DifferentialDocument::new(&found.rank_profile),
            evidence: EvidenceDocument::from(&found.evidence),
            tolerances: (&inputs.tolerances).into(),
            notes: inputs.notes.iter().cloned().chain(notes(found)).collect(),
            run: RunDocument::default(),
        }
    }
}

/// What a reader who knows the diagnosis without decay must know.
fn notes(found: &DecayDiagnosis) -> Vec<String> {
    let mut notes = vec![
        "pure and spurious, submersions and the saddles of low rank are of losses of the product alone: with weight decay they do \
         not apply. AdamW decays apart from the gradient and does not stop at these points"
            .to_owned(),
    ];
    match found.ladder.task() {
        Ok(task) => notes.push(format!("all critical points are known: {}", ClosedForm::from(task).meaning())),
        Err(_) => notes.push(
            "X X' is no multiple of the identity and Y X' no rotation of X X': the critical points have no closed form, and \
             the class is that of the counted Hessian"
                .to_owned(),
        ),
    }
    if let Some(norm) = found.collapsed {
        notes.push(format!(
            "the weights have norm {norm:.1e}, nothing beside what the data ask for: this is the origin"
        ));
    }
    notes
}
