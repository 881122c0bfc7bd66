//! Streams sample files into their triangular factor and says what that took.
//!
//! ```sh
//! cargo run --release -p rankscape --example factor_of_file -- X.npy,Y.npy 2
//! ```

use std::time::Instant;

use rankscape::InputError;
use rankscape_io::{SampleOptions, read_samples};

fn main() -> Result<(), InputError> {
    let mut arguments = std::env::args().skip(1);
    let usage = || InputError::new("usage: factor_of_file DATA [THREADS]");
    let data = arguments.next().ok_or_else(usage)?;
    let threads = arguments.next().map_or(Ok(1), |text| text.parse()).map_err(|_| usage())?;
    let start = Instant::now();
    let samples = read_samples(&data, &SampleOptions { threads, ..SampleOptions::default() })?;
    let seconds = start.elapsed().as_secs_f64();
    let factor = samples.factor.plain();
    println!("samples {}, inputs {}, outputs {}", factor.samples, factor.inputs, factor.outputs);
    println!("digest {}", samples.digest);
    println!("seconds {seconds:.3}");
    if let Some(peak) = peak_memory() {
        println!("peak memory {peak}");
    }
    Ok(())
}

/// Largest resident size of this process, where the system says it.
fn peak_memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    Some(status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().to_owned())
}
