//! Every form of the same results, and what each escapes.
