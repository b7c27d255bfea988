//! The handle: opens and closes the stores, holds the clock, and delegates; it computes nothing itself.
