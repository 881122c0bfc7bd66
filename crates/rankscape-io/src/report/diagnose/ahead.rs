//! What is missing, what it is worth, and the commands that go there.

use super::super::counted;
use super::super::numbers::{digits, digits_below, number};
use super::scale::{DiagnoseText, continued, entry, is_convex, is_least, is_rounding, said};
use super::situation::Situation;
use crate::documents::{AheadDocument, DiagnoseDocument, LeaveDocument};
use rankscape::escape::Destination;

/// Rows of the table at most.
const ROWS: usize = 6;

/// The missing directions in the order in which they are worth most, and the plateaus between.
pub(super) fn table(document: &DiagnoseDocument) -> Vec<String> {
    let ahead = &document.outlook().ahead;
    let worth: Vec<&AheadDocument> = ahead.iter().filter(|step| !is_rounding(document, step.decrease)).collect();
    if worth.is_empty() {
        return Vec::new();
    }
    let mut lines =
        vec![row("Ahead", ["learning", "leads to a loss of", "below the plateau before by", "below now by"])];
    let shown = if worth.len() <= ROWS { worth.len() } else { ROWS - 1 };
    let last = worth.len() - 1;
    for (k, step) in worth.iter().enumerate().filter(|&(k, _)| k < shown || k == last) {
        if k == last && last > shown {
            lines.push(entry("", &format!("... ({} more)", last - shown)));
        }
        let what = match step.forget {
            None => format!("direction {}", step.learn),
            Some(forget) => format!("{} in place of {forget}", step.learn),
        };
        let end = if k == last { ", the least" } else { "" };
        let value = said(document, step.value) + end;
        let now = if step.below_now > 0.0 { number(step.below_now) } else { "not below".to_owned() };
        lines.push(row("", [&what, &value, &number(step.decrease), &now]));
    }
    lines
}

fn row(label: &str, [what, value, decrease, now]: [&str; 4]) -> String {
    entry(label, &format!("{what:<18}{value:<26}{decrease:<29}{now}"))
}

/// What to do, with commands to copy.
pub(super) fn to_do(document: &DiagnoseDocument, situation: Situation, options: DiagnoseText<'_>) -> Vec<String> {
    let gains = !is_least(document);
    let mut lines = match (&document.leave, situation) {
        (Some(left), _) => after_leaving(document, left),
        (None, Situation::Passing | Situation::Descending) => {
            let mut lines = if is_convex(document) { rates(document) } else { train_on(document) };
            if is_convex(document) || document.outlook().room == 0 {
                lines.extend(straight("or go straight to the least", options));
            }
            lines
        }
        (None, Situation::Best | Situation::NearBest) if !gains => wider(document),
        (None, Situation::Best) => wider(document),
        (None, Situation::NearBest) => straight("to have the rest", options),
        (None, Situation::Extremum) => Vec::new(),
        (None, _) => {
            let mut lines = vec!["step off, and train on from the file that this writes:".to_owned()];
            lines.push(format!("  {} --leave {}", options.command, options.next));
            lines.extend(straight("or go straight to the least", options));
            lines
        }
    };
    match situation {
        Situation::AtSaddle if document.leave.is_none() => {
            lines.push("waiting is of no use: where the gradient is zero, gradient descent stays".into());
        }
        Situation::BesideSaddle if document.leave.is_none() => lines.push(wait(document)),
        _ => {}
    }
    lines.iter().enumerate().map(|(k, line)| continued(k, "To do", line)).collect()
}

fn straight(why: &str, options: DiagnoseText<'_>) -> Vec<String> {
    vec![format!("{why}:"), format!("  {} --leave {} --to minimum", options.command, options.best)]
}

/// Learning rates with which gradient descent reaches the least of a convex loss.
fn rates(document: &DiagnoseDocument) -> Vec<String> {
    let largest = document.hessian.lambda_max.filter(|&largest| largest > 0.0);
    let below = largest.map_or_else(String::new, |largest| {
        format!(" at any learning rate below {}, two over the largest curvature", digits_below(2.0 / largest, 2))
    });
    vec![format!("train on: gradient descent reaches the least{below}")]
}

/// What was written, and how gradient descent goes on from there.
fn after_leaving(document: &DiagnoseDocument, left: &LeaveDocument) -> Vec<String> {
    let written = format!(
        "{} holds weights whose loss is {}, lower by {}",
        left.file,
        said(document, left.loss),
        number(left.decrease)
    );
    let step = format!("at learning rate {}", digits(left.step, 2));
    let least = is_rounding(document, left.loss - document.loss.least());
    let next = match (left.to.0, left.steps) {
        (Destination::Minimum, _) => "there is nothing below them".to_owned(),
        _ if least => "there is nothing below them".to_owned(),
        (_, 0) => format!("train on from them, {step}: they are past the next plateau"),
        (_, steps) => format!(
            "train on from them, {step}: plain gradient descent passes the next plateau within {}",
            counted(steps, "step")
        ),
    };
    vec![written, next]
}

/// With a learning rate: how fast, and whether it is too large.
fn train_on(document: &DiagnoseDocument) -> Vec<String> {
    let Some(steps) = document.stall.as_ref().and_then(|stall| stall.steps) else { return vec!["train on".into()] };
    let fast = format!(
        "train on: along the steepest direction of descent the way grows by a factor e in about {}",
        counted(digits(steps.ceil(), 3), "step")
    );
    let rate = match (document.hessian.lambda_min, document.hessian.lambda_max) {
        (Some(least), Some(largest)) => largest / (least.abs() * steps),
        _ => 0.0,
    };
    let too_large = (rate > 2.0).then(|| {
        format!(
            "the learning rate is too large: {} times 2 / (largest curvature), so the loss may rise",
            digits(rate / 2.0, 2)
        )
    });
    std::iter::once(fast).chain(too_large).collect()
}

fn wait(document: &DiagnoseDocument) -> String {
    match document.stall.as_ref().and_then(|stall| stall.steps) {
        Some(steps) => format!(
            "or wait: about {} steps until the steepest direction of descent has grown by a factor e, and that several times",
            digits(steps.ceil(), 3)
        ),
        None => "or wait: --learning-rate LR says how many steps that takes".into(),
    }
}

/// What one more unit in the narrowest layer would be worth.
fn wider(document: &DiagnoseDocument) -> Vec<String> {
    let outlook = document.outlook();
    match outlook.wider {
        Some(value) if !is_rounding(document, document.loss.least() - value) => vec![format!(
            "nothing more is to gain with these widths; {} in the narrowest layer would reach {}",
            document.bottleneck_rank + 1,
            said(document, value)
        )],
        _ => vec!["nothing more is to gain".into()],
    }
}
