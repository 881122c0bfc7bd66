//! Degrees, critical points of quadratic losses and random experiments as text.

use super::counted;
use crate::documents::{
    CompletenessWord, CostsDocument, EdDocument, MinimumDocument, SegmentDocument, SolutionDocument, SolveDocument,
    SweepDocument,
};
use crate::words::Word;
use rankscape::evidence::Grade;

/// The degrees in a few lines.
pub fn ed_text(document: &EdDocument) -> String {
    let polar: Vec<String> = document.polar_degrees.iter().map(ToString::to_string).collect();
    let mut lines = vec![
        format!("Matrices   {} x {} of rank at most {}", document.rows, document.cols, document.rank),
        format!("Degree     {}", document.degree),
        format!("Unit       {} of ||W - Q||^2 for generic Q", counted(&document.unit, "critical point")),
        format!("Generic    {} of a generic quadratic loss", counted(&document.generic, "critical point")),
        format!("Polar      {}", polar.join(" ")),
    ];
    if let Some(weighted) = &document.weighted {
        let evidence = &weighted.evidence;
        let count = weighted.count.map_or_else(|| "undefined".to_owned(), |count| count.to_string());
        let least = if weighted.lower_bound { "at least " } else { "" };
        lines.push(format!("Weighted   {least}{count} ({}): {}", evidence.grade, evidence.reason));
    }
    lines.join("\n") + "\n"
}

/// One line for each instance, then the segments and a summary. The least value is called the lowest found unless it is proved
/// for all instances that nothing is lower.
pub fn solve_text(document: &SolveDocument) -> String {
    let found = &document.instances;
    let incomplete = found.iter().any(|one| one.completeness != Word(CompletenessWord::Proved));
    let proved = |one: &SolutionDocument| one.minimum.as_ref().is_some_and(|found| found.grade != Word(Grade::Sampled));
    let lowest = if found.iter().all(proved) { "minimum" } else { "lowest found" };
    let mut rows = vec![
        ["instance", "size", "complex", "expected", "complete", "real", "minima", "certified", lowest]
            .map(str::to_owned),
    ];
    rows.extend(found.iter().map(solution));
    let mut lines = if found.is_empty() { Vec::new() } else { table(&rows) };
    lines.extend(document.segments.iter().flatten().flat_map(segment));
    let unknown = found.iter().filter(|one| !one.certified);
    lines.extend(unknown.map(|one| format!("{}: complete: {}: {}", one.id, one.completeness, one.reason)));
    if incomplete {
        lines.push(
            "Where completeness is unknown, the numbers and the lowest value are those found: there may be others."
                .to_owned(),
        );
    }
    if !found.is_empty() {
        let certified = found.iter().filter(|one| one.certified).count();
        lines.push(format!(
            "{certified} of {} certified: all critical points, each real one with its index.",
            found.len()
        ));
    }
    lines.join("\n") + "\n"
}

fn or_unknown(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "unknown".to_owned(), |value| value.to_string())
}

fn solution(found: &SolutionDocument) -> [String; 9] {
    [
        found.id.clone(),
        format!("{} x {}, {}", found.m, found.n, found.r),
        found.n_complex.to_string(),
        or_unknown(found.expected),
        found.completeness.to_string(),
        found.n_real.to_string(),
        or_unknown(found.n_minima),
        if found.certified { "yes" } else { "no" }.to_owned(),
        found.minimum.as_ref().map_or_else(String::new, |least| minimum(least, found.r)),
    ]
}

/// The least value, and whether it lies at lower rank or no descent to it came to rest.
fn minimum(found: &MinimumDocument, rank: usize) -> String {
    let lower = if found.rank < rank { format!(" at rank {}", found.rank) } else { String::new() };
    let falling = if found.attained { "" } else { ", still falling" };
    format!("{:.6e}{lower}{falling}", found.value)
}

fn segment(found: &SegmentDocument) -> Vec<String> {
    let end = |one: &SolutionDocument| if one.complete.is_some() { "" } else { " known" };
    let mut lines = vec![format!(
        "{}: {}{} at the first target, {}{} at the second; {}",
        found.id,
        counted(found.start.n_real, "real critical point"),
        end(&found.start),
        found.end.n_real,
        end(&found.end),
        found.grade.map_or_else(|| "no counts to compare".to_owned(), |grade| format!("{grade} counts"))
    )];
    for crossing in &found.crossings {
        let values: Vec<String> = crossing.pair.iter().flatten().map(|point| format!("{:.6e}", point.value)).collect();
        let meet =
            if values.is_empty() { String::new() } else { format!("; the values {} meet", values.join(" and ")) };
        let (low, high) = (crossing.low, crossing.high);
        let grade =
            if crossing.grade == Word(Grade::Certified) { String::new() } else { format!(" ({})", crossing.grade) };
        lines.push(format!("  {low:.9} < t < {high:.9}: {} become {}{meet}{grade}", crossing.before, crossing.after));
    }
    let undecided = found.undecided.iter();
    lines.extend(undecided.map(|[low, high]| format!("  {low:.9} < t < {high:.9}: undecided")));
    lines
}

/// The table so far, and what is missing.
pub fn sweep_text(document: &SweepDocument) -> String {
    let plan = &document.plan;
    let mut lines = vec![format!(
        "{}, {} x {} of rank {}, {} metric, {} entries, seed {}",
        counted(plan.instances, "instance"),
        plan.m,
        plan.n,
        plan.r,
        plan.metric,
        plan.entries,
        document.seed
    )];
    if !document.table.is_empty() {
        let mut rows = vec![["minima", "real", "count", "share", "95 % interval"].map(str::to_owned)];
        rows.extend(document.table.iter().map(|cell| {
            let interval = format!("{:.5}-{:.5}", cell.low, cell.high);
            let share = format!("{:.5}", cell.share);
            [cell.minima.to_string(), cell.real.to_string(), cell.count.to_string(), share, interval]
        }));
        lines.extend(table(&rows));
    }
    let counts = &document.counts;
    lines.push(format!("{} done, {} of them proved", counts.items, counts.proved));
    if let Some(shards) = &document.shards {
        lines.push(format!("{} of {} done", shards.done.len(), counted(shards.total, "shard")));
    }
    if !document.missing.is_empty() {
        let ranges: Vec<String> =
            document.missing.iter().map(|range| format!("{}-{}", range.first, range.last)).collect();
        lines.push(format!("missing: instances {}", ranges.join(", ")));
    }
    lines.extend(document.notes.iter().map(|note| format!("note: {note}")));
    lines.join("\n") + "\n"
}

/// What it would cost.
pub fn cost_text(document: &CostsDocument) -> String {
    let mut lines: Vec<String> = Vec::new();
    for cost in &document.costs {
        lines.push(format!(
            "{} x {} of rank {}: {} of {}, about {:.3} s; start set {:.3} s",
            cost.m,
            cost.n,
            cost.r,
            counted(cost.instances, "instance"),
            counted(cost.paths, "path"),
            cost.seconds,
            cost.start_seconds
        ));
    }
    lines.push(format!("about {:.3} s of one thread in all; nothing was done", document.seconds));
    lines.join("\n") + "\n"
}

/// Columns of equal width: the first to the left, the others to the right.
fn table<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let width = |k: usize| rows.iter().map(|row| row[k].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let cell = |k: usize, text: &String| match k {
        0 => format!("{text:<width$}", width = widths[k]),
        _ => format!("{text:>width$}", width = widths[k]),
    };
    let line = |row: &[String; N]| row.iter().enumerate().map(|(k, text)| cell(k, text)).collect::<Vec<_>>().join("  ");
    rows.iter().map(|row| line(row).trim_end().to_owned()).collect()
}
