//! Seventy tests that share one service with those of two other packages.

seatrial_sharing_fleet::tests_of!([a b c d e f g] [t0 t1 t2 t3 t4 t5 t6 t7 t8 t9]);
