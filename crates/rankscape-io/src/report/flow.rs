//! A run of gradient flow in words.

use super::numbers::number;
use crate::documents::{EventKind, FlowDocument, FlowEventDocument, StopReason};

/// `flow` in words.
pub fn flow_text(document: &FlowDocument) -> String {
    let mut lines = vec![first_line(document), String::new()];
    if document.determinant_sign_obstruction {
        lines.push(
            "Note       the start is balanced and its determinant has the other sign than that of the target: the flow keeps it, so it ends\n           \
             in the saddle without the smallest direction and not at the global minimum"
                .to_owned(),
        );
    }
    lines.push(format!("Start      loss {}{}", shown(document.start.loss), gap(document.start.gap)));
    lines.extend(document.events.iter().filter(|event| event.kind.0 == EventKind::Plateau).map(plateau));
    for level in &document.levels {
        let when = level.time.map_or("not reached".to_owned(), |time| format!("at {}", number(time)));
        lines.push(format!("Level      {} of the gap: {when}", number(level.fraction)));
    }
    let last = &document.last;
    lines.push(format!("End        loss {}{} at {}", shown(last.loss), gap(last.gap), number(last.time)));
    lines.push(format!("Conserved  up to {}", shown(document.conserved.max_drift)));
    if let Some(limit) = document.stability_limit {
        lines.push(format!(
            "Stable     gradient descent stays at the balanced minimum with steps up to {}",
            number(limit)
        ));
    }
    lines.extend(document.notes.iter().map(|note| format!("Note       {note}")));
    lines.join("\n") + "\n"
}

fn first_line(document: &FlowDocument) -> String {
    match document.stop.0 {
        StopReason::Time => "The time is up.",
        StopReason::Gap => "The loss has come as close to its smallest value as was asked for.",
        StopReason::Gradient => "The run has come to rest: the gradient is zero, or nearly.",
        StopReason::Steps => "All steps are taken.",
        StopReason::Diverged => "The run diverges: the steps are too long.",
    }
    .to_owned()
}

fn shown(value: Option<f64>) -> String {
    value.map_or_else(|| "beyond all numbers".to_owned(), number)
}

fn gap(gap: Option<f64>) -> String {
    gap.map_or_else(String::new, |gap| format!(", {} above the smallest", number(gap)))
}

fn plateau(event: &FlowEventDocument) -> String {
    let captured: Vec<String> = event.captured.iter().flatten().map(usize::to_string).collect();
    let set =
        if captured.is_empty() { "no direction".to_owned() } else { format!("directions {}", captured.join(", ")) };
    let class = event.class.as_ref().map_or_else(String::new, |class| format!(", a {}", class.0));
    let duration = event.duration.map_or_else(|| "until the end".to_owned(), |time| format!("for {}", number(time)));
    format!("Plateau    loss {} at {} {duration}: {set}{class}", shown(event.value), number(event.time))
}
