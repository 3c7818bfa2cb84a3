// A library that only links another one.
