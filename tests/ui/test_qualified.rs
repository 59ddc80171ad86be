//! Functions that cannot be a test.

#[seatrial::test]
const fn constant() {}

#[seatrial::test]
unsafe fn dangerous() {}

#[seatrial::test]
extern "C" fn foreign() {}

#[seatrial::test]
fn generic<C: seatrial::Composition>(_: C) {}

#[seatrial::test]
fn also_generic(_: impl seatrial::Composition) {}

#[seatrial::test]
fn method(&self) {}

#[seatrial::test]
struct Structure;
