//! Figure 2 of TKB recomputed: caustics of an ellipse and of a circle. `caustics FILE.svg` draws them.

#[path = "conic.rs"]
mod conic;

use std::f64::consts::TAU;
use std::fmt::Write;

use conic::{Conic, evolute};

/// Half axes of the ellipse.
const AXES: (f64, f64) = (1.5, 1.0);
/// Rays from the centre.
const RAYS: usize = 180;
const WIDTH: f64 = 1e-9;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (a, b) = AXES;
    let (ellipse, circle) = (Conic::new(a, b)?, Conic::new(1.0, 1.0)?);
    println!("ED degree: ellipse {}, circle {}", ellipse.degree(), circle.degree());
    let angle = |ray: usize| TAU * (ray as f64 + 0.5) / RAYS as f64;
    let mut points = Vec::new();
    let mut worst = 0.0f64;
    for ray in 0..RAYS {
        let s = ellipse.caustic(angle(ray), 2.0, WIDTH).ok_or("no change of the count on a ray")?;
        worst = worst.max((s - evolute(a, b, angle(ray))).abs());
        points.push((s * angle(ray).cos(), s * angle(ray).sin()));
        if circle.caustic(angle(ray), 2.0, WIDTH).is_some() {
            return Err("the count of a circle changes on a ray".into());
        }
    }
    println!("{RAYS} points of the caustic of the ellipse, farthest from the evolute: {worst:.1e}");
    println!("circle: 2 real critical points at both ends of every ray");
    let Some(file) = std::env::args().nth(1) else { return Ok(()) };
    std::fs::write(file, drawing(&points)?)?;
    Ok(())
}

fn drawing(caustic: &[(f64, f64)]) -> Result<String, std::fmt::Error> {
    let (a, b) = AXES;
    let mut svg = String::from("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-1.8 -1.5 5.4 3\" width=\"720\" ");
    svg.push_str("font-family=\"sans-serif\" font-size=\"0.14\" text-anchor=\"middle\">\n");
    svg.push_str("<title>Caustics of an ellipse and of a circle</title>\n");
    let curve = "fill=\"none\" stroke=\"#345\" stroke-width=\"0.015\"";
    writeln!(svg, "<ellipse rx=\"{a}\" ry=\"{b}\" {curve}/>")?;
    writeln!(svg, "<circle cx=\"2.5\" r=\"1\" {curve}/>")?;
    let corners: Vec<String> = caustic.iter().map(|(x, y)| format!("{x:.4},{:.4}", -y)).collect();
    writeln!(svg, "<polygon points=\"{}\" fill=\"#fc8\" stroke=\"#b40\" stroke-width=\"0.015\"/>", corners.join(" "))?;
    svg.push_str("<circle cx=\"2.5\" r=\"0.03\" fill=\"#b40\"/>\n<text>4</text>\n");
    svg.push_str(
        "<text x=\"1.1\" y=\"0.05\">2</text>\n<text x=\"1.25\" y=\"1.1\">2</text>\n<text x=\"2.9\">2</text>\n",
    );
    svg.push_str("<text x=\"3.4\" y=\"1.1\">2</text>\n</svg>\n");
    Ok(svg)
}
