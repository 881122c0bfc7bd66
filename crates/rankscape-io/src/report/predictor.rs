//! The rank of the Jacobian of predictions in words.

use super::counted;
use super::losses::entry;
use crate::documents::PredictorDocument;
use rankscape::answers::Regime;
use rankscape::critical::Origin;
use rankscape::evidence::Grade;

/// `predictor` in words.
pub fn predictor_text(document: &PredictorDocument) -> String {
    let mut lines = vec![sentence(document), String::new()];
    let known = |rank: Option<usize>| rank.map_or_else(|| "undecided".to_owned(), |rank| rank.to_string());
    let sampled = if document.generic_grade.0 == Grade::Sampled { ", the largest at a few random ones" } else { "" };
    lines.push(entry("Map", &document.map.to_string()));
    lines.push(entry(
        "Sizes",
        &format!("{}, {}", counted(document.predictions, "prediction"), counted(document.parameters, "parameter")),
    ));
    lines.push(entry("Rank", &format!("{} here", known(document.rank))));
    lines.push(entry("Generic", &format!("{} at almost all parameters{sampled}", known(document.generic_rank))));
    lines.extend(document.regime.map(|regime| {
        entry(
            "Regime",
            match regime.0 {
                Regime::Overparametrised => "overparametrised: almost all parameters reach all predictions nearby",
                Regime::Underparametrised => "underparametrised: the predictions within reach are a part of all",
            },
        )
    }));
    lines.extend(document.origin.map(|origin| {
        entry(
            "Origin",
            match origin.0 {
                Origin::Pure => "pure: the predictions are critical among those that the map can make",
                Origin::Spurious => "spurious: the parameters make it critical, not what the map can predict",
            },
        )
    }));
    lines.push(entry("Sure", &format!("the rank here is {}", document.evidence.grade)));
    lines.extend(document.notes.iter().map(|note| entry("Note", note)));
    lines.join("\n") + "\n"
}

fn sentence(document: &PredictorDocument) -> String {
    if !document.defined {
        return "The map is not defined here: a factor before the last is zero.".to_owned();
    }
    match (document.rank, document.generic_rank) {
        (Some(rank), Some(generic)) if rank == generic => {
            "The Jacobian of the predictions has the rank that it has at almost all parameters.".to_owned()
        }
        (Some(rank), Some(generic)) => {
            format!("The Jacobian of the predictions loses {} of its rank here.", generic - rank)
        }
        _ => "The rank of the Jacobian of the predictions is not clear here.".to_owned(),
    }
}
