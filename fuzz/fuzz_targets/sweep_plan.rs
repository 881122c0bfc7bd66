//! The plan of a sweep, and after a line of zeros how it is cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rankscape_fuzz::{folder, put};
use rankscape_io::sweep::SweepDirectory;

/// What parts the plan from the file of its cutting.
const LINE: &[u8] = b"\n000\n";

fuzz_target!(|bytes: &[u8]| {
    let at = bytes.windows(LINE.len()).position(|window| window == LINE);
    let (plan, cutting) = at.map_or((bytes, None), |at| (&bytes[..at], Some(&bytes[at + LINE.len()..])));
    put("plan.json", plan);
    match cutting {
        // A cutting without an end of line is one that is being written: the reader waits for it.
        Some(cutting) => put("cutting", &[cutting, b"\n"].concat()),
        None => put("cutting", b"2\n"),
    };
    if let Ok(sweep) = SweepDirectory::open(folder()) {
        let _ = sweep.load(0);
    }
});
