//! The only source of randomness: seeded, counter-based streams.
//!
//! Item `k` of a run draws from stream `k` of the run's seed, so a result depends on neither the number of threads nor
//! the order of the work.

use rand::SeedableRng;
use rand::distr::{Distribution, Uniform};
use rand_chacha::ChaCha12Rng;

/// A stream of random numbers: stream `stream` of seed `seed`.
///
/// ```
/// use rankscape::random::Stream;
/// assert_eq!(Stream::new(7, 3).normal(), Stream::new(7, 3).normal());
/// assert_ne!(Stream::new(7, 3).normal(), Stream::new(7, 4).normal());
/// ```
#[derive(Debug, Clone)]
pub struct Stream {
    generator: ChaCha12Rng,
}

impl Stream {
    /// Opens stream `stream` of seed `seed`.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha12Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Self { generator }
    }

    /// A number uniform in `[0, 1)`.
    pub fn uniform(&mut self) -> f64 {
        use rand::RngExt;
        self.generator.random::<f64>()
    }

    /// An integer uniform in `low..=high`; `low` when the range is empty.
    pub fn integer(&mut self, low: i64, high: i64) -> i64 {
        Uniform::new_inclusive(low, high).map_or(low, |range| range.sample(&mut self.generator))
    }

    /// A standard normal number (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// A vector of `len` independent standard normal entries.
    pub fn normal_vector(&mut self, len: usize) -> Vec<f64> {
        (0..len).map(|_| self.normal()).collect()
    }
}
