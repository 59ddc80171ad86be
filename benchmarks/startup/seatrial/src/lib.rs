//! Empty: what is measured is measured in tests.
