"""The intermediate representation: plain, immutable, picklable data. No I/O, no clang, no contracts."""
