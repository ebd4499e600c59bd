//! What the platform remembers about itself: traces, logs and rates, within a bound.

pub mod model;
