//! Symbols: arithmetic with them records a straight-line program, and the derivatives of what was recorded.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::{Add, Mul, Neg, Sub};

/// One operation on registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    /// The double with these bits.
    Constant(u64),
    Sum(usize, usize),
    Difference(usize, usize),
    Product(usize, usize),
    Negative(usize),
}

/// Operations one after the other. The first registers hold the inputs, and operation `i` writes register `inputs + i`.
#[derive(Debug)]
pub(super) struct Tape {
    inputs: usize,
    pub(super) operations: Vec<Operation>,
    /// Where the result of an operation is found, so that none is done twice.
    known: BTreeMap<Operation, usize>,
}

impl Tape {
    pub(super) fn new(inputs: usize) -> Self {
        Self { inputs, operations: Vec::new(), known: BTreeMap::new() }
    }

    fn record(&mut self, operation: Operation) -> usize {
        let next = self.inputs + self.operations.len();
        let register = *self.known.entry(operation).or_insert(next);
        if register == next {
            self.operations.push(operation);
        }
        register
    }

    fn operation(&self, register: usize) -> Option<Operation> {
        register.checked_sub(self.inputs).and_then(|index| self.operations.get(index).copied())
    }

    fn holds(&self, register: usize, value: f64) -> bool {
        matches!(self.operation(register), Some(Operation::Constant(bits)) if f64::from_bits(bits) == value)
    }

    fn constant(&mut self, value: f64) -> usize {
        self.record(Operation::Constant(value.to_bits()))
    }

    fn sum(&mut self, a: usize, b: usize) -> usize {
        match (self.holds(a, 0.0), self.holds(b, 0.0)) {
            (true, _) => b,
            (_, true) => a,
            _ => self.record(Operation::Sum(a.min(b), a.max(b))),
        }
    }

    fn difference(&mut self, a: usize, b: usize) -> usize {
        match (self.holds(a, 0.0), self.holds(b, 0.0)) {
            (_, true) => a,
            (true, _) => self.negative(b),
            _ => self.record(Operation::Difference(a, b)),
        }
    }

    fn product(&mut self, a: usize, b: usize) -> usize {
        let (a, b) = (a.min(b), a.max(b));
        if self.holds(a, 0.0) || self.holds(b, 1.0) {
            a
        } else if self.holds(b, 0.0) || self.holds(a, 1.0) {
            b
        } else {
            self.record(Operation::Product(a, b))
        }
    }

    fn negative(&mut self, a: usize) -> usize {
        match self.operation(a) {
            Some(Operation::Constant(bits)) => self.constant(-f64::from_bits(bits)),
            Some(Operation::Negative(original)) => original,
            _ => self.record(Operation::Negative(a)),
        }
    }

    /// Registers, among those written so far, that depend on one of the first `unknowns` inputs.
    pub(super) fn dependent(&self, unknowns: usize) -> Vec<bool> {
        let mut depends: Vec<bool> = (0..self.inputs).map(|input| input < unknowns).collect();
        for operation in &self.operations {
            depends.push(match *operation {
                Operation::Constant(_) => false,
                Operation::Negative(a) => depends[a],
                Operation::Sum(a, b) | Operation::Difference(a, b) | Operation::Product(a, b) => {
                    depends[a] || depends[b]
                }
            });
        }
        depends
    }

    /// Records the derivatives of a register by every input, in reverse mode: the adjoint of a register is the derivative
    /// by it, and flows on to the operands. `None` where a derivative vanishes identically or is not asked for.
    pub(super) fn gradient(&mut self, output: usize, depends: &[bool]) -> Vec<Option<usize>> {
        let mut adjoints = Adjoints { tape: self, depends, of: vec![None; depends.len()] };
        let one = adjoints.tape.constant(1.0);
        adjoints.add(output, one);
        for register in (0..=output).rev() {
            if let (Some(adjoint), Some(operation)) = (adjoints.of[register], adjoints.tape.operation(register)) {
                adjoints.flow(operation, adjoint);
            }
        }
        adjoints.of.truncate(adjoints.tape.inputs);
        adjoints.of
    }
}

struct Adjoints<'a> {
    tape: &'a mut Tape,
    depends: &'a [bool],
    of: Vec<Option<usize>>,
}

impl Adjoints<'_> {
    fn flow(&mut self, operation: Operation, adjoint: usize) {
        match operation {
            Operation::Constant(_) => {}
            Operation::Sum(a, b) => {
                self.add(a, adjoint);
                self.add(b, adjoint);
            }
            Operation::Difference(a, b) => {
                self.add(a, adjoint);
                self.subtract(b, adjoint);
            }
            Operation::Negative(a) => self.subtract(a, adjoint),
            Operation::Product(a, b) => {
                for (factor, other) in [(a, b), (b, a)] {
                    if self.depends[factor] {
                        let term = self.tape.product(adjoint, other);
                        self.add(factor, term);
                    }
                }
            }
        }
    }

    fn add(&mut self, register: usize, term: usize) {
        if self.depends[register] {
            self.of[register] = Some(match self.of[register] {
                Some(sum) => self.tape.sum(sum, term),
                None => term,
            });
        }
    }

    fn subtract(&mut self, register: usize, term: usize) {
        if self.depends[register] {
            self.of[register] = Some(match self.of[register] {
                Some(sum) => self.tape.difference(sum, term),
                None => self.tape.negative(term),
            });
        }
    }
}

/// A polynomial in the unknowns and parameters of the [`super::Program`] being written.
///
/// Sums, differences and products of symbols and of doubles are symbols; a double stands for exactly itself.
#[derive(Debug, Clone, Copy)]
pub struct Symbol<'a> {
    tape: &'a RefCell<Tape>,
    pub(super) register: usize,
}

impl<'a> Symbol<'a> {
    pub(super) fn new(tape: &'a RefCell<Tape>, register: usize) -> Self {
        Self { tape, register }
    }

    fn constant(self, value: f64) -> Self {
        Self { register: self.tape.borrow_mut().constant(value), ..self }
    }
}

macro_rules! recorded {
    ($($operator:ident $method:ident $operation:ident),+) => {$(
        impl<'a> $operator for Symbol<'a> {
            type Output = Symbol<'a>;
            fn $method(self, other: Self) -> Self {
                Self { register: self.tape.borrow_mut().$operation(self.register, other.register), ..self }
            }
        }

        impl<'a> $operator<f64> for Symbol<'a> {
            type Output = Symbol<'a>;
            fn $method(self, other: f64) -> Self {
                self.$method(self.constant(other))
            }
        }

        impl<'a> $operator<Symbol<'a>> for f64 {
            type Output = Symbol<'a>;
            fn $method(self, other: Symbol<'a>) -> Symbol<'a> {
                other.constant(self).$method(other)
            }
        }
    )+};
}

recorded!(Add add sum, Sub sub difference, Mul mul product);

impl Neg for Symbol<'_> {
    type Output = Self;
    fn neg(self) -> Self {
        Self { register: self.tape.borrow_mut().negative(self.register), ..self }
    }
}
