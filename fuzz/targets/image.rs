#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| seatrial_model::fuzzing::image(data));
