//! Degrees, random experiments and costs as text.

use super::counted;
use super::table::table;
use crate::documents::{CostsDocument, EdDocument, SweepDocument};

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
