//! The contract, run: the engine against the oracle, the vectors through the doors, and the invariants of the rooms.

#[cfg(test)]
mod adoption;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod churn;
#[cfg(test)]
mod dropoff;
#[cfg(test)]
mod engagement;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod funnel;
#[cfg(test)]
mod generate;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod grow;
#[cfg(test)]
mod http;
#[cfg(test)]
mod journey;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod models;
#[cfg(test)]
mod peers;
#[cfg(test)]
mod person;
#[cfg(test)]
mod pickup;
#[cfg(test)]
mod predictive;
#[cfg(test)]
mod pure;
#[cfg(test)]
mod realtime;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod rooms;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod store;
#[cfg(test)]
mod vectors;
