//! The document of `critical` with weight decay.

use super::RunDocument;
use super::critical::{
    AnyWitness, BadLocalMinimaDocument, CriticalDocument, CriticalInputs, GlobalMinimaDocument, Listed, RungsDocument,
    level_documents,
};
use super::decay::{ThresholdDocument, WitnessDocument};
use super::digests::{Digest, LadderDigest};
use super::numbers::{Integer, Rows};
use super::point::EvidenceDocument;
use crate::words::Word;
use rankscape::answers::DecayAnswer;

impl CriticalDocument {
    /// The document of the answer with weight decay.
    pub fn with_decay(found: &DecayAnswer, inputs: &CriticalInputs) -> Self {
        let ladder = found.ladder.without_decay();
        let (architecture, levels) = (ladder.architecture(), ladder.levels());
        let clear = levels.is_clear();
        let factor = inputs.normalization.factor(inputs.samples, architecture.outputs());
        let verdict = found.bad_minima.verdict(architecture.depth());
        let witness = found.bad_minima.witness().map(|bad| WitnessDocument {
            value: factor * bad.rung.value,
            above_minimum: factor * bad.above_minimum.max(0.0),
            captured: bad.rung.captured.clone().unwrap_or_default(),
            layer_values: bad.rung.layer_values.clone().unwrap_or_default(),
            weights: found.witness.as_ref().map(|layers| layers.iter().map(Rows::from).collect()),
        });
        let threshold = |level: &rankscape::critical::DecayLevel| ThresholdDocument {
            sigma: level.sigma,
            fold: level.fold,
            worth: level.worth,
        };
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
            loss: "square",
            data_rank: Some(levels.data_rank),
            effective_bottleneck_rank: clear.then(|| ladder.effective_bottleneck()),
            normalization: Word(inputs.normalization),
            spectrum: Some(levels.spectrum.clone()),
            levels: clear.then(|| level_documents(levels)),
            weight_decay: Some(found.ladder.decay().strength()),
            closed_form: found.ladder.task().ok().map(|task| Word(task.into())),
            thresholds: Some(found.ladder.levels().iter().map(threshold).collect()),
            rungs: RungsDocument { rungs: Listed::Decayed(found.rungs.clone()), factor },
            rungs_total: found.ladder.rungs_total().as_ref().map(Integer::from),
            global_minimum: found.ladder.global_minimum().map(|value| factor * value),
            lower_bound: None,
            infimum_attained: Some(true),
            level: None,
            separability: None,
            minima: None,
            value_at_origin: factor * ladder.value_at_origin(),
            global_minima: found.minima.as_ref().map(|minima| GlobalMinimaDocument {
                dimension: minima.dimension,
                components: Integer::from(&minima.components),
                tie_at_cut: minima.tie_at_cut,
                splitting_nodes: minima.splitting_nodes.clone(),
            }),
            barrier: found.barrier.map(|height| factor * height),
            bad_local_minima: BadLocalMinimaDocument { witness: witness.map(AnyWitness::Point), ..verdict.into() },
            graph: None,
            graph_total: None,
            evidence: EvidenceDocument::from(found.ladder.evidence()),
            tolerances: (&inputs.tolerances).into(),
            notes: inputs.notes.iter().cloned().chain(no_closed_form(found)).collect(),
            run: RunDocument::default(),
        }
    }
}

/// Why nothing is listed for these data.
fn no_closed_form(found: &DecayAnswer) -> Option<String> {
    let data = found.ladder.task().err().filter(|_| !found.ladder.is_clear())?;
    let tolerance = match data.tolerance {
        0.0 => "the data are exact".to_owned(),
        tolerance => format!("the tolerance is {tolerance:.1e}"),
    };
    Some(format!(
        "with weight decay all critical points are known where X X' is a multiple of the identity (here the singular values of X \
         spread by {:.2e}) or Y X' is a rotation of X X' up to scale, as for autoencoders (defect {:.2e}); {tolerance}",
        data.spread, data.rotation
    ))
}
