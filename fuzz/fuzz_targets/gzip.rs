#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| walkforge_fuzz::read("csv.gz", content, true));
