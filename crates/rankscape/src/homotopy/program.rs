//! Polynomial systems as straight-line programs: stated once, evaluated as values, Jacobians, power series and enclosures.
//!
//! A program is a list of operations `r_i = c`, `r_a + r_b`, `r_a - r_b`, `r_a r_b` or `-r_a` on registers, of which the
//! first hold the unknowns `x` and the parameters `p`. The Jacobian is part of the list: the derivatives
//! `dF_i / dx_j = sum dF_i / dr_a  dr_a / dx_j` are recorded in reverse mode when the program is made, so that for each equation
//! they take at most two products for each product in it, equal operations are done once, and zeros are left out. What is left
//! at run time is one loop over the list, over any [`Scalar`]:
//!
//! - complex numbers in lanes of doubles or in double-double, for the tracker;
//! - balls, for the certificates: each operation encloses its exact result, so the value and the Jacobian on a polydisc are
//!   enclosed too, constants and parameters being the doubles that they are;
//! - power series, coefficient by coefficient: `(r_a r_b)_k = sum_p (r_a)_p (r_b)_{k-p}`.

use num_traits::Zero;

use std::cell::RefCell;

use super::symbol::{Operation, Symbol, Tape};
use super::system::{System, between};
use crate::error::{InputError, Result};
use crate::linalg::scalar::{C64, Complex, Real, Scalar};

/// As many polynomials as unknowns, with parameters.
///
/// The unit circle and a horizontal line, `x^2 + y^2 = 1` and `y = p`: both intersections are followed while the line moves
/// from `p = 0` to `p = 3/5`, and proved to be real.
///
/// ```
/// use rankscape::Tolerances;
/// use rankscape::homotopy::{Krawczyk, Point, Program, TrackOptions, enclose, track};
/// use rankscape::linalg::scalar::C64;
///
/// let circle_and_line = Program::new(2, 1, |x, p| vec![x[0] * x[0] + x[1] * x[1] - 1.0, x[1] - p[0]])?;
/// let real = |x: f64| C64::new(x, 0.0);
/// let starts = [1.0, -1.0].map(|x| Point { chart: vec![], x: vec![real(x), real(0.0)] });
///
/// let moving = circle_and_line.between(&[real(0.0)], &[real(0.6)])?;
/// let mut ends: Vec<Point> =
///     track(&moving, &starts, &TrackOptions::new(&Tolerances::default())).into_iter().map(|path| path.point).collect();
/// ends.iter_mut().flat_map(|end| &mut end.x).for_each(|z| z.im = 0.0);
///
/// let found = enclose(&circle_and_line.at(&[real(0.6)])?, &ends);
/// for (enclosure, x) in found.iter().zip([0.8, -0.8]) {
///     assert!(enclosure.krawczyk == Krawczyk::Certified && enclosure.is_real);
///     assert!((enclosure.point.x[0].re - x).abs() <= enclosure.radius[0] && enclosure.radius[0] < 1e-14);
/// }
/// # Ok::<(), rankscape::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Program {
    unknowns: usize,
    parameters: usize,
    operations: Vec<Operation>,
    /// How many of the operations the values need; the others are for the Jacobian alone.
    for_values: usize,
    /// Registers of the values.
    values: Vec<usize>,
    /// Positions of the Jacobian, row by row, that do not vanish identically, and their registers.
    jacobian: Vec<(usize, usize)>,
}

impl Program {
    /// Records what `equations` does with the unknowns and the parameters; what it returns is to vanish.
    ///
    /// # Errors
    /// If there are not as many equations as unknowns.
    pub fn new(
        unknowns: usize,
        parameters: usize,
        equations: impl for<'a> FnOnce(&[Symbol<'a>], &[Symbol<'a>]) -> Vec<Symbol<'a>>,
    ) -> Result<Self> {
        let tape = RefCell::new(Tape::new(unknowns + parameters));
        let inputs: Vec<Symbol<'_>> = (0..unknowns + parameters).map(|input| Symbol::new(&tape, input)).collect();
        let (x, p) = inputs.split_at(unknowns);
        let values: Vec<usize> = equations(x, p).iter().map(|symbol| symbol.register).collect();
        if values.len() != unknowns {
            return Err(InputError::new("a system must have as many equations as unknowns")
                .value(format!("{} equations in {unknowns} unknowns", values.len())));
        }
        let mut tape = tape.into_inner();
        let for_values = tape.operations.len();
        let depends = tape.dependent(unknowns);
        let mut jacobian = Vec::new();
        for (row, &value) in values.iter().enumerate() {
            let gradient = tape.gradient(value, &depends);
            let entries = gradient.into_iter().take(unknowns).enumerate();
            jacobian.extend(entries.filter_map(|(col, entry)| Some((row * unknowns + col, entry?))));
        }
        Ok(Self { unknowns, parameters, operations: tape.operations, for_values, values, jacobian })
    }

    /// The system with its parameters on the straight way from `start` to `end`.
    ///
    /// # Errors
    /// If a list does not have one number for each parameter.
    pub fn between(&self, start: &[C64], end: &[C64]) -> Result<ParameterHomotopy> {
        if let Some(list) = [start, end].into_iter().find(|list| list.len() != self.parameters) {
            return Err(InputError::new(format!("the program has {} parameters", self.parameters)).value(list.len()));
        }
        Ok(ParameterHomotopy {
            program: self.clone(),
            start: start.to_vec(),
            end: end.to_vec(),
            change: start.iter().zip(end).map(|(&start, &end)| end - start).collect(),
        })
    }

    /// The system with fixed parameters.
    ///
    /// # Errors
    /// If there is not one number for each parameter.
    pub fn at(&self, parameters: &[C64]) -> Result<ParameterHomotopy> {
        self.between(parameters, parameters)
    }

    /// Products that an evaluation takes: of the values alone, and with the Jacobian.
    pub fn multiplications(&self) -> (usize, usize) {
        let count = |list: &[Operation]| list.iter().filter(|one| matches!(one, Operation::Product(..))).count();
        (count(&self.operations[..self.for_values]), count(&self.operations))
    }

    fn inputs(&self) -> usize {
        self.unknowns + self.parameters
    }

    /// Runs the first `count` operations; the inputs are in their registers.
    #[inline(always)]
    fn run<C: Scalar>(&self, registers: &mut [C], count: usize) {
        for (&operation, register) in self.operations[..count].iter().zip(self.inputs()..) {
            registers[register] = match operation {
                Operation::Constant(bits) => C::coefficient(C64::new(f64::from_bits(bits), 0.0), 0.0),
                Operation::Sum(a, b) => registers[a] + registers[b],
                Operation::Difference(a, b) => registers[a] - registers[b],
                Operation::Product(a, b) => registers[a] * registers[b],
                Operation::Negative(a) => -registers[a],
            };
        }
    }

    /// The coefficients of order `series.len() - 1 > 0` of all registers, from those of the inputs and of lower orders.
    #[inline(always)]
    fn run_series<C: Scalar>(&self, series: &mut [Vec<C>]) {
        let order = series.len() - 1;
        for (&operation, register) in self.operations[..self.for_values].iter().zip(self.inputs()..) {
            let last = &series[order];
            series[order][register] = match operation {
                Operation::Constant(_) => C::zero(),
                Operation::Sum(a, b) => last[a] + last[b],
                Operation::Difference(a, b) => last[a] - last[b],
                Operation::Product(a, b) => {
                    let mut sum = C::zero();
                    for p in 0..=order {
                        sum = sum.add_product(series[p][a], series[order - p][b]);
                    }
                    sum
                }
                Operation::Negative(a) => -last[a],
            };
        }
    }

    #[inline(always)]
    fn read_values<C: Scalar>(&self, registers: &[C], value: &mut [C]) {
        for (out, &register) in value.iter_mut().zip(&self.values) {
            *out = registers[register];
        }
    }
}

/// A [`Program`] whose parameters move on a straight line.
#[derive(Debug, Clone)]
pub struct ParameterHomotopy {
    program: Program,
    start: Vec<C64>,
    end: Vec<C64>,
    change: Vec<C64>,
}

/// The registers, and their power series order by order.
#[derive(Debug)]
pub struct Registers<C> {
    now: Vec<C>,
    series: Vec<Vec<C>>,
}

impl System for ParameterHomotopy {
    type Scratch<C: Scalar> = Registers<C>;

    fn size(&self) -> usize {
        self.program.unknowns
    }

    fn start<C: Scalar>(&self) -> Registers<C> {
        let mut now = vec![C::zero(); self.program.inputs() + self.program.operations.len()];
        for (register, &parameter) in now[self.program.unknowns..].iter_mut().zip(&self.start) {
            *register = C::coefficient(parameter, 0.0);
        }
        Registers { now, series: Vec::new() }
    }

    #[inline(always)]
    fn move_to<R: Real>(&self, work: &mut Registers<Complex<R>>, t: R) {
        let ends = self.start.iter().zip(&self.end);
        for (register, (&start, &end)) in work.now[self.program.unknowns..].iter_mut().zip(ends) {
            *register = between(t, start, end);
        }
    }

    #[inline(always)]
    fn evaluate<C: Scalar>(
        &self,
        work: &mut Registers<C>,
        _: &[C],
        x: &[C],
        value: &mut [C],
        jacobian: Option<&mut [C]>,
    ) {
        let program = &self.program;
        let count = if jacobian.is_some() { program.operations.len() } else { program.for_values };
        work.now[..program.unknowns].copy_from_slice(x);
        program.run(&mut work.now, count);
        program.read_values(&work.now, value);
        if let Some(jacobian) = jacobian {
            jacobian.fill(C::zero());
            for &(entry, register) in &program.jacobian {
                jacobian[entry] = work.now[register];
            }
        }
    }

    #[inline(always)]
    fn series_residual<R: Real>(
        &self,
        work: &mut Registers<Complex<R>>,
        _: &[Complex<R>],
        known: &[Vec<Complex<R>>],
        residual: &mut [Complex<R>],
    ) {
        let program = &self.program;
        let order = known.len();
        let values = program.inputs() + program.for_values;
        while work.series.len() <= order {
            work.series.push(vec![Complex::zero(); values]);
        }
        if order == 1 {
            work.now[..program.unknowns].copy_from_slice(&known[0]);
            program.run(&mut work.now, program.for_values);
            work.series[0].copy_from_slice(&work.now[..values]);
        } else {
            work.series[order - 1][..program.unknowns].copy_from_slice(&known[order - 1]);
            program.run_series(&mut work.series[..order]);
        }
        let inputs = &mut work.series[order][..program.inputs()];
        inputs.fill(Complex::zero());
        if order == 1 {
            for (register, &change) in inputs[program.unknowns..].iter_mut().zip(&self.change) {
                *register = Complex::splat(change);
            }
        }
        program.run_series(&mut work.series[..=order]);
        program.read_values(&work.series[order], residual);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::exact::{Rational, rational_from_f64};
    use crate::linalg::scalar::{Ball, DoubleDouble};
    use crate::random::Stream;

    const UNKNOWNS: usize = 3;
    const INPUTS: usize = 5;

    /// `factor` times the inputs, three unknowns and two parameters, to these powers.
    struct Monomial {
        factor: f64,
        powers: [u32; INPUTS],
    }

    /// Three random polynomials of a few terms.
    fn polynomials(stream: &mut Stream, mut factor: impl FnMut(&mut Stream) -> f64) -> Vec<Vec<Monomial>> {
        let mut monomial =
            || Monomial { powers: std::array::from_fn(|_| stream.integer(0, 2) as u32), factor: factor(&mut *stream) };
        (0..UNKNOWNS).map(|_| (0..4).map(|_| monomial()).collect()).collect()
    }

    fn program(polynomials: &[Vec<Monomial>]) -> Program {
        Program::new(UNKNOWNS, INPUTS - UNKNOWNS, |x, p| {
            let term = |monomial: &Monomial| {
                let inputs = x.iter().chain(p).zip(monomial.powers);
                let factors = inputs.flat_map(|(&symbol, power)| (0..power).map(move |_| symbol));
                factors.fold(None, |product: Option<Symbol<'_>>, symbol| {
                    Some(product.map_or(monomial.factor * symbol, |product| product * symbol))
                })
            };
            let one = x[0] * 0.0 + 1.0;
            let value = |terms: &Vec<Monomial>| {
                terms.iter().fold(0.0 * one, |sum, monomial| sum - -term(monomial).unwrap_or(monomial.factor * one))
            };
            polynomials.iter().map(value).collect()
        })
        .unwrap()
    }

    type Exact = (Rational, Rational);

    fn rational(x: f64) -> Rational {
        rational_from_f64(x).unwrap()
    }

    fn exact(z: C64) -> Exact {
        (rational(z.re), rational(z.im))
    }

    fn times(a: &Exact, b: &Exact) -> Exact {
        (&a.0 * &b.0 - &a.1 * &b.1, &a.0 * &b.1 + &a.1 * &b.0)
    }

    /// The polynomial at a point, or its derivative by one input there.
    fn exact_value(terms: &[Monomial], at: &[Exact], by: Option<usize>) -> Exact {
        let mut sum = exact(C64::zero());
        for Monomial { factor, powers } in terms {
            let mut term = exact(C64::new(*factor, 0.0));
            for (input, &power) in powers.iter().enumerate() {
                let derived = by == Some(input);
                let count = if derived { power.saturating_sub(1) } else { power };
                (0..count).for_each(|_| term = times(&term, &at[input]));
                if derived {
                    term = times(&term, &exact(C64::new(f64::from(power), 0.0)));
                }
            }
            sum = (sum.0 + term.0, sum.1 + term.1);
        }
        sum
    }

    fn encloses<R: Real>(ball: Ball<R>, z: &Exact) -> bool {
        let sum = |x: R| rational(x.get(0)) + rational(x.rest(0));
        let (dx, dy) = (&z.0 - sum(ball.mid.re), &z.1 - sum(ball.mid.im));
        &dx * &dx + &dy * &dy <= sum(ball.radius) * sum(ball.radius)
    }

    /// Values and Jacobian on polydiscs hold those at points of them; returns the largest radius found.
    fn check_enclosures<R: Real>(trial: u64, radius: f64) -> f64 {
        let mut stream = Stream::new(21, trial);
        let polynomials = polynomials(&mut stream, Stream::normal);
        let inputs: Vec<C64> = (0..INPUTS).map(|_| C64::new(stream.normal(), stream.normal())).collect();
        let (x, p) = inputs.split_at(UNKNOWNS);
        let system = program(&polynomials).at(p).unwrap();
        let mut work = system.start::<Ball<R>>();
        let around: Vec<Ball<R>> = x.iter().map(|&z| Ball::coefficient(z, radius)).collect();
        let (mut value, mut jacobian) = (vec![Ball::zero(); UNKNOWNS], vec![Ball::zero(); UNKNOWNS * UNKNOWNS]);
        system.evaluate(&mut work, &[], &around, &mut value, Some(&mut jacobian));
        // A point on the boundary of the polydisc, (3, 4, 5) being a right triangle.
        let shift = (rational(radius) * rational(0.6), rational(radius) * rational(0.8));
        let mut at: Vec<Exact> = inputs.iter().map(|&z| exact(z)).collect();
        if radius > 0.0 {
            let inside = |z: &Exact| (&z.0 + &shift.0 * rational(0.99), &z.1 + &shift.1 * rational(0.99));
            (0..UNKNOWNS).for_each(|i| at[i] = inside(&at[i]));
        }
        let mut alone = vec![Ball::zero(); UNKNOWNS];
        system.evaluate(&mut work, &[], &around, &mut alone, None);
        for (row, terms) in polynomials.iter().enumerate() {
            let expected = exact_value(terms, &at, None);
            assert!(encloses(value[row], &expected) && encloses(alone[row], &expected), "trial {trial}, value {row}");
            for col in 0..UNKNOWNS {
                let expected = exact_value(terms, &at, Some(col));
                assert!(encloses(jacobian[row * UNKNOWNS + col], &expected), "trial {trial}, entry {row} {col}");
            }
        }
        value.iter().chain(&jacobian).fold(0.0, |acc: f64, ball| acc.max(ball.radius.get(0)))
    }

    #[test]
    fn enclosures_hold_the_exact_values_and_derivatives() {
        for trial in 0..60 {
            assert!(check_enclosures::<f64>(trial, 0.0) < 1e-9);
            assert!(check_enclosures::<DoubleDouble>(trial, 0.0) < 1e-22);
            assert!(check_enclosures::<f64>(trial, 0.01) > 0.0);
        }
    }

    /// Coefficients of a product of power series, up to those of the factors.
    fn series_product(a: &[f64], b: &[f64]) -> Vec<f64> {
        (0..a.len()).map(|k| (0..=k).map(|p| a[p] * b[k - p]).sum()).collect()
    }

    #[test]
    fn series_residuals_are_coefficients_of_the_expansion() {
        const ORDER: usize = 4;
        for trial in 0..30 {
            let mut stream = Stream::new(22, trial);
            let polynomials = polynomials(&mut stream, |stream| stream.integer(-3, 3) as f64);
            // Integers, so that nothing is rounded.
            let mut draw = || stream.integer(-3, 3) as f64;
            let known: Vec<Vec<f64>> = (0..ORDER).map(|_| (0..UNKNOWNS).map(|_| draw()).collect()).collect();
            let (start, change) = ([draw(), draw()], [draw(), draw()]);
            let complex = |list: &[f64]| list.iter().map(|&x| C64::new(x, 0.0)).collect::<Vec<_>>();
            let end = [start[0] + change[0], start[1] + change[1]];
            let system = program(&polynomials).between(&complex(&start), &complex(&end)).unwrap();
            let mut work = system.start::<C64>();
            let coefficients: Vec<Vec<C64>> = known.iter().map(|one| complex(one)).collect();
            for order in 1..=ORDER {
                let mut residual = vec![C64::zero(); UNKNOWNS];
                system.series_residual(&mut work, &[], &coefficients[..order], &mut residual);
                let input = |index: usize| -> Vec<f64> {
                    let mut list: Vec<f64> = if index < UNKNOWNS {
                        known[..order].iter().map(|one| one[index]).collect()
                    } else {
                        vec![start[index - UNKNOWNS], change[index - UNKNOWNS]]
                    };
                    list.resize(ORDER + 1, 0.0);
                    list
                };
                for (terms, found) in polynomials.iter().zip(&residual) {
                    let term = |monomial: &Monomial| {
                        let mut product = vec![0.0; ORDER + 1];
                        product[0] = monomial.factor;
                        for (index, &power) in monomial.powers.iter().enumerate() {
                            (0..power).for_each(|_| product = series_product(&product, &input(index)));
                        }
                        product[order]
                    };
                    let expected: f64 = terms.iter().map(term).sum();
                    assert_eq!((found.re, found.im), (expected, 0.0), "trial {trial}, order {order}");
                }
            }
        }
    }

    #[test]
    fn derivatives_share_products_and_leave_out_zeros() {
        let program = Program::new(4, 1, |x, p| {
            vec![x[0] * x[1] * x[2] * x[3] - 1.0, x[0] * x[0] - p[0], x[1] + 0.0 * x[0], 1.0 * x[2] - -x[3]]
        });
        let program = program.unwrap();
        // Four for the derivatives of the product of four, none for those of the square.
        assert_eq!(program.multiplications(), (4, 8));
        assert_eq!(program.jacobian.len(), 4 + 1 + 1 + 2);
    }

    #[test]
    fn wrong_numbers_of_equations_and_parameters_are_refused() {
        assert!(Program::new(2, 0, |x, _| vec![x[0] * x[1]]).is_err());
        let program = Program::new(1, 1, |x, p| vec![x[0] - p[0]]).unwrap();
        assert!(program.at(&[]).is_err() && program.between(&[C64::zero()], &[]).is_err());
    }
}
